package ledger

import "fmt"

// Book is a ledger in memory: the model that stores are held against.
// Its zero value is an empty book. It is not safe for concurrent use.
type Book struct {
	balances  map[bookKey]Balance
	transfers map[string]Transfer
	journal   []Entry
}

type bookKey struct {
	holder   Holder
	currency string
}

// Record books a step of a transfer: all of its postings, or none.
func (b *Book) Record(t Transfer, e Entry) error {
	if err := e.Check(); err != nil {
		return err
	}
	if old, ok := b.transfers[t.ID]; ok && (old.State != Pending || t.State == Pending) {
		return fmt.Errorf("transfer %s: %w", t.ID, ErrFinal)
	}
	changed := map[bookKey]Balance{}
	for _, p := range e.Postings {
		key := bookKey{p.Holder, p.Currency}
		before, ok := changed[key]
		if !ok {
			before = b.balances[key]
		}
		after, err := before.Apply(p)
		if err != nil {
			return err
		}
		changed[key] = after
	}
	if b.balances == nil {
		b.balances, b.transfers = map[bookKey]Balance{}, map[string]Transfer{}
	}
	for key, balance := range changed {
		b.balances[key] = balance
	}
	b.transfers[t.ID] = t
	b.journal = append(b.journal, e)
	return nil
}

// Balance is what the holder has of the currency.
func (b *Book) Balance(holder Holder, currency string) Balance {
	return b.balances[bookKey{holder, currency}]
}

// Transfer finds a transfer by its id.
func (b *Book) Transfer(id string) (Transfer, bool) {
	t, ok := b.transfers[id]
	return t, ok
}

// Sum adds up all balances of a currency. It is zero in a sound book.
func (b *Book) Sum(currency string) (int64, error) {
	var sum int64
	for key, balance := range b.balances {
		if key.currency != currency {
			continue
		}
		for _, part := range []int64{balance.Available, balance.Held} {
			var err error
			if sum, err = Add(sum, part); err != nil {
				return 0, err
			}
		}
	}
	return sum, nil
}

// Journal returns every entry in the order it was booked.
func (b *Book) Journal() []Entry { return b.journal }
