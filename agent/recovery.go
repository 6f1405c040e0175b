package agent

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"slices"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/paper"
	"earnest/escrow"
)

// NewRecoveryKey implements [agentclient.Agent]. The key is in the answer and nowhere
// else: it is ordered with what the person has written down.
func (a *Agent) NewRecoveryKey(ctx context.Context, req agentclient.AccountAddress) (agentclient.RecoveryKey, error) {
	acct, err := a.byAddress(req.Address)
	if err != nil {
		return agentclient.RecoveryKey{}, err
	}
	known, err := acct.service.Account(ctx)
	if err != nil {
		return agentclient.RecoveryKey{}, acct.explained(err)
	}
	id, err := base64.RawURLEncoding.DecodeString(string(known.ID))
	if err != nil {
		return agentclient.RecoveryKey{}, err
	}
	key, err := paper.New(id)
	if err != nil {
		return agentclient.RecoveryKey{}, err
	}
	here, err := acct.recoveryHere(ctx)
	return agentclient.RecoveryKey{Address: acct.get().Typed, Escrow: acct.get().Escrow, Code: key.Code(),
		Replaces: known.Recovery && here == nil, AtOnce: here != nil}, err
}

// paperKey reads a recovery key that a person typed, and tells where it is mistyped.
func paperKey(field, typed string) (*paper.Key, error) {
	key, err := paper.Parse(typed)
	if err == nil {
		return key, nil
	}
	do := agentclient.Say("recovery.type-again", "Compare it with the paper and type it again: {Groups} groups of six letters and digits.", "Groups", paper.Groups)
	happened := agentclient.Say("recovery.not-one", "That is no recovery key: a group is missing, too much, or mistyped.")
	if wrong, ok := errors.AsType[*paper.TypingError](err); ok {
		happened = agentclient.Say("recovery.mistyped", "Group {N} of the recovery key is mistyped.", "N", wrong.Group)
	}
	return nil, agentclient.Refuse(agentclient.CodeUsage, happened, agentclient.Say("nothing.changed", "Nothing was changed."), do).At(field)
}

// ownPaper reads it, and refuses one of another account.
func (a *account) ownPaper(field, typed string) (*paper.Key, error) {
	key, err := paperKey(field, typed)
	if err != nil {
		return nil, err
	}
	if base64.RawURLEncoding.EncodeToString(key.Account()) != string(accountID(a.get())) {
		return nil, agentclient.Refuse(agentclient.CodeUsage, agentclient.Say("recovery.other-account", "That recovery key is another account's."),
			agentclient.Say("nothing.changed", "Nothing was changed."),
			agentclient.Say("recovery.right-paper", "Take the one that was written down for {Address}.", "Address", a.address)).At(field)
	}
	return key, nil
}

// recoveryHere is the recovery key of the set-up, if it is in the keyring and the
// escrow still takes it; else nil.
func (a *account) recoveryHere(ctx context.Context) (crypto.Signer, error) {
	if len(a.get().Safety.Recovery) > 0 {
		return nil, nil
	}
	signer, err := a.Keyring.Signer(ctx, recoveryItem(a.id))
	if err != nil {
		return nil, nil // one from before recovery keys, or a machine that gave it up
	}
	taken, err := a.takes(ctx, signer)
	if err != nil || !taken {
		return nil, err
	}
	return signer, nil
}

// takes asks the escrow whether it takes orders by the key: by one that changes
// nothing, the cancelling of what nobody ordered.
func (a *account) takes(ctx context.Context, signer crypto.Signer) (bool, error) {
	_, err := a.order(ctx, escrow.Order{Action: escrow.ActionCancel, Change: newID()}, signer)
	switch escrow.CodeOf(err) {
	case escrow.NotFound:
		return true, nil
	case escrow.Unauthorized:
		return false, nil
	}
	return false, err
}

// orderedBy is the key that signs an order: the recovery key if it was typed or is
// here, else the account's.
func (a *account) orderedBy(ctx context.Context, typed string) (signer crypto.Signer, byRecovery bool, err error) {
	if typed == "" {
		here, err := a.recoveryHere(ctx)
		if here == nil {
			return a.signer, false, err
		}
		return here, true, err
	}
	key, err := a.ownPaper("recovery", typed)
	if err != nil {
		return nil, false, err
	}
	taken, err := a.takes(ctx, key)
	if err == nil && !taken {
		err = notTheRecovery(a.get().Info.Name)
	}
	return key, true, err
}

func notTheRecovery(name string) error {
	return agentclient.Refuse(agentclient.CodeState, agentclient.Say("recovery.unknown", "{Escrow} does not know that recovery key.", "Escrow", name),
		agentclient.Say("nothing.changed", "Nothing was changed."),
		agentclient.Say("recovery.newest", "If you wrote down another one later, take that: the newest alone counts.")).At("recovery")
}

