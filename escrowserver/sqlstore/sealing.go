package sqlstore

import (
	"context"

	"earnest/escrow"
	"earnest/escrowserver"
)

// sealOrders signs the orders that an older program took, once.
func (t *tx) sealOrders(ctx context.Context, op escrowserver.SealRows) (int, error) {
	text, err := t.reader().sealing(ctx, escrowserver.SealedOrders)
	if err != nil || text != "" {
		return 0, err
	}
	var signed bool
	err = t.conn.row(ctx, `SELECT EXISTS (SELECT 1 FROM account_order WHERE signed <> '')`).Scan(&signed)
	if err == nil && !signed {
		signed, err = t.listsKeys(ctx, op.Seal) // by a program that signs orders
	}
	if err != nil || signed {
		return 0, err // these are no older books: verify tells
	}
	rows, err := sealEach(ctx, t, "seal.order", orderRows, scanOrder, op.Seal.Taken,
		`UPDATE account_order SET signed = ? WHERE hash = ?`, func(o escrowserver.OrderLine) []any { return []any{o.Hash} })
	if err != nil {
		return 0, err
	}
	return rows, t.setSealing(ctx, op, escrowserver.SealedOrders, rows)
}

// relist signs anew the inventories that are right as an older program wrote them, once:
// that one listed no keys and changes. Those that are not right stay: verify tells.
func (t *tx) relist(ctx context.Context, op escrowserver.SealRows) (rows int, err error) {
	text, err := t.reader().sealing(ctx, escrowserver.SealedInventories)
	if err != nil || text != "" {
		return 0, err
	}
	if today, err := t.listsKeys(ctx, op.Seal); err != nil || today {
		return 0, err // these are no older books: verify tells
	}
	lines, err := t.inventories(ctx)
	if err != nil {
		return 0, err
	}
	log, err := t.inventoryLogEnd(ctx)
	if err != nil {
		return 0, err
	}
	for _, line := range lines {
		signed, older, err := op.Seal.Relist(line, log)
		if err != nil {
			return 0, err
		}
		if !older {
			continue
		}
		if err := t.nextInventory(ctx, "seal", line, signed, log); err != nil {
			return 0, err
		}
		rows++
	}
	return rows, t.setSealing(ctx, op, escrowserver.SealedInventories, rows)
}

// listsKeys reports whether any inventory is there that no older program has signed.
func (t *tx) listsKeys(ctx context.Context, seal escrowserver.Seal) (today bool, err error) {
	rows, err := t.conn.query(ctx, `SELECT signed FROM inventory`)
	err = each(rows, err, func(scan func(...any) error) error {
		var signed escrow.Signed
		err := scan(&signed)
		today = today || seal.ListsKeys(signed)
		return err
	})
	return today, err
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
