package sqlstore

import (
	"context"

	"earnest/escrow"
	"earnest/escrowserver"
)

func (t *tx) takeStock(ctx context.Context, op escrowserver.TakeStock) (any, error) {
	if err := t.lockAccounts(ctx, []escrow.KeyID{op.Account}); err != nil {
		return nil, err
	}
	if t.known.accounts[op.Account] == nil {
		return nil, escrowserver.NoStock(op.Account)
	}
	if err := t.lockInventory(ctx, op.Account); err != nil {
		return nil, err
	}
	line, err := t.inventory(ctx, op.Account)
	if err != nil {
		return nil, err
	}
	stock := op.Seal.Stock(line)
	if stock.Right {
		return stock, nil
	}
	log, err := t.inventoryLogEnd(ctx)
	if err != nil {
		return nil, err
	}
	signed, err := op.Seal.NextInventory(line, log)
	if err == nil {
		_, err = t.exec(ctx, op.Name()+".inventory", `INSERT INTO inventory (account, signed, cites) VALUES (?, ?, ?)
			ON CONFLICT (account) DO UPDATE SET signed = excluded.signed, cites = excluded.cites, logged = 0`, op.Account, signed, log.N)
	}
	return stock, err
}

// Inventory is what an account has of value, and the word on it.
func (s *Store) Inventory(ctx context.Context, account escrow.KeyID) (line escrowserver.InventoryLine, err error) {
	var there int
	ok, err := found(s.reader().row(ctx, `SELECT 1 FROM account WHERE id = ?`, account).Scan(&there))
	if err != nil {
		return line, err
	}
	if !ok {
		return line, escrowserver.NoStock(account)
	}
	err = eachInventory(ctx, s.reader(), valueRows+` WHERE account = ?`, func(l escrowserver.InventoryLine) error {
		line = l
		return nil
	}, account)
	return line, err
}
