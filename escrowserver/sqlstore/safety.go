package sqlstore

import (
	"context"
	"slices"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/ledger"
)

// mayAct refuses the account of a key that is not its key any more: by exactly this,
// and at once in all processes, a thief is locked out.
func (t *tx) mayAct(account, key escrow.KeyID) error {
	switch a := t.known.accounts[account]; {
	case a == nil || a.key == "":
		return noAccount()
	case a.key != key:
		return escrowserver.Replaced()
	}
	return nil
}

// mayChange refuses that, and an account that is frozen. The account is locked.
func (t *tx) mayChange(account, key escrow.KeyID) error {
	if err := t.mayAct(account, key); err != nil {
		return err
	}
	if t.known.accounts[account].frozen {
		return escrowserver.Frozen()
	}
	return nil
}

func (t *tx) takeOrder(ctx context.Context, op escrowserver.TakeOrder) (any, error) {
	var claimed escrow.Order
	if err := escrow.Peek(op.Signed, &claimed); err != nil {
		return nil, err
	}
	id := claimed.Account
	accounts, err := t.concerned(ctx, claimed)
	if err == nil {
		err = t.lockAccounts(ctx, accounts) // at once, or two orders would wait for each other
	}
	if err == nil {
		err = t.accountExists(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	var one int
	hash := op.Signed.Hash()
	if taken, err := found(t.conn.row(ctx, `SELECT 1 FROM account_order WHERE hash = ? AND account = ?`, hash, id).Scan(&one)); err != nil || taken {
		return t.ordered(ctx, id, err)
	}
	keys, err := t.reader().keys(ctx, id)
	if err != nil {
		return nil, err
	}
	keys = op.Seal.Trusted(id, keys)
	order, byRecovery, err := escrow.VerifyOrder(op.Signed, keys.Key, keys.Recovery)
	if err != nil {
		return nil, err
	}
	if err := escrowserver.OrderInTime(order, op.Now); err != nil {
		return nil, err
	}
	frozen := t.known.accounts[id].frozen
	if order.Action == escrow.ActionFreeze && frozen || order.Action == escrow.ActionUnfreeze && !frozen {
		return t.ordered(ctx, id, nil) // it is so already
	}
	if err := t.mayOrder(ctx, op, order, byRecovery); err != nil {
		return nil, err
	}
	signer := keys.Key
	if byRecovery {
		signer = keys.Recovery
	}
	act, err := t.orderActs(ctx, op, order, keys, byRecovery)
	if err != nil {
		return nil, err
	}
	// From here on it is written.
	return t.ordered(ctx, id, t.inventoried(ctx, op.Name(), op.Seal, func() error {
		if err := t.keepOrder(ctx, op, order, signer); err != nil {
			return err
		}
		return act()
	}, accounts...))
}

// keepOrder keeps an order with the escrow's word that it took it.
func (t *tx) keepOrder(ctx context.Context, op escrowserver.TakeOrder, order escrow.Order, signer escrow.PublicKey) error {
	o := escrowserver.OrderLine{Hash: op.Signed.Hash(), Account: order.Account, Action: order.Action, Signer: signer, Signed: op.Signed,
		Made: fromMicros(micros(op.Now))}
	var err error
	if o.Taken, err = op.Seal.Taken(o); err != nil {
		return err
	}
	_, err = t.exec(ctx, "order.order", `INSERT INTO account_order (hash, account, action, signer, jws, made_at, signed) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		o.Hash, o.Account, o.Action, []byte(o.Signer), o.Signed, micros(o.Made), o.Taken)
	return err
}

func (t *tx) ordered(ctx context.Context, id escrow.KeyID, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	if t.deleted(id) {
		return escrowserver.AccountRecord{ID: id}, nil
	}
	return t.reader().account(ctx, id)
}

// orderActs checks an order and says what to do for it. The inventories are the caller's.
func (t *tx) orderActs(ctx context.Context, op escrowserver.TakeOrder, order escrow.Order, keys escrowserver.AccountKeys, byRecovery bool) (func() error, error) {
	frozen := t.known.accounts[order.Account].frozen
	switch order.Action {
	case escrow.ActionFreeze:
		return func() error {
			if err := t.setFrozen(ctx, "order.freeze", order.Account, micros(op.Now)); err != nil {
				return err
			}
			return t.dropRaises(ctx, op, order.Account)
		}, nil
	case escrow.ActionCancel:
		return t.cancels(ctx, op, order)
	case escrow.ActionRelease, escrow.ActionDelete:
		if frozen && !byRecovery {
			return nil, escrowserver.Frozen()
		}
		if order.Action == escrow.ActionDelete {
			return t.deletes(ctx, op, order)
		}
		return t.releases(ctx, op, order)
	}
	// What a thief with the account's key would do: the recovery key alone does it
	// at once.
	if order.Action == escrow.ActionRotate {
		if err := t.mayRotate(ctx, order); err != nil {
			return nil, err
		}
	}
	if byRecovery && order.Action == escrow.ActionRotate {
		if err := t.rotatesSeldom(ctx, op, order.Account); err != nil {
			return nil, err
		}
	}
	if byRecovery {
		return func() error {
			if order.Action == escrow.ActionRotate {
				// What a thief has asked for with the old key never acts.
				if _, err := t.exec(ctx, "order.changes", `UPDATE account_change SET ended_at = ?, ending = 'cancelled' WHERE account = ? AND ended_at = 0`,
					micros(op.Now), order.Account); err != nil {
					return err
				}
				if err := t.dropRaises(ctx, op, order.Account); err != nil {
					return err
				}
				if err := t.dropPayouts(ctx, op, order.Account, keys.Recovery.ID()); err != nil {
					return err
				}
				t.known.accounts[order.Account].frozen = false
			}
			return t.act(ctx, "order", change{AccountChange: escrow.AccountChange{Account: order.Account, Kind: string(order.Action), Value: string(op.Signed)}, now: op.Now, seal: op.Seal})
		}, nil
	}
	if err := t.mayPropose(ctx, op, order); err != nil {
		return nil, err
	}
	return func() error {
		_, err := t.propose(ctx, "order", escrowserver.ProposeChange{Now: op.Now, Promise: op.Promise, Seal: op.Seal, Change: escrow.AccountChange{
			ID: escrowserver.ChangeID(op.Signed), Account: order.Account, Kind: string(order.Action), Value: string(op.Signed),
			AskedAt: op.Now, DueAt: op.Now.Add(escrow.ChangeNotice)}})
		return err
	}, nil
}

// mayOrder bounds the orders of an account: each is kept. What stops a thief is not
// bounded here, since it bounds itself: a freeze that follows none, the end of a change
// that waits, and a rotation by the recovery key, of which there are few a day.
func (t *tx) mayOrder(ctx context.Context, op escrowserver.TakeOrder, order escrow.Order, byRecovery bool) error {
	if order.Action == escrow.ActionFreeze || order.Action == escrow.ActionCancel || order.Action == escrow.ActionRotate && byRecovery {
		return nil
	}
	var n int
	var first int64
	err := t.conn.row(ctx, `SELECT COUNT(*), COALESCE(MIN(made_at), 0) FROM account_order WHERE account = ? AND made_at > ?`,
		order.Account, micros(op.Now.Add(-24*time.Hour))).Scan(&n, &first)
	if err == nil && n >= escrowserver.OrdersADay {
		err = escrowserver.TooManyOrders(fromMicros(first).Add(24 * time.Hour).Sub(op.Now))
	}
	return err
}

// mayPropose bounds what one key asks for: each change that waits is a row that
// stays. What stops a thief (freeze, cancel, all by the recovery key) is not counted.
func (t *tx) mayPropose(ctx context.Context, op escrowserver.TakeOrder, order escrow.Order) error {
	var n int
	var first int64
	if err := t.conn.row(ctx, `SELECT COUNT(*), COALESCE(MIN(o.made_at), 0) FROM account_order o JOIN account a ON a.public_key = o.signer AND a.id = o.account
		WHERE o.account = ? AND o.made_at > ? AND o.action IN ('unfreeze', 'rotate', 'recovery')`,
		order.Account, micros(op.Now.Add(-24*time.Hour))).Scan(&n, &first); err != nil {
		return err
	}
	if n < escrowserver.ProposalsADay {
		return nil
	}
	return escrowserver.TooManyProposals(fromMicros(first).Add(24 * time.Hour).Sub(op.Now))
}

func (t *tx) setFrozen(ctx context.Context, label string, account escrow.KeyID, at int64) error {
	if at > 0 && t.known.accounts[account].frozen {
		return nil // it was before
	}
	t.known.accounts[account].frozen = at > 0
	_, err := t.exec(ctx, label, `UPDATE account SET frozen_at = ? WHERE id = ?`, at, account)
	return err
}

func (t *tx) releases(ctx context.Context, op escrowserver.TakeOrder, order escrow.Order) (func() error, error) {
	var one int
	holds, err := found(t.conn.row(ctx, `SELECT 1 FROM address WHERE address = ? AND account = ?`, order.Address, order.Account).Scan(&one))
	if err != nil {
		return nil, err
	}
	if !holds {
		return nil, escrow.Errorf(escrow.NotFound, "the account does not hold this address; nothing was changed")
	}
	return func() error { return t.dropAddress(ctx, "order", order.Address) }, nil
}

// dropAddress gives an address up, with its offer and its unsold keys. The inventory is
// the caller's.
func (t *tx) dropAddress(ctx context.Context, op string, address escrow.Address) error {
	if err := t.release(ctx, address); err != nil {
		return err
	}
	_, err := t.exec(ctx, op+".address", `DELETE FROM address WHERE address = ?`, address)
	return err
}

func (t *tx) mayRotate(ctx context.Context, order escrow.Order) error {
	id := order.Key.ID()
	var one int
	used, err := found(t.conn.row(ctx, `SELECT 1 FROM account WHERE id = ? OR key_id = ? UNION SELECT 1 FROM replaced_key WHERE key_id = ?`, id, id, id).Scan(&one))
	if err == nil && used {
		err = escrow.Errorf(escrow.Conflict, "the new key has, or had, an account of its own; make another; nothing was changed")
	}
	return err
}

// rotatesSeldom bounds the keys that an account leaves behind. Each may name another
// recovery key, so all are counted, whoever ordered them.
func (t *tx) rotatesSeldom(ctx context.Context, op escrowserver.TakeOrder, account escrow.KeyID) error {
	var n int
	var first int64
	err := t.conn.row(ctx, `SELECT COUNT(*), COALESCE(MIN(replaced_at), 0) FROM replaced_key WHERE account = ? AND replaced_at > ?`,
		account, micros(op.Now.Add(-24*time.Hour))).Scan(&n, &first)
	if err == nil && n >= escrowserver.RotationsADay {
		err = escrowserver.TooManyRotations(fromMicros(first).Add(24 * time.Hour).Sub(op.Now))
	}
	return err
}

// rotate gives the account to the order's key: balances, addresses and bonds are the
// account's and stay. Offers and unsold keys are signed by the old key, and go.
func (t *tx) rotate(ctx context.Context, op string, order escrow.Order, c change) error {
	keys, err := t.reader().keys(ctx, order.Account)
	if err != nil {
		return err
	}
	if err := t.replaceKey(ctx, op, order.Account, keys.Key, order.Key.ID(), escrow.Signed(c.Value), micros(c.now)); err != nil {
		return err
	}
	if _, err := t.exec(ctx, op+".rotate", `UPDATE account SET public_key = ?, key_id = ?, frozen_at = 0 WHERE id = ?`,
		[]byte(order.Key), order.Key.ID(), order.Account); err != nil {
		return err
	}
	if len(order.Recovery) > 0 {
		if err := t.setRecovery(ctx, op, c.seal, order.Account, order.Recovery); err != nil {
			return err
		}
	}
	a := t.known.accounts[order.Account]
	a.key, a.frozen = order.Key.ID(), false
	addresses, err := t.addressesOf(ctx, order.Account)
	for _, address := range addresses {
		if err == nil {
			err = t.release(ctx, address)
		}
	}
	return err
}

// replaceKey writes a key down among those that were replaced. One at a time does so:
// who reads from the last number on would miss a lower one that is committed later.
func (t *tx) replaceKey(ctx context.Context, op string, account escrow.KeyID, key escrow.PublicKey, next escrow.KeyID, signed escrow.Signed, now int64) error {
	if err := t.conn.lock(ctx, "replaced keys"); err != nil {
		return err
	}
	_, err := t.exec(ctx, op+".replaced", `INSERT INTO replaced_key (key_id, account, public_key, next_key, ordered, replaced_at) VALUES (?, ?, ?, ?, ?, ?)`,
		key.ID(), account, []byte(key), next, signed, now)
	return err
}

func (t *tx) addressesOf(ctx context.Context, account escrow.KeyID) (addresses []escrow.Address, err error) {
	rows, err := t.conn.query(ctx, `SELECT address FROM address WHERE account = ? ORDER BY address`, account)
	err = each(rows, err, func(scan func(...any) error) error {
		var a escrow.Address
		err := scan(&a)
		addresses = append(addresses, a)
		return err
	})
	return addresses, err
}

// deletes checks that nothing hangs on the account but the money that is given up.
func (t *tx) deletes(ctx context.Context, op escrowserver.TakeOrder, order escrow.Order) (func() error, error) {
	var open int
	if err := t.conn.row(ctx, `SELECT COUNT(*) FROM bond WHERE (sender_account = ? OR recipient_account = ?) AND state IN ('held', 'arrived', 'rejecting')`,
		order.Account, order.Account).Scan(&open); err != nil {
		return nil, err
	}
	if open > 0 {
		return nil, escrow.Errorf(escrow.Conflict, "%d bonds of the account are still open; nothing was deleted; wait until they end", open)
	}
	var payable int
	if err := t.conn.row(ctx, `SELECT COUNT(*) FROM checkout WHERE account = ? AND state IN ('asked', 'open') AND made_at > ?`,
		order.Account, micros(op.Now.Add(-escrowserver.CheckoutLife))).Scan(&payable); err != nil {
		return nil, err
	}
	if payable > 0 {
		return nil, escrow.Errorf(escrow.Conflict, "a payment by card that was begun within 24 hours may still come; nothing was deleted; wait until it is paid or over")
	}
	account, err := t.reader().account(ctx, order.Account)
	if err != nil {
		return nil, err
	}
	var left []escrow.GivenUp
	for _, b := range account.Balances {
		if b.Held > 0 {
			return nil, escrow.Errorf(escrow.Conflict, "money of the account is still held; nothing was deleted; wait until that ends")
		}
		if b.Available > 0 {
			left = append(left, escrow.GivenUp{Currency: b.Currency, Amount: b.Available})
		}
	}
	if !slices.Equal(left, order.GiveUp) {
		return nil, escrow.Errorf(escrow.Conflict, "the account has other money than the order gives up; nothing was deleted; look at the balance again")
	}
	return func() error { return t.deleteAccount(ctx, op, order, account.Key, left) }, nil
}

func (t *tx) deleteAccount(ctx context.Context, op escrowserver.TakeOrder, order escrow.Order, key escrow.PublicKey, left []escrow.GivenUp) error {
	id := order.Account
	for _, money := range left {
		tr, entry, err := ledger.Move("given-up:"+op.Signed.Hash()+":"+money.Currency, id.Holder(), ledger.Company, money.Currency, int64(money.Amount))
		if err != nil {
			return err
		}
		if err := t.record(op.Name(), tr, entry, op.Now); err != nil {
			return err
		}
	}
	addresses, err := t.addressesOf(ctx, id)
	if err != nil {
		return err
	}
	for _, address := range addresses {
		if err := t.dropAddress(ctx, "order", address); err != nil {
			return err
		}
		if _, err := t.exec(ctx, "order.blocks", `DELETE FROM block WHERE recipient = ?`, address); err != nil {
			return err
		}
	}
	if err := t.replaceKey(ctx, "order", id, key, "", op.Signed, micros(op.Now)); err != nil {
		return err
	}
	for _, write := range []struct{ label, text string }{
		{"claims", `DELETE FROM claim WHERE account = ?`},
		{"heartbeat", `DELETE FROM heartbeat WHERE account = ?`},
		{"changes", `DELETE FROM account_change WHERE account = ?`},
		{"orders", `DELETE FROM account_order WHERE account = ? AND action IN ('release', 'cancel')`},
		{"certificates", `UPDATE bond SET verification = NULL, reply = NULL WHERE sender_account = ?`},
		{"limits", `DELETE FROM spending_limit WHERE account = ?`},
		{"checkouts", `UPDATE checkout SET url = '' WHERE account = ?`},
		{"payouts", `UPDATE payout SET destination = '', signed = '' WHERE account = ?`},
		{"operations", `DELETE FROM operation WHERE account = ?`},
		{"sold", `DELETE FROM sold_key WHERE bond IN (SELECT id FROM bond WHERE sender_account = ?)`},
	} {
		if _, err := t.exec(ctx, "order."+write.label, write.text, id); err != nil {
			return err
		}
	}
	if _, err := t.exec(ctx, "order.batches", `DELETE FROM key_batch WHERE account = ? AND NOT EXISTS (SELECT 1 FROM sold_key WHERE sold_key.batch = key_batch.hash)`, id); err != nil {
		return err
	}
	t.known.accounts[id].key = ""
	_, err = t.exec(ctx, "order.account", `UPDATE account SET public_key = ?, key_id = '', recovery = ?, recovery_signed = '', deleted_at = ? WHERE id = ?`,
		[]byte{}, []byte(nil), micros(op.Now), id)
	return err
}