// orderRecovery names the recovery key that the person has written down.
func (a *account) orderRecovery(ctx context.Context, req agentclient.AccountOrder) (agentclient.AccountSafety, error) {
	next, err := a.ownPaper("newRecovery", req.NewRecovery)
	if err != nil {
		return agentclient.AccountSafety{}, err
	}
	a.rotating.Lock()
	defer a.rotating.Unlock()
	if known, done, err := a.orderedRecovery(ctx, publicOf(next), req.Recovery == ""); done || err != nil {
		return a.safety(known), a.explained(err)
	}
	signer, byRecovery, err := a.orderedBy(ctx, req.Recovery)
	if err != nil {
		return agentclient.AccountSafety{}, a.explained(err)
	}
	order := escrow.Order{Action: escrow.ActionRecovery, Recovery: publicOf(next)}
	known, err := a.orderKept(ctx, order, signer, func(signed escrow.Signed) error {
		return a.change(ctx, "recovery.order", func(_ *store.Tx, s *store.Account) error {
			s.Safety.Next = &store.Ordered{Key: publicOf(next), Order: signed, ByRecovery: byRecovery}
			s.Safety.Ours = noted(s.Safety.Ours, signed)
			return nil
		})
	})
	switch {
	case err == nil && byRecovery:
		err = a.recoveryActs(ctx)
	case err != nil && !retryLater(err):
		err = errors.Join(err, a.recoveryFails(ctx))
	}
	return a.safety(known), a.explained(err)
}

// orderedRecovery finds out first what became of an order whose answer was lost: given
// again, it would be signed by the account's key, since the recovery key before it
// counts no more, and act with notice. It reports that the key counts, or waits.
func (a *account) orderedRecovery(ctx context.Context, key escrow.PublicKey, mayWait bool) (known escrow.Account, done bool, err error) {
	if a.get().Safety.Next == nil {
		return known, false, nil
	}
	if err := a.settleRecovery(ctx); uncertain(err) {
		return known, false, err
	}
	s := a.get().Safety
	if !bytes.Equal(s.Recovery, key) && (!mayWait || s.Next == nil || !bytes.Equal(s.Next.Key, key)) {
		return known, false, nil
	}
	known, err = a.service.Account(ctx)
	return known, err == nil, err
}

// noted keeps the newest hashes: more changes than that never wait.
func noted(hashes []string, signed escrow.Signed) []string {
	hashes = append(slices.Clone(hashes), signed.Hash())
	return hashes[max(0, len(hashes)-100):]
}

// recoveryActs: the key on paper is the account's recovery key from now on, and the
// one in the keyring is none any more. The offer names it.
func (a *account) recoveryActs(ctx context.Context) error {
	a.pricing.Lock()
	defer a.pricing.Unlock()
	err := a.change(ctx, "recovery.acts", func(tx *store.Tx, s *store.Account) error {
		if s.Safety.Next == nil {
			return nil
		}
		s.Safety.Recovery, s.Safety.Next = s.Safety.Next.Key, nil
		return errors.Join(a.identify(s, a.signer), store.Put(tx, store.Trash{Name: recoveryItem(a.id)}))
	})
	wake(a.wakePool)
	return err
}

// identify signs the offer anew, if there is one.
func (a *account) identify(s *store.Account, signer crypto.Signer) error {
	if s.Offer == "" {
		return nil
	}
	var offer escrow.Offer
	err := escrow.Peek(s.Offer, &offer) // what was signed here
	if err == nil {
		s.Offer, err = escrow.Sign(signer, escrow.KindOffer, identified(offer, *s, a.Now()))
		s.Published = false
	}
	return err
}

// recoveryFails: what was ordered never acts.
func (a *account) recoveryFails(ctx context.Context) error {
	return a.change(ctx, "recovery.fails", func(_ *store.Tx, s *store.Account) error {
		s.Safety.Next = nil
		return nil
	})
}

// settleRecovery finds out what became of a recovery key that was ordered, also when
// a crash or an outage kept the answer away.
func (a *account) settleRecovery(ctx context.Context) error {
	next := a.get().Safety.Next
	if next == nil {
		return nil
	}
	if next.ByRecovery {
		// The same bytes do nothing the second time.
		_, err := a.service.Order(ctx, next.Order)
		switch escrow.CodeOf(err) {
		case "", escrow.Unauthorized: // it was taken before, and what signed it counts no more
			return a.recoveryActs(ctx)
		case escrow.ClockSkew:
			return a.recoveryLate(ctx)
		}
		return err
	}
	known, err := a.service.Account(ctx)
	if err != nil {
		return err
	}
	switch change, there := changeOf(known, next.Order); {
	case !there:
		if _, err = a.service.Order(ctx, next.Order); escrow.CodeOf(err) == escrow.ClockSkew {
			return a.recoveryFails(ctx)
		}
		return err
	case change.Ended.IsZero():
		return nil
	case change.Ending == changeApplied:
		return a.recoveryActs(ctx)
	}
	return a.recoveryFails(ctx)
}

// changeApplied is the ending of a change that acted.
const changeApplied = "applied"

// recoveryLate: the order of a crash comes too late. While the key of the set-up is
// here it is given once more; else the person must.
func (a *account) recoveryLate(ctx context.Context) error {
	here, err := a.recoveryHere(ctx)
	if err != nil {
		return err
	}
	if here == nil {
		return a.recoveryFails(ctx)
	}
	next := a.get().Safety.Next
	_, err = a.orderKept(ctx, escrow.Order{Action: escrow.ActionRecovery, Recovery: next.Key}, here, func(signed escrow.Signed) error {
		return a.change(ctx, "recovery.order", func(_ *store.Tx, s *store.Account) error {
			s.Safety.Next = &store.Ordered{Key: next.Key, Order: signed, ByRecovery: true}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return a.recoveryActs(ctx)
}

// changeOf is the change that an order asked for, waiting or ended.
func changeOf(known escrow.Account, order escrow.Signed) (escrow.AccountChange, bool) {
	i := slices.IndexFunc(known.Changes, func(c escrow.AccountChange) bool { return c.Value == string(order) })
	if i < 0 {
		return escrow.AccountChange{}, false
	}
	return known.Changes[i], true
}
