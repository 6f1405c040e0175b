package viewmodel

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"earnest/agentclient"
)

// payOut is money that is to leave the escrow: what is typed, and what was asked for.
type payOut struct {
	amount, to  string
	from        purseKey
	id          string // of the operation, from the first try until there is an answer
	busy        bool
	errAmount   said
	errTo       said
	fault, done said
	list        []agentclient.Payout // of all accounts, the newest first
	loaded      bool
	loadErr     said
	load        reload
	back        takeBack
}

// mostPayOutTo is what the escrow takes of a destination, in bytes.
const mostPayOutTo = 500

// PayoutRow is a payout as it is listed.
type PayoutRow struct {
	Amount, To, When string
	Account          string // whose it is, where there are several
	State            string // in a word
	Text             string // what it means
	Tone             Tone
	ID               string
	MayCancel        bool
	Asking           bool   // whether to take it back
	Means            string // of that
	Busy             bool
	Fault            string
}

// PayOut is the part of the page of money about payouts.
type PayOut struct {
	Purses  []string
	Purse   int
	Amount  string
	To      string
	ErrTo   string
	ErrSum  string
	Hint    string // what there is
	Fault   string
	Done    string
	Busy    bool
	Nothing bool // there is no money to pay out
	Loaded  bool
	LoadErr string
	Rows    []PayoutRow
}

// PayOut shows the form and what was asked for.
func (m *Model) PayOut() PayOut {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &m.payout
	list := m.purses(hasMoney)
	v := PayOut{Amount: p.amount, To: p.to, ErrSum: m.say.again(p.errAmount), ErrTo: m.say.again(p.errTo), Fault: m.say.again(p.fault),
		Done: m.say.again(p.done), Busy: p.busy, Nothing: len(list) == 0, Loaded: p.loaded, LoadErr: m.say.again(p.loadErr)}
	v.Purses, v.Purse = m.purseNames(list, p.from)
	if len(list) > 0 {
		from := list[v.Purse]
		v.Hint = m.say.T("payout.available", "Amount", m.say.money(from.Available), "Escrow", line(from.Escrow))
		if from.LeastPayout.Amount != "" {
			v.Hint += " " + m.say.T("payout.least", "Least", m.say.money(from.LeastPayout))
		}
	}
	for _, one := range p.list {
		v.Rows = append(v.Rows, m.payoutRow(one))
	}
	return v
}

func hasMoney(b agentclient.Balance) bool { return !zero(b.Available.Amount) }

func (m *Model) payoutRow(p agentclient.Payout) PayoutRow {
	row := PayoutRow{Amount: m.say.money(p.Amount), To: line(p.To), When: m.say.day(p.AskedAt), Tone: Muted}
	if len(m.status.Accounts) > 1 {
		row.Account = line(p.Account)
	}
	note := line(p.Note)
	switch p.State {
	case agentclient.PayoutAsked:
		row.State, row.Tone, row.Text = m.say.T("payout.state.asked"), Waits, m.say.T("payout.asked-text")
		if p.NotBefore.After(m.now()) {
			row.Text = m.say.T("payout.asked-wait", "When", m.say.moment(p.NotBefore))
		}
	case agentclient.PayoutPaying:
		row.State, row.Tone, row.Text = m.say.T("payout.state.paying"), Waits, m.say.T("payout.paying-text")
	case agentclient.PayoutPaid:
		row.State, row.Tone, row.Text = m.say.T("payout.state.paid"), Good, m.say.T("payout.paid-text", "When", m.say.moment(p.EndedAt))
		if note != "" {
			row.Text = m.say.T("payout.paid-note", "When", m.say.moment(p.EndedAt), "Note", note)
		}
	case agentclient.PayoutRefused:
		row.State, row.Tone, row.Text = m.say.T("payout.state.refused"), Against, m.say.T("payout.refused-text")
		switch {
		case p.SayNote != nil: // nobody has refused it
			row.State, row.Text = m.say.T("payout.state.ended"), m.say.agent(p.SayNote, p.Note)
		case note != "":
			row.Text = m.say.T("payout.refused-note", "Note", note)
		}
	case agentclient.PayoutCancelled:
		row.State, row.Text = m.say.T("payout.state.cancelled"), m.say.T("payout.cancelled-text")
	case agentclient.PayoutCancelling:
		row.State, row.Tone, row.Text = m.say.T("payout.state.cancelling"), Waits, m.say.agent(p.SayError, p.Error)
	case agentclient.PayoutFailed:
		row.State, row.Tone, row.Text = m.say.T("payout.state.failed"), Against, m.say.agent(p.SayError, p.Error)
	default:
		row.State, row.Tone, row.Text = m.say.T("payout.state.unsure"), Waits, m.say.agent(p.SayError, p.Error)
	}
	m.cancelRow(p, &row)
	return row
}

