// Package ledger keeps double-entry books: holders, transfers that are made at
// once or in two phases (pending, then post, void or expire), and the postings
// that each step makes. It is pure: the standard library only. A store applies
// the entries that it computes; [Book] is the same in memory.
//
// Amounts are integers in the currency's smallest unit.
package ledger

import (
	"errors"
	"fmt"
	"math"
)

// Holder is who money belongs to: an account's key-id, or one of the books' own.
type Holder string

// The books' own holders. Their names cannot be key-ids, which are longer.
const (
	// Issuance is where top-ups come from. It alone may go negative: minus its
	// balance is the money in circulation.
	Issuance Holder = "issuance"
	// Company is the account of the escrow's operator.
	Company Holder = "company"
	// Burned takes money out of use for good.
	Burned Holder = "burned"
	// Payouts has what was paid out: value that left the escrow.
	Payouts Holder = "payouts"
)

// Bucket is the part of a holder's balance that a posting touches.
type Bucket string

// A holder can spend what is available; what is held waits for a pending
// transfer to end.
const (
	Available Bucket = "available"
	Held      Bucket = "held"
)

// State is where a transfer is in its life. Posted, voided and expired are final.
type State string

// The states of a transfer.
const (
	Pending State = "pending"
	Posted  State = "posted"
	Voided  State = "voided"
	Expired State = "expired"
)

// Errors of the books.
var (
	// ErrInsufficient: the holder has less available than the transfer takes.
	ErrInsufficient = errors.New("ledger: not enough available")
	// ErrFinal: the transfer has ended, and an end never changes.
	ErrFinal = errors.New("ledger: the transfer has ended")
	// ErrUnbalanced: postings of a currency do not sum to zero. It is a defect
	// of the program, never of a request.
	ErrUnbalanced = errors.New("ledger: postings do not sum to zero")
	// ErrOverflow: an amount does not fit.
	ErrOverflow = errors.New("ledger: amount out of range")
)

// Transfer moves an amount from one holder to another.
type Transfer struct {
	ID       string
	From, To Holder
	Currency string
	Amount   int64
	State    State
}

// Posting changes one bucket of one holder by a signed amount.
type Posting struct {
	Holder   Holder
	Currency string
	Bucket   Bucket
	Amount   int64
}

// Entry is one line of the journal: a transfer's step and its postings.
type Entry struct {
	TransferID string
	// State is the transfer's state after the step.
	State    State
	Postings []Posting
}

// Move makes a transfer that is posted at once.
func Move(id string, from, to Holder, currency string, amount int64) (Transfer, Entry, error) {
	t := Transfer{id, from, to, currency, amount, Posted}
	if err := t.check(); err != nil {
		return Transfer{}, Entry{}, err
	}
	return t, t.entry(Posting{from, currency, Available, -amount}, Posting{to, currency, Available, amount}), nil
}

// Hold makes a pending transfer: the amount leaves what the payer can spend and
// waits.
func Hold(id string, from, to Holder, currency string, amount int64) (Transfer, Entry, error) {
	t := Transfer{id, from, to, currency, amount, Pending}
	if err := t.check(); err != nil {
		return Transfer{}, Entry{}, err
	}
	return t, t.entry(Posting{from, currency, Available, -amount}, Posting{from, currency, Held, amount}), nil
}

// Post ends a pending transfer by paying the payee.
func (t Transfer) Post() (Transfer, Entry, error) { return t.end(Posted, t.To) }

// Void ends a pending transfer by giving the amount back to the payer.
func (t Transfer) Void() (Transfer, Entry, error) { return t.end(Voided, t.From) }

// Expire gives the amount back as Void does, because a deadline passed.
func (t Transfer) Expire() (Transfer, Entry, error) { return t.end(Expired, t.From) }

func (t Transfer) end(state State, payee Holder) (Transfer, Entry, error) {
	if t.State != Pending {
		return t, Entry{}, fmt.Errorf("transfer %s is %s: %w", t.ID, t.State, ErrFinal)
	}
	t.State = state
	return t, t.entry(Posting{t.From, t.Currency, Held, -t.Amount}, Posting{payee, t.Currency, Available, t.Amount}), nil
}

func (t Transfer) entry(postings ...Posting) Entry {
	return Entry{TransferID: t.ID, State: t.State, Postings: postings}
}

func (t Transfer) check() error {
	switch {
	case t.ID == "" || t.From == "" || t.To == "" || t.Currency == "":
		return errors.New("ledger: a transfer needs an id, two holders and a currency")
	case t.From == t.To:
		return errors.New("ledger: a transfer needs two different holders")
	case t.Amount <= 0:
		return fmt.Errorf("ledger: transfer of %d: %w", t.Amount, ErrOverflow)
	}
	return nil
}

// Check reports ErrUnbalanced unless the postings of every currency sum to zero.
// It runs in production before every write.
func (e Entry) Check() error {
	sums := map[string]int64{}
	for _, p := range e.Postings {
		sum, err := Add(sums[p.Currency], p.Amount)
		if err != nil {
			return err
		}
		sums[p.Currency] = sum
	}
	for currency, sum := range sums {
		if sum != 0 {
			return fmt.Errorf("transfer %s: %s is off by %d: %w", e.TransferID, currency, sum, ErrUnbalanced)
		}
	}
	return nil
}

// Balance is what a holder has of one currency.
type Balance struct{ Available, Held int64 }

// Apply returns the balance after the posting, or ErrInsufficient if it would
// make a bucket of anyone but Issuance negative.
func (b Balance) Apply(p Posting) (Balance, error) {
	bucket := &b.Available
	if p.Bucket == Held {
		bucket = &b.Held
	}
	sum, err := Add(*bucket, p.Amount)
	if err != nil {
		return Balance{}, err
	}
	if sum < 0 && (p.Holder != Issuance || p.Bucket == Held) {
		return Balance{}, ErrInsufficient
	}
	*bucket = sum
	return b, nil
}

// Add is a sum that never wraps around.
func Add(a, b int64) (int64, error) {
	if b > 0 && a > math.MaxInt64-b || b < 0 && a < math.MinInt64-b {
		return 0, ErrOverflow
	}
	return a + b, nil
}
