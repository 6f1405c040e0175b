package main

import "time"

// lateFor is how long after an expiry a mail may still arrive and be accepted.
const lateFor = 90 * 24 * time.Hour

// graceFor is how long after an outage no running deadline ends.
const graceFor = 24 * time.Hour

// course is where a bond's life is while its receipts are read.
type course struct {
	*checked
	state     string // held, arrived, or the ending
	hour      time.Time
	arrivedAt bool // hour is known
	read      bool
	rejecting *step // the reject that stands
	newest    int64 // number of the newest decision
	late      bool  // arrived_late, or arrived in time
	accepted  bool  // accepted_late
}

// live goes through all steps in their order.
func (b *checked) live(steps []step) *fault {
	if len(steps) == 0 || steps[0].Event != "paid" {
		return because(whyEvent, "the chain does not begin with paid")
	}
	c := &course{checked: b}
	for i := range steps {
		s := &steps[i]
		if chained := s.Event != "rejecting" && s.Event != "undone"; chained != (s.N > 0) {
			return because(whyEvent, "%s has number %d", s.Event, s.N)
		}
		if f := c.money(s); f != nil {
			return f
		}
		if f := b.openSaid(s); f != nil {
			return f
		}
		if f := c.step(s); f != nil {
			return f
		}
	}
	b.ending = c.state
	if c.rejecting != nil && c.state == "arrived" {
		b.ending = "rejecting"
	}
	switch {
	case c.accepted:
		b.ending = "expired, late accept"
	case c.state == "expired" && !c.arrivedAt:
		b.ending = "expired, not arrived"
	}
	return nil
}

// money checks what a step does to the money, and notes it.
func (c *course) money(s *step) *fault {
	want := map[string]string{"paid": "held", "accepted": "refunded", "withdrawn": "refunded", "expired": "refunded",
		"rejected": "forfeited"}[s.Event]
	if s.Money != want {
		return because(whyMoney, "with %s the money is %q, not %q", s.Event, s.Money, want)
	}
	switch {
	case want == "held" && c.held.IsZero():
		c.held = s.Time
	case want == "held":
		return because(whyEvent, "paid twice")
	case want != "" && c.checked.money != "":
		return because(whyEnding, "%s after the bond had ended", s.Event)
	case want != "":
		c.checked.money, c.ended = want, s.Time
	}
	return nil
}

// step lets one step happen, if it may.
func (c *course) step(s *step) *fault {
	if open := c.state == "held" || c.state == "arrived"; c.state != "" && !open && s.Event != "arrived_late" && s.Event != "accepted_late" {
		return because(whyEnding, "%s after the bond had ended", s.Event)
	}
	switch s.Event {
	case "paid":
		return c.paid(s)
	case "arrived":
		return c.arrived(s)
	case "read":
		return c.wasRead(s)
	case "rejecting", "undone", "accepted", "rejected":
		return c.decided(s)
	case "withdrawn":
		if c.state != "held" {
			return because(whyEvent, "withdrawn after it arrived")
		}
		c.state = s.Event
		return c.delivered(s)
	case "expired":
		return c.expired(s)
	case "arrived_late", "accepted_late":
		return c.afterwards(s)
	}
	return because(whyEvent, "%q is no step of a bond", s.Event)
}

func (c *course) paid(s *step) *fault {
	if s.Time.Before(c.quote.Made) || s.Time.After(c.quote.Expires) {
		return because(whyDeadline, "paid at %s, with a quote from %s to %s", at(s.Time), at(c.quote.Made), at(c.quote.Expires))
	}
	c.state = "held"
	return nil
}

func (c *course) arrived(s *step) *fault {
	if c.state != "held" {
		return because(whyEvent, "arrived twice")
	}
	c.state, c.hour, c.arrivedAt, c.late = "arrived", s.Time, true, true
	if !wholeHour(s.Time) || s.Time.Before(hourOf(c.held)) {
		return because(whyTime, "arrived at %s, paid at %s", at(s.Time), at(c.held))
	}
	return c.delivered(s)
}

// delivered demands that a step came before the delivery deadline.
func (c *course) delivered(s *step) *fault {
	// Paid within that second; arrived within that hour.
	start, told := c.held.Add(time.Second), time.Second
	if s.Event == "arrived" {
		told = time.Hour
	}
	deadline := c.moved(start, start.Add(seconds(c.quote.Terms.Deliver)), s.Time.Add(told))
	return c.notAfter(s, earlier(deadline, c.final().Add(time.Second)), "delivery")
}

func (c *course) wasRead(s *step) *fault {
	if c.state != "arrived" || c.read {
		return because(whyEvent, "read before it arrived, or twice")
	}
	c.read = true
	if !wholeHour(s.Time) || s.Time.Before(c.hour) {
		return because(whyTime, "read at %s, arrived at %s", at(s.Time), at(c.hour))
	}
	return nil
}

