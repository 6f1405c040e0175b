package agenttest

import (
	"context"
	"slices"
	"strings"
	"time"

	"earnest/agentclient"
	"earnest/payment"
)

// The escrow of the scene takes no cards before TakeCards says so. It holds payouts,
// and pays none out before EndPayout does.

// TakeCards has the escrow take card payments, or no longer.
func (a *Agent) TakeCards(yes bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cards = yes
	a.emit(agentclient.EventBalance, "", "")
}

// HoldCards has the escrow pay out what was paid by card only so many seconds later.
func (a *Agent) HoldCards(seconds int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cardHold = seconds
	a.emit(agentclient.EventBalance, "", "")
}

// PayOutFrom has the escrow pay out no less in a currency, such as "5.00"; empty: any
// amount.
func (a *Agent) PayOutFrom(currency, least string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range a.purses {
		if p.currency.Name == currency {
			p.least = least
		}
	}
	a.emit(agentclient.EventBalance, "", "")
}

func (p *purse) leastPayout() agentclient.Money {
	if p.least == "" {
		return agentclient.Money{}
	}
	return p.money(parsed(p.least))
}

// Cards are the card payments that are listed, the newest first.
func (a *Agent) Cards() []agentclient.CardPayment {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.byCard)
}

// EndCard ends a card payment in a state, such as [agentclient.CardPaid], and tells
// it. It panics if there is no such payment.
func (a *Agent) EndCard(id, state string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.byCard {
		if p := &a.byCard[i]; p.ID == id {
			if p.State, p.URL = state, ""; state == agentclient.CardPaid {
				of := a.purseOf(p.Account, p.Amount.Currency)
				of.available += parsed(p.Amount.Amount)
				a.move(of, agentclient.MoveTopUp, parsed(p.Amount.Amount), nil)
			}
			a.emit(agentclient.EventBalance, id, state)
			return
		}
	}
	panic("agenttest: no card payment " + id)
}

// ChangeCard changes a card payment as it stands, and tells it.
func (a *Agent) ChangeCard(change func(*agentclient.CardPayment)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.byCard {
		change(&a.byCard[i])
	}
	a.emit(agentclient.EventBalance, "", "")
}

// AddPayout adds one as it stands, before the others, and tells it.
func (a *Agent) AddPayout(p agentclient.Payout) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.payouts = slices.Insert(a.payouts, 0, p)
	a.emit(agentclient.EventBalance, "", "")
}

// EndPayout pays the newest payout out, or refuses it, with the operator's words.
func (a *Agent) EndPayout(paid bool, note string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := &a.payouts[0]
	of := a.purseOf(p.Account, p.Amount.Currency)
	amount := parsed(p.Amount.Amount)
	of.held -= amount
	if p.State = agentclient.PayoutPaid; !paid {
		p.State = agentclient.PayoutRefused
		of.available += amount
	}
	p.EndedAt, p.Note = a.now(), note
	a.emit(agentclient.EventBalance, "", "")
}

// CancelPayout implements [agentclient.Agent].
func (a *Agent) CancelPayout(ctx context.Context, account, id string) (agentclient.Payout, error) {
	if err := a.begin(ctx, "CancelPayout"); err != nil {
		return agentclient.Payout{}, err
	}
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.payouts, func(p agentclient.Payout) bool {
		return p.ID == id && (account == "" || strings.EqualFold(p.Account, account))
	})
	if i < 0 {
		return agentclient.Payout{}, failure(agentclient.CodeNotFound, "There is no such payout.")
	}
	switch p := &a.payouts[i]; p.State {
	case agentclient.PayoutPaying:
		return agentclient.Payout{}, failure("too_late", "The escrow's operator is paying this payout already.")
	case agentclient.PayoutPaid:
		return agentclient.Payout{}, failure("ended", "The escrow's operator has paid this payout already.")
	case agentclient.PayoutUnsure:
		p.State, p.Error = agentclient.PayoutCancelling, "You took this payout back, and it is not known whether the escrow has it."
	case agentclient.PayoutAsked:
		of, amount := a.purseOf(p.Account, p.Amount.Currency), parsed(p.Amount.Amount)
		of.available, of.held = of.available+amount, of.held-amount
		p.State, p.EndedAt = agentclient.PayoutCancelled, a.now()
	}
	a.emit(agentclient.EventBalance, id, a.payouts[i].State)
	return a.payouts[i], nil
}

func (a *Agent) purseOf(account, currency string) *purse {
	for _, p := range a.purses {
		if strings.EqualFold(a.owner(p), account) && (currency == "" || p.currency.Name == currency) {
			return p
		}
	}
	return a.purses[0]
}

// amountOf reads what is asked for.
func (a *Agent) amountOf(account, currency, amount string) (*purse, payment.Amount, error) {
	if account == "" && len(a.status.Accounts) > 0 {
		account = a.status.Accounts[0].Address
	}
	p := a.purseOf(account, currency)
	n, err := payment.ParseAmount(amount, p.currency.Scale)
	if err != nil || n <= 0 {
		f := failure(agentclient.CodeUsage, "That is not an amount.")
		f.Field = "amount"
		return p, 0, f
	}
	return p, n, nil
}

