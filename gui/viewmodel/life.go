package viewmodel

import (
	"context"
	"slices"
	"strings"
	"time"

	"earnest/agentclient"
)

// Step is one point of a mail's line of life.
type Step struct {
	Title, Time string
	Done        bool
	Tone        Tone
	Last        bool
}

// SentMail is the mail chosen on the page of sent mails, ready to draw.
type SentMail struct {
	Show        bool
	ID          string
	Subject, To string
	Amount      string
	Money       string
	Tone        Tone
	Summary     string
	Notice      string
	Fresh       string // what was just sent, with the offer to take it back
	TakeBack    bool   // beside Fresh
	Steps       []Step
	Silence     string // why nothing more is known
	MayWithdraw bool
	MayRedraft  bool
	MayProve    bool
	Proof       Proof
	Hint        bool
}

// SentMail tells the life of the chosen mail.
func (m *Model) SentMail() SentMail {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.out.index(m.out.selected)
	if i < 0 {
		return SentMail{Hint: len(m.out.mails) > 0 && !m.out.proof.file, Proof: m.proofView()}
	}
	s := m.out.mails[i]
	v := SentMail{Show: !m.out.proof.file, ID: s.ID, Subject: subject(m.say, s.Subject), To: line(s.To), Amount: m.say.money(s.Price),
		Summary: m.summary(s), Notice: line(m.say.agent(s.SayError, s.Error)), Steps: m.steps(s), Silence: m.silence(s), Proof: m.proofView()}
	v.Money, v.Tone = m.moneyState(s)
	if s.Free {
		v.Amount = m.say.T("write.free")
	}
	if m.out.notice != nil {
		v.Notice = m.say.again(m.out.notice)
	}
	v.Fresh, v.TakeBack = m.freshWords()
	v.MayWithdraw = !v.TakeBack && m.out.mayWithdraw(s)
	v.MayRedraft, v.MayProve = s.Kept, s.Bond != "" && s.State != sentPaying && s.Money != "none"
	return v
}

func (o *outbox) mayWithdraw(s agentclient.Sent) bool {
	return !s.Free && !o.withdrawing[s.ID] && (s.State == sentPaid || s.State == sentSubmitted)
}

// justSent notes what went out, to offer taking it back.
func (o *outbox) justSent(m *Model, went []agentclient.Sent) {
	o.selected, o.fresh, o.notice, o.proof = went[0].ID, nil, nil, proof{}
	o.search, o.filter, o.stale = "", SentAll, true
	for _, s := range went {
		o.fresh = append(o.fresh, s.ID)
	}
}

// freshWords is the line after sending, as long as it is true.
func (m *Model) freshWords() (string, bool) {
	var held []agentclient.Money
	n, back := 0, false
	for _, id := range m.out.fresh {
		i := m.out.index(id)
		if i < 0 {
			continue
		}
		s := m.out.mails[i]
		if s.State != sentPaying && s.State != sentPaid && s.State != sentSubmitted {
			continue
		}
		n++
		back = back || m.out.mayWithdraw(s)
		if s.Money == "held" {
			held = append(held, s.Price)
		}
	}
	switch {
	case n == 0:
		return "", false
	case len(held) == 0:
		return m.say.N("sent.fresh.free", n), back
	}
	return m.say.N("sent.fresh", n, "Amount", m.amounts(held)), back
}

// TakeBack withdraws all that was just sent.
func (m *Model) TakeBack() {
	m.mu.Lock()
	ids := slices.Clone(m.out.fresh)
	m.mu.Unlock()
	for _, id := range ids {
		m.withdraw(id)
	}
}

func (m *Model) moneyState(s agentclient.Sent) (string, Tone) {
	switch {
	case s.Free:
		return m.say.T("sent.money.free"), Muted
	case s.Money == "held":
		return m.say.T("sent.money.held"), Waits
	case s.Money == "refunded":
		return m.say.T("sent.money.refunded"), Good
	case s.Money == "forfeited":
		return m.say.T("sent.money.forfeited"), Against
	}
	return m.say.T("sent.money.none"), Muted
}

