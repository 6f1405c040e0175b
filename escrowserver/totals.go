package escrowserver

import (
	"cmp"
	"crypto"
	"fmt"
	"maps"
	"slices"
	"time"

	"earnest/escrow"
	"earnest/ledger"
	"earnest/payment"
)

// Period is the time from a moment until before another. Without From it begins
// with the first bond.
type Period struct {
	From, Until time.Time
}

// has reports whether a moment lies in the period.
func (p Period) has(t time.Time) bool { return !t.Before(p.From) && t.Before(p.Until) }

// Totals are what the escrow did with other people's money in a period. It
// signs them (docs/protocol/export.md).
type Totals struct {
	Escrow string       `json:"escrow"`
	From   time.Time    `json:"from,omitzero"`
	Until  time.Time    `json:"until"`
	Made   time.Time    `json:"made"`
	Lines  []TotalsLine `json:"lines"`
}

// TotalsLine is what happened in one currency to bonds for one beneficiary.
type TotalsLine struct {
	Currency    string        `json:"currency"`
	Scale       uint8         `json:"scale"`
	Beneficiary ledger.Holder `json:"beneficiary"`
	Held        Sum           `json:"held"`
	Refunded    Sum           `json:"refunded"`
	Forfeited   Sum           `json:"forfeited"`
	// Open was held before the period's end and had not ended then.
	Open Sum `json:"open"`
}

// Sum counts bonds and their amounts.
type Sum struct {
	Bonds  int64          `json:"bonds"`
	Amount payment.Amount `json:"amount"`
}

func (s *Sum) add(amount payment.Amount) {
	s.Bonds++
	s.Amount += amount
}

// tally sums bonds up by what the ledger did with their transfers: receipts, by
// which others check the sums, are not read.
type tally struct {
	period Period
	lines  map[tallied]*TotalsLine
}

type tallied struct {
	currency    string
	beneficiary ledger.Holder
	scale       uint8
}

func newTally(p Period) *tally { return &tally{period: p, lines: map[tallied]*TotalsLine{}} }

func (t *tally) bond(b BondMoney) error {
	if b.Transfer == nil {
		return fmt.Errorf("bond %s has no transfer: verify the books", b.ID)
	}
	if !b.BoughtAt.Before(t.period.Until) {
		return nil
	}
	key := tallied{b.Transfer.Currency, b.Transfer.To, b.Scale}
	line := t.lines[key]
	if line == nil {
		line = &TotalsLine{Currency: key.currency, Beneficiary: key.beneficiary, Scale: key.scale}
		t.lines[key] = line
	}
	amount := payment.Amount(b.Transfer.Amount)
	if t.period.has(b.BoughtAt) {
		line.Held.add(amount)
	}
	pending := b.Transfer.State == ledger.Pending
	if pending || !b.Ended.Before(t.period.Until) {
		line.Open.add(amount)
	} else if t.period.has(b.Ended) {
		if b.Transfer.State == ledger.Posted {
			line.Forfeited.add(amount)
		} else {
			line.Refunded.add(amount)
		}
	}
	return nil
}

// tallies sum several periods up in one walk.
type tallies []*tally

func newTallies(periods []Period) tallies {
	all := make(tallies, len(periods))
	for i, p := range periods {
		all[i] = newTally(p)
	}
	return all
}

func (all tallies) bond(b BondMoney) error {
	for _, t := range all {
		if err := t.bond(b); err != nil {
			return err
		}
	}
	return nil
}

func (all tallies) totals(name string, now time.Time) []Totals {
	list := make([]Totals, len(all))
	for i, t := range all {
		list[i] = Totals{Escrow: name, From: t.period.From, Until: t.period.Until, Made: now, Lines: t.sorted()}
	}
	return list
}

// sorted are the lines in which anything happened or is open.
func (t *tally) sorted() []TotalsLine {
	lines := []TotalsLine{}
	for _, line := range slices.SortedFunc(maps.Keys(t.lines), func(a, b tallied) int {
		return cmp.Or(cmp.Compare(a.currency, b.currency), cmp.Compare(a.beneficiary, b.beneficiary), cmp.Compare(a.scale, b.scale))
	}) {
		if l := *t.lines[line]; l.Held != (Sum{}) || l.Refunded != (Sum{}) || l.Forfeited != (Sum{}) || l.Open != (Sum{}) {
			lines = append(lines, l)
		}
	}
	return lines
}

// SignTotals makes the escrow's statement of them with the receipt key.
func SignTotals(signer crypto.Signer, t Totals) (escrow.Signed, error) {
	signed, err := escrow.Sign(signer, escrow.KindTotals, t)
	if err != nil {
		return "", fmt.Errorf("sign the totals: %w", err)
	}
	return signed, nil
}