// SetPayOutAmount keeps the amount as typed.
func (m *Model) SetPayOutAmount(text string) {
	m.typePayOut(func(p *payOut) bool { same := p.amount == text; p.amount, p.errAmount = text, nil; return same })
}

// SetPayOutTo keeps where it shall go.
func (m *Model) SetPayOutTo(text string) {
	m.typePayOut(func(p *payOut) bool { same := p.to == text; p.to, p.errTo = text, nil; return same })
}

func (m *Model) typePayOut(change func(*payOut) bool) {
	m.mu.Lock()
	before := m.payout
	if change(&m.payout) {
		m.payout = before
		m.mu.Unlock()
		return
	}
	m.payout.anew()
	m.mu.Unlock()
	m.changed()
}

// anew: what is asked for next is another payout.
func (p *payOut) anew() { p.id, p.fault, p.done = "", nil, nil }

// SetPayOutPurse chooses which money is paid out.
func (m *Model) SetPayOutPurse(i int) {
	m.update(func() {
		if list := m.purses(hasMoney); i >= 0 && i < len(list) {
			m.payout.from, m.payout.errAmount = keyOf(list[i]), nil
			m.payout.anew()
		}
	})
}

// AskPayOut asks the escrow to pay out.
func (m *Model) AskPayOut() {
	var req agentclient.PayOut
	var typed payOut
	fine := false
	m.update(func() {
		p := &m.payout
		list := m.purses(hasMoney)
		if p.busy || len(list) == 0 {
			return
		}
		_, at := m.purseNames(list, p.from)
		b := list[at]
		plain, fault := m.say.typedAmount(p.amount, scale(b.Available.Amount), b.Available.Unit)
		switch {
		case fault != nil:
		case zero(plain):
			fault = says("amount.nothing")
		case less(b.Available.Amount, plain):
			fault = says("payout.more", "Available", b.Available)
		}
		p.errAmount, p.errTo, p.fault, p.done = fault, nil, nil, nil
		to := strings.Join(strings.Fields(p.to), " ")
		switch {
		case to == "":
			p.errTo = says("payout.to-empty")
		case len(to) > mostPayOutTo:
			p.errTo = says("payout.to-long")
		}
		if p.errAmount != nil || p.errTo != nil {
			return
		}
		if p.id == "" {
			p.id = rand.Text()
		}
		p.busy, fine, typed = true, true, *p
		req = agentclient.PayOut{ID: p.id, Account: b.Account, Amount: plain, Currency: b.Available.Currency, To: to}
	})
	if fine {
		m.do(func(ctx context.Context) { m.askPayOut(ctx, req, typed) })
	}
}

func (m *Model) askPayOut(ctx context.Context, req agentclient.PayOut, typed payOut) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	asked, err := m.agent.PayOut(ctx, req)
	m.update(func() {
		p := &m.payout
		p.busy = false
		if err == nil {
			if p.id = ""; p.amount == typed.amount && p.to == typed.to { // else the next one is being typed
				p.amount, p.to = "", ""
			}
			p.done = says("payout.done", "Amount", asked.Amount)
			if asked.State == agentclient.PayoutUnsure {
				p.done = says("payout.done-unsure", "Amount", asked.Amount)
			}
			return
		}
		if answered(err) {
			p.id = ""
		}
		switch words := fails(err); fieldOf(err) {
		case "amount":
			p.errAmount = words
		case "to":
			p.errTo = words
		default:
			p.fault = words
		}
	})
	m.do(m.loadPayouts)
	m.do(m.loadBalances)
}

// loadPayouts asks for what was asked for of each account.
func (m *Model) loadPayouts(ctx context.Context) {
	m.reload(ctx, &m.payout.load, func(ctx context.Context) error {
		m.mu.Lock()
		accounts := m.status.Accounts
		m.mu.Unlock()
		var all []agentclient.Payout
		for _, a := range accounts {
			list, err := m.agent.Payouts(ctx, a.Address)
			if err != nil {
				m.update(func() { m.payout.loadErr = fails(err) })
				return m.unlessNoAccount(err)
			}
			all = append(all, list...)
		}
		slices.SortStableFunc(all, func(x, y agentclient.Payout) int { return y.AskedAt.Compare(x.AskedAt) })
		m.update(func() { m.payout.list, m.payout.loaded, m.payout.loadErr = all, true, nil })
		return nil
	})
}
