package viewmodel

import (
	"context"
	"crypto/rand"
	"strings"

	"earnest/agentclient"
)

// byCard is paying by card: what is typed, and the payments that the agent follows.
type byCard struct {
	chosen  bool // the card's fields stand in the voucher's place
	amount  string
	from    purseKey
	id      string // of the operation, from the first try until there is an answer
	busy    bool
	err     said // beside the amount
	fault   said
	done    said
	shut    said // why the browser did not open
	begun   string
	list    []agentclient.CardPayment // the newest first
	leaving map[string]bool
	load    reload
}

// purseKey names the money of an account in a currency.
type purseKey struct{ account, currency string }

// ByCard is paying by card, in the voucher's place.
type ByCard struct {
	Offered bool
	Chosen  bool
	Purses  []string // to choose which is topped up, where there are several
	Purse   int
	Amount  string
	Hint    string
	Error   string // beside the amount
	Fault   string
	Done    string
	Busy    bool
	// Waiting: a payment was begun, and stands in the form's place. Text says how far
	// it is. URL is its page, where there is one yet; Open is set where the person
	// began it in this window and so expects the page.
	Waiting bool
	Text    string
	URL     string
	Open    bool
	Shut    string // why the page did not open; the person can copy the link
}

// ByCard shows paying by card.
func (m *Model) ByCard() ByCard {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &m.byCard
	purses := m.purses(func(b agentclient.Balance) bool { return b.ByCard })
	p, waits := c.waiting()
	v := ByCard{Offered: len(purses) > 0 || waits, Chosen: c.chosen || waits, Amount: c.amount, Error: m.say.again(c.err), Fault: m.say.again(c.fault),
		Done: m.say.again(c.done), Busy: c.busy}
	v.Purses, v.Purse = m.purseNames(purses, c.from)
	if len(purses) > 0 {
		v.Hint = m.say.T("card.hint", "Escrow", line(purses[v.Purse].Escrow))
		if hold := m.say.span(purses[v.Purse].CardHold); hold != "" {
			v.Hint += " " + m.say.T("card.hold", "Span", hold)
		}
	}
	if waits {
		v.Waiting, v.URL, v.Open, v.Shut = true, p.URL, p.ID == c.begun, m.say.again(c.shut)
		v.Text = m.say.T("card.waiting", "Amount", m.say.money(p.Amount))
		if p.URL == "" {
			if v.Text = m.say.agent(p.SayError, p.Error); v.Text == "" {
				v.Text = m.say.T("card.asking")
			}
		}
		return v
	}
	if v.Done+v.Fault+v.Error == "" && len(c.list) > 0 && !c.leaving[c.list[0].ID] {
		v.Done, v.Fault = m.cardEnding(c.list[0])
	}
	return v
}

// waiting is the newest payment that may still be paid and is waited for.
func (c *byCard) waiting() (agentclient.CardPayment, bool) {
	for _, p := range c.list {
		if (p.State == agentclient.CardOpen || p.State == agentclient.CardAsked) && !c.leaving[p.ID] {
			return p, true
		}
	}
	return agentclient.CardPayment{}, false
}

// cardEnding says how a payment ended.
func (m *Model) cardEnding(p agentclient.CardPayment) (done, fault string) {
	amount := m.say.money(p.Amount)
	switch p.State {
	case agentclient.CardPaid:
		for _, b := range m.purse.balances {
			if strings.EqualFold(b.Account, p.Account) && b.Available.Currency == p.Amount.Currency {
				return m.say.T("card.paid-now", "Amount", amount, "Available", m.say.money(b.Available)), ""
			}
		}
		return m.say.T("card.paid", "Amount", amount), ""
	case agentclient.CardOver:
		return "", m.say.T("card.over", "Amount", amount)
	case agentclient.CardWrong:
		return "", m.say.T("card.wrong", "Amount", amount)
	}
	return "", m.say.agent(p.SayError, p.Error)
}

// purses are the balances of which that is true.
func (m *Model) purses(ok func(agentclient.Balance) bool) (list []agentclient.Balance) {
	for _, b := range m.purse.balances {
		if ok(b) {
			list = append(list, b)
		}
	}
	return list
}

// purseNames name purses to choose from, where there are several, and tell which one
// is chosen.
func (m *Model) purseNames(list []agentclient.Balance, chosen purseKey) (names []string, at int) {
	for i, b := range list {
		name := m.say.currencyWords(b.Available.Currency, b.Available.Unit)
		if len(m.status.Accounts) > 1 {
			name = line(b.Account) + "  ·  " + name
		}
		names = append(names, name)
		if keyOf(b) == chosen {
			at = i
		}
	}
	if len(names) < 2 {
		names = nil
	}
	return names, at
}

func keyOf(b agentclient.Balance) purseKey { return purseKey{b.Account, b.Available.Currency} }

