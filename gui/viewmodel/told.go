package viewmodel

import (
	"time"

	"earnest/agentclient"
)

// How long a quiet line stays: long enough to read twice. A failure stays longer.
const (
	tellFor  = 8 * time.Second
	faultFor = 30 * time.Second
)

// told is what was said last about what the person did.
type told struct {
	text  said
	tone  Tone
	until time.Time
}

func (m *Model) tell(tone Tone, text said) {
	last := tellFor
	if tone == Against {
		last = faultFor
	}
	m.box.told = told{text: text, tone: tone, until: m.say.now().Add(last)}
}

// Told is a quiet line that goes away by itself: what came of a decision.
type Told struct {
	Show bool
	Text string
	Tone Tone
}

// Told is what was said last, as long as it is fresh.
func (m *Model) Told() Told {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t := m.box.told; m.say.now().Before(t.until) {
		return Told{Show: true, Text: line(m.say.again(t.text)), Tone: t.tone}
	}
	return Told{}
}

// Dismiss takes the quiet line away.
func (m *Model) Dismiss() { m.update(func() { m.box.told = told{} }) }

// tellAccepted says what an accept did to the money, and who may write now.
func (m *Model) tellAccepted(mail agentclient.Mail, free agentclient.Free) {
	who := writer(mail)
	old, _ := m.box.find(mail.ID)
	var text said
	switch {
	case mail.Free || old.State == mailUnpaid:
		text = says("told.accepted.free", "Who", who)
	case mail.Queued:
		text = says("told.accepted.queued", "Amount", mail.Price, "Who", who)
	case old.State == mailExpired || mail.Late:
		text = says("told.accepted.late", "Amount", mail.Price, "Who", who)
	default:
		text = says("told.accepted", "Amount", mail.Price, "Who", who)
	}
	if n, always, ok := m.grants(mail, free).Count(); ok && !always && n > 0 {
		text = text.and(saysN("told.free", n, "Who", who))
	} else if ok && !always {
		text = text.and(says("told.free.none", "Who", who))
	} else {
		text = text.and(says("told.free.always", "Who", who))
	}
	m.tell(Good, text)
}

// grants is what an accept lets the mail's sender write, where the price of the
// address that it came to says it.
func (m *Model) grants(mail agentclient.Mail, free agentclient.Free) agentclient.Free {
	if free != agentclient.FreePolicy {
		return free
	}
	return m.own.prices[key(mail.To)].FreeAfter
}

// tellRun says what became of marked mails.
func (m *Model) tellRun(verb string, n int, last agentclient.Mail) {
	switch verb {
	case "accept":
		if last.Queued {
			m.tell(Good, saysN("told.run.accept.queued", n))
			return
		}
		m.tell(Good, saysN("told.run.accept", n))
	case "undo":
		m.tell(Good, saysN("told.run.undo", n))
	}
}

// Undo is the bar that counts a reject down.
type Undo struct {
	Show bool
	Text string
}

// Undo says what can be taken back, who gets the money else, and how long still.
func (m *Model) Undo() Undo {
	m.mu.Lock()
	defer m.mu.Unlock()
	latest, ok := m.undoable()
	if !ok {
		return Undo{}
	}
	to := m.beneficiary(latest)
	left := countdown(latest.EffectiveAt.Sub(m.say.now()))
	var text string
	all := m.together(latest)
	switch sum, alike := m.moneyOf(all); {
	case latest.Queued:
		text = m.say.T("undo.queued", "Who", writer(latest))
	case latest.Free || latest.Price.Amount == "":
		text = m.say.T("undo.free", "Who", writer(latest), "Left", left)
	case len(all) > 1 && alike:
		text = m.say.N("undo.many", len(all), "Amount", m.say.money(sum), "To", to, "Left", left)
	case len(all) > 1:
		text = m.say.N("undo.many.mixed", len(all), "Left", left)
	default:
		text = m.say.T("undo.one", "Who", writer(latest), "Amount", m.say.money(latest.Price), "To", to, "Left", left)
	}
	others := 0
	for _, e := range m.box.rejecting {
		if m.may(e.mail).Undo {
			others++
		}
	}
	if others -= len(all); others > 0 {
		text += " " + m.say.N("undo.more", others)
	}
	return Undo{Show: true, Text: text}
}

// moneyOf is the money of several mails, and whether one sum says it.
func (m *Model) moneyOf(mails []agentclient.Mail) (sum agentclient.Money, alike bool) {
	for i, mail := range mails {
		switch {
		case mail.Price.Amount == "" || mail.Beneficiary != mails[0].Beneficiary || mail.Price.Currency != mails[0].Price.Currency:
			return sum, false
		case i == 0:
			sum = mail.Price
		default:
			sum = sumOf(sum, mail.Price)
		}
	}
	return sum, true
}

func (m *Model) beneficiary(mail agentclient.Mail) string {
	if to := line(mail.Beneficiary); to != "" {
		return to
	}
	return m.say.T("undo.beneficiary")
}
