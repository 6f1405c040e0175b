package ledger_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"earnest/ledger"
	"earnest/test/soak"
)

// account is one bucket of one holder in one currency.
type account struct {
	holder   ledger.Holder
	currency string
	bucket   ledger.Bucket
}

// ledgerMachine holds a book against sums of any size, kept another way: not by
// postings but by what each transfer means.
type ledgerMachine struct {
	*rapid.T
	book      ledger.Book
	model     map[account]*big.Int
	transfers []ledger.Transfer
	journal   int
	made      int
}

func holders() []ledger.Holder {
	return []ledger.Holder{"anna", "bob", "carol", ledger.Company, ledger.Burned}
}

func currencies() []string { return []string{"c", "d"} }

// amounts are mostly those of bonds, and some that do not fit together.
func amounts() *rapid.Generator[int64] {
	return rapid.OneOf(rapid.Int64Range(1, 60), rapid.Int64Range(1, 60),
		rapid.SampledFrom([]int64{-1, 0, math.MaxInt64, math.MaxInt64 / 2, math.MinInt64}))
}

// No step of any transfer makes or loses money: after each the balances of each
// currency add up to zero, in the book's own sum and in another.
func TestConservation_EveryStepOfTheBook(t *testing.T) {
	soak.Machine(t, soak.Times(300_000, 1_000_000), func(rt *rapid.T, step func()) {
		m := &ledgerMachine{T: rt, model: map[account]*big.Int{}}
		rt.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) { m.check() },
			"top up": func(*rapid.T) {
				step()
				m.begin(ledger.Move, ledger.Issuance, rapid.SampledFrom(holders()).Draw(m.T, "to"))
			},
			"move":  func(*rapid.T) { step(); m.begin(ledger.Move, m.two()...) },
			"hold":  func(*rapid.T) { step(); m.begin(ledger.Hold, m.two()...) },
			"hold2": func(*rapid.T) { step(); m.begin(ledger.Hold, m.two()...) },
			"end":   func(*rapid.T) { step(); m.end() },
			"end2":  func(*rapid.T) { step(); m.end() },
			"again": func(*rapid.T) { step(); m.again() },
			"forge": func(*rapid.T) { step(); m.forge() },
		})
	})
}

func (m *ledgerMachine) two() []ledger.Holder {
	return []ledger.Holder{rapid.SampledFrom(holders()).Draw(m.T, "from"), rapid.SampledFrom(holders()).Draw(m.T, "to")}
}

func (m *ledgerMachine) at(holder ledger.Holder, currency string, bucket ledger.Bucket) *big.Int {
	key := account{holder, currency, bucket}
	if m.model[key] == nil {
		m.model[key] = new(big.Int)
	}
	return m.model[key]
}

func (m *ledgerMachine) begin(transfer func(string, ledger.Holder, ledger.Holder, string, int64) (ledger.Transfer, ledger.Entry, error), parties ...ledger.Holder) {
	m.made++
	from, to, amount := parties[0], parties[1], amounts().Draw(m.T, "amount")
	currency := rapid.SampledFrom(currencies()).Draw(m.T, "currency")
	t, e, err := transfer(fmt.Sprint("t", m.made), from, to, currency, amount)
	if wrong := amount <= 0 || from == to; wrong != (err != nil) {
		m.Fatalf("a transfer of %d from %s to %s: %v", amount, from, to, err)
	}
	if err != nil {
		return
	}
	into, bucket := to, ledger.Available
	if t.State == ledger.Pending {
		into, bucket = from, ledger.Held
	}
	if m.take(t, e, account{from, currency, ledger.Available}, account{into, currency, bucket}) {
		m.transfers = append(m.transfers, t)
	}
}

// take books the step, which takes the transfer's amount from one bucket to
// another, if and only if the money is there and the sums fit.
func (m *ledgerMachine) take(t ledger.Transfer, e ledger.Entry, from, to account) bool {
	money := big.NewInt(t.Amount)
	left := new(big.Int).Sub(m.at(from.holder, from.currency, from.bucket), money)
	then := new(big.Int).Add(m.at(to.holder, to.currency, to.bucket), money)
	var want error
	switch {
	case !left.IsInt64():
		want = ledger.ErrOverflow
	case left.Sign() < 0 && from.holder != ledger.Issuance:
		want = ledger.ErrInsufficient
	case !then.IsInt64():
		want = ledger.ErrOverflow
	}
	err := m.book.Record(t, e)
	if want == nil && err == nil {
		m.model[from], m.model[to] = left, then
		m.journal++
		return true
	}
	if want == nil || !errors.Is(err, want) {
		m.Fatalf("%s of %d %s from %v to %v: got %v, want %v", t.ID, t.Amount, t.State, from, to, err, want)
	}
	return false
}