// ChooseByCard turns between voucher and card.
func (m *Model) ChooseByCard(yes bool) {
	m.update(func() { m.byCard.chosen, m.purse.err, m.purse.done = yes, nil, nil })
}

// SetCardAmount keeps the amount as typed.
func (m *Model) SetCardAmount(text string) {
	m.mu.Lock()
	same := m.byCard.amount == text
	m.mu.Unlock()
	if !same {
		m.update(func() {
			m.byCard.amount = text
			m.byCard.anew()
			m.leaveEnded()
		})
	}
}

// SetCardPurse chooses which money is topped up.
func (m *Model) SetCardPurse(i int) {
	m.update(func() {
		if list := m.purses(func(b agentclient.Balance) bool { return b.ByCard }); i >= 0 && i < len(list) {
			m.byCard.from = keyOf(list[i])
			m.byCard.anew()
		}
	})
}

// anew: what is asked for next is another payment.
func (c *byCard) anew() { c.id, c.err, c.fault, c.done = "", nil, nil, nil }

// PayByCard asks for the page where the amount is paid.
func (m *Model) PayByCard() {
	var req agentclient.PayByCard
	fine, typed := false, ""
	m.update(func() {
		c := &m.byCard
		list := m.purses(func(b agentclient.Balance) bool { return b.ByCard })
		if _, waits := c.waiting(); c.busy || waits || len(list) == 0 {
			return
		}
		_, at := m.purseNames(list, c.from)
		b := list[at]
		plain, fault := m.say.typedAmount(c.amount, scale(b.Available.Amount), b.Available.Unit)
		if fault == nil && zero(plain) {
			fault = says("amount.nothing")
		}
		if c.err, c.fault, c.done, c.shut = fault, nil, nil, nil; fault != nil {
			return
		}
		m.leaveEnded()
		if c.id == "" {
			c.id = rand.Text()
		}
		c.busy, fine, typed = true, true, c.amount
		req = agentclient.PayByCard{ID: c.id, Account: b.Account, Amount: plain, Currency: b.Available.Currency}
	})
	if fine {
		m.do(func(ctx context.Context) { m.payByCard(ctx, req, typed) })
	}
}

func (m *Model) payByCard(ctx context.Context, req agentclient.PayByCard, typed string) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	begun, err := m.agent.PayByCard(ctx, req)
	m.update(func() {
		c := &m.byCard
		c.busy = false
		if err == nil {
			c.id, c.begun = "", begun.ID
			if c.amount == typed { // else the next one is being typed
				c.amount = ""
			}
			c.put(begun)
			return
		}
		if answered(err) {
			c.id = ""
		}
		if fieldOf(err) == "amount" {
			c.err = fails(err)
		} else {
			c.fault = fails(err)
		}
	})
	m.do(m.loadCards) // the agent may have it though its answer was lost
}

// put places a payment before the others, in its own place where it has one.
func (c *byCard) put(p agentclient.CardPayment) {
	for i := range c.list {
		if c.list[i].ID == p.ID {
			c.list[i] = p
			return
		}
	}
	c.list = append([]agentclient.CardPayment{p}, c.list...)
}

// answered tells that an error is the answer to what was asked for; with another one
// the agent may have it all the same.
func answered(err error) bool {
	switch codeOf(err) {
	case "", agentclient.CodeNoAgent, agentclient.CodeInternal:
		return false
	}
	return true
}

// CardNotOpened says that the browser could not be opened.
func (m *Model) CardNotOpened(err error) {
	m.update(func() { m.byCard.shut = says("start.login.shut", "Why", fails(err)) })
}

// StopCard waits no longer for the payment that is shown.
func (m *Model) StopCard() {
	m.update(func() {
		if p, ok := m.byCard.waiting(); ok {
			m.leaveCard(p.ID)
			m.byCard.shut, m.byCard.done = nil, says("card.stopped")
		}
	})
}

// leaveEnded has the agent list the ended payments no more: they were seen.
func (m *Model) leaveEnded() {
	for _, p := range m.byCard.list {
		if p.State != agentclient.CardOpen && p.State != agentclient.CardAsked {
			m.leaveCard(p.ID)
		}
	}
}

func (m *Model) leaveCard(id string) {
	if m.byCard.leaving[id] {
		return
	}
	m.byCard.leaving = set(m.byCard.leaving, id, true)
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		if err := m.agent.LeaveCardPayment(ctx, id); err != nil {
			m.log.Warn("leave a card payment", "err", err) // at worst it is shown again at the next start
		}
	})
}

// loadCards asks for the payments that were begun.
func (m *Model) loadCards(ctx context.Context) {
	m.reload(ctx, &m.byCard.load, func(ctx context.Context) error {
		list, err := m.agent.CardPayments(ctx)
		if err != nil {
			return m.unlessNoAccount(err)
		}
		m.update(func() { m.byCard.list = list })
		return nil
	})
}
