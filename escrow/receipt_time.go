package escrow

import (
	"crypto/ed25519"
	"fmt"
	"time"
)

// Receipts tell the second, and of arrivals the hour. What came at a time came
// before the end of it.
const (
	toldSecond = time.Second
	toldHour   = time.Hour
)

// VerifyMoved is [VerifyChain] with the outages that the escrow has signed for the
// bond, as its view tells them.
func VerifyMoved(quote Signed, receipts []Signed, receiptKey ed25519.PublicKey, outages []Signed) (Verified, error) {
	known, err := VerifyOutages(outages, receiptKey)
	if err != nil {
		return Verified{}, fmt.Errorf("outages: %w", err)
	}
	return VerifyChain(quote, receipts, receiptKey, known...)
}

// checkTime holds a step against the deadlines of the quote. Outages count that had
// ended when the step was made. A person must not lose by the rounding of times:
// each deadline is taken where it helps the step most.
func (v *Verified) checkTime(r Receipt, outages Outages) error {
	if len(v.Receipts) == 0 {
		return nil
	}
	terms, paid := v.Quote.Terms, v.Receipts[0].Time
	hour, arrived := v.arrivedHour()
	switch r.Event {
	case EventArrived, EventWithdrawn:
		unit := toldSecond
		if r.Event == EventArrived {
			unit = toldHour
		}
		start := paid.Add(toldSecond)
		until, _ := outages.EndedBy(r.Time.Add(unit)).Move(start, start.Add(terms.Deliver.Duration()))
		return before(r, earlier(until, start.Add(terms.Final.Duration())), "delivery")
	case EventAccepted, EventRejected:
		if !arrived {
			return Errorf(Invalid, "%s before it arrived", r.Event)
		}
		start := hour.Add(toldHour)
		until, _ := outages.EndedBy(r.Time.Add(toldSecond)).Move(start, start.Add(terms.Decide.Duration()))
		until = earlier(until, paid.Add(toldSecond+terms.Final.Duration()))
		if r.Event == EventRejected { // it was decided before the deadline
			until = until.Add(terms.Undo.Duration())
		}
		return before(r, until, "decision")
	case EventExpired:
		start, deadline := paid, paid.Add(terms.Deliver.Duration())
		if arrived {
			start, deadline = hour, hour.Add(terms.Decide.Duration())
		}
		due, _ := outages.EndedBy(r.Time).Move(start, deadline)
		if due = earlier(due, paid.Add(terms.Final.Duration())); r.Time.Before(due) {
			return Errorf(Invalid, "expired at %s, before its deadline %s", r.Time.Format(time.RFC3339), due.Format(time.RFC3339))
		}
	}
	return nil
}

// arrivedHour is the hour in which the mail arrived, if it did in time.
func (v *Verified) arrivedHour() (time.Time, bool) {
	for _, r := range v.Receipts {
		if r.Event == EventArrived {
			return r.Time, true
		}
	}
	return time.Time{}, false
}

func before(r Receipt, deadline time.Time, name string) error {
	if r.Time.Before(deadline) {
		return nil
	}
	return Errorf(Invalid, "%s at %s, after the %s deadline %s, and no outage of the escrow that is shown here moved it",
		r.Event, r.Time.Format(time.RFC3339), name, deadline.Format(time.RFC3339))
}
