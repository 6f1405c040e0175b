package viewmodel

import (
	"context"
	"fmt"
	"strings"

	"earnest/agentclient"
)

// purse is the balances and the top-up being typed.
type purse struct {
	balances []agentclient.Balance
	loaded   bool
	code     string
	busy     bool
	err      string
	done     string
}

// BalanceRow is the money at one escrow.
type BalanceRow struct{ Escrow, Available, Held string }

// Purse is the page of money.
type Purse struct {
	Loaded bool
	Rows   []BalanceRow
	Code   string
	Busy   bool
	Error  string // beside the field of the voucher
	Done   string
}

// Purse shows balances and the top-up.
func (m *Model) Purse() Purse {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := Purse{Loaded: m.purse.loaded, Code: m.purse.code, Busy: m.purse.busy, Error: m.purse.err, Done: m.purse.done}
	for _, b := range m.purse.balances {
		p.Rows = append(p.Rows, BalanceRow{Escrow: line(b.Escrow), Available: m.say.money(b.Available), Held: m.say.money(b.Held)})
	}
	return p
}

// SetCode keeps the voucher as typed.
func (m *Model) SetCode(code string) {
	m.mu.Lock()
	same := m.purse.code == code
	m.mu.Unlock()
	if !same {
		m.update(func() { m.purse.code, m.purse.err, m.purse.done = code, "", "" })
	}
}

// TopUp redeems the voucher.
func (m *Model) TopUp() {
	m.mu.Lock()
	code, busy := strings.TrimSpace(m.purse.code), m.purse.busy
	m.mu.Unlock()
	switch {
	case busy:
		return
	case code == "":
		m.update(func() { m.purse.err = "Type the voucher's code." })
		return
	}
	m.update(func() { m.purse.busy, m.purse.err, m.purse.done = true, "", "" })
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		balances, err := m.agent.TopUp(ctx, agentclient.Redeem{Voucher: code})
		m.update(func() {
			m.purse.busy = false
			if err != nil {
				m.purse.err = m.say.failure(err)
				return
			}
			m.purse.balances, m.purse.loaded, m.purse.code = balances, true, ""
			m.purse.done = "The voucher was redeemed."
			if len(balances) == 1 {
				m.purse.done += " You have " + m.say.money(balances[0].Available) + " available."
			}
		})
	})
}

// ownPrice is the price of the own inbox and the change being typed.
type ownPrice struct {
	price   agentclient.Price
	loaded  bool
	loadErr string
	text    string // one option a line
	touched bool
	busy    bool
	err     string
	done    string
}

func (o *ownPrice) put(p agentclient.Price) {
	o.price, o.loaded, o.loadErr = p, true, ""
	if !o.touched {
		o.text = o.typed()
	}
}

// typed is the price as a person would type it: just the amount where there is
// one option, else an instruction a line.
func (o *ownPrice) typed() string {
	if len(o.price.Options) == 1 {
		return o.price.Options[0].Price.Amount
	}
	var lines []string
	for _, option := range o.price.Options {
		lines = append(lines, line(option.Instruction))
	}
	return strings.Join(lines, "\n")
}

func (o *ownPrice) first(say speech) string {
	if len(o.price.Options) == 0 {
		return ""
	}
	return say.money(o.price.Options[0].Price)
}

// OwnPrice is the page of the inbox's price.
type OwnPrice struct {
	Now     string   // the price that holds
	Others  []string // further ways to pay
	Explain string   // what happens to the money
	Text    string   // the change being typed
	Many    bool     // several options: one a line
	Changed bool
	Busy    bool
	Error   string
	Done    string
	Card    string
}

// OwnPrice shows what it costs to write here.
func (m *Model) OwnPrice() OwnPrice {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := &m.own
	v := OwnPrice{Now: o.first(m.say), Text: o.text, Many: len(o.price.Options) > 1 || strings.Contains(o.text, "\n"),
		Changed: o.text != o.typed(), Busy: o.busy, Error: o.err, Done: o.done, Card: m.card()}
	for i, option := range o.price.Options {
		if i > 0 {
			v.Others = append(v.Others, m.say.money(option.Price))
		}
	}
	v.Explain = "A stranger puts this down to write to you. It comes back when you accept, and when you say nothing"
	if within := m.say.span(o.price.DecideWithin); within != "" {
		v.Explain += " for " + within
	}
	v.Explain += "."
	if o.price.Beneficiary != "" {
		v.Explain += " Only when you reject, it goes to " + line(o.price.Beneficiary) + "; never to you."
	} else {
		v.Explain += " Only when you reject, it is lost to the sender; it never goes to you."
	}
	return v
}

// SetPriceText keeps the price as typed.
func (m *Model) SetPriceText(text string) {
	m.mu.Lock()
	same := m.own.text == text
	m.mu.Unlock()
	if !same {
		m.update(func() { m.own.text, m.own.touched, m.own.err, m.own.done = text, true, "", "" })
	}
}

// SavePrice replaces the price of the inbox.
func (m *Model) SavePrice() {
	m.mu.Lock()
	options, fault := options(m.own.text)
	busy := m.own.busy
	m.mu.Unlock()
	switch {
	case busy:
		return
	case fault != "":
		m.update(func() { m.own.err = fault })
		return
	}
	m.update(func() { m.own.busy, m.own.err, m.own.done = true, "", "" })
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		price, err := m.agent.SetPrice(ctx, agentclient.SetPrice{Options: options})
		m.update(func() {
			m.own.busy = false
			if err != nil {
				m.own.err = m.say.failure(err)
				return
			}
			m.own.touched = false
			m.own.put(price)
			m.own.done = "Saved. From now on it costs " + m.own.first(m.say) + " to write to you; mails already paid keep their price."
		})
	})
}

// options reads the typed price: an amount, or one instruction a line.
func options(typed string) (list []string, fault string) {
	for _, l := range strings.Split(typed, "\n") {
		fields := strings.Fields(l)
		if len(fields) == 0 {
			continue
		}
		last := len(fields) - 1
		value, ok := amount(fields[last])
		switch {
		case last != 0 && last != 2, !ok:
			return nil, fmt.Sprintf("“%s” is not a price. Type an amount such as 0.25.", line(l))
		case value.Sign() == 0:
			return nil, "A price is more than nothing."
		}
		fields[last] = strings.Replace(fields[last], ",", ".", 1)
		list = append(list, strings.Join(fields, " "))
	}
	if len(list) == 0 {
		return nil, "Type an amount such as 0.25."
	}
	return list, ""
}
