package sqlstore

import (
	"context"
	"fmt"

	"earnest/escrow"
	"earnest/escrowserver"
)

// valueRows are the rows of value, with the inventory itself.
const valueRows = `SELECT account, kind, name, signed, state FROM (
		SELECT id AS account, 'recovery' AS kind, '' AS name, recovery_signed AS signed, '' AS state FROM account
		UNION ALL SELECT account, 'address', address, signed, '' FROM address
		UNION ALL SELECT account, 'limit', currency, signed, '' FROM spending_limit
		UNION ALL SELECT account, 'payout', id, signed, state FROM payout
		UNION ALL SELECT account, 'inventory', '', signed, '' FROM inventory) AS valued`

// eachInventory shows the rows of one account after another's.
func eachInventory(ctx context.Context, q querier, query string, show func(escrowserver.InventoryLine) error, args ...any) error {
	var at escrowserver.InventoryLine
	rows, err := q.query(ctx, query, args...)
	err = each(rows, err, func(scan func(...any) error) error {
		var account escrow.KeyID
		var row escrowserver.ValueRow
		if err := scan(&account, &row.Kind, &row.Name, &row.Signed, &row.State); err != nil {
			return err
		}
		if account != at.Account {
			if at.Account != "" {
				if err := show(at); err != nil {
					return err
				}
			}
			at = escrowserver.InventoryLine{Account: account}
		}
		if row.Kind == "inventory" {
			at.Signed = row.Signed
		} else {
			at.Rows = append(at.Rows, row)
		}
		return nil
	})
	if err == nil && at.Account != "" {
		err = show(at)
	}
	return err
}

func (t *tx) inventory(ctx context.Context, account escrow.KeyID) (line escrowserver.InventoryLine, err error) {
	err = eachInventory(ctx, t.conn, valueRows+` WHERE account = ?`, func(l escrowserver.InventoryLine) error {
		line = l
		return nil
	}, account)
	return line, err
}

// inventoried writes rows of value of these accounts by do, and signs which they then
// have. They are locked first: whoever holds an address, too.
func (t *tx) inventoried(ctx context.Context, op string, seal escrowserver.Seal, do func() error, accounts ...escrow.KeyID) error {
	if err := t.lockAccounts(ctx, accounts); err != nil {
		return err
	}
	before := make([]escrowserver.InventoryLine, len(accounts))
	for i, account := range accounts {
		var err error
		if before[i], err = t.inventory(ctx, account); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	for i, account := range accounts {
		now, err := t.inventory(ctx, account)
		if err != nil {
			return err
		}
		if now.Signed, err = seal.Inventory(&before[i], now); err != nil {
			return err
		}
		n, err := t.exec(ctx, op+".inventory", `UPDATE inventory SET signed = ? WHERE account = ?`, now.Signed, account)
		if err == nil && n != 1 && before[i].Signed != "" {
			err = fmt.Errorf("inventory %w", errNotAsRead)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// openInventory is a new account's.
func (t *tx) openInventory(ctx context.Context, op string, seal escrowserver.Seal, account escrow.KeyID) error {
	line, err := t.inventory(ctx, account)
	if err == nil {
		err = t.newInventory(ctx, op, seal, line)
	}
	return err
}

// newInventory is an account's first.
func (t *tx) newInventory(ctx context.Context, op string, seal escrowserver.Seal, line escrowserver.InventoryLine) error {
	signed, err := seal.Inventory(nil, line)
	if err == nil {
		_, err = t.exec(ctx, op+".inventory", `INSERT INTO inventory (account, signed) VALUES (?, ?)`, line.Account, signed)
	}
	return err
}

// firstInventories are those of books that have none, once.
func (t *tx) firstInventories(ctx context.Context, op escrowserver.SealRows) (int, error) {
	note, err := t.reader().note(ctx, escrowserver.NoteInventories)
	if err != nil || note != "" {
		return 0, err
	}
	var there bool
	if err := t.conn.row(ctx, `SELECT EXISTS (SELECT 1 FROM inventory)`).Scan(&there); err != nil || there {
		return 0, err // somebody took the note away: verify tells
	}
	var lines []escrowserver.InventoryLine
	if err := eachInventory(ctx, t.conn, valueRows+` ORDER BY account`, func(line escrowserver.InventoryLine) error {
		lines = append(lines, line)
		return nil
	}); err != nil {
		return 0, err
	}
	for _, line := range lines {
		if err := t.newInventory(ctx, "seal", op.Seal, line); err != nil {
			return 0, err
		}
	}
	word, err := op.Seal.Inventories(escrowserver.Sealed{Rows: len(lines), Time: op.Now})
	if err == nil {
		_, err = t.exec(ctx, "seal.note", `INSERT INTO note (name, text) VALUES (?, ?)`, escrowserver.NoteInventories, word)
	}
	return len(lines), err
}

func (r reader) walkInventories(ctx context.Context, v escrowserver.Visitor) error {
	text, err := r.note(ctx, escrowserver.NoteInventories)
	if err == nil {
		err = v.Inventories(text)
	}
	if err != nil {
		return err
	}
	return eachInventory(ctx, r, valueRows+` ORDER BY account`, v.Inventory)
}
