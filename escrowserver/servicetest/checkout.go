package servicetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
)

func checkoutTests() []test {
	return []test{
		{"CheckoutIsCreditedOnce", checkoutOnce},
		{"CheckoutInAnyOrderOfEvents", checkoutAnyOrder},
		{"CheckoutOfOtherMoneyIsNotCredited", checkoutWrong},
		{"CheckoutWhoseAnswerWasLost", checkoutAnswerLost},
		{"CheckoutKilledBeforeTheCredit", checkoutKilled},
		{"CheckoutTakenBackIsADebt", checkoutTakenBack},
		{"CheckoutWithoutProvider", checkoutWithout},
		{"FewCheckoutsOfAnAccountWaitAtOnce", checkoutsLimited},
		{"ASettledDebtStaysSettled", refundsGrow},
		{"ASlowProviderStopsNoSweep", slowProvider},
	}
}

// till is a payment provider in memory. What it posts is the event as JSON.
type till struct {
	mu       sync.Mutex
	sessions []escrowserver.Session
	asked    int  // about sessions
	away     bool // it does not answer
	mute     bool // its page is made, but the answer is lost
}

func (p *till) Name() string { return "till" }

// Units counts in tenths of the currency's smallest unit.
func (p *till) Units(currency payment.Currency, amount payment.Amount) (string, int64, error) {
	if currency.Unit == "" {
		return "", 0, errors.New("no unit")
	}
	return "eur", int64(amount) * 10, nil
}

func (p *till) Open(_ context.Context, order escrowserver.Order) (escrowserver.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away {
		return escrowserver.Session{}, errors.New("away")
	}
	i := slices.IndexFunc(p.sessions, func(s escrowserver.Session) bool { return s.Reference == order.Reference })
	if i < 0 {
		i = len(p.sessions)
		n := fmt.Sprint(i + 1)
		p.sessions = append(p.sessions, escrowserver.Session{ID: "session-" + n, Reference: order.Reference, URL: "https://till.example/" + n,
			Unit: order.Unit, Units: order.Units, Payment: "payment-" + n})
	}
	if p.mute {
		return escrowserver.Session{}, errors.New("the connection was lost")
	}
	return p.sessions[i], nil
}

func (p *till) find(ok func(escrowserver.Session) bool) (escrowserver.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away {
		return escrowserver.Session{}, errors.New("away")
	}
	if i := slices.IndexFunc(p.sessions, ok); i >= 0 {
		return p.sessions[i], nil
	}
	return escrowserver.Session{}, escrowserver.ErrNoSession
}

func (p *till) Session(_ context.Context, id string) (escrowserver.Session, error) {
	p.mu.Lock()
	p.asked++
	p.mu.Unlock()
	return p.find(func(s escrowserver.Session) bool { return s.ID == id })
}

func (p *till) SessionOf(_ context.Context, payment string) (escrowserver.Session, error) {
	return p.find(func(s escrowserver.Session) bool { return s.Payment == payment })
}

func (p *till) Event(_ http.Header, body []byte, _ time.Time) (escrowserver.Event, error) {
	var e escrowserver.Event
	if err := json.Unmarshal(body, &e); err != nil {
		return e, escrowserver.ErrForged
	}
	return e, nil
}

// pay makes the session paid, and returns it.
func (p *till) pay(i int) escrowserver.Session {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sessions[i].Paid = true
	return p.sessions[i]
}

func (p *till) set(away, mute bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away, p.mute = away, mute
}

// cashier is an escrow with a till, and somebody at it.
type cashier struct {
	*world
	till   *till
	server *escrowserver.Server
	anna   *person
}

func (w *world) cashier() *cashier { return w.cashierHolding(0) }

// cashierHolding is one whose money is not paid out for a time.
func (w *world) cashierHolding(hold time.Duration) *cashier {
	s := &cashier{world: w, till: &till{}}
	s.server = w.restarted(func(c *escrowserver.Config) { c.Provider, c.CheckoutHold = s.till, hold })
	s.anna = w.stranger()
	s.anna.Service = s.server.As(s.anna.public())
	return s
}

func (s *cashier) start(amount payment.Amount) (escrow.Checkout, escrow.CheckoutRequest) {
	s.Helper()
	req := escrow.CheckoutRequest{ID: s.id(), Currency: Currency, Amount: amount}
	c, err := s.anna.StartCheckout(context.Background(), req)
	s.ok(err)
	return c, req
}

