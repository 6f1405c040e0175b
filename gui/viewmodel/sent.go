package viewmodel

import (
	"context"
	"fmt"
	"slices"

	"earnest/agentclient"
)

// outbox is the mails that were sent from here.
type outbox struct {
	mails       []agentclient.Sent
	loaded      bool
	selected    string
	reading     bool
	withdrawing bool
	notice      string
	fresh       string // what was just sent, in words
}

// SelectSent shows the life of a mail that was sent.
func (m *Model) SelectSent(id string) {
	m.update(func() { m.out.selected, m.out.reading, m.out.notice, m.out.fresh = id, true, "", "" })
}

// SentList is the list of mails that were sent.
func (m *Model) SentList() List {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := List{Page: PageSent, Title: "Sent", Reading: m.out.reading}
	for _, s := range m.out.mails {
		row := Row{ID: s.ID, Title: line(s.To), Subject: subject(s.Subject), Amount: m.say.money(s.Price), Selected: s.ID == m.out.selected}
		row.Note, row.NoteTone = sentNote(s)
		list.Rows = append(list.Rows, row)
	}
	switch {
	case len(list.Rows) > 0:
	case !m.out.loaded:
		list.Empty = m.notYet()
	default:
		list.Empty = Empty{Title: "Nothing sent yet", Text: "You see the price of an inbox before you write to it. The money comes back unless your mail is rejected."}
	}
	return list
}

func sentNote(s agentclient.Sent) (string, Tone) {
	switch s.State {
	case "paying":
		return "paying", Muted
	case "paid", "submitted":
		return "on its way", Waits
	case "arrived":
		return "held", Waits
	case "accepted", "expired", "withdrawn":
		if s.Money == "refunded" {
			return "refunded", Good
		}
		return s.State, Muted
	case "rejected":
		return "forfeited", Against
	case "withdrawing":
		return "withdrawing", Waits
	case "failed":
		return "not sent", Against
	}
	return line(s.State), Muted
}

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
	Fresh       string
	Steps       []Step
	MayWithdraw bool
	Hint        bool
}

// SentMail tells the life of the chosen mail.
func (m *Model) SentMail() SentMail {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.out.mails, func(s agentclient.Sent) bool { return s.ID == m.out.selected })
	if i < 0 || m.out.selected == "" {
		return SentMail{Hint: len(m.out.mails) > 0, Fresh: m.out.fresh}
	}
	s := m.out.mails[i]
	v := SentMail{Show: true, ID: s.ID, Subject: subject(s.Subject), To: line(s.To), Amount: m.say.money(s.Price),
		Summary: m.summary(s), Notice: line(s.Error), Fresh: m.out.fresh, Steps: m.steps(s)}
	v.Money, v.Tone = moneyState(s)
	if m.out.notice != "" {
		v.Notice = m.out.notice
	}
	v.MayWithdraw = !m.out.withdrawing && (s.State == "paid" || s.State == "submitted")
	return v
}

func moneyState(s agentclient.Sent) (string, Tone) {
	switch s.Money {
	case "held":
		return "held", Waits
	case "refunded":
		return "refunded", Good
	case "forfeited":
		return "forfeited", Against
	}
	return "not paid", Muted
}

// summary is the one sentence about mail and money.
func (m *Model) summary(s agentclient.Sent) string {
	price, to := m.say.money(s.Price), line(s.To)
	switch s.State {
	case "paying":
		return fmt.Sprintf("Paying %s. Nothing has left yet.", price)
	case "paid":
		return fmt.Sprintf("Paid. %s is held; the mail is being handed to your mail server.", price)
	case "submitted":
		return fmt.Sprintf("On its way. %s is held. If it does not arrive by %s, it comes back.", price, m.say.day(s.DeliverBy))
	case "arrived":
		return fmt.Sprintf("Delivered. %s is held until %s decides, at the latest until %s; then it comes back.", price, to, m.say.day(s.DecideBy))
	case "accepted":
		if s.Money != "refunded" {
			return fmt.Sprintf("Accepted. Your %s is on its way back.", price)
		}
		return fmt.Sprintf("Accepted. Your %s is back and can be spent.", price)
	case "rejected":
		return fmt.Sprintf("Rejected. %s went to %s. Your key was deleted.", price, beneficiary(s.Beneficiary))
	case "expired":
		if s.ArrivedAt.IsZero() {
			return fmt.Sprintf("It was not reported as arrived in time. Your %s is back and can be spent.", price)
		}
		return fmt.Sprintf("%s did not decide in time. Your %s is back and can be spent.", to, price)
	case "withdrawing":
		return fmt.Sprintf("You asked for it back. %s is held until the mail's key is destroyed unopened, at the latest until %s.", price, m.say.day(s.DeliverBy))
	case "withdrawn":
		return fmt.Sprintf("Withdrawn. Your %s is back and can be spent. The mail will not be opened.", price)
	case "failed":
		if s.Money == "held" {
			return fmt.Sprintf("It could not be sent. %s is held and will come back.", price)
		}
		return "It could not be sent. No money is held for it."
	}
	return ""
}

func beneficiary(s string) string {
	if s = line(s); s == "" {
		return "the escrow's beneficiary"
	}
	return s
}

// steps is the line of life: paid, sent, arrived, read, decided. Where the
// recipient says nothing, nothing is proven, and the line says so by silence.
func (m *Model) steps(s agentclient.Sent) []Step {
	steps := []Step{{Title: "Paid", Time: m.say.moment(s.At), Done: s.State != "paying" && s.State != "failed" || s.Money == "held"}}
	add := func(title, time string, done bool, tone Tone) {
		steps = append(steps, Step{Title: title, Time: time, Done: done, Tone: tone})
	}
	ended := !s.EndedAt.IsZero()
	if !s.SubmittedAt.IsZero() || !ended {
		add("Handed to your mail server", m.say.moment(s.SubmittedAt), !s.SubmittedAt.IsZero(), Plain)
	}
	if !s.ArrivedAt.IsZero() || !ended {
		when := m.say.moment(s.ArrivedAt)
		if when == "" && !s.DeliverBy.IsZero() {
			when = "by " + m.say.day(s.DeliverBy)
		}
		add("Arrived", when, !s.ArrivedAt.IsZero(), Plain)
	}
	if !s.ReadAt.IsZero() {
		add("Read", m.say.moment(s.ReadAt), true, Plain)
	}
	switch s.State {
	case "accepted":
		add("Accepted", m.say.moment(s.EndedAt), true, Good)
	case "rejected":
		add("Rejected", m.say.moment(s.EndedAt), true, Against)
	case "expired":
		add("Expired, money back", m.say.moment(s.EndedAt), true, Good)
	case "withdrawn":
		add("Withdrawn, money back", m.say.moment(s.EndedAt), true, Good)
	case "failed":
		add("Not sent", m.say.moment(s.EndedAt), true, Against)
	default:
		when := ""
		if !s.DecideBy.IsZero() {
			when = "by " + m.say.day(s.DecideBy)
		}
		add("Decided", when, false, Plain)
	}
	steps[len(steps)-1].Last = true
	return steps
}

// Withdraw asks for the chosen mail's money back before it arrives.
func (m *Model) Withdraw() {
	v := m.SentMail()
	if !v.MayWithdraw {
		return
	}
	m.update(func() { m.out.withdrawing, m.out.notice = true, "" })
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		_, err := m.agent.Withdraw(ctx, v.ID)
		m.update(func() {
			m.out.withdrawing = false
			m.out.notice = m.say.failure(err)
		})
		m.do(m.loadSent)
	})
}