// PayByCard implements [agentclient.Agent].
func (a *Agent) PayByCard(ctx context.Context, req agentclient.PayByCard) (agentclient.CardPayment, error) {
	if err := a.begin(ctx, "PayByCard"); err != nil {
		return agentclient.CardPayment{}, err
	}
	defer a.mu.Unlock()
	if !a.cards {
		return agentclient.CardPayment{}, agentclient.Failf(agentclient.CodeState, "This escrow takes no card payments.")
	}
	p, amount, err := a.amountOf(req.Account, req.Currency, req.Amount)
	if err != nil {
		return agentclient.CardPayment{}, err
	}
	for _, known := range a.byCard {
		if known.ID == req.ID {
			return known, nil
		}
	}
	id := req.ID
	if id == "" {
		id = a.id("card")
	}
	made := agentclient.CardPayment{ID: id, Account: a.owner(p), State: agentclient.CardOpen, Amount: p.money(amount), At: a.now(),
		URL: "https://pay.example/" + a.id("page")}
	a.byCard = slices.Insert(a.byCard, 0, made)
	return made, nil
}

// CardPayment implements [agentclient.Agent].
func (a *Agent) CardPayment(ctx context.Context, _, id string) (agentclient.CardPayment, error) {
	if err := a.begin(ctx, "CardPayment"); err != nil {
		return agentclient.CardPayment{}, err
	}
	defer a.mu.Unlock()
	for _, p := range a.byCard {
		if p.ID == id {
			return p, nil
		}
	}
	return agentclient.CardPayment{}, failure(agentclient.CodeNotFound, "There is no such payment.")
}

// CardPayments implements [agentclient.Agent].
func (a *Agent) CardPayments(ctx context.Context) ([]agentclient.CardPayment, error) {
	if err := a.begin(ctx, "CardPayments"); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	return append([]agentclient.CardPayment{}, a.byCard...), nil
}

// LeaveCardPayment implements [agentclient.Agent].
func (a *Agent) LeaveCardPayment(ctx context.Context, id string) error {
	if err := a.begin(ctx, "LeaveCardPayment"); err != nil {
		return err
	}
	defer a.mu.Unlock()
	a.byCard = slices.DeleteFunc(a.byCard, func(p agentclient.CardPayment) bool { return p.ID == id })
	return nil
}

// PayOut implements [agentclient.Agent].
func (a *Agent) PayOut(ctx context.Context, req agentclient.PayOut) (agentclient.Payout, error) {
	if err := a.begin(ctx, "PayOut"); err != nil {
		return agentclient.Payout{}, err
	}
	defer a.mu.Unlock()
	p, amount, err := a.amountOf(req.Account, req.Currency, req.Amount)
	if err != nil {
		return agentclient.Payout{}, err
	}
	known := slices.IndexFunc(a.payouts, func(o agentclient.Payout) bool { return o.ID == req.ID })
	if known >= 0 {
		return a.payouts[known], nil
	}
	if least := p.leastPayout(); p.least != "" && amount < parsed(p.least) {
		return agentclient.Payout{}, agentclient.Refuse("invalid",
			agentclient.Say("payout.least", "The least that {Escrow} pays out is {Least}.", "Escrow", p.escrow, "Least", least),
			agentclient.Say("payout.less-means", "Nothing was asked for, and no money moved."),
			agentclient.Say("payout.least-do", "Ask for {Least} or more.", "Least", least)).At("amount")
	}
	if amount > p.available {
		return agentclient.Payout{}, agentclient.Refuse("insufficient_funds",
			agentclient.Say("payout.less", "{Have} can be paid out. Welcome credit is for bonds only, and what a card payment took back is owed.", "Have", p.money(p.available)),
			agentclient.Say("payout.less-means", "Nothing was asked for, and no money moved."),
			agentclient.Say("payout.less-do", "Ask for less.")).At("amount")
	}
	id := req.ID
	if id == "" {
		id = a.id("payout")
	}
	wait := 48 * time.Hour
	if slices.ContainsFunc(a.payouts, func(o agentclient.Payout) bool { return o.To == req.To }) {
		wait = 0
	}
	p.available, p.held = p.available-amount, p.held+amount
	made := agentclient.Payout{ID: id, Account: a.owner(p), State: agentclient.PayoutAsked, Amount: p.money(amount), To: req.To,
		AskedAt: a.now(), NotBefore: a.now().Add(wait)}
	a.payouts = slices.Insert(a.payouts, 0, made)
	a.emit(agentclient.EventBalance, id, made.State)
	return made, nil
}

// Payouts implements [agentclient.Agent].
func (a *Agent) Payouts(ctx context.Context, account string) ([]agentclient.Payout, error) {
	if err := a.begin(ctx, "Payouts"); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	list := []agentclient.Payout{}
	for _, p := range a.payouts {
		if account == "" || strings.EqualFold(p.Account, account) {
			list = append(list, p)
		}
	}
	return list, nil
}
