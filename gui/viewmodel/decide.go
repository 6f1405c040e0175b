package viewmodel

import (
	"context"
	"slices"

	"earnest/agentclient"
)

// decision asks the agent for what was decided on a mail.
type decision func(ctx context.Context, id string) (agentclient.Mail, error)

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
	case mailWaiting, mailUnpaid:
		return May{Accept: true, Reject: true}
	case mailRejecting:
		return May{Undo: mail.EffectiveAt.IsZero() || m.say.now().Before(mail.EffectiveAt)}
	case mailExpired:
		return May{Accept: true}
	}
	return May{}
}

// Accept lets the open mail in: the money goes back to the sender, who may write
// further mails free, as the own price says.
func (m *Model) Accept() { m.acceptFree(agentclient.FreePolicy) }

func (m *Model) acceptFree(free agentclient.Free) {
	m.decide("accept", func(may May) bool { return may.Accept }, func(ctx context.Context, id string) (agentclient.Mail, error) {
		mail, err := m.agent.Accept(ctx, id, agentclient.Accept{Free: free})
		if err == nil {
			m.update(func() { m.tellAccepted(mail, free) })
		}
		return mail, err
	})
}

// Reject sends the open mail away; the money follows when the undo has run out.
func (m *Model) Reject() { m.rejectWith("") }

func (m *Model) rejectWith(reason string) {
	m.decide("reject", func(may May) bool { return may.Reject }, func(ctx context.Context, id string) (agentclient.Mail, error) {
		return m.agent.Reject(ctx, id, agentclient.Reject{Reason: reason})
	})
}

// UndoReject takes back the latest reject that can still be taken back, with all
// that were rejected at the same time.
func (m *Model) UndoReject() {
	m.mu.Lock()
	latest, ok := m.undoable()
	var ids []string
	if ok && m.box.run.verb == "" {
		for _, mail := range m.together(latest) {
			if m.may(mail).Undo {
				ids = append(ids, mail.ID)
			}
		}
	}
	m.mu.Unlock()
	switch len(ids) {
	case 0:
	case 1:
		m.ask(ids[0], "undo", m.agent.Undo)
	default:
		m.runAll("undo", ids, nil, m.agent.Undo)
	}
}

func (m *Model) decide(verb string, allowed func(May) bool, call decision) {
	m.mu.Lock()
	mail, ok := m.box.find(m.box.selected)
	// What is not shown is not decided: a key never hits a mail unseen.
	ok = ok && folder(m.shown()) && m.lists(mail.ID) && !m.box.opening && allowed(m.may(mail))
	m.mu.Unlock()
	if ok {
		m.ask(mail.ID, verb, call)
	}
}

func (m *Model) ask(id, verb string, call decision) {
	m.update(func() {
		m.box.deciding = set(m.box.deciding, id, verb)
		// The event of the change may come before the answer, and take the mail
		// out of the list: where to go on is known now.
		m.box.next = set(m.box.next, id, m.neighbour(id))
		m.box.notice = unset(m.box.notice, id)
		if verb == "reject" {
			m.box.batches++
			m.box.batch = set(m.box.batch, id, m.box.batches)
		}
	})
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		mail, err := call(ctx, id)
		m.decided(id, verb, mail, err, false)
	})
}

// decided notes the answer and goes on to the next mail of the list, so that a
// row of mails is decided with a row of keys. Of many marked ones the open mail
// is left, but no other one is opened unasked.
func (m *Model) decided(id, verb string, mail agentclient.Mail, err error, many bool) {
	var next string
	m.mu.Lock()
	after := m.box.next[id]
	m.box.deciding, m.box.next = unset(m.box.deciding, id), unset(m.box.next, id)
	if err != nil {
		m.box.notice = set(m.box.notice, id, fails(err))
		if old, ok := m.box.find(id); ok && m.box.selected != id && !many {
			m.tell(Against, says("told.failed", "Subject", worded(func(s speech) string { return subjectOf(s, old) }), "Why", fails(err)))
		}
	} else {
		m.box.asks = unset(m.box.asks, id)
		if verb == "undo" && !many {
			m.tell(Good, saysN("told.run.undo", 1))
		}
		if m.box.selected == id && folder(m.page) && pageOf(mail.State) != m.page {
			if next = m.neighbour(id); next == "" && m.lists(after) {
				next = after
			}
			if many || next == "" {
				next = ""
				m.box.turn()
			}
		}
		m.box.put(mail)
		if verb == "undo" && !many && m.lists(id) {
			next = id // what waits again is what is shown
		}
	}
	m.mu.Unlock()
	if next != "" {
		m.Select(next)
	}
	m.changed()
	if err != nil {
		m.mailChanged(id)
	}
	m.do(m.loadStatus)
	m.do(m.loadBalances)
}

// lists tells that the mail is in the list shown.
func (m *Model) lists(id string) bool {
	return slices.ContainsFunc(m.inSight(m.page), func(e *entry) bool { return e.mail.ID == id })
}

// neighbour is the row below, else the one above.
func (m *Model) neighbour(id string) string {
	list := m.inSight(m.page)
	i := slices.IndexFunc(list, func(e *entry) bool { return e.mail.ID == id })
	switch {
	case i < 0:
		return ""
	case i+1 < len(list):
		return list[i+1].mail.ID
	case i > 0:
		return list[i-1].mail.ID
	}
	return ""
}

// undoable is the reject that would be taken back: the latest.
func (m *Model) undoable() (latest agentclient.Mail, ok bool) {
	for _, e := range m.box.rejecting {
		mail := e.mail
		if !m.may(mail).Undo || mail.EffectiveAt.IsZero() {
			continue
		}
		if !ok || m.later(mail, latest) {
			latest, ok = mail, true
		}
	}
	return latest, ok
}

func (m *Model) later(x, y agentclient.Mail) bool {
	if c := x.EffectiveAt.Compare(y.EffectiveAt); c != 0 {
		return c > 0
	}
	if bx, by := m.box.batch[x.ID], m.box.batch[y.ID]; bx != by {
		return bx > by
	}
	return x.ID < y.ID
}

// together is a rejecting mail with those that were rejected at the same time.
func (m *Model) together(mail agentclient.Mail) []agentclient.Mail {
	batch := m.box.batch[mail.ID]
	if batch == 0 {
		return []agentclient.Mail{mail}
	}
	var all []agentclient.Mail
	for _, e := range m.box.rejecting {
		if m.box.batch[e.mail.ID] == batch {
			all = append(all, e.mail)
		}
	}
	slices.SortFunc(all, func(x, y agentclient.Mail) int { return y.At.Compare(x.At) })
	return all
}
