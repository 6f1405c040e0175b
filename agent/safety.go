package agent

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// recoveryItem is where the account's recovery key is in the keyring, until a sealed
// backup takes it.
func recoveryItem(id string) string { return id + "/recovery" }

// OrderAccount implements [agentclient.Agent].
func (a *Agent) OrderAccount(ctx context.Context, req agentclient.AccountOrder) (agentclient.AccountSafety, error) {
	acct, err := a.byAddress(req.Address)
	if err != nil {
		return agentclient.AccountSafety{}, err
	}
	order := escrow.Order{Action: escrow.Action(req.Order)}
	switch req.Order {
	case "":
		known, err := acct.service.Account(ctx)
		return acct.safety(known), acct.explained(err)
	case agentclient.OrderFreeze:
	case agentclient.OrderUnfreeze:
		return acct.unfreeze(ctx, order)
	case agentclient.OrderRelease:
		order.Address = acct.address
	case agentclient.OrderCancel:
		order.Change = req.Change
	case agentclient.OrderDelete:
		return agentclient.AccountSafety{Address: acct.get().Typed}, a.deleteAccount(ctx, acct, req)
	default:
		return agentclient.AccountSafety{}, agentclient.Refuse(agentclient.CodeUsage,
			agentclient.Say("order.unknown", "There is no such order."), nil, nil)
	}
	known, err := acct.order(ctx, order, acct.signer)
	if err == nil && req.Order == agentclient.OrderFreeze {
		a.Log.Warn("an account was frozen by its owner")
	}
	return acct.safety(known), acct.explained(err)
}

// unfreeze uses the recovery key, if it is here: then it acts at once.
func (a *account) unfreeze(ctx context.Context, order escrow.Order) (agentclient.AccountSafety, error) {
	signer, err := a.Keyring.Signer(ctx, recoveryItem(a.id))
	if err != nil {
		signer = a.signer // one from before recovery keys, or a machine that gave it up
	}
	known, err := a.order(ctx, order, signer)
	if errors.Is(err, escrow.Unauthorized) && signer != a.signer { // the escrow has no recovery key, or another
		known, err = a.order(ctx, order, a.signer)
	}
	return a.safety(known), a.explained(err)
}

// order signs an order with the escrow's time, and gives it to the escrow.
func (a *account) order(ctx context.Context, order escrow.Order, signer crypto.Signer) (escrow.Account, error) {
	order.ID, order.Account, order.Time = newID(), escrow.PublicKey(a.signer.Public().(ed25519.PublicKey)).ID(), a.Now().UTC()
	for try := 0; ; try++ {
		signed, err := escrow.Sign(signer, escrow.KindOrder, order)
		if err != nil {
			return escrow.Account{}, err
		}
		known, err := a.service.Order(ctx, signed)
		skew, ok := errors.AsType[*escrow.Error](err)
		if !ok || skew.Code != escrow.ClockSkew || skew.Time.IsZero() || try > 0 {
			return known, err
		}
		order.Time = skew.Time.UTC() // only the escrow's clock decides
	}
}

func (a *account) safety(known escrow.Account) agentclient.AccountSafety {
	settings := a.get()
	s := agentclient.AccountSafety{Address: settings.Typed, Escrow: settings.Info.Name, FrozenAt: known.FrozenAt, Recovery: known.Recovery,
		Changes: []agentclient.AccountChange{}}
	for _, c := range known.Changes {
		if c.Ended.IsZero() {
			s.Changes = append(s.Changes, agentclient.AccountChange{ID: c.ID, Kind: c.Kind, Subject: c.Subject, Ours: c.Account == known.ID,
				AskedAt: c.AskedAt, DueAt: c.DueAt})
		}
	}
	return s
}

// explained tells of a refusal of the account's escrow.
func (a *account) explained(err error) error {
	if err == nil {
		return nil
	}
	return explain(escrowAt(a.get().Escrow), err)
}

// ExportAccount implements [agentclient.Agent].
func (a *Agent) ExportAccount(ctx context.Context, address string) (json.RawMessage, error) {
	acct, err := a.byAddress(address)
	if err != nil {
		return nil, err
	}
	all, err := acct.service.Export(ctx)
	return all, acct.explained(err)
}

// deleteAccount deletes the account at the escrow, then here.
func (a *Agent) deleteAccount(ctx context.Context, acct *account, req agentclient.AccountOrder) error {
	a.adding.Lock()
	defer a.adding.Unlock()
	if err := acct.mayLeave(ctx, true); err != nil {
		return notRemoved(err)
	}
	known, err := acct.service.Account(ctx)
	if err != nil {
		return notRemoved(acct.explained(err))
	}
	order := escrow.Order{Action: escrow.ActionDelete}
	var available []agentclient.Money
	for _, b := range known.Balances {
		if b.Available > 0 {
			order.GiveUp = append(order.GiveUp, escrow.GivenUp{Currency: b.Currency.Name, Amount: b.Available})
			available = append(available, money(b.Currency, b.Available))
		}
	}
	if len(available) > 0 && !req.GiveUp {
		return agentclient.Refuse(agentclient.CodeState,
			agentclient.Say("delete.money", "{Money} of this account is available at {Escrow}.", "Money", amounts(available), "Escrow", acct.get().Info.Name),
			agentclient.Say("delete.money-means", "The account was not deleted, and no money moved."),
			agentclient.Say("delete.money-do", "Use the money up first, or give it to the escrow's operator for good: earnest account delete ADDRESS --give-up")).At("giveUp")
	}
	again := a.halt(acct)
	if _, err := acct.order(ctx, order, acct.signer); err != nil {
		again()
		return notRemoved(acct.explained(err))
	}
	return a.forgotten(context.WithoutCancel(ctx), acct, again)
}

// released gives the address up at the escrow, so that it can be set up there again.
// An escrow that is away, or an account that it froze, holds up no forced removal.
func (a *account) released(ctx context.Context, force bool) error {
	_, err := a.order(ctx, escrow.Order{Action: escrow.ActionRelease, Address: a.address}, a.signer)
	if err == nil || force || errors.Is(err, escrow.NotFound) {
		return nil
	}
	return a.explained(err)
}

// claimDaily is how often an address is claimed that another account holds: each
// claim is a mail to it.
const claimDaily = 24 * time.Hour

// claimLater waits with the next claim of an address that another account holds.
func (a *account) claimLater(ctx context.Context, err error) {
	refused, ok := errors.AsType[*escrow.Error](err)
	if !ok || refused.Code != escrow.Forbidden || refused.RetryAfter == 0 {
		return
	}
	next := a.Now().Add(min(refused.RetryAfter, claimDaily))
	_ = a.change(ctx, "claim", func(_ *store.Tx, s *store.Account) error { // at worst it is claimed earlier
		s.ClaimedAt = next.Add(-claimAgain)
		return nil
	})
}
