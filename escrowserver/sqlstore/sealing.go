package sqlstore

import (
	"context"

	"earnest/escrowserver"
)

// sealOrders signs the orders that an older program took, once.
func (t *tx) sealOrders(ctx context.Context, op escrowserver.SealRows) (int, error) {
	text, err := t.reader().sealing(ctx, escrowserver.SealedOrders)
	if err != nil || text != "" {
		return 0, err
	}
	var signed bool
	if err := t.conn.row(ctx, `SELECT EXISTS (SELECT 1 FROM account_order WHERE signed <> '')`).Scan(&signed); err != nil || signed {
		return 0, err // these are no older books: verify tells
	}
	rows, err := sealEach(ctx, t, "seal.order", orderRows, scanOrder, op.Seal.Taken,
		`UPDATE account_order SET signed = ? WHERE hash = ?`, func(o escrowserver.OrderLine) []any { return []any{o.Hash} })
	if err != nil {
		return 0, err
	}
	return rows, t.setSealing(ctx, op, escrowserver.SealedOrders, rows)
}

// setSealing keeps the word that older rows of a kind were signed.
func (t *tx) setSealing(ctx context.Context, op escrowserver.SealRows, kind string, rows int) error {
	word, err := op.Seal.Sealing(kind, escrowserver.Sealed{Rows: rows, Time: op.Now})
	if err == nil {
		_, err = t.exec(ctx, "seal.sealing", `INSERT INTO sealing (kind, signed) VALUES (?, ?)`, kind, word)
	}
	return err
}

// Sealing is the escrow's signed word that older rows of a kind were signed.
func (s *Store) Sealing(ctx context.Context, kind string) (string, error) {
	return s.reader().sealing(ctx, kind)
}

func (r reader) sealing(ctx context.Context, kind string) (signed string, err error) {
	_, err = found(r.row(ctx, `SELECT signed FROM sealing WHERE kind = ?`, kind).Scan(&signed))
	return signed, err
}

const orderRows = `SELECT hash, account, action, signer, jws, made_at, signed FROM account_order ORDER BY made_at, hash`

func scanOrder(scan func(...any) error) (escrowserver.OrderLine, error) {
	var o escrowserver.OrderLine
	var made int64
	err := scan(&o.Hash, &o.Account, &o.Action, (*[]byte)(&o.Signer), &o.Signed, &made, &o.Taken)
	o.Made = fromMicros(made)
	return o, err
}
