package sqlstore

import (
	"context"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

// accountExists locks the account.
func (t *tx) accountExists(ctx context.Context, id escrow.KeyID) error {
	if err := t.lockAccounts(ctx, []escrow.KeyID{id}); err != nil {
		return err
	}
	if t.known.accounts[id] == nil {
		return noAccount()
	}
	return nil
}

// accountLives locks the account, and refuses one that was deleted: its row stays.
func (t *tx) accountLives(ctx context.Context, id escrow.KeyID) error {
	if err := t.accountExists(ctx, id); err != nil {
		return err
	}
	if t.deleted(id) {
		return noAccount()
	}
	return nil
}

// deleted reports that no key reaches the account any more. It is locked.
func (t *tx) deleted(id escrow.KeyID) bool { return t.known.accounts[id].key == "" }

func noAccount() error {
	return escrow.Errorf(escrow.NotFound, "this key has no account here; open one first")
}

func (t *tx) openAccount(ctx context.Context, op escrowserver.OpenAccount) (any, error) {
	signed, err := op.Seal.Recovery(op.Key.ID(), op.Recovery)
	if err != nil {
		return nil, err
	}
	n, err := t.exec(ctx, "open.account", `INSERT INTO account (id, key_id, public_key, recovery, recovery_signed, opened_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`, op.Key.ID(), op.Key.ID(), []byte(op.Key), []byte(op.Recovery), signed, micros(op.Now))
	if err == nil && n > 0 {
		err = t.openInventory(ctx, op.Name(), op.Seal, op.Key.ID())
	}
	if err != nil {
		return nil, err
	}
	return t.reader().account(ctx, op.Key.ID())
}

// operation finds the stored answer of an operation. The same id with another
// body is a conflict.
func (r reader) operation(ctx context.Context, account escrow.KeyID, id, bodyHash string) (string, bool, error) {
	var o knownOperation
	var err error
	o.there, err = found(r.row(ctx, `SELECT body_hash, response FROM operation WHERE account = ? AND id = ?`, account, id).
		Scan(&o.bodyHash, &o.response))
	if err != nil {
		return "", false, err
	}
	return o.answer(bodyHash)
}

// keepAnswer keeps the answer of an operation beside what it did.
func (t *tx) keepAnswer(op string, key operationKey, bodyHash, response string, now time.Time) {
	t.known.operations[key] = knownOperation{true, bodyHash, response}
	t.put(newOperation, op, key.account, key.id, bodyHash, response, micros(now))
}
