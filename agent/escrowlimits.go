package agent

import (
	"context"
	"errors"
	"slices"

	"earnest/agent/store"
	"earnest/escrow"
	"earnest/payment"
)

// The escrow is told of the own limits, so that it holds to them whoever has stolen
// this machine, unless their owner wants them here only. It takes what is lower at
// once and what is higher after 48 hours. A limit that the escrow has and this agent
// does not is left as it is: an agent that has lost its memory must not open the
// account by that. One that its owner has taken away is remembered until the escrow
// has none.

// tellLimit tells the escrow of a limit that was set. What cannot be told now is told
// by keepLimits.
func (a *account) tellLimit(ctx context.Context, limit store.Limit) {
	if !a.toTell(limit) {
		return
	}
	known, err := a.service.SetLimit(ctx, escrow.SetLimit{Currency: limit.Currency, PerMail: limit.PerMail, PerDay: limit.PerDay})
	if err != nil {
		a.Log.Warn("the escrow was not told of the limit; it is told later", "error", err)
		wake(a.wakeBeat)
		return
	}
	a.noteTold(ctx, known, limit)
}

// toTell reports whether the account's escrow is to hold to the limit, or to hear that
// it was taken away.
func (a *account) toTell(limit store.Limit) bool {
	if limit.None() {
		return slices.Contains(limit.Untold, a.id)
	}
	return limit.AtEscrow && a.dealsIn(limit)
}

func (a *account) dealsIn(limit store.Limit) bool {
	return slices.ContainsFunc(a.get().Info.Currencies, func(c payment.Currency) bool {
		return c.Name == limit.Currency && c.Scale == limit.Scale
	})
}

// dealingIn are the accounts whose escrow deals in the limit's currency.
func (a *Agent) dealingIn(limit store.Limit) (ids []string) {
	for _, acct := range a.each() {
		if acct.dealsIn(limit) {
			ids = append(ids, acct.id)
		}
	}
	return ids
}

// noteTold forgets a limit that was taken away, as far as this account's escrow has
// none any more.
func (a *account) noteTold(ctx context.Context, known escrow.Account, limit store.Limit) {
	if !limit.None() || !heldTo(known.Limits, limit) {
		return
	}
	err := a.Store.Update(ctx, "limit.told", func(tx *store.Tx) error { return a.forgetUntold(tx, store.LimitID(limit.Currency)) })
	if err != nil && ctx.Err() == nil {
		a.Log.Warn("it could not be stored that the escrow has no limit any more; it is asked again", "error", err)
	}
}

// forgetUntold takes the account off those whose escrow is to be told.
func (a *account) forgetUntold(tx *store.Tx, id string) error {
	limit, ok, err := store.Get[store.Limit](tx, id)
	if err != nil || !ok || !slices.Contains(limit.Untold, a.id) {
		return err
	}
	limit.Untold = slices.DeleteFunc(limit.Untold, func(other string) bool { return other == a.id })
	if len(limit.Untold) == 0 {
		return store.Delete[store.Limit](tx, id)
	}
	return store.Put(tx, limit)
}

// forgetLimits: nobody tells the account's escrow any more.
func (a *account) forgetLimits(tx *store.Tx) error {
	limits, err := store.List[store.Limit](tx)
	for _, limit := range limits {
		err = errors.Join(err, a.forgetUntold(tx, store.LimitID(limit.Currency)))
	}
	return err
}

// keepLimits tells the escrow of limits that it does not have as they were set here.
func (a *account) keepLimits(ctx context.Context) {
	var limits []store.Limit
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		limits, err = store.List[store.Limit](tx)
		return err
	})
	limits = slices.DeleteFunc(limits, func(limit store.Limit) bool { return !a.toTell(limit) })
	if err != nil || len(limits) == 0 {
		return
	}
	known, err := a.service.Account(ctx)
	if err != nil {
		return
	}
	for _, limit := range limits {
		if heldTo(known.Limits, limit) {
			a.noteTold(ctx, known, limit)
			continue
		}
		a.tellLimit(ctx, limit)
	}
}

// heldTo reports whether the escrow holds to the limit, or will after its notice.
func heldTo(limits []escrow.SpendingLimit, limit store.Limit) bool {
	for _, at := range limits {
		if at.Currency != limit.Currency {
			continue
		}
		if at.Raise != nil {
			at.PerMail, at.PerDay = at.Raise.PerMail, at.Raise.PerDay
		}
		return sameAmount(at.PerMail, limit.PerMail) && sameAmount(at.PerDay, limit.PerDay)
	}
	return limit.None()
}

func sameAmount(a, b *payment.Amount) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}
