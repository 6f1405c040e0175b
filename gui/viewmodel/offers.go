package viewmodel

import (
	"context"
	"math/big"
	"slices"
	"strings"
	"time"

	"earnest/agentclient"
)

// lookupDelay lets a person finish typing an address before its offer is asked
// for: lookups are counted by the escrow.
const lookupDelay = 400 * time.Millisecond

// offers is what is known of what it costs to write to people. An answer is kept
// under its address, so that a late one never stands for another.
type offers struct {
	known  map[string]agentclient.Price
	faults map[string]said
	asking map[string]context.CancelFunc
	prints map[string]newPrint
	turn   int // of typing
}

// askSoon asks for what is not known once the typing rests, and gives up a
// question about an address that does not stand there any more.
func (m *Model) askSoon() {
	m.mu.Lock()
	m.offers.turn++
	turn := m.offers.turn
	all := m.draft.all()
	for k, cancel := range m.offers.asking {
		if !slices.ContainsFunc(all, func(a string) bool { return key(a) == k }) {
			cancel()
			m.offers.asking = unset(m.offers.asking, k)
		}
	}
	m.mu.Unlock()
	m.after(lookupDelay, func(context.Context) {
		m.mu.Lock()
		stale := m.offers.turn != turn
		m.mu.Unlock()
		if !stale {
			m.askNow()
		}
	})
}

// askNow asks for the offers that are not known yet.
func (m *Model) askNow() {
	var ask []func(context.Context)
	m.update(func() {
		for _, to := range m.draft.all() {
			k := key(to)
			_, known := m.offers.known[k]
			if known || m.offers.asking[k] != nil || m.offers.faults[k] != nil || !addressLike(to) {
				continue
			}
			ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
			m.offers.asking = set(m.offers.asking, k, cancel)
			ask = append(ask, func(run context.Context) {
				stop := context.AfterFunc(run, cancel)
				defer stop()
				defer cancel()
				m.askOne(ctx, to)
			})
		}
	})
	for _, one := range ask {
		m.do(one)
	}
}

func (m *Model) askOne(ctx context.Context, to string) {
	price, err := m.offerOf(ctx, to)
	if ctx.Err() == context.Canceled {
		return // nobody wants to know any more
	}
	m.update(func() {
		m.offers.asking = unset(m.offers.asking, key(to))
		m.learn(to, price, err)
	})
}

// offerOf asks for an offer. One without a way to pay and without free mails is
// none.
func (m *Model) offerOf(ctx context.Context, to string) (agentclient.Price, error) {
	price, err := m.agent.Price(ctx, to)
	if err == nil && len(price.Options) == 0 && !goesFree(price) {
		err = &refusal{&agentclient.Failure{Code: "no_offer"}, says("write.no-offer", "Who", line(to))}
	}
	return price, err
}

func (m *Model) learn(to string, price agentclient.Price, err error) {
	k := key(to)
	m.offers.faults = unset(m.offers.faults, k)
	if err != nil {
		m.offers.known = unset(m.offers.known, k)
		m.offers.faults = set(m.offers.faults, k, fails(err))
		return
	}
	m.offers.known = set(m.offers.known, k, price)
}

// AskAgain asks once more for an offer that could not be had.
func (m *Model) AskAgain(address string) {
	m.update(func() {
		m.offers.faults = unset(m.offers.faults, key(address))
		m.offers.known = unset(m.offers.known, key(address))
	})
	m.askNow()
}

// goesFree tells that a mail there needs no money.
func goesFree(p agentclient.Price) bool {
	return p.Connected && some(p.Free)
}

// way is the option that a recipient is paid by, and those to choose among, by
// the user model. Nothing is paid where the mail goes free.
func (m *Model) way(d *draft, to string) (agentclient.Option, []agentclient.Option) {
	price := m.offers.known[key(to)]
	all := price.Options
	if len(all) == 0 {
		return agentclient.Option{}, nil
	}
	chosen := func(list []agentclient.Option) agentclient.Option {
		for _, o := range list {
			if o.Index == d.choice[key(to)] {
				return o
			}
		}
		return list[0]
	}
	switch m.prefs.settings.Model {
	case agentclient.ModelSingle:
		if mine := m.cheapest(all, func(o agentclient.Option) bool { return o.Price.Currency == m.prefs.settings.Currency }); mine != nil {
			return *mine, nil
		}
	case agentclient.ModelAutomatic:
		if fit := m.cheapest(all, func(o agentclient.Option) bool { return m.within(o.Price) && m.reaches(d, o.Price) }); fit != nil {
			return *fit, nil
		}
		if fit := m.cheapest(all, func(o agentclient.Option) bool { return m.within(o.Price) }); fit != nil {
			return *fit, nil
		}
	}
	return chosen(all), all
}

