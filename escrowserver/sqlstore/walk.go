package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/ledger"
)

const walkPage = 200

// Walk shows all books to the visitor, as of one moment.
func (s *Store) Walk(ctx context.Context, v escrowserver.Visitor) error {
	tx, err := s.read.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("walk: %w", err)
	}
	defer tx.Rollback() // it wrote nothing
	r := reader{tx}
	for _, part := range []struct {
		wanted bool
		walk   func(context.Context, escrowserver.Visitor) error
	}{
		{v.Balance != nil, r.walkBalances},
		{v.Transfer != nil, r.walkTransfers},
		{v.Bond != nil, r.walkBonds},
		{v.Key != nil, r.walkKeys},
	} {
		if !part.wanted {
			continue
		}
		if err := part.walk(ctx, v); err != nil {
			return fmt.Errorf("walk: %w", err)
		}
	}
	return nil
}

func fault(v escrowserver.Visitor, text string) {
	if v.Fault != nil {
		v.Fault(text)
	}
}

func (r reader) walkBalances(ctx context.Context, v escrowserver.Visitor) error {
	rows, err := r.QueryContext(ctx, `SELECT holder, currency, available, held FROM balance ORDER BY holder, currency`)
	return each(rows, err, func(scan func(...any) error) error {
		var b escrowserver.BalanceLine
		if err := scan(&b.Holder, &b.Currency, &b.Balance.Available, &b.Balance.Held); err != nil {
			return err
		}
		return v.Balance(b)
	})
}

// walkTransfers groups postings into entries by the state that they led to.
func (r reader) walkTransfers(ctx context.Context, v escrowserver.Visitor) error {
	var at ledger.Transfer
	var entries []ledger.Entry
	show := func() error {
		if at.ID == "" {
			return nil
		}
		return v.Transfer(at, entries)
	}
	rows, err := r.QueryContext(ctx, `SELECT t.id, t.payer, t.payee, t.currency, t.amount, t.state, p.state, p.holder, p.currency, p.bucket, p.amount
		FROM transfer t LEFT JOIN posting p ON p.transfer = t.id ORDER BY t.id, p.id`)
	err = each(rows, err, func(scan func(...any) error) error {
		var t ledger.Transfer
		var state, holder, currency, bucket sql.NullString
		var amount sql.NullInt64
		if err := scan(&t.ID, &t.From, &t.To, &t.Currency, &t.Amount, &t.State, &state, &holder, &currency, &bucket, &amount); err != nil {
			return err
		}
		if t.ID != at.ID {
			if err := show(); err != nil {
				return err
			}
			at, entries = t, nil
		}
		if !amount.Valid {
			return nil
		}
		if n := len(entries); n == 0 || string(entries[n-1].State) != state.String {
			entries = append(entries, ledger.Entry{TransferID: t.ID, State: ledger.State(state.String)})
		}
		last := &entries[len(entries)-1]
		last.Postings = append(last.Postings, ledger.Posting{Holder: ledger.Holder(holder.String), Currency: currency.String,
			Bucket: ledger.Bucket(bucket.String), Amount: amount.Int64})
		return nil
	})
	if err != nil {
		return err
	}
	return show()
}

// walkBonds reads in pages, so that a large book needs little memory.
func (r reader) walkBonds(ctx context.Context, v escrowserver.Visitor) error {
	var last escrow.BondID
	for {
		rows, err := r.QueryContext(ctx, `SELECT `+bondColumns+` FROM bond WHERE id > ? ORDER BY id LIMIT ?`, last, walkPage)
		var bonds []bond
		err = each(rows, err, func(scan func(...any) error) error {
			b, err := scanBond(scan)
			if errors.Is(err, errDamaged) {
				fault(v, err.Error())
				b.Quote, err = "", nil
			}
			bonds = append(bonds, b)
			return err
		})
		if err != nil {
			return err
		}
		for _, b := range bonds {
			last = b.ID
			if b.Quote == "" {
				continue
			}
			receipts, err := r.receipts(ctx, b.ID)
			if err != nil {
				return err
			}
			if err := v.Bond(b.Bond, receipts); err != nil {
				return err
			}
		}
		if len(bonds) < walkPage {
			return nil
		}
	}
}

func (r reader) walkKeys(ctx context.Context, v escrowserver.Visitor) error {
	rows, err := r.QueryContext(ctx, `SELECT fingerprint, SUM(unsold), SUM(sold) FROM (
			SELECT fingerprint, 0 AS unsold, 0 AS sold FROM key_fingerprint
			UNION ALL SELECT fingerprint, 1, 0 FROM one_time_key
			UNION ALL SELECT key_fingerprint, 0, 1 FROM bond) AS keys
		GROUP BY fingerprint ORDER BY fingerprint`)
	return each(rows, err, func(scan func(...any) error) error {
		var fingerprint string
		var unsold, sold int
		if err := scan(&fingerprint, &unsold, &sold); err != nil {
			return err
		}
		return v.Key(fingerprint, unsold, sold)
	})
}
