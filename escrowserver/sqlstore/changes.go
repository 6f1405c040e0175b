package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

// change is a change that acts now.
type change struct {
	escrow.AccountChange
	now  time.Time
	seal escrowserver.Seal
}

const changeColumns = `id, account, holder, kind, subject, value, asked_at, due_at, signed, ended_at, ending`

func scanChange(scan func(...any) error) (escrowserver.ChangeLine, error) {
	var c escrowserver.ChangeLine
	var asked, due, ended int64
	err := scan(&c.ID, &c.Account, &c.Holder, &c.Kind, &c.Subject, &c.Value, &asked, &due, &c.Signed, &ended, &c.Ending)
	c.AskedAt, c.DueAt, c.Ended = fromMicros(asked), fromMicros(due), fromMicros(ended)
	return c, err
}

func (t *tx) proposeChange(ctx context.Context, op escrowserver.ProposeChange) (escrow.AccountChange, error) {
	if err := t.accountLives(ctx, op.Change.Account); err != nil {
		return escrow.AccountChange{}, err
	}
	return t.propose(ctx, op.Name(), op)
}

// propose has a change act later. The account is locked. Any operation of the store
// may use it, for a kind that [tx.act] knows.
func (t *tx) propose(ctx context.Context, op string, p escrowserver.ProposeChange) (escrow.AccountChange, error) {
	c := p.Change
	same, err := scanChange(t.conn.row(ctx, `SELECT `+changeColumns+` FROM account_change
		WHERE account = ? AND holder = ? AND kind = ? AND subject = ? AND ended_at = 0`, c.Account, c.Holder, c.Kind, c.Subject).Scan)
	waits, err := found(err)
	if err != nil {
		return c, err
	}
	if waits && (same.Value == c.Value || c.Kind == changeAddress) {
		return same.AccountChange, nil // its time runs since it was asked for first
	}
	signed, err := p.Promise(c)
	if err != nil {
		return c, err
	}
	return c, t.inventoried(ctx, op, p.Seal, func() error {
		if waits {
			if err := t.endChange(ctx, op, same.ID, p.Now, "replaced"); err != nil {
				return err
			}
		}
		_, err := t.exec(ctx, op+".change", `INSERT INTO account_change (id, account, holder, kind, subject, value, asked_at, due_at, signed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			c.ID, c.Account, c.Holder, c.Kind, c.Subject, c.Value, micros(c.AskedAt), micros(c.DueAt), signed)
		return err
	}, c.Account)
}

// endChange ends a change that waits. The inventory is the caller's.
func (t *tx) endChange(ctx context.Context, op, id string, now time.Time, ending string) error {
	_, err := t.exec(ctx, op+".changed", `UPDATE account_change SET ended_at = ?, ending = ? WHERE id = ? AND ended_at = 0`, micros(now), ending, id)
	return err
}

// concerned are the accounts of which an order changes rows: the holder of an address
// stops a change of whoever asked for it.
func (t *tx) concerned(ctx context.Context, order escrow.Order) ([]escrow.KeyID, error) {
	accounts := []escrow.KeyID{order.Account}
	if order.Action != escrow.ActionCancel {
		return accounts, nil
	}
	var whose escrow.KeyID
	there, err := found(t.conn.row(ctx, `SELECT account FROM account_change WHERE id = ?`, order.Change).Scan(&whose))
	if there && whose != order.Account {
		accounts = append(accounts, whose)
	}
	return accounts, err
}

// cancels lets either of those whom a change concerns stop it.
func (t *tx) cancels(ctx context.Context, op escrowserver.TakeOrder, order escrow.Order) (func() error, error) {
	c, err := scanChange(t.conn.row(ctx, `SELECT `+changeColumns+` FROM account_change WHERE id = ?`, order.Change).Scan)
	there, err := found(err)
	if err != nil {
		return nil, err
	}
	if !there || c.Account != order.Account && c.Holder != order.Account {
		return nil, escrow.Errorf(escrow.NotFound, "the account has no such change; nothing was changed")
	}
	if !c.Ended.IsZero() {
		return nil, escrow.Errorf(escrow.Conflict, "that change has ended already: %s", c.Ending)
	}
	return func() error { return t.endChange(ctx, "order", c.ID, op.Now, "cancelled") }, nil
}

func (t *tx) applyChange(ctx context.Context, op escrowserver.ApplyChange) error {
	var account, holder escrow.KeyID
	there, err := found(t.conn.row(ctx, `SELECT account, holder FROM account_change WHERE id = ?`, op.ID).Scan(&account, &holder))
	if err != nil || !there {
		return err
	}
	if err := t.lockAccounts(ctx, []escrow.KeyID{account, holder}); err != nil {
		return err
	}
	c, err := scanChange(t.conn.row(ctx, `SELECT `+changeColumns+` FROM account_change WHERE id = ?`, op.ID).Scan)
	if err != nil || !c.Ended.IsZero() || c.DueAt.After(op.Now) {
		return err // another process was faster, or somebody cancelled it
	}
	if !op.Genuine(c) {
		return fmt.Errorf("change %s is not as the escrow promised it: it does not act", c.ID)
	}
	return t.inventoried(ctx, op.Name(), op.Seal, func() error {
		ending, err := "applied", t.act(ctx, op.Name(), change{c.AccountChange, op.Now, op.Seal})
		if refusal(err) { // it was possible when it was asked for
			ending, err = "failed", nil
		}
		if err != nil {
			return err
		}
		return t.endChange(ctx, op.Name(), c.ID, op.Now, ending)
	}, c.Account)
}

// The kinds of changes beside the actions of orders.
const changeAddress = "address"

// act does a change. It checks first: what it refuses has changed nothing. The inventory
// is the caller's.
func (t *tx) act(ctx context.Context, op string, c change) error {
	if a := t.known.accounts[c.Account]; a == nil || a.key == "" {
		return noAccount()
	}
	if t.known.accounts[c.Account].frozen && c.Kind != string(escrow.ActionUnfreeze) && c.ID != "" {
		return escrowserver.Frozen() // what was asked for before waits no longer
	}
	switch c.Kind {
	case string(escrow.ActionUnfreeze):
		return t.setFrozen(ctx, op+".unfreeze", c.Account, 0)
	case string(escrow.ActionRecovery), string(escrow.ActionRotate):
		var order escrow.Order
		if err := escrow.Peek(escrow.Signed(c.Value), &order); err != nil {
			return err
		}
		if c.Kind == string(escrow.ActionRecovery) {
			return t.setRecovery(ctx, op, c.seal, c.Account, order.Recovery)
		}
		if err := t.mayRotate(ctx, order); err != nil {
			return err
		}
		return t.rotate(ctx, op, order, c)
	case changeAddress:
		return t.rebind(ctx, op, c)
	}
	return fmt.Errorf("no change of an account is called %q", c.Kind)
}

func (t *tx) setRecovery(ctx context.Context, op string, seal escrowserver.Seal, account escrow.KeyID, recovery escrow.PublicKey) error {
	signed, err := seal.Recovery(account, recovery)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, op+".recovery", `UPDATE account SET recovery = ?, recovery_signed = ? WHERE id = ?`, []byte(recovery), signed, account)
	return err
}

// rebinding is the value of a change of an address.
type rebinding struct {
	Typed string `json:"typed"`
}

// asksForAddress has an address that another account holds change hands later.
func (t *tx) asksForAddress(ctx context.Context, op escrowserver.ProveAddress, holder escrow.KeyID, typed string) error {
	value, err := json.Marshal(rebinding{typed})
	if err != nil {
		return err
	}
	_, err = t.propose(ctx, op.Name(), escrowserver.ProposeChange{Now: op.Now, Promise: op.Promise, Seal: op.Seal, Change: escrow.AccountChange{
		ID:      escrowserver.ChangeID(escrow.Signed(string(op.Account) + "\x00" + string(op.Address) + "\x00" + op.Nonce)),
		Account: op.Account, Holder: holder, Kind: changeAddress, Subject: string(op.Address), Value: string(value),
		AskedAt: op.Now, DueAt: op.Now.Add(escrow.RebindNotice)}})
	return err
}

// rebind binds an address to the account that asked for it, if it is still held by
// whom it was asked of, or by nobody.
func (t *tx) rebind(ctx context.Context, op string, c change) error {
	var value rebinding
	if err := json.Unmarshal([]byte(c.Value), &value); err != nil {
		return err
	}
	address := escrow.Address(c.Subject)
	var holder escrow.KeyID
	held, err := found(t.conn.row(ctx, `SELECT account FROM address WHERE address = ?`+lockRow, address).Scan(&holder))
	if err != nil {
		return err
	}
	if held && holder != c.Holder {
		return escrow.Errorf(escrow.Conflict, "the address has changed hands since")
	}
	if err := t.release(ctx, address); err != nil {
		return err
	}
	return t.bindAddress(ctx, op, binding{address, value.Typed, c.Account, holder, c.now, c.now.Add(escrowserver.RenewAfter), c.seal})
}