// decided takes the four steps in which the recipient's decisions count.
func (c *course) decided(s *step) *fault {
	if c.state != "arrived" {
		return because(whyEvent, "%s before it arrived", s.Event)
	}
	if s.Event == "rejected" {
		return c.rejected(s)
	}
	if s.said.N <= c.newest {
		return because(whyDecision, "%s by decision %d after decision %d", s.Event, s.said.N, c.newest)
	}
	c.newest = s.said.N
	if s.Event == "undone" {
		if c.rejecting == nil {
			return because(whyUndo, "undone without a reject")
		}
		if s.Time.Before(c.rejecting.Time) || !s.Time.Before(c.effective()) {
			return because(whyUndo, "undone at %s, and the reject took effect at %s", at(s.Time), at(c.effective()))
		}
		c.rejecting = nil
		return nil
	}
	if c.rejecting != nil {
		return because(whyUndo, "%s while a reject stands that was not undone", s.Event)
	}
	if s.Time.Before(c.hour) {
		return because(whyTime, "%s at %s, before it arrived at %s", s.Event, at(s.Time), at(c.hour))
	}
	if s.Event == "rejecting" {
		c.rejecting = s
	} else {
		c.state = s.Event
	}
	// When within the hour it arrived is not told.
	start := c.hour.Add(time.Hour)
	deadline := c.moved(start, start.Add(seconds(c.quote.Terms.Decide)), s.Time.Add(time.Second))
	return c.notAfter(s, earlier(deadline, c.final().Add(time.Second)), "decision")
}

// rejected is a forfeit: of the reject that stands, when it may not be undone any more.
func (c *course) rejected(s *step) *fault {
	if c.rejecting == nil {
		return because(whyUndo, "rejected, and no reject stands: none was made, or it was undone")
	}
	if s.Statement != c.rejecting.Statement {
		return because(whyDecision, "rejected by another decision than the one that stands")
	}
	if s.Time.Before(c.effective()) {
		return because(whyUndo, "rejected at %s, and the recipient could undo it until %s", at(s.Time), at(c.effective()))
	}
	c.state = s.Event
	return nil
}

func (c *course) expired(s *step) *fault {
	if c.rejecting != nil {
		return because(whyUndo, "expired while a reject stands")
	}
	start, term := c.held, c.quote.Terms.Deliver
	if c.state == "arrived" {
		start, term = c.hour, c.quote.Terms.Decide
	}
	due := earlier(c.moved(start, start.Add(seconds(term)), s.Time), c.final())
	c.state = s.Event
	if s.Time.Before(due) {
		return because(whyDeadline, "expired at %s, before its deadline %s", at(s.Time), at(due))
	}
	return nil
}

// moved is where the outages that had ended by a moment have moved the deadline of
// what began at start. They are sorted and do not overlap.
func (c *course) moved(start, deadline, by time.Time) time.Time {
	for _, o := range c.outages {
		if o.Ended.After(by) || !o.Began.Before(deadline) {
			break
		}
		if start.Before(o.Ended) {
			from := o.Began
			if from.Before(start) {
				from = start
			}
			deadline = deadline.Add(o.Ended.Sub(from))
		}
		if deadline.Before(o.Until) {
			deadline = o.Until
		}
	}
	return deadline
}

// afterwards are the steps of a bond that expired; they move no money.
func (c *course) afterwards(s *step) *fault {
	if c.state != "expired" || c.accepted || s.Event == "arrived_late" && c.late || s.Event == "accepted_late" && !c.late {
		return because(whyEvent, "%s cannot follow here", s.Event)
	}
	if s.Event == "arrived_late" {
		c.late = true
		if !wholeHour(s.Time) {
			return because(whyTime, "arrived late at %s, which is no whole hour", at(s.Time))
		}
	} else {
		c.accepted = true
		if s.said.N <= c.newest {
			return because(whyDecision, "%s by decision %d after decision %d", s.Event, s.said.N, c.newest)
		}
	}
	if s.Time.Before(hourOf(c.ended)) || s.Time.After(c.ended.Add(lateFor)) {
		return because(whyDeadline, "%s at %s, expired at %s", s.Event, at(s.Time), at(c.ended))
	}
	return nil
}

// notAfter demands that a step came before a deadline.
func (c *course) notAfter(s *step, deadline time.Time, name string) *fault {
	if s.Time.Before(deadline) {
		return nil
	}
	return because(whyDeadline, "%s at %s, after the %s deadline %s", s.Event, at(s.Time), name, at(deadline))
}

func (c *course) final() time.Time { return c.held.Add(seconds(c.quote.Terms.Final)) }

func (c *course) effective() time.Time { return c.rejecting.Time.Add(seconds(c.quote.Terms.Undo)) }

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func at(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
