package agent

import (
	"context"
	"strings"

	"earnest/agentclient"
	"earnest/escrow"
	"earnest/payment"
)

// amountOf reads an amount in a currency of the account's escrow, by name or unit;
// without one it is the escrow's first.
func (a *account) amountOf(currency, amount string) (payment.Currency, payment.Amount, error) {
	for _, known := range a.get().Info.Currencies {
		if currency != "" && !strings.EqualFold(currency, known.Name) && !strings.EqualFold(currency, known.Unit) {
			continue
		}
		value, err := payment.ParseAmount(amount, known.Scale)
		if err != nil {
			return known, 0, escrow.Errorf(escrow.Invalid, "%v", err)
		}
		return known, value, nil
	}
	return payment.Currency{}, 0, escrow.Errorf(escrow.Invalid, "the escrow has no such currency")
}

// PayByCard begins a payment at the page of the escrow's provider.
func (a *Agent) PayByCard(ctx context.Context, req agentclient.PayByCard) (agentclient.CardPayment, error) {
	acct, err := a.byAddress(req.Account)
	if err != nil {
		return agentclient.CardPayment{}, err
	}
	currency, amount, err := acct.amountOf(req.Currency, req.Amount)
	if err != nil {
		return agentclient.CardPayment{}, err
	}
	checkout, err := acct.service.StartCheckout(ctx, escrow.CheckoutRequest{ID: newID(), Currency: currency.Name, Amount: amount})
	if err != nil {
		return agentclient.CardPayment{}, err
	}
	return acct.viewCheckout(checkout), nil
}

// CardPayment tells how far it is.
func (a *Agent) CardPayment(ctx context.Context, account, id string) (agentclient.CardPayment, error) {
	acct, err := a.byAddress(account)
	if err != nil {
		return agentclient.CardPayment{}, err
	}
	checkout, err := acct.service.Checkout(ctx, id)
	if err != nil {
		return agentclient.CardPayment{}, err
	}
	if checkout.State == escrow.CheckoutPaid {
		wake(acct.wakePool)
		a.tell(agentclient.EventBalance, "", "")
	}
	return acct.viewCheckout(checkout), nil
}

func (a *account) viewCheckout(c escrow.Checkout) agentclient.CardPayment {
	return agentclient.CardPayment{ID: c.ID, Account: string(a.address), State: string(c.State), Amount: money(c.Currency, c.Amount), URL: c.URL}
}

// PayOut asks the escrow for money in the world outside.
func (a *Agent) PayOut(ctx context.Context, req agentclient.PayOut) (agentclient.Payout, error) {
	acct, err := a.byAddress(req.Account)
	if err != nil {
		return agentclient.Payout{}, err
	}
	currency, amount, err := acct.amountOf(req.Currency, req.Amount)
	if err != nil {
		return agentclient.Payout{}, err
	}
	payout, err := acct.service.AskPayout(ctx, escrow.PayoutRequest{ID: newID(), Currency: currency.Name, Amount: amount, To: req.To})
	if err != nil {
		return agentclient.Payout{}, err
	}
	a.tell(agentclient.EventBalance, "", "")
	return acct.viewPayout(payout), nil
}

// Payouts lists what was asked for.
func (a *Agent) Payouts(ctx context.Context, account string) ([]agentclient.Payout, error) {
	acct, err := a.byAddress(account)
	if err != nil {
		return nil, err
	}
	payouts, err := acct.service.Payouts(ctx)
	if err != nil {
		return nil, err
	}
	list := []agentclient.Payout{}
	for _, p := range payouts {
		list = append(list, acct.viewPayout(p))
	}
	return list, nil
}

func (a *account) viewPayout(p escrow.Payout) agentclient.Payout {
	return agentclient.Payout{ID: p.ID, Account: string(a.address), State: string(p.State), Amount: money(p.Currency, p.Amount), To: p.To,
		AskedAt: p.AskedAt, NotBefore: p.NotBefore, EndedAt: p.EndedAt, Note: p.Note}
}
