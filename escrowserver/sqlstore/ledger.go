package sqlstore

import (
	"cmp"
	"fmt"
	"time"

	"earnest/escrow"
	"earnest/ledger"
)

type bucketKey struct {
	holder   ledger.Holder
	currency string
}

func (k bucketKey) compare(other bucketKey) int {
	return cmp.Or(cmp.Compare(k.holder, other.holder), cmp.Compare(k.currency, other.currency))
}

// balance is what an account has of the currency. One of the books' own is not read:
// of it only the difference that the batch makes is known.
func (t *tx) balance(key bucketKey) *knownBalance {
	b, ok := t.known.balances[key]
	if !ok {
		account := t.known.accounts[escrow.KeyID(key.holder)]
		b = &knownBalance{fresh: true, own: account == nil}
		t.known.balances[key] = b
	}
	return b
}

// record books a step of a transfer: the same as ledger.Book.Record, in SQL.
func (t *tx) record(op string, tr ledger.Transfer, e ledger.Entry, now time.Time) error {
	if err := e.Check(); err != nil {
		return err
	}
	after := map[bucketKey]ledger.Balance{}
	for _, p := range e.Postings {
		key := bucketKey{p.Holder, p.Currency}
		before, ok := after[key]
		if !ok {
			before = t.balance(key).now
		}
		b, err := before.Apply(p)
		if err != nil {
			return fmt.Errorf("transfer %s: %w", tr.ID, err)
		}
		after[key] = b
	}
	step, err := t.saveTransfer(tr)
	if err != nil {
		return err
	}
	t.put(newEntry, op, tr.ID, step, tr.State, tr.From, tr.To, tr.Currency, tr.Amount, micros(now))
	for key, b := range after {
		known := t.balance(key)
		known.now, known.changed = b, op
	}
	return nil
}

// saveTransfer notes a transfer that begins, or ends one that is pending. It returns
// the number of its step.
func (t *tx) saveTransfer(tr ledger.Transfer) (step int, err error) {
	known := t.known.transfers[tr.ID]
	switch {
	case known == nil:
		t.known.transfers[tr.ID] = &tr
		return 1, nil
	case known.State != ledger.Pending || tr.State == ledger.Pending:
		return 0, fmt.Errorf("transfer %s: %w", tr.ID, ledger.ErrFinal)
	}
	*known = tr
	return 2, nil
}

// settleBalance keeps the writes of a balance that was changed.
func (t *tx) settleBalance(key bucketKey, b *knownBalance) {
	if b.changed == "" {
		return
	}
	if b.fresh {
		t.put(newBalance, b.changed, key.holder, key.currency)
	}
	if b.own {
		t.put(addToBalance, b.changed, b.now.Available-b.read.Available, b.now.Held-b.read.Held, key.holder, key.currency)
		return
	}
	t.put(setBalance, b.changed, b.now.Available, b.now.Held, key.holder, key.currency, b.read.Available, b.read.Held)
}

// transfer is the transfer of a bond.
func (t *tx) transfer(id string) (ledger.Transfer, error) {
	known := t.known.transfers[id]
	if known == nil {
		return ledger.Transfer{ID: id}, fmt.Errorf("transfer %s is not in the books", id)
	}
	return *known, nil
}