// end ends any transfer any way: only a pending one can be ended.
func (m *ledgerMachine) end() {
	if len(m.transfers) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.transfers)-1).Draw(m.T, "transfer")
	old := m.transfers[i]
	way := rapid.SampledFrom([]ledger.State{ledger.Posted, ledger.Voided, ledger.Expired}).Draw(m.T, "way")
	end, payee := old.Post, old.To
	switch way {
	case ledger.Voided:
		end, payee = old.Void, old.From
	case ledger.Expired:
		end, payee = old.Expire, old.From
	}
	t, e, err := end()
	if old.State != ledger.Pending {
		if !errors.Is(err, ledger.ErrFinal) {
			m.Fatalf("%s of a transfer that is %s: %v", way, old.State, err)
		}
		return
	}
	if err != nil || t.State != way {
		m.Fatalf("%s: state %s, %v", way, t.State, err)
	}
	if m.take(t, e, account{old.From, old.Currency, ledger.Held}, account{payee, old.Currency, ledger.Available}) {
		m.transfers[i] = t
	}
}

// again books steps of transfers that the book has ended, or begun, before.
func (m *ledgerMachine) again() {
	if len(m.transfers) == 0 {
		return
	}
	t := rapid.SampledFrom(m.transfers).Draw(m.T, "transfer")
	begun := t
	begun.State = ledger.Pending
	steps := []func() (ledger.Transfer, ledger.Entry, error){
		func() (ledger.Transfer, ledger.Entry, error) {
			return ledger.Hold(t.ID, t.From, t.To, t.Currency, t.Amount)
		},
	}
	if t.State != ledger.Pending {
		steps = append(steps, begun.Post, begun.Void, begun.Expire)
	}
	old, e, err := rapid.SampledFrom(steps).Draw(m.T, "step")()
	if err != nil {
		m.Fatal(err)
	}
	if t.From == ledger.Issuance && old.State == ledger.Pending {
		return
	}
	if err := m.book.Record(old, e); err == nil {
		m.Fatalf("a second %s was booked for a transfer that is %s", old.State, t.State)
	}
}

// forge books entries that the functions of the ledger do not make.
func (m *ledgerMachine) forge() {
	m.made++
	t, e, err := ledger.Move(fmt.Sprint("forged", m.made), ledger.Issuance, "anna", "c", 5)
	if err != nil {
		m.Fatal(err)
	}
	e.Postings = slices.Clone(e.Postings)
	switch rapid.IntRange(0, 3).Draw(m.T, "forgery") {
	case 0:
		e.Postings[1].Amount++
	case 1:
		e.Postings = e.Postings[:1]
	case 2:
		e.Postings[1].Currency = "d"
	case 3:
		e.Postings = append(e.Postings, e.Postings[1])
	}
	if err := m.book.Record(t, e); !errors.Is(err, ledger.ErrUnbalanced) {
		m.Fatalf("a forged entry: %v", err)
	}
}

func (m *ledgerMachine) check() {
	for _, currency := range currencies() {
		sum := new(big.Int)
		for _, holder := range append(holders(), ledger.Issuance) {
			b := m.book.Balance(holder, currency)
			if available, held := m.at(holder, currency, ledger.Available), m.at(holder, currency, ledger.Held); available.Cmp(big.NewInt(b.Available)) != 0 || held.Cmp(big.NewInt(b.Held)) != 0 {
				m.Fatalf("%s has %+v of %s, want %s and %s held", holder, b, currency, available, held)
			}
			if b.Held < 0 || b.Available < 0 && holder != ledger.Issuance {
				m.Fatalf("%s has %+v", holder, b)
			}
			sum.Add(sum, big.NewInt(b.Available)).Add(sum, big.NewInt(b.Held))
		}
		if sum.Sign() != 0 {
			m.Fatalf("%s adds up to %s", currency, sum)
		}
		if sum, err := m.book.Sum(currency); err == nil && sum != 0 {
			m.Fatalf("the book adds %s up to %d", currency, sum)
		}
	}
	if len(m.book.Journal()) != m.journal {
		m.Fatalf("%d lines in the journal, want %d", len(m.book.Journal()), m.journal)
	}
}
