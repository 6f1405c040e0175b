package agent

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
	"earnest/payment"
)

// takesCards tells that the escrow takes card payments in a currency.
func (a *account) takesCards(currency string) bool {
	return slices.Contains(a.get().Info.Checkouts, currency)
}

// leastPayout is the least that the escrow pays out in a currency, as it says of itself;
// nothing where it pays out any amount.
func (a *account) leastPayout(currency payment.Currency) agentclient.Money {
	for _, least := range a.get().Info.LeastPayouts {
		if least.Currency == currency.Name {
			return money(currency, least.Amount)
		}
	}
	return agentclient.Money{}
}

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
	p, _, err := acct.payOutside(ctx, store.Paying{ID: req.ID, Currency: currency, Amount: amount})
	return acct.viewCard(p), err
}

// CardPayment tells how far it is.
func (a *Agent) CardPayment(ctx context.Context, account, id string) (agentclient.CardPayment, error) {
	acct, err := a.byAddress(account)
	if err != nil {
		return agentclient.CardPayment{}, err
	}
	done, err := acct.paying.take(ctx, id)
	if err != nil {
		return agentclient.CardPayment{}, err
	}
	defer done()
	kept, err := acct.payings(ctx)
	if err != nil {
		return agentclient.CardPayment{}, err
	}
	i := slices.IndexFunc(kept, func(p store.Paying) bool { return p.ID == id && !p.Out })
	if i < 0 { // begun by another agent of this account, or long ago
		checkout, err := acct.service.Checkout(ctx, id)
		return acct.viewCard(acct.after(store.Paying{ID: id, Number: checkout.MadeAt.UnixMilli()}, checkout)), err
	}
	p := kept[i]
	if p.EndedAt.IsZero() || p.State == agentclient.CardOver {
		p, _, err = acct.askOutside(ctx, kept[i], false)
	}
	return acct.viewCard(p), err
}

// CardPayments lists those that somebody waits for, the newest first.
func (a *Agent) CardPayments(ctx context.Context) ([]agentclient.CardPayment, error) {
	list := []agentclient.CardPayment{}
	return list, a.Store.View(ctx, func(tx *store.Tx) error {
		all, err := store.List[store.Paying](tx)
		for _, p := range slices.Backward(all) {
			if acct := a.byID(p.Account); acct != nil && !p.Out && !p.Left {
				list = append(list, acct.viewCard(p))
			}
		}
		return err
	})
}

// LeaveCardPayment lists one no more; whether it is paid is asked all the same.
func (a *Agent) LeaveCardPayment(ctx context.Context, id string) error {
	return a.Store.Update(ctx, "card.leave", func(tx *store.Tx) error {
		p, ok, err := store.Get[store.Paying](tx, id)
		if err != nil || !ok || p.Out {
			return err
		}
		p.Left = true
		return store.Put(tx, p)
	})
}

func (a *account) viewCard(p store.Paying) agentclient.CardPayment {
	if p.ID == "" {
		return agentclient.CardPayment{}
	}
	v := agentclient.CardPayment{ID: p.ID, Account: string(a.address), State: p.State, Amount: money(p.Currency, p.Amount), URL: p.URL,
		At: time.UnixMilli(p.Number).UTC(), Error: p.Error.String(), SayError: p.Error}
	if v.State == agentclient.PayoutUnsure {
		v.State = agentclient.CardAsked
	}
	return v
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
	p, answer, err := acct.payOutside(ctx, store.Paying{ID: req.ID, Out: true, Currency: currency, Amount: amount, To: req.To})
	switch {
	case err != nil:
		return agentclient.Payout{}, acct.notPaidOut(ctx, currency, amount, err)
	case answer.ID != "":
		return acct.viewPayout(answer), nil
	}
	return acct.viewAsked(p), nil
}

