package agent

import (
	"context"
	"crypto"
	"errors"
	"slices"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// replace has the account go on with the key that has it now, and returns it as it is
// then. A crash before its one write finds the rotation again; after it, all is done.
func (a *Agent) replace(ctx context.Context, old *account) (*account, error) {
	a.adding.Lock()
	defer a.adding.Unlock()
	if old.removed() { // somebody was faster
		if now := a.byID(old.id); now != nil {
			return now, nil
		}
		return nil, noAccount()
	}
	again := a.halt(old)
	next, err := old.successor(ctx)
	if err != nil {
		again()
		return old, err
	}
	a.mu.Lock()
	a.accounts = slices.Clone(a.accounts)
	for i, acct := range a.accounts {
		if acct == old {
			a.accounts[i] = next
		}
	}
	if a.running != nil {
		a.launch(next)
	}
	a.mu.Unlock()
	a.Log.Warn("an account is signed for by another key now")
	a.tell(agentclient.EventStatus, next.id, "safety")
	a.tell(agentclient.EventPrice, next.id, "")
	return next, nil
}

// successor is the account with its next key, written down. The account itself
// changes nothing any more.
func (a *account) successor(ctx context.Context) (*account, error) {
	a.pricing.Lock()
	defer a.pricing.Unlock()
	a.changing.Lock()
	defer a.changing.Unlock()
	r := a.get().Safety.Rotation
	if r == nil {
		return nil, escrow.Errorf(escrow.Internal, "no key is to take the account over")
	}
	signer, err := a.Keyring.Signer(ctx, r.Item)
	if err != nil {
		return nil, err
	}
	settings := a.get()
	if err := a.hand(&settings, r, signer); err != nil {
		return nil, err
	}
	next, err := a.accountWith(ctx, settings, a.signedInAs())
	if err != nil {
		return nil, err
	}
	if err := a.Store.Update(ctx, "rotate.done", func(tx *store.Tx) error { return store.Put(tx, settings) }); err != nil {
		return nil, err
	}
	a.Agent.mu.Lock()
	a.gone = true
	a.Agent.mu.Unlock()
	return next, nil
}

// hand writes the account over to the next key. The old one signs that, too, for
// those who have seen it, whoever signed it for the escrow.
func (a *account) hand(s *store.Account, r *store.Rotation, signer crypto.Signer) error {
	account, order := accountID(*s), escrow.Order{}
	if err := escrow.Peek(r.Order, &order); err != nil {
		return err
	}
	follows, err := escrow.Sign(a.signer, escrow.KindOrder, order)
	if err != nil {
		return err
	}
	safety := &s.Safety
	safety.Former = append(slices.Clone(safety.Former), store.FormerKey{Key: s.Identity, Item: identityItem(*s)})
	safety.Follows = append(slices.Clone(safety.Follows), follows)
	safety.Follows = safety.Follows[max(0, len(safety.Follows)-escrow.MaxFollows):]
	safety.Account, safety.Item, safety.Rotation, safety.Before = account, r.Item, nil, a.Now().UnixMilli()
	s.Identity = r.Key
	return a.identify(s, signer)
}

// dropReplaced forgets the unsold keys of before a rotation: the escrow has deleted
// them. First it brings the list of bonds up to date, so that no key of a living bond
// is taken for unsold.
func (a *account) dropReplaced(ctx context.Context) error {
	if a.get().Safety.Before == 0 {
		return nil
	}
	for more := true; more; {
		var err error
		if more, err = a.syncBonds(ctx, 0); err != nil {
			return err
		}
	}
	return a.change(ctx, "pool.replaced", func(tx *store.Tx, s *store.Account) error {
		keys, err := store.List[store.Key](tx, store.KeyLocal, store.KeyUploaded)
		if err != nil {
			return err
		}
		for _, key := range keys {
			if key.Account != a.id || key.Number > s.Safety.Before {
				continue
			}
			if err := errors.Join(dropKey(tx, key), store.Delete[store.Batch](tx, key.Batch)); err != nil {
				return err
			}
		}
		s.Safety.Before = 0
		return nil
	})
}
