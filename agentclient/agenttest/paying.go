package agenttest

import (
	"context"

	"earnest/agentclient"
)

// The escrow of the scene charges no cards and pays nothing out.

func noPaying() error {
	return agentclient.Failf(agentclient.CodeState, "This escrow takes no card payments and pays nothing out.")
}

// PayByCard implements [agentclient.Agent].
func (a *Agent) PayByCard(ctx context.Context, _ agentclient.PayByCard) (agentclient.CardPayment, error) {
	if err := a.begin(ctx, "PayByCard"); err != nil {
		return agentclient.CardPayment{}, err
	}
	defer a.mu.Unlock()
	return agentclient.CardPayment{}, noPaying()
}

// CardPayment implements [agentclient.Agent].
func (a *Agent) CardPayment(ctx context.Context, _, _ string) (agentclient.CardPayment, error) {
	if err := a.begin(ctx, "CardPayment"); err != nil {
		return agentclient.CardPayment{}, err
	}
	defer a.mu.Unlock()
	return agentclient.CardPayment{}, noPaying()
}

// PayOut implements [agentclient.Agent].
func (a *Agent) PayOut(ctx context.Context, _ agentclient.PayOut) (agentclient.Payout, error) {
	if err := a.begin(ctx, "PayOut"); err != nil {
		return agentclient.Payout{}, err
	}
	defer a.mu.Unlock()
	return agentclient.Payout{}, noPaying()
}

// Payouts implements [agentclient.Agent].
func (a *Agent) Payouts(ctx context.Context, _ string) ([]agentclient.Payout, error) {
	if err := a.begin(ctx, "Payouts"); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	return []agentclient.Payout{}, nil
}
