package agent

import (
	"context"
	"time"

	"earnest/escrow"
)

// watched is the escrow with a note taken of whether it answers. Only the calls
// that the agent makes by itself are noted: they are enough to tell.
type watched struct {
	escrow.Service
	a *account
}

func (w watched) Bonds(ctx context.Context, after int64, wait time.Duration) (escrow.BondPage, error) {
	page, err := w.Service.Bonds(ctx, after, wait)
	w.a.escrowAnswered(err)
	return page, err
}

func (w watched) Arrive(ctx context.Context, bond escrow.BondID, req escrow.Arrival) (escrow.Outcome, error) {
	outcome, err := w.Service.Arrive(ctx, bond, req)
	w.a.escrowAnswered(err)
	return outcome, err
}

func (w watched) Decide(ctx context.Context, bond escrow.BondID, verdict escrow.Verdict, decision escrow.Signed) (escrow.Outcome, error) {
	outcome, err := w.Service.Decide(ctx, bond, verdict, decision)
	w.a.escrowAnswered(err)
	return outcome, err
}

func (w watched) Heartbeat(ctx context.Context) error {
	err := w.Service.Heartbeat(ctx)
	w.a.escrowAnswered(err)
	w.a.keyCounts(err)
	return err
}

// Account and Order tell how the account is guarded, which the status shows.
func (w watched) Account(ctx context.Context) (escrow.Account, error) {
	known, err := w.Service.Account(ctx)
	if err == nil {
		w.a.sawSafety(known)
	}
	return known, err
}

func (w watched) Order(ctx context.Context, order escrow.Signed) (escrow.Account, error) {
	known, err := w.Service.Order(ctx, order)
	if err == nil {
		w.a.sawSafety(known)
	}
	return known, err
}
