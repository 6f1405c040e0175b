package main

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// slot is what totals are kept apart by.
type slot struct {
	currency, beneficiary string
	scale                 int
}

// entry is what one bond did with money.
type entry struct {
	slot
	amount      int64
	held, ended time.Time
	money       string
}

// add sums up what happened from a moment until before another; a zero moment
// is no bound.
func add(books []entry, from, until time.Time) []total {
	within := func(t time.Time) bool {
		return !t.IsZero() && !t.Before(from) && (until.IsZero() || t.Before(until))
	}
	before := func(t time.Time) bool { return !t.IsZero() && (until.IsZero() || t.Before(until)) }
	sums := map[slot]*total{}
	for _, e := range books {
		if !before(e.held) {
			continue
		}
		t := sums[e.slot]
		if t == nil {
			t = &total{Currency: e.currency, Beneficiary: e.beneficiary, Scale: e.scale}
			sums[e.slot] = t
		}
		count := func(s *sum, counts bool) {
			if counts {
				s.Bonds++
				s.Amount += e.amount
			}
		}
		count(&t.Held, within(e.held))
		count(&t.Refunded, e.money == "refunded" && within(e.ended))
		count(&t.Forfeited, e.money == "forfeited" && within(e.ended))
		count(&t.Open, !before(e.ended))
	}
	var all []total
	for _, t := range sums {
		if t.Held != (sum{}) || t.Refunded != (sum{}) || t.Forfeited != (sum{}) || t.Open != (sum{}) {
			all = append(all, *t)
		}
	}
	slices.SortFunc(all, func(a, b total) int {
		return cmp.Or(cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Beneficiary, b.Beneficiary), cmp.Compare(a.Scale, b.Scale))
	})
	return all
}

// differ says where the escrow's lines are not those that its receipts make.
func differ(mine []total, theirs totals) (faults []*fault) {
	key := func(t total) slot { return slot{t.Currency, t.Beneficiary, t.Scale} }
	said := map[slot]total{}
	for _, t := range theirs.Lines {
		if _, twice := said[key(t)]; twice {
			faults = append(faults, because(whyTotals, "two lines for %s to %s", t.Currency, t.Beneficiary))
		}
		said[key(t)] = t
	}
	for _, t := range mine {
		s := said[key(t)]
		delete(said, key(t))
		for _, part := range []struct {
			name         string
			mine, theirs sum
		}{{"held", t.Held, s.Held}, {"refunded", t.Refunded, s.Refunded}, {"forfeited", t.Forfeited, s.Forfeited}, {"open", t.Open, s.Open}} {
			if part.mine != part.theirs {
				faults = append(faults, because(whyTotals, "%s to %s until %s: %s %s, and the escrow signed %s", t.Currency, t.Beneficiary,
					at(theirs.Until), part.name, part.mine.in(t.Scale), part.theirs.in(t.Scale)))
			}
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(said), func(a, b slot) int { return cmp.Compare(a.currency, b.currency) }) {
		faults = append(faults, because(whyTotals, "the escrow signed a line for %s to %s, and no receipt is of it", k.currency, k.beneficiary))
	}
	return faults
}
