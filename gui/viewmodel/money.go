package viewmodel

import (
	"context"
	"strings"

	"earnest/agentclient"
)

// MoneyTab is a part of the page of money.
type MoneyTab int

// The parts.
const (
	MoneyBalance MoneyTab = iota
	MoneyStatement
	MoneyChart
	MoneyPayOut
)

// purse is the balances and the top-up being typed.
type purse struct {
	balances []agentclient.Balance
	loaded   bool
	loadErr  said
	tab      MoneyTab
	code     string
	account  string // to top up; the first where empty
	busy     bool
	err      said
	done     said
}

// BalanceRow is the money of one account at its escrow in one currency.
type BalanceRow struct{ Account, Escrow, Available, Held string }

// Purse is the page of money.
type Purse struct {
	Tab      MoneyTab
	Loaded   bool
	LoadErr  string
	Rows     []BalanceRow
	Several  bool     // accounts: each row says whose it is
	Accounts []string // to choose whom to top up, where there are several
	Account  int
	Code     string
	Busy     bool
	Error    string // beside the field of the voucher
	Done     string
}

// Purse shows balances and the top-up.
func (m *Model) Purse() Purse {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := Purse{Tab: m.purse.tab, Loaded: m.purse.loaded, LoadErr: m.say.again(m.purse.loadErr), Code: m.purse.code, Busy: m.purse.busy,
		Error: m.say.again(m.purse.err), Done: m.say.again(m.purse.done), Several: len(m.status.Accounts) > 1}
	for _, b := range m.purse.balances {
		row := BalanceRow{Account: line(b.Account), Escrow: line(b.Escrow), Available: m.say.money(b.Available), Held: m.say.money(b.Held)}
		if b.Available.Unit == "" { // the name that stands for it is long, and stands above
			row.Available, row.Held = m.say.decimal(b.Available.Amount), m.say.decimal(b.Held.Amount)
		}
		if b.Available.Currency != b.Escrow && b.Available.Unit == "" {
			row.Escrow += "  ·  " + line(b.Available.Currency)
		}
		p.Rows = append(p.Rows, row)
	}
	if p.Several {
		p.Accounts, p.Account = m.accounts(m.purse.account)
	}
	return p
}

// accounts lists the own addresses, and which of them is the chosen one.
func (m *Model) accounts(chosen string) (list []string, at int) {
	for i, a := range m.status.Accounts {
		list = append(list, line(a.Address))
		if strings.EqualFold(a.Address, chosen) {
			at = i
		}
	}
	return list, at
}

// chosen is the own address that was chosen, as long as there is such an account;
// else the first.
func (m *Model) chosen(address string) string {
	if len(m.status.Accounts) == 0 || m.has(address) {
		return address
	}
	return m.accountAt(0)
}

// accountAt is the i-th own address.
func (m *Model) accountAt(i int) string {
	if i < 0 || i >= len(m.status.Accounts) {
		return ""
	}
	return m.status.Accounts[i].Address
}

// ShowMoney turns to a part of the page of money.
func (m *Model) ShowMoney(tab MoneyTab) {
	m.mu.Lock()
	same := m.purse.tab == tab
	m.mu.Unlock()
	if !same {
		m.update(func() { m.purse.tab = tab })
	}
}

// SetCode keeps the voucher as typed.
func (m *Model) SetCode(code string) {
	m.mu.Lock()
	same := m.purse.code == code
	m.mu.Unlock()
	if !same {
		m.update(func() { m.purse.code, m.purse.err, m.purse.done = code, nil, nil })
	}
}

// SetTopUpAccount chooses whom the voucher is for.
func (m *Model) SetTopUpAccount(i int) {
	m.update(func() { m.purse.account, m.purse.err, m.purse.done = m.accountAt(i), nil, nil })
}

// TopUp redeems the voucher.
func (m *Model) TopUp() {
	m.mu.Lock()
	code, busy := strings.TrimSpace(m.purse.code), m.purse.busy
	account := m.chosen(m.purse.account)
	m.mu.Unlock()
	switch {
	case busy:
		return
	case code == "":
		m.update(func() { m.purse.err = says("topup.empty") })
		return
	case len(code) > maxVoucher:
		m.update(func() { m.purse.err = says("topup.long") })
		return
	}
	m.update(func() { m.purse.busy, m.purse.err, m.purse.done = true, nil, nil })
	m.do(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		balances, err := m.agent.TopUp(ctx, agentclient.Redeem{Account: account, Voucher: code})
		m.update(func() {
			m.purse.busy = false
			if err != nil {
				m.purse.err = fails(err)
				return
			}
			if strings.TrimSpace(m.purse.code) == code { // else the next one is being typed
				m.purse.code = ""
			}
			m.purse.balances, m.purse.loaded, m.purse.loadErr = balances, true, nil
			m.purse.done = m.toppedUp(account)
		})
	})
}

// maxVoucher is longer than any voucher.
const maxVoucher = 1000

// toppedUp says what there is now.
func (m *Model) toppedUp(account string) said {
	var sums []agentclient.Money
	for _, b := range m.purse.balances {
		if account == "" || strings.EqualFold(b.Account, account) {
			sums = append(sums, b.Available)
		}
	}
	if len(sums) == 0 {
		return says("topup.done")
	}
	return says("topup.done-now", "Amount", sums)
}

// and joins what is listed: one, two and three.
func (s speech) and(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return s.T("list.and", "List", strings.Join(list[:len(list)-1], ", "), "Last", list[len(list)-1])
}

// loadMoney asks for what the page of money shows beside the balances.
func (m *Model) loadMoney(ctx context.Context) {
	m.do(m.loadMovements)
	m.do(m.loadLimits)
	m.do(m.loadPayouts)
}

// moneyMoved hears that money moved: what the page shows is asked for anew when
// it is looked at.
func (m *Model) moneyMoved(context.Context) {
	m.mu.Lock()
	m.statement.stale, m.limits.stale = true, true
	seen := m.page == PageMoney
	m.mu.Unlock()
	if seen {
		m.do(m.loadMoney)
	}
}

// turnMoney is called when a page is turned to.
func (m *Model) turnMoney(p Page) {
	m.mu.Lock()
	ask := p == PageMoney && (m.statement.stale || m.limits.stale || !m.statement.loaded)
	m.mu.Unlock()
	if ask {
		m.do(m.loadMoney)
	}
}