func (s *cashier) post(e escrowserver.Event) {
	s.Helper()
	body, err := json.Marshal(e)
	s.ok(err)
	s.ok(s.server.Webhook(context.Background(), "till", nil, body))
}

func (s *cashier) state(req escrow.CheckoutRequest, want escrow.CheckoutState) {
	s.Helper()
	c, err := s.anna.Checkout(context.Background(), req.ID)
	s.ok(err)
	if c.State != want || c.ID != req.ID || (c.URL != "") != (want == escrow.CheckoutOpen) {
		s.Fatalf("the checkout is %+v, want %s", c, want)
	}
}

// waits is how many events wait.
func (s *cashier) waits() int {
	s.Helper()
	list, err := s.Store.Events(context.Background(), 100)
	s.ok(err)
	return len(list)
}

func checkoutOnce(w *world) {
	ctx := context.Background()
	s := w.cashier()
	c, req := s.start(500)
	if c.State != escrow.CheckoutOpen || c.URL != "https://till.example/1" || c.Amount != 500 || c.Currency.Unit != "EUR" {
		w.Fatalf("started: %+v", c)
	}
	again, err := s.anna.StartCheckout(ctx, req)
	w.ok(err)
	if again != c {
		w.Fatalf("again %+v, first %+v", again, c)
	}
	other := req
	other.Amount++
	_, err = s.anna.StartCheckout(ctx, other)
	w.fails(err, escrow.Conflict)
	for _, wrong := range []escrow.CheckoutRequest{
		{ID: w.id(), Currency: OtherCurrency, Amount: 5}, {ID: w.id(), Currency: "usd.example", Amount: 5},
		{ID: w.id(), Currency: Currency}, {ID: w.id(), Currency: Currency, Amount: -1}, {ID: "x", Currency: Currency, Amount: 1},
	} {
		_, err = s.anna.StartCheckout(ctx, wrong)
		w.fails(err, escrow.Invalid)
	}
	// Nobody else sees it, or is credited.
	eve := w.stranger()
	_, err = s.server.As(eve.public()).Checkout(ctx, req.ID)
	w.fails(err, escrow.NotFound)
	s.anna.has(0, 0)
	paid := s.till.pay(0)
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			s.post(escrowserver.Event{ID: fmt.Sprint("event-", i%4), Kind: escrowserver.EventSession, Session: paid})
		})
	}
	group.Wait()
	s.anna.has(500, 0)
	s.state(req, escrow.CheckoutPaid)
	if s.waits() != 0 {
		w.Fatalf("%d events wait", s.waits())
	}
	if got := s.anna.statement(0); len(got) != 1 || got[0].Kind != escrow.MoveTopUp || got[0].Ground != escrow.GroundPayment || got[0].Amount != 500 {
		w.Fatalf("the account sees %+v", got)
	}
}

func checkoutAnyOrder(w *world) {
	s := w.cashier()
	var events []escrowserver.Event
	for i := range escrowserver.OpenCheckouts {
		_, _ = s.start(payment.Amount(100 + i))
		open := s.till.sessions[i]
		over := open
		over.Over = true
		paid := s.till.pay(i)
		for j, session := range []escrowserver.Session{open, over, paid, paid} {
			events = append(events, escrowserver.Event{ID: fmt.Sprint("event-", i, "-", j), Kind: escrowserver.EventSession, Session: session})
		}
	}
	rand.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	for _, e := range append(events, events...) {
		s.post(e)
	}
	s.anna.has(100+101+102+103+104, 0)
}

func checkoutWrong(w *world) {
	s := w.cashier()
	for name, change := range map[string]func(*escrowserver.Session){
		"less": func(p *escrowserver.Session) { p.Units-- }, "more": func(p *escrowserver.Session) { p.Units++ },
		"another currency": func(p *escrowserver.Session) { p.Unit = "jpy" }, "unscaled": func(p *escrowserver.Session) { p.Units /= 10 },
	} {
		_, req := s.start(500)
		i := len(s.till.sessions) - 1
		paid := s.till.pay(i)
		right := paid
		change(&paid)
		s.post(escrowserver.Event{ID: "event-" + name, Kind: escrowserver.EventSession, Session: paid})
		s.anna.has(0, 0)
		s.state(req, escrow.CheckoutWrong)
		// What the operator has been told of stays his.
		s.post(escrowserver.Event{ID: "event-right-" + name, Kind: escrowserver.EventSession, Session: right})
		s.anna.has(0, 0)
	}
	wrong, err := s.Store.Checkouts(context.Background(), escrow.CheckoutWrong, 100)
	w.ok(err)
	if len(wrong) != 4 {
		w.Fatalf("the operator sees %d checkouts of other money", len(wrong))
	}
}