// notPaidOut says how much could be, where it is less, or how much it must be.
func (a *account) notPaidOut(ctx context.Context, currency payment.Currency, amount payment.Amount, err error) error {
	refused, ok := errors.AsType[*escrow.Error](err)
	if ok && refused.Code == escrow.Invalid {
		a.keepInfo(ctx) // the operator may have changed the least since
		return a.tooLittle(currency, amount, err)
	}
	if !ok || refused.Code != escrow.InsufficientFunds || refused.Have == nil {
		return err
	}
	have := money(currency, *refused.Have)
	less := agentclient.Say("payout.less", "{Have} can be paid out. Welcome credit is for bonds only, and what a card payment took back is owed.", "Have", have)
	if hold := a.get().Info.CheckoutHold; hold > 0 {
		less = agentclient.Say("payout.less-card", "{Have} can be paid out. Welcome credit is for bonds only, what a card payment took back is owed, and what was paid by card can be paid out only {Span} later.",
			"Have", have, "Span", hold.Duration())
	}
	return agentclient.Refuse(string(refused.Code), less,
		agentclient.Say("payout.less-means", "Nothing was asked for, and no money moved."),
		agentclient.Say("payout.less-do", "Ask for less.")).At("amount")
}

// tooLittle is the refusal of less than the escrow pays out. Only it refuses: what it
// says of itself may be of before, and what it took then it answers whatever the amount.
func (a *account) tooLittle(currency payment.Currency, amount payment.Amount, refused error) error {
	least := a.leastPayout(currency)
	if wanted, err := payment.ParseAmount(least.Amount, currency.Scale); err != nil || amount >= wanted {
		return refused
	}
	return agentclient.Refuse(string(escrow.Invalid),
		agentclient.Say("payout.least", "The least that {Escrow} pays out is {Least}.", "Escrow", a.get().Info.Name, "Least", least),
		agentclient.Say("payout.less-means", "Nothing was asked for, and no money moved."),
		agentclient.Say("payout.least-do", "Ask for {Least} or more.", "Least", least)).At("amount")
}

// Payouts lists what was asked for, the newest first; on top what the escrow may not
// know.
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
	kept, err := acct.payings(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range slices.Backward(kept) {
		known := slices.ContainsFunc(payouts, func(o escrow.Payout) bool { return o.ID == p.ID })
		if p.Out && !known {
			list = append(list, acct.viewAsked(p))
		}
	}
	for _, p := range payouts {
		view := acct.viewPayout(p)
		back := slices.IndexFunc(kept, func(k store.Paying) bool { return k.ID == p.ID && k.Cancelled })
		if back >= 0 && p.State == escrow.PayoutAsked {
			view.State, view.SayError = agentclient.PayoutCancelling, kept[back].Error
			view.Error = view.SayError.String()
		}
		list = append(list, view)
	}
	return list, nil
}

func (a *account) viewPayout(p escrow.Payout) agentclient.Payout {
	v := agentclient.Payout{ID: p.ID, Account: string(a.address), State: string(p.State), Amount: money(p.Currency, p.Amount), To: p.To,
		AskedAt: p.AskedAt, NotBefore: p.NotBefore, EndedAt: p.EndedAt, Note: p.Note}
	switch {
	case p.State == escrow.PayoutRefused && p.Note == escrow.CancelledByOwner:
		v.State, v.Note = agentclient.PayoutCancelled, ""
	case p.State == escrow.PayoutRefused && p.Note == escrow.EndedByRecovery:
		v.SayNote = endedByRecovery()
		v.Note = v.SayNote.String()
	}
	return v
}

// endedByRecovery is said in the place of the escrow's words, which nobody translates.
func endedByRecovery() agentclient.Said {
	return agentclient.Say("payout.by-recovery", "The recovery key ended it, with all that the account's old key had asked for: the money is available again. If it was yours, ask for it again.")
}

// viewAsked is a payout that the escrow does not list.
func (a *account) viewAsked(p store.Paying) agentclient.Payout {
	v := agentclient.Payout{ID: p.ID, Account: string(a.address), State: p.State, Amount: money(p.Currency, p.Amount), To: p.To,
		AskedAt: time.UnixMilli(p.Number).UTC(), EndedAt: p.EndedAt, Error: p.Error.String(), SayError: p.Error}
	if p.Cancelled && p.State == agentclient.PayoutUnsure {
		v.State = agentclient.PayoutCancelling
	}
	return v
}
