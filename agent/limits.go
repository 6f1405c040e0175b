package agent

import (
	"context"
	"slices"
	"strings"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
	"earnest/payment"
)

// limitDay is over how long a limit per day counts.
const limitDay = 24 * time.Hour

// Limits are what mails may cost, in each currency of the own escrows.
func (a *Agent) Limits(ctx context.Context) ([]agentclient.Limit, error) {
	list := []agentclient.Limit{}
	err := a.Store.View(ctx, func(tx *store.Tx) error {
		spent, err := a.spent(tx)
		if err != nil {
			return err
		}
		for _, currency := range a.currencies() {
			limit, _, err := store.Get[store.Limit](tx, store.LimitID(currency.Name))
			if err != nil {
				return err
			}
			list = append(list, agentclient.Limit{Currency: currency.Name, Unit: currency.Unit,
				PerMail: limitText(limit.PerMail, limit.Scale), PerDay: limitText(limit.PerDay, limit.Scale),
				Spent: sumOf(spent, currency.Name).Format(currency.Scale), AtEscrow: limit.AtEscrow && !limit.None()})
		}
		return nil
	})
	return list, err
}

func limitText(amount *payment.Amount, scale uint8) string {
	if amount == nil {
		return ""
	}
	return amount.Format(scale)
}

// SetLimit changes the limits of a currency. It holds from the next purchase on.
func (a *Agent) SetLimit(ctx context.Context, req agentclient.SetLimit) ([]agentclient.Limit, error) {
	currencies := a.currencies()
	if len(currencies) == 0 {
		return nil, noAccount()
	}
	i := slices.IndexFunc(currencies, func(c payment.Currency) bool { return strings.EqualFold(c.Name, req.Currency) })
	if i < 0 {
		return nil, wrongLimit("currency", agentclient.Say("limit.foreign-currency", "None of your escrows deals in that currency."),
			agentclient.Say("limit.use-currency", "Use this one: {Currency}", "Currency", currencies[0].Name))
	}
	limit := store.Limit{Currency: currencies[i].Name, Scale: currencies[i].Scale}
	var err error
	if limit.PerMail, err = limitAmount("perMail", req.PerMail, limit.Scale); err != nil {
		return nil, err
	}
	if limit.PerDay, err = limitAmount("perDay", req.PerDay, limit.Scale); err != nil {
		return nil, err
	}
	limit.AtEscrow = !req.HereOnly
	if limit.None() && limit.AtEscrow {
		limit.Untold = a.dealingIn(limit)
	}
	err = a.Store.Update(ctx, "limit", func(tx *store.Tx) error {
		if limit.None() && len(limit.Untold) == 0 {
			return store.Delete[store.Limit](tx, store.LimitID(limit.Currency))
		}
		return store.Put(tx, limit)
	})
	if err != nil {
		return nil, err
	}
	for _, acct := range a.each() {
		acct.tellLimit(ctx, limit)
	}
	a.tell(agentclient.EventBalance, "", "")
	return a.Limits(ctx)
}

func limitAmount(field, text string, scale uint8) (*payment.Amount, error) {
	if text == "" {
		return nil, nil
	}
	amount, err := payment.ParseAmount(text, scale)
	if err != nil {
		return nil, wrongLimit(field, agentclient.Say("limit.no-amount", "That is not an amount: {Why}.", "Why", err),
			agentclient.Say("limit.like", "Write it like 1.00, or leave it empty for no limit."))
	}
	return &amount, nil
}

func wrongLimit(field string, happened, do agentclient.Said) error {
	return agentclient.Refuse(agentclient.CodeUsage, happened, agentclient.Say("limit.as-they-were", "The limits are as they were."), do).At(field)
}

// currencies are those of the own escrows, each once.
func (a *Agent) currencies() []payment.Currency {
	var all []payment.Currency
	for _, acct := range a.each() {
		for _, currency := range acct.get().Info.Currencies {
			if !slices.ContainsFunc(all, func(c payment.Currency) bool { return c.Name == currency.Name }) {
				all = append(all, currency)
			}
		}
	}
	return all
}

// spending is a purchase that counts against the limit of its day.
type spending struct {
	at       time.Time
	currency string
	amount   payment.Amount
}

// spent lists what was held in the last day and has not come back, oldest first:
// purchases that may have been made included. An escrow that dates a purchase of
// ours back makes no room by it.
func (a *Agent) spent(tx *store.Tx) ([]spending, error) {
	now := a.Now()
	since := now.Add(-limitDay).UnixMilli()
	of := map[escrow.BondID]spending{}
	bonds, err := store.Since[store.Bond](tx, since, string(escrow.RoleSender)+".open", string(escrow.RoleSender)+".ended")
	if err != nil {
		return nil, err
	}
	for _, bond := range bonds {
		if !cameBack(bond.State) {
			of[bond.ID] = spending{bond.BoughtAt, bond.Option.Currency, bond.Option.Amount}
		}
	}
	sent, err := store.Since[store.Sent](tx, since)
	if err != nil {
		return nil, err
	}
	// What could not be bought yet may be bought any moment.
	paying, err := store.List[store.Sent](tx, store.SentPaying)
	if err != nil {
		return nil, err
	}
	for _, one := range append(sent, paying...) {
		bond, known, err := store.Get[store.Bond](tx, store.BondID(one.Account, one.Bond))
		if err != nil {
			return nil, err
		}
		if one.State == store.SentFailed || one.Buy.Quote == "" || known && cameBack(bond.State) {
			continue
		}
		var quote escrow.Quote
		if err := escrow.Peek(one.Buy.Quote, &quote); err != nil {
			return nil, err
		}
		at := time.UnixMilli(one.Number)
		if one.State == store.SentPaying {
			at = now
		}
		if before, ok := of[one.Bond]; ok && before.at.After(at) {
			at = before.at
		}
		of[one.Bond] = spending{at, quote.Option.Currency, quote.Option.Amount + quote.RefundFee}
	}
	all := make([]spending, 0, len(of))
	for _, one := range of {
		all = append(all, one)
	}
	slices.SortFunc(all, func(x, y spending) int { return x.at.Compare(y.at) })
	return all, nil
}