// summary is the one sentence about mail and money.
func (m *Model) summary(s agentclient.Sent) string {
	price, to := m.say.money(s.Price), line(s.To)
	switch s.State {
	case sentPaying:
		return m.say.T("sent.paying", "Amount", price)
	case sentPaid:
		if s.Free {
			return m.say.T("sent.free.paid")
		}
		return m.say.T("sent.paid", "Amount", price)
	case sentSubmitted:
		if s.Free {
			return m.say.T("sent.free.submitted", "To", to)
		}
		return m.moved(s, m.say.T("sent.submitted", "Amount", price, "Day", m.say.day(s.DeliverBy)))
	case sentArrived:
		return m.moved(s, m.say.T("sent.arrived", "Amount", price, "To", to, "Day", m.say.day(s.DecideBy)))
	case sentAccepted:
		if s.Money != "refunded" {
			return m.say.T("sent.accepted.returning", "Amount", price)
		}
		return strings.TrimSpace(m.say.T("sent.accepted", "Amount", price) + " " + m.granted(s))
	case sentRejected:
		return m.say.T("sent.rejected", "Amount", price, "Beneficiary", m.whoGets(s.Beneficiary))
	case sentExpired:
		return m.expired(s, price, to)
	case sentWithdrawing:
		return m.moved(s, m.say.T("sent.withdrawing", "Amount", price, "Day", m.say.day(s.DeliverBy)))
	case sentWithdrawn:
		if s.Money != "refunded" {
			return m.say.T("sent.withdrawn.returning", "Amount", price)
		}
		return m.say.T("sent.withdrawn", "Amount", price)
	case sentFailed:
		switch s.Money {
		case "held":
			return m.say.T("sent.failed.held", "Amount", price)
		case "refunded":
			return m.say.T("sent.failed.refunded", "Amount", price)
		}
		return m.say.T("sent.failed")
	}
	return ""
}

// moved says after the sentence with a deadline why that is later than it was.
func (m *Model) moved(s agentclient.Sent, sentence string) string {
	if len(s.Outages) == 0 {
		return sentence
	}
	last := s.Outages[len(s.Outages)-1]
	return sentence + " " + m.say.N("sent.moved", len(s.Outages), "Escrow", line(last.Escrow), "From", m.say.moment(last.Began), "Until", m.say.moment(last.Ended))
}

// away is the steps of the outages that began after one moment and not after
// another; zero is no bound.
func (m *Model) away(s agentclient.Sent, after, until time.Time) (steps []Step) {
	for _, o := range s.Outages {
		if o.Began.After(after) && (until.IsZero() || !o.Began.After(until)) {
			steps = append(steps, Step{Title: m.say.T("sent.step.away", "Escrow", line(o.Escrow), "Until", m.say.moment(o.Ended)),
				Time: m.say.moment(o.Began), Done: true, Tone: Waits})
		}
	}
	return steps
}

// expired says refunded only where the money can be spent again.
func (m *Model) expired(s agentclient.Sent, price, to string) string {
	switch {
	case s.Money != "refunded":
		return m.say.T("sent.expired.returning", "Amount", price)
	case s.ArrivedAt.IsZero():
		return m.say.T("sent.expired.lost", "Amount", price)
	}
	return m.say.T("sent.expired", "Amount", price, "To", to)
}

// granted is what the accept lets one write further.
func (m *Model) granted(s agentclient.Sent) string {
	n, always, ok := s.FreeThere.Count()
	switch {
	case always:
		return m.say.T("sent.granted.always")
	case ok && n > 0:
		return m.say.N("sent.granted.count", n)
	case ok:
		return m.say.T("sent.granted.none")
	}
	return "" // it is not known
}

func (m *Model) whoGets(s string) string {
	if s = line(s); s == "" {
		return m.say.T("sent.beneficiary")
	}
	return s
}

// silence says why nothing more is known, so that nobody takes it for news.
func (m *Model) silence(s agentclient.Sent) string {
	switch {
	case s.Free && s.State == sentSubmitted:
		return m.say.T("sent.silence.free")
	case !s.ArrivedAt.IsZero() && s.ReadAt.IsZero():
		return m.say.T("sent.silence.read")
	}
	return ""
}

