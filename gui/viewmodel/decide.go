package viewmodel

import (
	"context"
	"fmt"
	"maps"
	"time"

	"earnest/agentclient"
)

// May says what can be done with the open mail.
type May struct{ Accept, Reject, Undo bool }

// may holds the rules: a decision is valid only after arrived, once, and before
// its answer is in no second one is sent. A reject can be taken back until it
// takes effect. A late accept after an expiry moves no money, and is allowed.
func (m *Model) may(mail agentclient.Mail) May {
	if m.box.deciding[mail.ID] != "" {
		return May{}
	}
	switch mail.State {
	case mailWaiting:
		return May{Accept: true, Reject: true}
	case mailRejecting:
		return May{Undo: mail.EffectiveAt.IsZero() || m.say.now().Before(mail.EffectiveAt)}
	case mailExpired:
		return May{Accept: true}
	}
	return May{}
}

// Accept lets the open mail in: the money goes back to the sender.
func (m *Model) Accept() {
	m.decide("accept", func(may May) bool { return may.Accept }, func(ctx context.Context, id string) (agentclient.Mail, error) {
		return m.agent.Accept(ctx, id, agentclient.Accept{})
	})
}

// Reject sends the open mail away; the money follows when the undo has run out.
func (m *Model) Reject() {
	m.decide("reject", func(may May) bool { return may.Reject }, func(ctx context.Context, id string) (agentclient.Mail, error) {
		return m.agent.Reject(ctx, id, agentclient.Reject{})
	})
}

// UndoReject takes back the latest reject that can still be taken back.
func (m *Model) UndoReject() {
	m.mu.Lock()
	mail, ok := m.undoable()
	m.mu.Unlock()
	if ok {
		m.ask(mail.ID, "undo", m.agent.Undo)
	}
}

func (m *Model) decide(verb string, allowed func(May) bool, call func(context.Context, string) (agentclient.Mail, error)) {
	m.mu.Lock()
	mail, ok := m.box.find(m.box.selected)
	// What is not shown is not decided: a key never hits a mail unseen.
	ok = ok && folder(m.shown()) && allowed(m.may(mail))
	m.mu.Unlock()
	if ok {
		m.ask(mail.ID, verb, call)
	}
}

func (m *Model) ask(id, verb string, call func(context.Context, string) (agentclient.Mail, error)) {
	m.update(func() {
		m.box.deciding = with(m.box.deciding, id, verb)
		m.box.notice = without(m.box.notice, id)
	})
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		mail, err := call(ctx, id)
		m.decided(id, verb, mail, err)
	})
}

// decided notes the answer and goes on to the next mail of the list, so that a
// row of mails is decided with a row of keys.
func (m *Model) decided(id, verb string, mail agentclient.Mail, err error) {
	var next string
	m.mu.Lock()
	m.box.deciding = without(m.box.deciding, id)
	if err != nil {
		m.box.notice = with(m.box.notice, id, m.say.failure(err))
	} else {
		if m.box.selected == id && folder(m.page) && pageOf(mail.State) != m.page {
			next = m.neighbour(id)
			if next == "" {
				m.box.turn()
			}
		}
		mails := make([]agentclient.Mail, len(m.box.mails))
		for i, old := range m.box.mails {
			if mails[i] = old; old.ID == id {
				mails[i] = mail
			}
		}
		m.box.put(mails)
	}
	m.mu.Unlock()
	if next != "" {
		m.Select(next)
	}
	m.changed()
	m.do(m.loadInbox)
	m.do(m.loadBalances)
}

// neighbour is the row below, else the one above.
func (m *Model) neighbour(id string) string {
	mails := m.box.in(m.page)
	for i, mail := range mails {
		if mail.ID != id {
			continue
		}
		if i+1 < len(mails) {
			return mails[i+1].ID
		}
		if i > 0 {
			return mails[i-1].ID
		}
	}
	return ""
}

func (m *Model) undoable() (latest agentclient.Mail, ok bool) {
	for _, mail := range m.box.mails {
		if mail.State != mailRejecting || !m.may(mail).Undo || mail.EffectiveAt.IsZero() {
			continue
		}
		if !ok || mail.EffectiveAt.After(latest.EffectiveAt) {
			latest, ok = mail, true
		}
	}
	return latest, ok
}

// Undo is the bar that counts a reject down.
type Undo struct {
	Show bool
	Text string
}

// Undo says what can be taken back, and how long still.
func (m *Model) Undo() Undo {
	m.mu.Lock()
	defer m.mu.Unlock()
	mail, ok := m.undoable()
	if !ok {
		return Undo{}
	}
	return Undo{Show: true, Text: m.rejectWords(mail, m.say.now())}
}

func (m *Model) rejectWords(mail agentclient.Mail, now time.Time) string {
	to := line(mail.Beneficiary)
	if to == "" {
		to = "the escrow's beneficiary"
	}
	return fmt.Sprintf("Rejected. %s goes to %s in %s.", m.say.money(mail.Price), to, countdown(mail.EffectiveAt.Sub(now)))
}

// with and without copy, so that a view taken earlier stays as it was.
func with(m map[string]string, key, value string) map[string]string {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]string{}
	}
	m[key] = value
	return m
}

func without(m map[string]string, key string) map[string]string {
	m = maps.Clone(m)
	delete(m, key)
	return m
}
