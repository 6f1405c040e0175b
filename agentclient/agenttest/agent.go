// Package agenttest is an agent in memory for tests of what sits in front of
// one: the window, the command line, the local API. It holds mails, money and
// prices, its decisions change them, it tells its events, and it fails where a
// test tells it to.
package agenttest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"

	"earnest/agentclient"
	"earnest/payment"
)

// Undo is how long a reject can be taken back.
const Undo = 10 * time.Minute

// Agent is an agent in memory. It is safe for goroutines.
type Agent struct {
	now func() time.Time

	mu        sync.Mutex
	status    agentclient.Status
	mails     []agentclient.Message // newest first
	sent      []agentclient.Sent    // newest first
	offers    map[string]agentclient.Price
	prints    map[string]agentclient.Fingerprints // of addresses whose identity changed
	purses    []*purse
	vouchers  map[string]payment.Amount
	receipts  map[string]agentclient.Receipts
	checks    []agentclient.Check
	passwords map[string]string
	safety    map[string]agentclient.AccountSafety // by address
	papers    map[string]string                    // recovery keys that were made: their account
	onPaper   map[string]string                    // the one that counts, by account
	cards     bool                                 // card payments are taken
	cardHold  int64                                // seconds
	byCard    []agentclient.CardPayment            // newest first
	payouts   []agentclient.Payout                 // newest first
	people    []agentclient.Person                 // newest first
	agreed    [][]string                           // of each mail that was to be sent
	sentFrom  string                               // of the last
	added     []agentclient.AddAccount
	drafts    []agentclient.Draft // last changed first
	moves     []agentclient.Movement
	limits    map[string]agentclient.Limit
	history   []agentclient.PriceChange // newest first
	settings  agentclient.Settings
	log       []agentclient.LogLine
	servers   map[string]agentclient.Servers
	logins    map[string]bool // ended well

	calls  []string
	fails  map[string]error
	refuse map[string]string
	gates  map[string]chan struct{}
	listen map[*listener]bool
	told   int // events
	made   int

	passphrase string // of the key file
	keyring    bool   // one was started since

	unnamed bool // prices do not say of which account they are free
}

var _ agentclient.Agent = (*Agent)(nil)

// purse is the money at one escrow in one currency; the first account's where
// account is empty.
type purse struct {
	account, escrow string
	currency        payment.Currency
	available, held payment.Amount
	least           string // that is paid out
}

func (p *purse) money(amount payment.Amount) agentclient.Money {
	return agentclient.Money{Amount: amount.Format(p.currency.Scale), Currency: p.currency.Name, Unit: p.currency.Unit}
}

// New is an agent that has no account yet, at an escrow "escrow.example" with
// euros of two digits.
func New(now func() time.Time) *Agent {
	return &Agent{
		now:       now,
		status:    agentclient.Status{Version: "test", Started: now(), Keyring: "memory"},
		offers:    map[string]agentclient.Price{},
		vouchers:  map[string]payment.Amount{},
		receipts:  map[string]agentclient.Receipts{},
		passwords: map[string]string{},
		limits:    map[string]agentclient.Limit{},
		servers:   map[string]agentclient.Servers{},
		logins:    map[string]bool{},
		settings:  agentclient.Settings{Model: agentclient.ModelFull},
		fails:     map[string]error{},
		refuse:    map[string]string{},
		gates:     map[string]chan struct{}{},
		listen:    map[*listener]bool{},
		purses:    []*purse{{escrow: "escrow.example", currency: payment.Currency{Name: "escrow.example", Scale: 2, Unit: "EUR"}}},
		checks: []agentclient.Check{
			{Name: "keyring", OK: true, Detail: "keys are kept in memory"},
			{Name: "mailbox", OK: true, Detail: "the mail server answers"},
			{Name: "escrow", OK: true, Detail: "escrow.example answers"},
		},
	}
}

// begin records the call, waits where a test holds it, fails where a test says
// so, and brings about what time has brought. The caller unlocks on success.
func (a *Agent) begin(ctx context.Context, method string) error {
	a.mu.Lock()
	a.calls = append(a.calls, method)
	gate, fail := a.gates[method], a.fails[method]
	a.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if fail != nil {
		return fail
	}
	a.mu.Lock()
	if err := a.shut(method); err != nil {
		a.mu.Unlock()
		return err
	}
	a.advance()
	return nil
}

// advance ends what a deadline ends.
func (a *Agent) advance() {
	now := a.now()
	for i := range a.mails {
		m := &a.mails[i]
		switch {
		case m.State == "rejecting" && !now.Before(m.EffectiveAt):
			m.State, m.EffectiveAt = "rejected", time.Time{}
		case m.State == "waiting" && !m.DecideBy.IsZero() && !now.Before(m.DecideBy):
			m.State = "expired"
		default:
			continue
		}
		a.emit(agentclient.EventMail, m.ID, m.State)
	}
}

// id makes ids that look random and are the same in every run.
func (a *Agent) id(kind string) string {
	a.made++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", kind, a.made))
	return hex.EncodeToString(sum[:10])
}