// cheapest is the least of those that are taken. Amounts of different currencies
// do not compare: of those the recipient's order decides.
func (m *Model) cheapest(all []agentclient.Option, take func(agentclient.Option) bool) *agentclient.Option {
	var best *agentclient.Option
	for i, o := range all {
		if take(o) && (best == nil || o.Price.Currency == best.Price.Currency && short(o.Price, best.Price)) {
			best = &all[i]
		}
	}
	return best
}

// within tells whether a mail of that price is within the limits.
func (m *Model) within(price agentclient.Money) bool {
	_, over := m.overLimit([]agentclient.Money{price})
	return !over
}

// overLimit says which limit the mails would break.
func (m *Model) overLimit(costs []agentclient.Money) (said, bool) {
	for _, limit := range m.limits.list {
		money := func(amount string) agentclient.Money {
			return agentclient.Money{Amount: amount, Currency: limit.Currency, Unit: limit.Unit}
		}
		all := money("")
		for _, c := range costs {
			if c.Currency != limit.Currency {
				continue
			}
			if limit.PerMail != "" && short(money(limit.PerMail), c) {
				return says("write.limit.mail", "Amount", c, "Limit", money(limit.PerMail)), true
			}
			all = sumOf(all, c)
		}
		if limit.PerDay == "" || all.Amount == "" {
			continue
		}
		if limit.Spent != "" {
			all = sumOf(all, money(limit.Spent))
		}
		if short(money(limit.PerDay), all) {
			return says("write.limit.day", "Amount", all, "Limit", money(limit.PerDay)), true
		}
	}
	return nil, false
}

// account is the own address that a draft is sent from: the first where none was
// chosen, or where the chosen one was removed.
func (m *Model) account(d *draft) string { return m.chosen(d.from) }

// balance is what can be spent in a currency from the draft's account.
func (m *Model) balance(d *draft, currency string) (agentclient.Money, bool) {
	from := m.account(d)
	for _, b := range m.purse.balances {
		if b.Available.Currency == currency && (b.Account == "" || strings.EqualFold(b.Account, from)) {
			return b.Available, true
		}
	}
	return agentclient.Money{}, false
}

func (m *Model) reaches(d *draft, price agentclient.Money) bool {
	have, ok := m.balance(d, price.Currency)
	return !ok || !short(have, price)
}

// costs is what the recipients cost who cost something; known is false as long
// as one's offer is not known.
func (m *Model) costs(d *draft) (costs []agentclient.Money, known bool) {
	all := d.all()
	for _, to := range all {
		price, ok := m.offers.known[key(to)]
		if !ok || !m.payable(d, to, price) {
			return nil, false
		}
		if m.pays(d, to, price) {
			way, _ := m.way(d, to)
			costs = append(costs, way.Price)
		}
	}
	return costs, len(all) > 0
}

func (m *Model) pays(d *draft, to string, price agentclient.Price) bool {
	return !some(m.free(d, to, price)) || d.paid[key(to)] && len(price.Options) > 0
}

// sums adds up amounts by currency.
func sums(costs []agentclient.Money) []agentclient.Money {
	var all []agentclient.Money
	for _, c := range costs {
		i := slices.IndexFunc(all, func(m agentclient.Money) bool { return m.Currency == c.Currency })
		if i < 0 {
			all = append(all, c)
			continue
		}
		all[i] = sumOf(all[i], c)
	}
	return all
}

// amounts says amounts of several currencies: "€0.50 and 2 credits".
func (m *Model) amounts(costs []agentclient.Money) string {
	text := ""
	for i, sum := range sums(costs) {
		if i == 0 {
			text = m.say.money(sum)
			continue
		}
		text = m.say.T("write.and", "First", text, "Second", m.say.money(sum))
	}
	return text
}

// lessBy is what is left of an amount of the same currency.
func lessBy(have, spent agentclient.Money) agentclient.Money {
	x, okX := amount(have.Amount)
	y, okY := amount(spent.Amount)
	if okX && okY {
		have.Amount = new(big.Rat).Sub(x, y).FloatString(max(scale(have.Amount), scale(spent.Amount)))
	}
	return have
}
