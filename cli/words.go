package cli

import (
	"fmt"
	"strings"
	"time"

	"earnest/agentclient"
)

// moment is a time as a person reads it: when, and how far from now.
func (s *session) moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return s.day(t) + " (" + s.away(t) + ")"
}

// day is the absolute half of a moment.
func (s *session) day(t time.Time) string {
	local := t.Local()
	if local.Year() != s.now().Local().Year() {
		return local.Format("Mon 2 Jan 2006 15:04")
	}
	return local.Format("Mon 2 Jan 15:04")
}

// receiptTime is the time in a receipt. What the sender may see of the recipient
// is told by the hour only, and is shown so.
func (s *session) receiptTime(step agentclient.Receipt) string {
	switch step.Event {
	case "arrived", "read", "arrived_late":
		return s.day(step.Time) + "–" + step.Time.Add(time.Hour).Local().Format("15:04")
	}
	return s.moment(step.Time)
}

// away is the relative half: "in 6 days", "2 hours ago". What is ahead is said as in
// the window; the last two minutes, in which an undo runs out, to the second.
func (s *session) away(t time.Time) string {
	d := t.Sub(s.now())
	if d > -time.Minute && d <= 0 {
		return "just now"
	}
	if d < 0 && -d < 2*time.Minute {
		return "a minute ago"
	}
	if d < 0 {
		return span(-d) + " ago"
	}
	if d < 2*time.Minute {
		return "in " + span(d)
	}
	switch n, unit := agentclient.Left(d); {
	case unit == 24*time.Hour && n == 1:
		return "in 1 day"
	case unit == time.Hour && n == 1:
		return "in 1 hour"
	default:
		return "in " + span(time.Duration(n)*unit)
	}
}

func span(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		// Two of a unit, so that 36 hours are not "1 day".
		if n := int64(d / unit.length); n >= 2 {
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	return fmt.Sprintf("%d:%02d minutes", int64(d/time.Minute), int64(d%time.Minute/time.Second))
}

// mailState is a received mail's state in words.
func mailState(state string) string {
	switch state {
	case "held":
		return "waits for the escrow"
	case "rejecting":
		return "rejected, can be undone"
	case "unpaid":
		return "free mails used up"
	case "expired":
		return "expired, refunded"
	}
	return state
}

// decided says what a decision did, with the money in it.
func (s *session) decided(m agentclient.Mail) string {
	var b strings.Builder
	if m.Free {
		return freeDecided(m)
	}
	switch m.State {
	case "accepted":
		if !m.DecideBy.IsZero() && s.now().After(m.DecideBy) {
			fmt.Fprintf(&b, "Accepted, late: %s had gone back to %s before.\n", m.Price, line(m.From))
			break
		}
		fmt.Fprintf(&b, "Accepted. %s goes back to %s.\n", m.Price, line(m.From))
	case "rejecting":
		fmt.Fprintf(&b, "Rejected. %s goes to %s %s. Undo: earnest undo %s\n", m.Price, line(m.Beneficiary), s.away(m.EffectiveAt), s.name(m.ID))
	case "rejected":
		fmt.Fprintf(&b, "Rejected. %s goes to %s.\n", m.Price, line(m.Beneficiary))
	case "waiting":
		fmt.Fprintf(&b, "Taken back. The mail waits for your decision again, until %s.\n", s.moment(m.DecideBy))
	default:
		fmt.Fprintf(&b, "The mail is %s.\n", mailState(m.State))
	}
	if m.Queued {
		b.WriteString("The escrow does not answer. Your decision is kept and goes out when it is back; its deadlines wait too.\n")
	}
	return b.String()
}

// mailMoney says where a received mail's money is.
func (s *session) mailMoney(m agentclient.Mail) string {
	if m.Free {
		return freeMoney(m)
	}
	switch m.State {
	case "held":
		return fmt.Sprintf("%s, to be confirmed by the escrow", m.Price)
	case "waiting":
		return fmt.Sprintf("%s held; it comes back to the sender unless you reject. Decide by %s.", m.Price, s.moment(m.DecideBy))
	case "rejecting":
		return fmt.Sprintf("%s goes to %s %s. Until then: earnest undo %s", m.Price, line(m.Beneficiary), s.away(m.EffectiveAt), s.name(m.ID))
	case "damaged":
		return fmt.Sprintf("%s held; it comes back to the sender, who may first send the mail again for it", m.Price)
	case "accepted", "expired", "withdrawn":
		return fmt.Sprintf("%s went back to the sender", m.Price)
	case "rejected":
		return fmt.Sprintf("%s went to %s", m.Price, line(m.Beneficiary))
	}
	return m.Price.String()
}

// sentWords says where a sent mail and its money are.
func (s *session) sentWords(m agentclient.Sent) string {
	to := line(m.To)
	if m.Free {
		return freeSent(m)
	}
	back := s.back(m)
	switch m.State {
	case "paying":
		return fmt.Sprintf("Being paid. %s is held as soon as the escrow answers.", m.Price)
	case "paid":
		return fmt.Sprintf("Paid. %s is held; the mail waits in the outbox.", m.Price)
	case "submitted":
		return fmt.Sprintf("Sent. %s is held. If it does not arrive, it comes back, at the latest %s.", m.Price, s.moment(m.DeliverBy))
	case "arrived":
		return fmt.Sprintf("Delivered. %s is held until %s decides, at the latest until %s; then it comes back.", m.Price, to, s.moment(m.DecideBy))
	case "accepted":
		return "Accepted. " + back + freeThere(m)
	case "rejected":
		return fmt.Sprintf("Rejected. %s went to %s. Your key was deleted.", m.Price, line(m.Beneficiary))
	case "expired":
		if m.ArrivedAt.IsZero() {
			return "It did not arrive in time. " + back
		}
		return "Nobody decided in time. " + back
	case "withdrawing":
		return fmt.Sprintf("Asked back. %s is held until the recipient's agent has destroyed its key, at the latest until %s; then it comes back.", m.Price, s.moment(m.DeliverBy))
	case "withdrawn":
		return "Withdrawn. " + back
	case "failed":
		return "Not sent. " + back
	}
	return m.State
}

// back says that money is back only when it can be spent again.
func (s *session) back(m agentclient.Sent) string {
	switch m.Money {
	case "refunded":
		return fmt.Sprintf("Your %s is back and can be spent.", m.Price)
	case "held":
		return fmt.Sprintf("%s is still held and comes back, at the latest %s.", m.Price, s.moment(m.DeliverBy))
	case "forfeited":
		return fmt.Sprintf("%s went to %s.", m.Price, line(m.Beneficiary))
	}
	return "Nothing was paid."
}

// durationWords says a promised time, such as 14 days.
func durationWords(seconds int64) string { return span(time.Duration(seconds) * time.Second) }