// Status implements [agentclient.Agent].
func (a *Agent) Status(ctx context.Context) (agentclient.Status, error) {
	if err := a.begin(ctx, "Status"); err != nil {
		return agentclient.Status{}, err
	}
	defer a.mu.Unlock()
	status := a.status
	if status.Locked != "" {
		status.Accounts = nil // they are sealed
		return status, nil
	}
	status.Accounts = slices.Clone(a.status.Accounts)
	for _, m := range a.mails {
		if m.State == "waiting" || m.State == "held" {
			status.Waiting++
		}
		if m.Queued {
			status.Queued++
		}
	}
	for _, s := range a.sent {
		if s.State == "paying" || s.State == "paid" {
			status.Outbox++
		}
	}
	return status, nil
}

// AddAccount implements [agentclient.Agent].
func (a *Agent) AddAccount(ctx context.Context, req agentclient.AddAccount) (agentclient.Account, error) {
	if err := a.begin(ctx, "AddAccount"); err != nil {
		return agentclient.Account{}, err
	}
	defer a.mu.Unlock()
	if req.Address == "" || req.Password == "" && !a.logins[req.Login] {
		return agentclient.Account{}, failure(agentclient.CodeUsage, "An account needs an address and a password.")
	}
	for _, step := range []string{agentclient.StepKeyring, agentclient.StepIMAP, agentclient.StepSMTP,
		agentclient.StepEscrow, agentclient.StepKeys, agentclient.StepAddress} {
		a.emit(agentclient.EventSetup, step, "ok")
	}
	a.passwords[req.Address], a.added = req.Password, append(a.added, req)
	account := agentclient.Account{
		Address: req.Address, Escrow: a.purses[0].escrow, Proven: true, Mailbox: "watching",
		EscrowUp: true, EscrowSince: a.now(), Identity: "k1-" + a.id("identity"), Pool: 100,
	}
	account.Card = "earnest:" + req.Address + "?escrow=" + account.Escrow + "&fp=" + account.Identity
	if len(a.status.Accounts) > 0 {
		a.purses = append(a.purses, &purse{account: account.Address, escrow: account.Escrow, currency: a.purses[0].currency})
	}
	a.status.Accounts = append(a.status.Accounts, account)
	a.emit(agentclient.EventStatus, "", "")
	return account, nil
}

// Balances implements [agentclient.Agent].
func (a *Agent) Balances(ctx context.Context) ([]agentclient.Balance, error) {
	if err := a.begin(ctx, "Balances"); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	return a.balances(), nil
}

func (a *Agent) balances() []agentclient.Balance {
	list := []agentclient.Balance{}
	for _, p := range a.purses {
		list = append(list, agentclient.Balance{Account: a.owner(p), Escrow: p.escrow, Available: p.money(p.available), Held: p.money(p.held),
			ByCard: a.cards && p.currency.Unit != "", CardHold: a.cardHold, LeastPayout: p.leastPayout()})
	}
	return list
}

// owner is the account that a purse belongs to.
func (a *Agent) owner(p *purse) string {
	if p.account == "" && len(a.status.Accounts) > 0 {
		return a.status.Accounts[0].Address
	}
	return p.account
}

// TopUp implements [agentclient.Agent].
func (a *Agent) TopUp(ctx context.Context, req agentclient.Redeem) ([]agentclient.Balance, error) {
	if err := a.begin(ctx, "TopUp"); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	amount, ok := a.vouchers[req.Voucher]
	if !ok {
		return nil, failure("bad_voucher", "There is no such voucher, or it was redeemed before.")
	}
	delete(a.vouchers, req.Voucher)
	p := a.purses[0]
	for _, other := range a.purses {
		if other.account != "" && other.account == req.Account {
			p = other
		}
	}
	p.available += amount
	a.move(p, agentclient.MoveTopUp, amount, nil)
	a.emit(agentclient.EventBalance, "", "")
	return a.balances(), nil
}

// Receipts implements [agentclient.Agent].
func (a *Agent) Receipts(ctx context.Context, bond string) (agentclient.Receipts, error) {
	if err := a.begin(ctx, "Receipts"); err != nil {
		return agentclient.Receipts{}, err
	}
	defer a.mu.Unlock()
	receipts, ok := a.receipts[bond]
	if !ok {
		return agentclient.Receipts{}, failure(agentclient.CodeNotFound, "There is no such bond.")
	}
	return receipts, nil
}

// Doctor implements [agentclient.Agent].
func (a *Agent) Doctor(ctx context.Context) ([]agentclient.Check, error) {
	if err := a.begin(ctx, "Doctor"); err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	return slices.Clone(a.checks), nil
}

func failure(code, happened string) *agentclient.Failure {
	if slices.Contains(agentclient.Codes(), code) {
		return agentclient.Failf(code, "%s", happened)
	}
	return &agentclient.Failure{Code: code, Happened: happened, Means: "Nothing was changed.", Do: "Try something else."}
}
