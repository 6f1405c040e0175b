package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"earnest/escrow"
	"earnest/escrowserver"
)

// valueRows are the rows that an inventory lists, with the inventory itself, the one with
// the highest and the lowest number that are logged of the account, and the row of the log
// that the inventory cites.
const valueRows = `SELECT account, kind, name, signed, state, number FROM (
		SELECT id AS account, 'recovery' AS kind, '' AS name, recovery_signed AS signed, '' AS state, 0 AS number FROM account
		UNION ALL SELECT id, '` + escrowserver.RowKey + `', key_id, '', CAST(frozen_at AS TEXT), 0 FROM account
		UNION ALL SELECT account, '` + escrowserver.RowChange + `', id, signed, CAST(ended_at AS TEXT) || ' ' || ending, 0 FROM account_change
		UNION ALL SELECT account, 'address', address, signed, '', 0 FROM address
		UNION ALL SELECT account, 'limit', currency, signed, '', 0 FROM spending_limit
		UNION ALL SELECT account, 'payout', id, signed, state, 0 FROM payout
		UNION ALL SELECT account, '` + rowInventory + `', '', signed, '', 0 FROM inventory
		UNION ALL SELECT i.account, '` + rowCited + `', '', l.hash, '', l.n FROM inventory i JOIN inventory_log l ON l.n = i.cites
		UNION ALL SELECT account, '` + rowLogged + `', '', signed, '', number FROM inventory_log l
			WHERE number = (SELECT MAX(number) FROM inventory_log o WHERE o.account = l.account)
		UNION ALL SELECT account, '` + rowFirst + `', '', '', '', number FROM inventory_log l
			WHERE number = (SELECT MIN(number) FROM inventory_log o WHERE o.account = l.account)) AS valued`

// The rows of valueRows that are none of value.
const (
	rowInventory = "inventory"
	rowCited     = "cited"
	rowLogged    = "logged"
	rowFirst     = "first"
)

