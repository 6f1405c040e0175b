package agent

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"slices"
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
		known, err := acct.unfreeze(ctx, order, req.Recovery)
		return acct.safety(known), acct.explained(err)
	case agentclient.OrderRecovery:
		return acct.orderRecovery(ctx, req)
	case agentclient.OrderRotate:
		return a.rotate(ctx, acct, req)
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

// unfreeze uses the recovery key, if it was typed or is here: then it acts at once.
func (a *account) unfreeze(ctx context.Context, order escrow.Order, typed string) (escrow.Account, error) {
	signer, byRecovery, err := a.orderedBy(ctx, typed)
	if err != nil || byRecovery {
		if err == nil {
			return a.order(ctx, order, signer)
		}
		return escrow.Account{}, err
	}
	return a.orderKept(ctx, order, signer, func(signed escrow.Signed) error {
		return a.change(ctx, "unfreeze.order", func(_ *store.Tx, s *store.Account) error {
			s.Safety.Ours = noted(s.Safety.Ours, signed)
			return nil
		})
	})
}

// order signs an order with the escrow's time, and gives it to the escrow.
func (a *account) order(ctx context.Context, order escrow.Order, signer crypto.Signer) (escrow.Account, error) {
	return a.orderKept(ctx, order, signer, func(escrow.Signed) error { return nil })
}

// orderKept has it stored first.
func (a *account) orderKept(ctx context.Context, order escrow.Order, signer crypto.Signer, keep func(escrow.Signed) error) (escrow.Account, error) {
	return giveOrder(ctx, a.service, accountID(a.get()), order, signer, a.Now(), keep)
}

func giveOrder(ctx context.Context, service escrow.Service, account escrow.KeyID, order escrow.Order, signer crypto.Signer, now time.Time, keep func(escrow.Signed) error) (escrow.Account, error) {
	order.ID, order.Account, order.Time = newID(), account, now.UTC()
	for try := 0; ; try++ {
		signed, err := escrow.Sign(signer, escrow.KindOrder, order)
		if err != nil {
			return escrow.Account{}, err
		}
		if err := keep(signed); err != nil {
			return escrow.Account{}, err
		}
		known, err := service.Order(ctx, signed)
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
		RecoveryHere: known.Recovery && len(settings.Safety.Recovery) == 0,
		Identity:     string(settings.Identity.ID()), Changes: []agentclient.AccountChange{}}
	if next := settings.Safety.Rotation; next != nil && next.Order != "" {
		s.NextIdentity = &agentclient.KeyChange{Identity: string(next.Key.ID()), DueAt: next.DueAt}
	}
	for _, c := range known.Changes {
		if c.Ended.IsZero() {
			s.Changes = append(s.Changes, agentclient.AccountChange{ID: c.ID, Kind: c.Kind, Subject: c.Subject, Ours: c.Account == known.ID,
				Foreign: foreign(settings, c), AskedAt: c.AskedAt, DueAt: c.DueAt})
		}
	}
	return s
}

// foreign reports a change of the account's keys or freeze that was not ordered here.
func foreign(s store.Account, c escrow.AccountChange) bool {
	switch escrow.Action(c.Kind) {
	case escrow.ActionRotate, escrow.ActionRecovery, escrow.ActionUnfreeze:
		return !slices.Contains(s.Safety.Ours, escrow.Signed(c.Value).Hash())
	}
	return c.Account != accountID(s)
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
