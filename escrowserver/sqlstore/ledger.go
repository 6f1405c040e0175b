package sqlstore

import (
	"context"
	"fmt"
	"time"

	"earnest/ledger"
)

type bucketKey struct {
	holder   ledger.Holder
	currency string
}

// balance is what the holder has of the currency.
func (t *tx) balance(ctx context.Context, key bucketKey) (ledger.Balance, error) {
	var b ledger.Balance
	_, err := found(t.sql.QueryRowContext(ctx, `SELECT available, held FROM balance WHERE holder = ? AND currency = ?`,
		key.holder, key.currency).Scan(&b.Available, &b.Held))
	return b, err
}

// record books a step of a transfer: the same as ledger.Book.Record, in SQL.
func (t *tx) record(ctx context.Context, op string, tr ledger.Transfer, e ledger.Entry, now time.Time) error {
	if err := e.Check(); err != nil {
		return err
	}
	before, after := map[bucketKey]ledger.Balance{}, map[bucketKey]ledger.Balance{}
	var order []bucketKey
	for _, p := range e.Postings {
		key := bucketKey{p.Holder, p.Currency}
		if _, ok := after[key]; !ok {
			b, err := t.balance(ctx, key)
			if err != nil {
				return err
			}
			before[key], after[key] = b, b
			order = append(order, key)
		}
		b, err := after[key].Apply(p)
		if err != nil {
			return fmt.Errorf("transfer %s: %w", tr.ID, err)
		}
		after[key] = b
	}
	if err := t.saveTransfer(ctx, op, tr, len(e.Postings) > 0 && e.Postings[0].Bucket == ledger.Available); err != nil {
		return err
	}
	for _, p := range e.Postings {
		if _, err := t.exec(ctx, op+".posting", `INSERT INTO posting (transfer, state, holder, currency, bucket, amount, made_at)
			VALUES (?, ?, ?, ?, ?, ?, ?)`, tr.ID, e.State, p.Holder, p.Currency, p.Bucket, p.Amount, micros(now)); err != nil {
			return err
		}
	}
	for _, key := range order {
		if err := t.saveBalance(ctx, op, key, before[key], after[key]); err != nil {
			return err
		}
	}
	return nil
}

// saveTransfer stores a transfer that begins, or ends one that is pending.
func (t *tx) saveTransfer(ctx context.Context, op string, tr ledger.Transfer, begins bool) error {
	if begins {
		_, err := t.exec(ctx, op+".transfer", `INSERT INTO transfer (id, payer, payee, currency, amount, state) VALUES (?, ?, ?, ?, ?, ?)`,
			tr.ID, tr.From, tr.To, tr.Currency, tr.Amount, tr.State)
		return err
	}
	n, err := t.exec(ctx, op+".transfer", `UPDATE transfer SET state = ? WHERE id = ? AND state = 'pending'`, tr.State, tr.ID)
	if err == nil && n != 1 {
		err = fmt.Errorf("transfer %s: %w", tr.ID, ledger.ErrFinal)
	}
	return err
}

// saveBalance changes a balance by the difference, and holds what the database
// then says against what was computed.
func (t *tx) saveBalance(ctx context.Context, op string, key bucketKey, before, after ledger.Balance) error {
	var got ledger.Balance
	// The row is made first: a CHECK is held against the inserted values too,
	// and a difference may be negative.
	if before == (ledger.Balance{}) {
		if _, err := t.exec(ctx, op+".balance.new", `INSERT INTO balance (holder, currency, available, held) VALUES (?, ?, 0, 0)
			ON CONFLICT (holder, currency) DO NOTHING`, key.holder, key.currency); err != nil {
			return err
		}
	}
	err := t.execReturning(ctx, op+".balance", []any{&got.Available, &got.Held},
		`UPDATE balance SET available = available + ?, held = held + ? WHERE holder = ? AND currency = ? RETURNING available, held`,
		after.Available-before.Available, after.Held-before.Held, key.holder, key.currency)
	if err != nil {
		return err
	}
	if got != after || got.Held < 0 || got.Available < 0 && key.holder != ledger.Issuance {
		return fmt.Errorf("balance of %s: the books say %+v, computed %+v", key.currency, got, after)
	}
	t.drift[key.currency] += got.Available - before.Available + got.Held - before.Held
	return nil
}

func (t *tx) transfer(ctx context.Context, id string) (ledger.Transfer, error) {
	tr := ledger.Transfer{ID: id}
	err := t.sql.QueryRowContext(ctx, `SELECT payer, payee, currency, amount, state FROM transfer WHERE id = ?`, id).
		Scan(&tr.From, &tr.To, &tr.Currency, &tr.Amount, &tr.State)
	if err != nil {
		return tr, fmt.Errorf("transfer %s: %w", id, err)
	}
	return tr, nil
}