// eachInventory shows the rows of one account after another's.
func eachInventory(ctx context.Context, q querier, query string, show func(escrowserver.InventoryLine) error, args ...any) error {
	var at escrowserver.InventoryLine
	rows, err := q.query(ctx, query, args...)
	err = each(rows, err, func(scan func(...any) error) error {
		var account escrow.KeyID
		var row escrowserver.ValueRow
		var number int64
		if err := scan(&account, &row.Kind, &row.Name, &row.Signed, &row.State, &number); err != nil {
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
		switch row.Kind {
		case rowInventory:
			at.Signed = row.Signed
		case rowCited:
			at.Cited = escrowserver.LogEnd{N: number, Hash: string(row.Signed)}
		case rowLogged:
			at.Logged = escrowserver.InventoryLogLine{Account: account, Number: number, Signed: string(row.Signed)}
		case rowFirst:
			at.First = number
		default:
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

// inventoried writes rows that inventories list, of these accounts, by do, and signs which
// they then have. They are locked first: whoever holds an address, too; and their
// inventories, so that whichever the log has is in what the next one cites. What do has
// inventoried of them is signed once, with all the rest, at the end.
func (t *tx) inventoried(ctx context.Context, op string, seal escrowserver.Seal, do func() error, accounts ...escrow.KeyID) error {
	accounts = slices.DeleteFunc(slices.Clone(accounts), func(id escrow.KeyID) bool { return slices.Contains(t.listing, id) })
	if err := t.lockAccounts(ctx, accounts); err != nil {
		return err
	}
	for _, account := range accounts {
		if err := t.lockInventory(ctx, account); err != nil {
			return err
		}
	}
	before := make([]escrowserver.InventoryLine, len(accounts))
	for i, account := range accounts {
		var err error
		if before[i], err = t.inventory(ctx, account); err != nil {
			return err
		}
	}
	outer := t.listing
	t.listing = append(slices.Clone(outer), accounts...)
	err := do()
	t.listing = outer
	if err != nil {
		return err
	}
	return t.signInventories(ctx, op, seal, before)
}

// signInventories signs which rows accounts have now, after those that they had before.
func (t *tx) signInventories(ctx context.Context, op string, seal escrowserver.Seal, before []escrowserver.InventoryLine) error {
	log, err := t.inventoryLogEnd(ctx)
	if err != nil {
		return err
	}
	for _, was := range before {
		now, err := t.inventory(ctx, was.Account)
		if err != nil {
			return err
		}
		signed, err := seal.Inventory(&was, now, log)
		if err != nil {
			return err
		}
		if signed == was.Signed {
			continue // it was not right, and verify is to tell
		}
		if err := t.nextInventory(ctx, op, was, signed, log); err != nil {
			return err
		}
	}
	return nil
}

// nextInventory puts an account's inventory in the place of the one that it was.
func (t *tx) nextInventory(ctx context.Context, op string, was escrowserver.InventoryLine, signed escrow.Signed, log escrowserver.LogEnd) error {
	n, err := t.exec(ctx, op+".inventory", `UPDATE inventory SET signed = ?, cites = ?, logged = 0 WHERE account = ? AND signed = ?`,
		signed, log.N, was.Account, was.Signed)
	if err == nil && n != 1 {
		err = fmt.Errorf("inventory %w", errNotAsRead)
	}
	return err
}

func (t *tx) lockInventory(ctx context.Context, account escrow.KeyID) error {
	var one int
	_, err := found(t.conn.row(ctx, `SELECT 1 FROM inventory WHERE account = ?`+lockRow, account).Scan(&one))
	return err
}

// inventoryAnchor is zero if the escrow has not signed it: verify tells.
func (t *tx) inventoryAnchor(ctx context.Context, seal escrowserver.Seal) (escrowserver.InventoryAnchor, error) {
	text, err := t.reader().inventoryAnchor(ctx)
	if err != nil {
		return escrowserver.InventoryAnchor{}, err
	}
	anchor, err := seal.InventoriesRead(escrow.Signed(text))
	if err != nil {
		return escrowserver.InventoryAnchor{}, nil
	}
	return anchor, nil
}

// openInventory is a new account's.
func (t *tx) openInventory(ctx context.Context, op string, seal escrowserver.Seal, account escrow.KeyID) error {
	line, err := t.inventory(ctx, account)
	if err != nil {
		return err
	}
	log, err := t.inventoryLogEnd(ctx)
	if err != nil {
		return err
	}
	return t.newInventory(ctx, op, seal, line, log)
}

// newInventory is an account's first.
func (t *tx) newInventory(ctx context.Context, op string, seal escrowserver.Seal, line escrowserver.InventoryLine, log escrowserver.LogEnd) error {
	signed, err := seal.Inventory(nil, line, log)
	if err == nil {
		_, err = t.exec(ctx, op+".inventory", `INSERT INTO inventory (account, signed, cites) VALUES (?, ?, ?)`, line.Account, signed, log.N)
	}
	return err
}

// inventories are those of all accounts.
func (t *tx) inventories(ctx context.Context) (lines []escrowserver.InventoryLine, err error) {
	err = eachInventory(ctx, t.conn, valueRows+` ORDER BY account`, func(line escrowserver.InventoryLine) error {
		lines = append(lines, line)
		return nil
	})
	return lines, err
}

// firstInventories are those of books that have none, once.
func (t *tx) firstInventories(ctx context.Context, op escrowserver.SealRows) (int, error) {
	text, err := t.reader().inventoryAnchor(ctx)
	if err != nil || text != "" {
		return 0, err
	}
	var there bool
	if err := t.conn.row(ctx, `SELECT EXISTS (SELECT 1 FROM inventory) OR EXISTS (SELECT 1 FROM inventory_log)`).Scan(&there); err != nil || there {
		return 0, err // somebody took the anchor away: verify tells
	}
	lines, err := t.inventories(ctx)
	if err != nil {
		return 0, err
	}
	for _, line := range lines {
		if err := t.newInventory(ctx, "seal", op.Seal, line, escrowserver.LogEnd{}); err != nil {
			return 0, err
		}
	}
	if lines, err = t.unlogged(ctx, "", len(lines)); err != nil {
		return 0, err
	}
	anchor := escrowserver.InventoryAnchor{Time: op.Now, Begun: escrowserver.Sealed{Rows: len(lines), Time: op.Now}}
	if anchor.LogEnd, err = t.toInventoryLog(ctx, "seal", op.Seal, anchor.LogEnd, lines); err != nil {
		return 0, err
	}
	return len(lines), t.setInventoryAnchor(ctx, "seal", op.Seal, anchor)
}

func (t *tx) logInventories(ctx context.Context, op escrowserver.LogInventories) (any, error) {
	if err := t.conn.lock(ctx, "inventories"); err != nil {
		return nil, err
	}
	anchor, err := t.inventoryAnchor(ctx, op.Seal)
	if err != nil {
		return nil, err
	}
	end, err := t.inventoryLogEnd(ctx)
	if err != nil {
		return nil, err
	}
	logged := escrowserver.InventoriesLogged{Whole: !anchor.Time.IsZero() && end == anchor.LogEnd}
	lines, err := t.unlogged(ctx, op.After, op.Most)
	if err != nil {
		return nil, err
	}
	if len(lines) == op.Most {
		logged.Last = lines[len(lines)-1].Account
	}
	anchor.LogEnd, err = t.toInventoryLog(ctx, op.Name(), op.Seal, end, lines)
	if err != nil || !logged.Whole || anchor.LogEnd == end {
		return logged, err
	}
	anchor.Time = op.Now
	return logged, t.setInventoryAnchor(ctx, op.Name(), op.Seal, anchor)
}

// inventoryLogEnd is the newest row of the log, which may be younger than its anchor.
func (t *tx) inventoryLogEnd(ctx context.Context) (end escrowserver.LogEnd, err error) {
	_, err = found(t.conn.row(ctx, `SELECT n, hash FROM inventory_log ORDER BY n DESC LIMIT 1`).Scan(&end.N, &end.Hash))
	return end, err
}

// unlogged are inventories that are not in the log yet. They stay as they are until the
// commit; those that somebody is just changing are logged the next time.
func (t *tx) unlogged(ctx context.Context, after escrow.KeyID, most int) (lines []escrowserver.InventoryLine, err error) {
	rows, err := t.conn.query(ctx, `SELECT account, signed FROM inventory WHERE logged = 0 AND account > ? ORDER BY account LIMIT ?`+lockFree, after, most)
	err = each(rows, err, func(scan func(...any) error) error {
		var line escrowserver.InventoryLine
		err := scan(&line.Account, &line.Signed)
		lines = append(lines, line)
		return err
	})
	return lines, err
}

// toInventoryLog goes on with the log, and gives its new end.
func (t *tx) toInventoryLog(ctx context.Context, op string, seal escrowserver.Seal, end escrowserver.LogEnd, lines []escrowserver.InventoryLine) (escrowserver.LogEnd, error) {
	for _, line := range lines {
		row, signed := seal.ToLog(line)
		if !signed {
			continue // verify tells
		}
		row.N = end.N + 1
		var err error
		if row.Hash, err = row.HashAfter(end.Hash); err != nil {
			return end, err
		}
		end = row.LogEnd
		if _, err := t.exec(ctx, op+".logged", `INSERT INTO inventory_log (n, account, number, signed, hash) VALUES (?, ?, ?, ?, ?)`,
			row.N, row.Account, row.Number, row.Signed, row.Hash); err != nil {
			return end, err
		}
		if _, err := t.exec(ctx, op+".inventory", `UPDATE inventory SET logged = 1 WHERE account = ? AND signed = ?`, line.Account, line.Signed); err != nil {
			return end, err
		}
	}
	return end, nil
}

func (t *tx) setInventoryAnchor(ctx context.Context, op string, seal escrowserver.Seal, anchor escrowserver.InventoryAnchor) error {
	word, err := seal.Inventories(anchor)
	if err == nil {
		_, err = t.exec(ctx, op+".anchor", `INSERT INTO inventory_anchor (one, signed) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET signed = excluded.signed`, word)
	}
	return err
}

// InventoryAnchor is the escrow's signed word on the log of inventories.
func (s *Store) InventoryAnchor(ctx context.Context) (string, error) {
	return s.reader().inventoryAnchor(ctx)
}

func (r reader) inventoryAnchor(ctx context.Context) (signed string, err error) {
	_, err = found(r.row(ctx, `SELECT signed FROM inventory_anchor`).Scan(&signed))
	return signed, err
}

func (r reader) walkInventories(ctx context.Context, v escrowserver.Visitor) error {
	text, err := r.inventoryAnchor(ctx)
	if err == nil {
		err = v.InventoryAnchor(text)
	}
	if err != nil {
		return err
	}
	rows, err := r.query(ctx, `SELECT n, account, number, signed, hash FROM inventory_log ORDER BY n`)
	if err := each(rows, err, func(scan func(...any) error) error {
		var l escrowserver.InventoryLogLine
		if err := scan(&l.N, &l.Account, &l.Number, &l.Signed, &l.Hash); err != nil {
			return err
		}
		return v.InventoryLog(l)
	}); err != nil {
		return err
	}
	return eachInventory(ctx, r, valueRows+` ORDER BY account`, v.Inventory)
}