func checkoutAnswerLost(w *world) {
	ctx := context.Background()
	s := w.cashier()
	// The page was made, and is even paid, but the escrow never heard of it.
	req := escrow.CheckoutRequest{ID: w.id(), Currency: Currency, Amount: 500}
	s.till.set(false, true)
	_, err := s.anna.StartCheckout(ctx, req)
	w.fails(err, escrow.Unavailable)
	paid := s.till.pay(0)
	s.till.set(true, false)
	s.post(escrowserver.Event{ID: "event-1", Kind: escrowserver.EventSession, Session: paid})
	if s.waits() != 1 {
		w.Fatal("an event of an unknown session was lost while the provider was away")
	}
	s.anna.has(0, 0)
	s.till.set(false, false)
	w.ok(s.server.DealWithEvents(ctx))
	s.anna.has(500, 0)
	s.state(req, escrow.CheckoutPaid)
	// Asked again after a lost answer, it is the same page.
	other := escrow.CheckoutRequest{ID: w.id(), Currency: Currency, Amount: 7}
	s.till.set(false, true)
	_, err = s.anna.StartCheckout(ctx, other)
	w.fails(err, escrow.Unavailable)
	s.till.set(false, false)
	c, err := s.anna.StartCheckout(ctx, other)
	w.ok(err)
	if c.URL != "https://till.example/2" || len(s.till.sessions) != 2 {
		w.Fatalf("asked again: %+v, %d sessions", c, len(s.till.sessions))
	}
	// A session that is nobody's is no reason to try for ever.
	s.post(escrowserver.Event{ID: "event-2", Kind: escrowserver.EventSession, Session: escrowserver.Session{ID: "unknown", Paid: true}})
	if s.waits() != 0 {
		w.Fatal("an event of nobody's session waits")
	}
}

func checkoutKilled(w *world) {
	ctx := context.Background()
	s := w.cashier()
	_, _ = s.start(500)
	paid := s.till.pay(0)
	// The event was kept and answered, then the escrow was killed.
	e := escrowserver.Event{ID: "event-1", Kind: escrowserver.EventSession, Session: paid}
	result := s.Store.Apply(ctx, []escrowserver.Op{escrowserver.KeepEvent{Now: w.Clock.Now(), Provider: "till", Event: e}})
	w.ok(result[0].Err)
	s.anna.has(0, 0)
	s.post(e) // the provider may tell it again meanwhile
	server := w.restarted(func(c *escrowserver.Config) { c.Provider = s.till })
	w.Clock.Move(time.Minute)
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- server.Run(running) }()
	for range 500 {
		if s.waits() == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	w.ok(<-done)
	s.anna.has(500, 0)
	w.ok(server.DealWithEvents(ctx))
	s.anna.has(500, 0)
	if s.waits() != 0 {
		w.Fatal("the event waits")
	}
}