func cameBack(state escrow.State) bool {
	return state == escrow.Accepted || state == escrow.Expired || state == escrow.Withdrawn
}

func sumOf(all []spending, currency string) (sum payment.Amount) {
	for _, one := range all {
		if one.currency == currency {
			sum += one.amount
		}
	}
	return sum
}

// withinLimits refuses purchases that would go over an own limit, all of them
// together. It is asked once more in the transaction that stores a purchase, so
// that two at once cannot both take the last room.
func (a *Agent) withinLimits(tx *store.Tx, quotes ...escrow.Signed) error {
	var spent []spending // read where there is a limit a day
	for _, signed := range quotes {
		var quote escrow.Quote
		if err := escrow.Peek(signed, &quote); err != nil {
			return err
		}
		option := quote.Option
		limit, ok, err := store.Get[store.Limit](tx, store.LimitID(option.Currency))
		if err != nil {
			return err
		}
		if !ok || limit.None() {
			continue
		}
		cost := spending{a.Now(), option.Currency, option.Amount + quote.RefundFee}
		if limit.Scale != option.Scale {
			return overLimit(agentclient.Say("limit.other-digits", "Your limit for {Currency} was set when its amounts had other decimal digits.", "Currency", option.Currency),
				agentclient.Say("limit.set-anew", "Set the limit anew: earnest limits set"))
		}
		if limit.PerMail != nil && cost.amount > *limit.PerMail {
			return overLimit(agentclient.Say("limit.mail", "This mail costs {Cost}, and your limit for one mail is {Limit}.", "Cost", a.amount(option, cost.amount), "Limit", a.amount(option, *limit.PerMail)),
				agentclient.Say("limit.raise-mail", "Raise it, if you want to pay that: earnest limits set --per-mail {Amount} --currency {Currency}", "Amount", cost.amount.Format(option.Scale), "Currency", option.Currency))
		}
		if limit.PerDay == nil {
			continue
		}
		if spent == nil {
			if spent, err = a.spent(tx); err != nil {
				return err
			}
		}
		if err := a.withinDay(option, spent, cost, *limit.PerDay); err != nil {
			return err
		}
		spent = append(spent, cost)
	}
	return nil
}

// withinDay refuses what the day has no room for, and says how much is left and
// when there is room again.
func (a *Agent) withinDay(option payment.Option, spent []spending, cost spending, most payment.Amount) error {
	sum := sumOf(spent, cost.currency)
	if sum+cost.amount <= most {
		return nil
	}
	raise := agentclient.Say("limit.raise-day", "raise the limit: earnest limits set --per-day {Amount} --currency {Currency}", "Amount", (sum + cost.amount).Format(option.Scale), "Currency", option.Currency)
	happened := agentclient.Say("limit.day", "This costs {Cost}, and of your limit of {Limit} a day {Left} is left.", "Cost", a.amount(option, cost.amount), "Limit", a.amount(option, most), "Left", a.amount(option, max(0, most-sum)))
	do := agentclient.Say("limit.day-less", "A day's whole limit is less than this: {Raise}", "Raise", raise)
	for _, one := range spent {
		if one.currency != cost.currency {
			continue
		}
		if sum -= one.amount; sum+cost.amount <= most {
			do = agentclient.Say("limit.room-again", "There is room again when money comes back, at the latest on {When}; or {Raise}", "When", one.at.Add(limitDay).Local(), "Raise", raise)
			break
		}
	}
	return overLimit(happened, do)
}

func overLimit(happened, do agentclient.Said) error {
	return agentclient.Refuse(agentclient.CodeLimit, happened, agentclient.Say("nothing.paid-or-sent", "Nothing was paid and nothing was sent."), do)
}

// amount is an amount of the option's currency as a person reads it.
func (a *Agent) amount(option payment.Option, amount payment.Amount) agentclient.Money {
	currency := payment.Currency{Name: option.Currency, Scale: option.Scale}
	for _, known := range a.currencies() {
		if known.Name == option.Currency {
			currency.Unit = known.Unit
		}
	}
	return money(currency, amount)
}

// withinLimitsNow asks before anything is made or paid: of a mail to three none is
// bought where all three are too much.
func (a *account) withinLimitsNow(ctx context.Context, quotes ...escrow.Signed) error {
	return a.Store.View(ctx, func(tx *store.Tx) error { return a.withinLimits(tx, quotes...) })
}
