package viewmodel

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"earnest/agentclient"
)

// maxReason bounds a note on a reject.
const maxReason = 500

// ask is what is being filled in before a decision; it is kept with its mail.
type ask struct {
	verb   string // accept or reject; empty: closed
	count  string
	reason string
	fault  said
}

// Ask is the form for an accept that says how many free mails, or a reject with
// a note.
type Ask struct {
	Accept, Reject bool
	Title          string
	Count          string
	Reason         string
	Fault          string
}

// AskAccept opens the form of an accept, or closes it.
func (m *Model) AskAccept() { m.openAsk("accept", func(may May) bool { return may.Accept }) }

// AskReject opens the form of a reject, or closes it.
func (m *Model) AskReject() { m.openAsk("reject", func(may May) bool { return may.Reject }) }

func (m *Model) openAsk(verb string, allowed func(May) bool) {
	m.update(func() {
		id := m.box.selected
		mail, ok := m.box.find(id)
		if !ok || !folder(m.shown()) || m.box.opening || len(m.box.marks) > 0 || !allowed(m.may(mail)) {
			return
		}
		a := m.box.asks[id]
		if a.verb == verb {
			verb = ""
		}
		a.verb, a.fault = verb, nil
		m.box.asks = set(m.box.asks, id, a)
	})
}

// CloseAsk closes the form; what was typed is kept with the mail. It tells
// whether one was open.
func (m *Model) CloseAsk() (was bool) {
	m.update(func() {
		a := m.box.asks[m.box.selected]
		if was = a.verb != ""; was {
			a.verb, a.fault = "", nil
			m.box.asks = set(m.box.asks, m.box.selected, a)
		}
	})
	return was
}

func (m *Model) setAsk(change func(*ask)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.box.selected != "" {
		a := m.box.asks[m.box.selected]
		change(&a)
		m.box.asks = set(m.box.asks, m.box.selected, a)
	}
}

// SetCount is the number of free mails as it is being typed.
func (m *Model) SetCount(s string) { m.setAsk(func(a *ask) { a.count, a.fault = s, nil }); m.changed() }

// SetReason is the note on a reject as it is being typed.
func (m *Model) SetReason(s string) {
	m.setAsk(func(a *ask) { a.reason, a.fault = s, nil })
	m.changed()
}

func (m *Model) askView(mail agentclient.Mail) Ask {
	a := m.box.asks[mail.ID]
	may := m.may(mail)
	v := Ask{Accept: a.verb == "accept" && may.Accept, Reject: a.verb == "reject" && may.Reject,
		Count: a.count, Reason: a.reason, Fault: m.say.again(a.fault)}
	who := writer(mail)
	switch {
	case v.Accept:
		v.Title = m.say.T("ask.accept.title", "Who", who)
	case v.Reject && mail.Price.Amount == "":
		v.Title = m.say.T("ask.reject.title.free")
	case v.Reject:
		v.Title = m.say.T("ask.reject.title", "Amount", m.say.money(mail.Price), "To", m.beneficiary(mail))
	}
	return v
}

// AcceptAlways accepts, and its sender may write free from now on.
func (m *Model) AcceptAlways() { m.acceptFree(agentclient.FreeAlways) }

// AcceptOnce accepts this mail only: the next one needs a bond again.
func (m *Model) AcceptOnce() { m.acceptFree(agentclient.FreeNone) }

// AcceptCounted accepts, and its sender may write as many mails free as were
// typed. What makes no number is said beside the field.
func (m *Model) AcceptCounted() {
	m.mu.Lock()
	typed := strings.TrimSpace(m.box.asks[m.box.selected].count)
	m.mu.Unlock()
	n, err := strconv.Atoi(typed)
	var fault said
	switch {
	case typed == "":
		fault = says("ask.count.empty")
	case err != nil || n < 1:
		fault = says("ask.count.number", "Typed", line(typed))
	case n > agentclient.MaxFree:
		fault = says("ask.count.many")
	}
	if fault != nil {
		m.update(func() { m.faultAsk(fault) })
		return
	}
	m.acceptFree(agentclient.FreeMails(n))
}

// RejectNoted rejects with the note, which stays here.
func (m *Model) RejectNoted() {
	m.mu.Lock()
	reason := strings.TrimSpace(m.box.asks[m.box.selected].reason)
	m.mu.Unlock()
	if utf8.RuneCountInString(reason) > maxReason {
		m.update(func() { m.faultAsk(says("ask.reason.long", "Most", maxReason)) })
		return
	}
	m.rejectWith(reason)
}

func (m *Model) faultAsk(fault said) {
	a := m.box.asks[m.box.selected]
	a.fault = fault
	m.box.asks = set(m.box.asks, m.box.selected, a)
}
