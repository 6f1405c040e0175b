package agent

import (
	"context"
	"crypto"
	"errors"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// rotate has another key take the account over. It is made and kept before anything
// is sent: a crash at any moment loses neither it nor the account, and keepKeys goes on.
func (a *Agent) rotate(ctx context.Context, acct *account, req agentclient.AccountOrder) (agentclient.AccountSafety, error) {
	known, err := acct.orderRotation(ctx, req)
	if err != nil {
		return agentclient.AccountSafety{}, acct.explained(err)
	}
	rotated, err := acct.settleKeys(ctx)
	if err == nil && rotated {
		// Whoever asked may be gone before it is done; it is then done all the same.
		acct, err = a.replace(context.WithoutCancel(ctx), acct)
		if err == nil {
			known, err = acct.service.Account(ctx)
		}
	}
	if err != nil && uncertain(err) && !rotated {
		err = nil // the order was taken; the loop asks again
	}
	return acct.safety(known), acct.explained(err)
}

// orderRotation makes the key, keeps it, and orders that it takes over.
func (a *account) orderRotation(ctx context.Context, req agentclient.AccountOrder) (known escrow.Account, err error) {
	a.rotating.Lock()
	defer a.rotating.Unlock()
	by, byRecovery, err := a.orderedBy(ctx, req.Recovery)
	if err != nil {
		return known, err
	}
	if known, err = a.service.Account(ctx); err != nil {
		return known, err
	}
	if r := a.get().Safety.Rotation; r != nil && r.Order != "" && !byRecovery {
		return known, nil // a second order would have the 48 hours begin anew
	}
	if !byRecovery && !known.FrozenAt.IsZero() {
		return known, agentclient.Refuse(agentclient.CodeState,
			agentclient.Say("rotate.frozen", "The account is frozen: without the recovery key it would fail when its 48 hours are over."),
			agentclient.Say("nothing.changed", "Nothing was changed."),
			agentclient.Say("rotate.frozen-do", "Give the recovery key (--recovery), or unfreeze it first."))
	}
	signer, err := a.nextIdentity(ctx)
	if err != nil {
		return known, err
	}
	taken, err := a.orderNext(ctx, signer, by, byRecovery)
	if err == nil {
		return taken, nil
	}
	if !uncertain(err) { // unless an earlier try was taken, the loop drops the key
		wake(a.wakeKeys)
	}
	return known, err
}

func (a *account) orderNext(ctx context.Context, next, by crypto.Signer, byRecovery bool) (escrow.Account, error) {
	order, err := rotation(accountID(a.get()), next)
	if err != nil {
		return escrow.Account{}, err
	}
	return a.orderKept(ctx, order, by, func(signed escrow.Signed) error {
		return a.change(ctx, "rotate.order", func(_ *store.Tx, s *store.Account) error {
			if s.Safety.Rotation == nil {
				return noAccount()
			}
			r := *s.Safety.Rotation
			r.Ordered = store.Ordered{Key: order.Key, Order: signed, ByRecovery: byRecovery}
			s.Safety.Rotation, s.Safety.Ours = &r, noted(s.Safety.Ours, signed)
			return nil
		})
	})
}

// rotation is the order that has another key take the account over, without time.
func rotation(account escrow.KeyID, next crypto.Signer) (escrow.Order, error) {
	key := publicOf(next)
	accepted, err := escrow.Sign(next, escrow.KindNewKey, escrow.NewKey{Account: account, Key: key})
	return escrow.Order{Action: escrow.ActionRotate, Key: key, Accepted: accepted}, err
}

// nextIdentity is the key of the rotation that is under way, or of a new one. Its
// place is stored before it is made.
func (a *account) nextIdentity(ctx context.Context) (crypto.Signer, error) {
	item := firstItem(a.id) + "/" + newID()
	err := a.change(ctx, "rotate.begin", func(_ *store.Tx, s *store.Account) error {
		if s.Safety.Rotation == nil {
			s.Safety.Rotation = &store.Rotation{Item: item}
		}
		item = s.Safety.Rotation.Item
		return nil
	})
	if err != nil {
		return nil, err
	}
	if signer, err := a.Keyring.Signer(ctx, item); err == nil {
		return signer, nil
	}
	return a.Keyring.NewSigner(ctx, item)
}

// uncertain reports an error after which an order may have been taken.
func uncertain(err error) bool {
	code := escrow.CodeOf(err)
	_, told := errors.AsType[*agentclient.Failure](err)
	return !told && (code == escrow.Unavailable || code == escrow.Internal)
}

// settleRotation finds out what became of a rotation, and reports whether the new key
// has the account. Only the escrow knows: the new key is asked for first.
func (a *account) settleRotation(ctx context.Context) (rotated bool, err error) {
	r := a.get().Safety.Rotation
	if r == nil {
		return false, nil
	}
	if r.Order == "" { // a crash came before anything was sent
		return false, a.dropRotation(ctx, r)
	}
	mine, err := a.hasAccount(ctx, r)
	if mine || err != nil {
		return mine, err
	}
	known, err := a.service.Account(ctx)
	if err != nil {
		return false, err
	}
	if due, waits := dueOf(known, r.Key); waits {
		return false, a.rotationWaits(ctx, due)
	}
	if change, there := changeOf(known, r.Order); there {
		if change.Ending == changeApplied {
			return false, nil // it acted meanwhile: the next look finds it
		}
		return false, a.dropRotation(ctx, r)
	}
	return a.sendAgain(ctx, r)
}

// sendAgain sends an order of which nothing is known: the same bytes do nothing the
// second time, and those that come too late can never act.
func (a *account) sendAgain(ctx context.Context, r *store.Rotation) (rotated bool, err error) {
	known, err := a.service.Order(ctx, r.Order)
	if uncertain(err) {
		return false, err
	}
	if escrow.CodeOf(err) == escrow.ClockSkew && !r.ByRecovery {
		return false, a.orderAgain(ctx)
	}
	if due, waits := dueOf(known, r.Key); err == nil && waits {
		return false, a.rotationWaits(ctx, due)
	}
	if rotated, err = a.hasAccount(ctx, r); rotated || err != nil {
		return rotated, err
	}
	return false, a.dropRotation(ctx, r)
}

// dueOf is when the key takes the account over, if an order of that waits.
func dueOf(known escrow.Account, key escrow.PublicKey) (time.Time, bool) {
	for _, c := range known.Changes {
		var order escrow.Order
		if c.Kind == string(escrow.ActionRotate) && c.Ended.IsZero() &&
			escrow.Peek(escrow.Signed(c.Value), &order) == nil && order.Key.ID() == key.ID() {
			return c.DueAt, true
		}
	}
	return time.Time{}, false
}

// hasAccount asks the escrow in the new key's name.
func (a *account) hasAccount(ctx context.Context, r *store.Rotation) (bool, error) {
	signer, err := a.Keyring.Signer(ctx, r.Item)
	if err != nil {
		return false, err
	}
	settings := a.get()
	service, err := a.Outside.Escrow(settings.Escrow, settings.CA, signer)
	if err != nil {
		return false, err
	}
	known, err := service.Account(ctx)
	if uncertain(err) {
		return false, err
	}
	return err == nil && known.ID == accountID(settings), nil
}

// orderAgain gives the order of a crash once more, with the account's key.
func (a *account) orderAgain(ctx context.Context) error {
	next, err := a.nextIdentity(ctx)
	if err != nil {
		return err
	}
	known, err := a.orderNext(ctx, next, a.signer, false)
	if due, waits := dueOf(known, publicOf(next)); err == nil && waits {
		err = a.rotationWaits(ctx, due)
	}
	return err
}

func (a *account) rotationWaits(ctx context.Context, due time.Time) error {
	if a.get().Safety.Rotation.DueAt.Equal(due) {
		return nil
	}
	err := a.change(ctx, "rotate.waits", func(_ *store.Tx, s *store.Account) error {
		if s.Safety.Rotation != nil {
			r := *s.Safety.Rotation
			r.DueAt, s.Safety.Rotation = due, &r
		}
		return nil
	})
	a.tell(agentclient.EventStatus, a.id, "safety")
	return err
}

// dropRotation forgets a key that never gets the account.
func (a *account) dropRotation(ctx context.Context, r *store.Rotation) error {
	err := a.change(ctx, "rotate.drop", func(tx *store.Tx, s *store.Account) error {
		s.Safety.Rotation = nil
		return store.Put(tx, store.Trash{Name: r.Item})
	})
	if err == nil {
		a.Log.Warn("another key was to take an account over, and does not: the order was cancelled or refused")
		a.tell(agentclient.EventStatus, a.id, "safety")
	}
	return err
}

// keysEvery is how often the escrow is asked what became of a key that was ordered.
const keysEvery = time.Minute

// keepKeys goes on with what was ordered about the account's keys.
func (a *account) keepKeys(ctx context.Context) error {
	for {
		rotated, err := a.settleKeys(ctx)
		if rotated {
			// This loop ends with the others when the account is replaced.
			a.group.Go(func() error {
				_, err := a.replace(context.WithoutCancel(ctx), a)
				if err != nil {
					a.Log.Error("another key has the account, and is not used yet", "err", err)
					time.AfterFunc(keysEvery, func() { wake(a.wakeKeys) })
				}
				return nil
			})
		} else if err != nil && ctx.Err() == nil && !errors.Is(err, escrow.Unavailable) {
			a.Log.Warn("what became of a key that was ordered could not be found out", "err", err)
		}
		if !sleep(ctx, a.wakeKeys, a.keysPause(rotated)) {
			return nil
		}
	}
}

// keysPause is short where a rotation should have acted: from then on the old key
// does nothing.
func (a *account) keysPause(rotated bool) time.Duration {
	r := a.get().Safety.Rotation
	if !rotated && r != nil && !r.DueAt.IsZero() && a.Now().After(r.DueAt) {
		return 2 * time.Second
	}
	return keysEvery
}

func (a *account) settleKeys(ctx context.Context) (rotated bool, err error) {
	a.rotating.Lock()
	defer a.rotating.Unlock()
	if a.removed() {
		return false, nil
	}
	if err := a.settleRecovery(ctx); err != nil {
		return false, err
	}
	return a.settleRotation(ctx)
}
