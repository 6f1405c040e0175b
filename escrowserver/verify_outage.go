package escrowserver

import (
	"slices"
	"time"

	"earnest/escrow"
)

// outage holds an outage against what the escrow signed of it.
func (a *audit) outage(line OutageLine) error {
	if line.Signed == "" {
		a.fault("the outage that ended %s is not signed; serve the books once with this program", line.Ended.Format(time.RFC3339))
		return nil
	}
	o, err := escrow.VerifyOutage(line.Signed, a.receiptKey)
	if err != nil || !o.Began.Equal(line.Began) || !o.Ended.Equal(line.Ended) {
		a.fault("the outage that ended %s is not as the escrow signed it", line.Ended.Format(time.RFC3339))
		return nil
	}
	if n := len(a.outages); n > 0 && o.Began.Before(a.outages[n-1].Ended) {
		a.fault("the outage that ended %s overlaps the one before", line.Ended.Format(time.RFC3339))
		return nil
	}
	a.outages = append(a.outages, o)
	if !line.WorkedOff.IsZero() {
		a.workedOff[o.Signed] = true
	}
	return nil
}

// moved holds the moved deadlines of a bond against the outages that it names, and
// these against the escrow's.
func (c *bondAudit) moved() {
	b := c.b
	var own escrow.Outages
	for _, o := range c.outages {
		if slices.Contains(b.Outages, o.Signed) {
			own = append(own, o)
		}
	}
	ok := len(own) == len(b.Outages)
	// The delivery deadline ran until the mail arrived: the outages after that have
	// moved the other one.
	deliver := false
	for n := range len(own) + 1 {
		deliver = deliver || movedTo(own[:n], b.BoughtAt, b.DeliverBy).Equal(b.DeliverMoved)
	}
	decide := time.Time{}
	if !b.DecideBy.IsZero() {
		decide = movedTo(own, b.ArrivedAt, b.DecideBy)
	}
	c.must(ok && deliver && b.DecideMoved.Equal(decide), "its deadlines were moved without a signed reason")
	// Those that began before an outage are all moved by it when it is worked off.
	start := b.ArrivedAt
	if b.State == escrow.Held {
		start = b.BoughtAt
	}
	for i, o := range c.outages {
		if c.workedOff[o.Signed] && start.Before(o.Ended) {
			_, short := b.Extend(c.outages[:i+1])
			c.must(!short, "an outage has not moved its deadline")
		}
	}
}

// movedTo is where outages move a deadline; zero if none does.
func movedTo(outages escrow.Outages, start, deadline time.Time) time.Time {
	at, by := outages.Move(start, deadline)
	if len(by) == 0 {
		return time.Time{}
	}
	return at
}
