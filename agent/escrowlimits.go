package agent

import (
	"context"

	"earnest/agent/store"
	"earnest/escrow"
	"earnest/payment"
)

// The escrow is told of the own limits, so that it holds to them whoever has stolen
// this machine, unless their owner wants them here only. It takes what is lower at once and what is higher after 48
// hours. A limit that the escrow has and this agent does not is left as it is: an
// agent that has lost its memory must not open the account by that.

// tellLimit tells the escrow of a limit that was set. What cannot be told now is told
// by keepLimits.
func (a *account) tellLimit(ctx context.Context, limit store.Limit) {
	if !limit.AtEscrow || !a.dealsIn(limit) {
		return
	}
	_, err := a.service.SetLimit(ctx, escrow.SetLimit{Currency: limit.Currency, PerMail: limit.PerMail, PerDay: limit.PerDay})
	if err != nil {
		a.Log.Warn("the escrow was not told of the limit; it is told later", "error", err)
		wake(a.wakeBeat)
	}
}

func (a *account) dealsIn(limit store.Limit) bool {
	for _, currency := range a.get().Info.Currencies {
		if currency.Name == limit.Currency && currency.Scale == limit.Scale {
			return true
		}
	}
	return false
}

// keepLimits tells the escrow of limits that it does not have as they were set here.
func (a *account) keepLimits(ctx context.Context) {
	var limits []store.Limit
	err := a.Store.View(ctx, func(tx *store.Tx) error {
		for _, currency := range a.get().Info.Currencies {
			limit, ok, err := store.Get[store.Limit](tx, store.LimitID(currency.Name))
			if err != nil {
				return err
			}
			if ok && limit.AtEscrow && limit.Scale == currency.Scale {
				limits = append(limits, limit)
			}
		}
		return nil
	})
	if err != nil || len(limits) == 0 {
		return
	}
	known, err := a.service.Account(ctx)
	if err != nil {
		return
	}
	for _, limit := range limits {
		if !heldTo(known.Limits, limit) {
			a.tellLimit(ctx, limit)
		}
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
	return false
}

func sameAmount(a, b *payment.Amount) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}