func checkoutTakenBack(w *world) {
	ctx := context.Background()
	s := w.cashier()
	debts := func(all bool) []escrowserver.DebtRecord {
		list, err := s.Store.Debts(ctx, all)
		w.ok(err)
		return list
	}
	back := func(id, kind, of string, units int64, won bool) {
		s.post(escrowserver.Event{ID: "event-" + w.id(), Kind: escrowserver.EventKind(kind), Back: id, Payment: of, Unit: "eur", Units: units, Won: won})
	}
	_, _ = s.start(500)
	s.till.pay(0)
	// The refund is told before the payment is: the payment is looked up first.
	back("refund-1", "refund", "payment-1", 2001, false)
	s.anna.has(500, 0)
	back("refund-1", "refund", "payment-1", 1000, false) // out of order
	got := debts(false)
	if len(got) != 1 || got[0].Amount != 201 || got[0].Account != s.anna.public().ID() || got[0].State != "open" {
		w.Fatalf("debts %+v", got)
	}
	// What is owed is not paid out, and the account is never in the red.
	_, err := s.anna.askPayout(300, "bank")
	w.fails(err, escrow.InsufficientFunds)
	_, err = s.anna.askPayout(299, "bank")
	w.ok(err)
	s.anna.has(201, 299)
	w.ok(s.server.SettleDebt(ctx, "till", "refund-1", "paid by bank"))
	w.ok(s.server.SettleDebt(ctx, "till", "refund-1", "paid by bank")) // the answer was lost
	w.fails(s.server.SettleDebt(ctx, "till", "refund-1", "forgiven"), escrow.NotFound)
	w.fails(s.server.SettleDebt(ctx, "till", "refund-7", "paid by bank"), escrow.NotFound)
	if len(debts(false)) != 0 || len(debts(true)) != 1 {
		w.Fatalf("debts %+v", debts(true))
	}
	// A dispute that was won is no debt, told in any order.
	back("dispute-1", "dispute", "payment-1", 4000, true)
	back("dispute-1", "dispute", "payment-1", 5000, false)
	back("dispute-2", "dispute", "payment-1", 5000, false)
	if got := debts(false); len(got) != 1 || got[0].ID != "dispute-2" || got[0].Amount != 500 {
		w.Fatalf("debts %+v", got)
	}
	back("dispute-2", "dispute", "payment-1", 5000, true)
	back("refund-9", "refund", "payment-of-nobody", 5000, false)
	if len(debts(false)) != 0 || s.waits() != 0 {
		w.Fatalf("debts %+v, %d events wait", debts(false), s.waits())
	}
	s.anna.has(201, 299)
}

func checkoutWithout(w *world) {
	ctx := context.Background()
	anna := w.stranger()
	_, err := anna.StartCheckout(ctx, escrow.CheckoutRequest{ID: w.id(), Currency: Currency, Amount: 5})
	w.fails(err, escrow.NotFound)
	_, err = anna.Checkout(ctx, w.id())
	w.fails(err, escrow.NotFound)
	w.fails(w.Server.Webhook(ctx, "till", nil, []byte("{}")), escrow.NotFound)
	info, err := anna.Info(ctx)
	w.ok(err)
	if len(info.Checkouts) != 0 {
		w.Fatalf("checkouts in %v", info.Checkouts)
	}
	s := w.cashier()
	if info, err = s.anna.Info(ctx); err != nil || !slices.Equal(info.Checkouts, []string{Currency}) {
		w.Fatalf("checkouts in %v, %v", info.Checkouts, err)
	}
	if err := s.server.Webhook(ctx, "till", nil, []byte("no json")); !errors.Is(err, escrowserver.ErrForged) {
		w.Fatalf("forged: %v", err)
	}
}

// checkoutsLimited: each page is made at the provider, so few of an account wait.
func checkoutsLimited(w *world) {
	ctx := context.Background()
	s := w.cashier()
	begin := func(id string) error {
		_, err := s.anna.StartCheckout(ctx, escrow.CheckoutRequest{ID: id, Currency: Currency, Amount: 5})
		return err
	}
	first := w.id()
	w.ok(begin(first))
	s.till.set(true, false)
	w.fails(begin(w.id()), escrow.Unavailable) // asked for, and not open
	s.till.set(false, false)
	for range escrowserver.OpenCheckouts - 2 {
		w.ok(begin(w.id()))
	}
	w.Clock.Move(time.Hour)
	err := begin(w.id())
	w.fails(err, escrow.Limited)
	if e, ok := errors.AsType[*escrow.Error](err); !ok || e.RetryAfter != escrowserver.CheckoutLife-time.Hour {
		w.Fatalf("the refusal says %+v", err)
	}
	w.ok(begin(first)) // the same again
	bob := w.stranger()
	bob.Service = s.server.As(bob.public())
	_, err = bob.StartCheckout(ctx, escrow.CheckoutRequest{ID: w.id(), Currency: Currency, Amount: 5})
	w.ok(err)
	s.post(escrowserver.Event{ID: "event-1", Kind: escrowserver.EventSession, Session: s.till.pay(0)})
	w.ok(begin(w.id()))
	w.fails(begin(w.id()), escrow.Limited)
	w.Clock.Move(escrowserver.CheckoutLife)
	w.ok(begin(w.id()))
}
