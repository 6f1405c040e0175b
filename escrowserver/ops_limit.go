package escrowserver

import (
	"context"
	"slices"
	"time"

	"earnest/escrow"
	"earnest/payment"
)

// openBonds is how many bonds of an account may be open at once, whoever their
// recipients are.
const openBonds = 100

// SpendingWindow is over how long a limit a day counts.
const SpendingWindow = 24 * time.Hour

// SetLimit sets an account's limit in a currency: see [escrow.SetLimit].
type SetLimit struct {
	Now     time.Time
	Account escrow.KeyID
	Key     escrow.KeyID // of the caller, which must be the account's
	Limit   escrow.SetLimit
	Seal    Seal
}

// Name begins the label of each write that the operation makes.
func (SetLimit) Name() string { return "limit" }

// LimitStore keeps the limits that accounts set themselves.
type LimitStore interface {
	// Limits are the account's, as they hold at now, by currency.
	Limits(ctx context.Context, account escrow.KeyID, now time.Time) ([]escrow.SpendingLimit, error)
}

// TooManyOpen refuses a purchase of an account with that many open bonds.
func TooManyOpen(most int) error {
	return escrow.Errorf(escrow.Limited, "%d bonds of yours are open, and more are not taken at once; nothing was paid; wait until some end", most)
}

func (v view) SetLimit(ctx context.Context, req escrow.SetLimit) (escrow.Account, error) {
	if err := v.known(); err != nil {
		return escrow.Account{}, err
	}
	known := slices.ContainsFunc(v.s.cfg.Currencies, func(c payment.Currency) bool { return c.Name == req.Currency })
	if !known || req.PerMail != nil && *req.PerMail < 0 || req.PerDay != nil && *req.PerDay < 0 {
		return escrow.Account{}, escrow.Errorf(escrow.Invalid, "a limit needs a currency of this escrow and amounts of zero or more")
	}
	if _, err := do[any](ctx, v.s, SetLimit{Now: v.s.now(), Account: v.id, Key: v.key.ID(), Limit: req, Seal: v.s.seal}); err != nil {
		return escrow.Account{}, err
	}
	return v.Account(ctx)
}

// withLimits is the account with its limits.
func (v view) withLimits(ctx context.Context, account escrow.Account) (escrow.Account, error) {
	limits, err := v.s.cfg.Store.Limits(ctx, v.id, v.s.now())
	if err != nil {
		return escrow.Account{}, v.s.failed(ctx, "limits", err)
	}
	account.Limits = limits
	return account, nil
}
