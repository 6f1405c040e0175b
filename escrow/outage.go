package escrow

import (
	"crypto/ed25519"
	"slices"
	"time"
)

// OutageGrace is how long after an outage no running deadline ends, the final
// ones excepted.
const OutageGrace = 24 * time.Hour

// Outage is the escrow's word, signed with its receipt key, that it was away:
// nobody could reach it between the two moments.
type Outage struct {
	Escrow string    `json:"escrow"`
	Began  time.Time `json:"began"` // the last sign of life before
	Ended  time.Time `json:"ended"` // the first one after
	Until  time.Time `json:"until"` // no running deadline ends before
}

// NewOutage is an outage of the escrow between the two moments.
func NewOutage(name string, began, ended time.Time) Outage {
	return Outage{Escrow: name, Began: began.UTC(), Ended: ended.UTC(), Until: ended.UTC().Add(OutageGrace)}
}

// SignedOutage is an outage with the escrow's signature.
type SignedOutage struct {
	Outage
	Signed Signed
}

// VerifyOutage reads an outage and checks that the escrow signed it.
func VerifyOutage(s Signed, receiptKey ed25519.PublicKey) (SignedOutage, error) {
	o := SignedOutage{Signed: s}
	if err := Verify(s, KindOutage, receiptKey, &o.Outage); err != nil {
		return o, err
	}
	if !o.Began.Before(o.Ended) || !o.Until.Equal(o.Ended.Add(OutageGrace)) {
		return o, Errorf(Invalid, "an outage begins before it ends, and its grace is a day")
	}
	return o, nil
}

// Outages are outages of one escrow in the order of time. No two overlap.
type Outages []SignedOutage

// VerifyOutages reads outages of one escrow, given in any order.
func VerifyOutages(signed []Signed, receiptKey ed25519.PublicKey) (Outages, error) {
	var all Outages
	for _, s := range signed {
		o, err := VerifyOutage(s, receiptKey)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	slices.SortFunc(all, func(x, y SignedOutage) int { return x.Began.Compare(y.Began) })
	for i := 1; i < len(all); i++ {
		if all[i].Began.Before(all[i-1].Ended) || all[i].Escrow != all[0].Escrow {
			return nil, Errorf(Invalid, "two outages overlap, or are of different escrows")
		}
	}
	return all, nil
}

// Signed are the statements.
func (o Outages) Signed() []Signed {
	var all []Signed
	for _, x := range o {
		all = append(all, x.Signed)
	}
	return all
}

// EndedBy are the outages that had ended by that moment: those that anybody could
// know of then.
func (o Outages) EndedBy(at time.Time) Outages {
	n, _ := slices.BinarySearchFunc(o, at, func(x SignedOutage, at time.Time) int {
		if x.Ended.After(at) {
			return 1
		}
		return -1
	})
	return o[:n]
}

// Move is where a deadline is after the outages, and by which of them it was moved.
// The deadline is of what began at start. An outage moves it if it had not passed
// when the outage began: by as much of the outage as came after start, and at
// least to the end of the outage's grace.
func (o Outages) Move(start, deadline time.Time) (time.Time, []Signed) {
	var by []Signed
	first, _ := slices.BinarySearchFunc(o, start, func(x SignedOutage, start time.Time) int {
		if x.Until.After(start) {
			return 1
		}
		return -1
	})
	for _, x := range o[first:] {
		if !deadline.After(x.Began) {
			break
		}
		moved := deadline
		if start.Before(x.Ended) {
			moved = deadline.Add(x.Ended.Sub(later(x.Began, start)))
		}
		if moved = later(moved, x.Until); moved.After(deadline) {
			deadline, by = moved, append(by, x.Signed)
		}
	}
	return deadline, by
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