// steps is the line of life: paid, sent, arrived, read, decided. Where the
// recipient says nothing, nothing is proven, and the line says so by silence.
func (m *Model) steps(s agentclient.Sent) []Step {
	var steps []Step
	add := func(title, time string, done bool, tone Tone) {
		steps = append(steps, Step{Title: title, Time: time, Done: done, Tone: tone})
	}
	by := func(day string) string {
		if day == "" {
			return ""
		}
		return m.say.T("sent.step.by", "Day", day)
	}
	ended := !s.EndedAt.IsZero()
	if !s.Free {
		add(m.say.T("sent.step.paid"), m.say.moment(s.At), s.State != sentPaying && s.State != sentFailed || s.Money != "none" && s.Money != "", Plain)
	}
	if !s.SubmittedAt.IsZero() || !ended {
		add(m.say.T("sent.step.submitted"), m.say.moment(s.SubmittedAt), !s.SubmittedAt.IsZero(), Plain)
	}
	if s.Free {
		if s.State == sentFailed {
			add(m.say.T("sent.step.failed"), m.say.moment(s.EndedAt), true, Against)
		}
		steps[len(steps)-1].Last = true
		return steps
	}
	// Where it has not arrived or was not read, all of its outages come before that.
	steps = append(steps, m.away(s, time.Time{}, s.ArrivedAt)...)
	switch {
	case !s.ArrivedAt.IsZero():
		add(m.say.T("sent.step.arrived"), m.say.hour(s.ArrivedAt), true, Plain)
	case !ended:
		add(m.say.T("sent.step.arrived"), by(m.say.day(s.DeliverBy)), false, Plain)
	}
	if !s.ArrivedAt.IsZero() {
		steps = append(steps, m.away(s, s.ArrivedAt, s.ReadAt)...)
	}
	if !s.ReadAt.IsZero() {
		add(m.say.T("sent.step.read"), m.say.hour(s.ReadAt), true, Plain)
	}
	if !s.ReadAt.IsZero() {
		steps = append(steps, m.away(s, s.ReadAt, time.Time{})...)
	}
	m.lastSteps(s, add, by)
	steps[len(steps)-1].Last = true
	return steps
}

func (m *Model) lastSteps(s agentclient.Sent, add func(string, string, bool, Tone), by func(string) string) {
	when := m.say.moment(s.EndedAt)
	back := func() {
		add(m.say.T("sent.step.refunded"), when, s.Money == "refunded", Good)
	}
	switch s.State {
	case sentAccepted:
		add(m.say.T("sent.step.accepted"), when, true, Plain)
		back()
	case sentRejected:
		add(m.say.T("sent.step.rejected"), when, true, Against)
		add(m.say.T("sent.step.forfeited"), when, s.Money == "forfeited", Against)
	case sentExpired:
		add(m.say.T("sent.step.expired"), when, true, Plain)
		back()
	case sentWithdrawn:
		add(m.say.T("sent.step.withdrawn"), when, true, Plain)
		back()
	case sentFailed:
		add(m.say.T("sent.step.failed"), when, true, Against)
		if s.Money == "refunded" {
			back()
		}
	default:
		add(m.say.T("sent.step.decided"), by(m.say.day(s.DecideBy)), false, Plain)
	}
}

// Withdraw asks for the chosen mail's money back before it arrives.
func (m *Model) Withdraw() {
	m.mu.Lock()
	id := m.out.selected
	m.mu.Unlock()
	m.withdraw(id)
}

func (m *Model) withdraw(id string) {
	m.mu.Lock()
	i := m.out.index(id)
	if i < 0 || !m.out.mayWithdraw(m.out.mails[i]) {
		m.mu.Unlock()
		return
	}
	m.out.withdrawing, m.out.notice = set(m.out.withdrawing, id, true), nil
	m.mu.Unlock()
	m.changed()
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		sent, err := m.agent.Withdraw(ctx, id)
		m.update(func() {
			m.out.withdrawing = unset(m.out.withdrawing, id)
			if err == nil {
				m.out.put(sent)
			} else if m.out.selected == id {
				m.out.notice = fails(err)
			}
		})
		if err != nil {
			m.loadOneSent(ctx, id)
		}
	})
}

// Redraft makes a draft of a mail that never went out, and goes on writing it.
func (m *Model) Redraft() {
	m.mu.Lock()
	id := m.out.selected
	may := m.out.index(id) >= 0 && m.out.mails[m.out.index(id)].Kept && m.desk.opening != id
	if may {
		m.desk.opening, m.out.notice = id, nil
	}
	m.mu.Unlock()
	if may {
		m.changed()
		m.do(func(ctx context.Context) {
			m.openDraft(ctx, id, m.agent.Redraft)
			m.loadOneSent(ctx, id)
		})
	}
}
