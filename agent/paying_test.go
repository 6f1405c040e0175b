package agent_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
)

// till is a payment provider in memory.
type till struct {
	mu       sync.Mutex
	sessions []escrowserver.Session
}

func (p *till) Name() string { return "till" }

func (p *till) Units(_ payment.Currency, amount payment.Amount) (string, int64, error) {
	return "eur", int64(amount), nil
}

func (p *till) Open(_ context.Context, order escrowserver.Order) (escrowserver.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.sessions {
		if s.Reference == order.Reference {
			return s, nil
		}
	}
	n := fmt.Sprint(len(p.sessions) + 1)
	p.sessions = append(p.sessions, escrowserver.Session{ID: "session-" + n, Reference: order.Reference, URL: "https://till.example/" + n,
		Unit: order.Unit, Units: order.Units, Payment: "payment-" + n})
	return p.sessions[len(p.sessions)-1], nil
}

func (p *till) find(ok func(escrowserver.Session) bool) (escrowserver.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.sessions {
		if ok(s) {
			return s, nil
		}
	}
	return escrowserver.Session{}, escrowserver.ErrNoSession
}

func (p *till) Session(_ context.Context, id string) (escrowserver.Session, error) {
	return p.find(func(s escrowserver.Session) bool { return s.ID == id })
}

func (p *till) SessionOf(_ context.Context, payment string) (escrowserver.Session, error) {
	return p.find(func(s escrowserver.Session) bool { return s.Payment == payment })
}

// Event takes the id of a session that was paid.
func (p *till) Event(_ http.Header, body []byte, _ time.Time) (escrowserver.Event, error) {
	s, err := p.Session(context.Background(), string(body))
	s.Paid = true
	return escrowserver.Event{ID: "event-" + s.ID, Kind: escrowserver.EventSession, Session: s}, err
}

// pages are how many were made.
func (p *till) pages() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.sessions)
}

func (w *world) pay(session string) {
	w.t.Helper()
	must(w.t, w.server.Webhook(w.t.Context(), "till", nil, []byte(session)))
}

func (u unreliable) StartCheckout(ctx context.Context, req escrow.CheckoutRequest) (escrow.Checkout, error) {
	if err := u.cut(); err != nil {
		return escrow.Checkout{}, err
	}
	return u.wrapped().StartCheckout(ctx, req)
}

func (u unreliable) AskPayout(ctx context.Context, req escrow.PayoutRequest) (escrow.Payout, error) {
	if err := u.cut(); err != nil {
		return escrow.Payout{}, err
	}
	return u.wrapped().AskPayout(ctx, req)
}

// lostAnswers passes what is asked on, and loses the answers.
type lostAnswers struct {
	escrow.Service
}

func lost() error { return fmt.Errorf("%w: connection reset", &escrow.Error{Code: escrow.Unavailable}) }

func (l lostAnswers) StartCheckout(ctx context.Context, req escrow.CheckoutRequest) (escrow.Checkout, error) {
	_, err := l.Service.StartCheckout(ctx, req)
	return escrow.Checkout{}, errors.Join(lost(), err)
}

func (l lostAnswers) AskPayout(ctx context.Context, req escrow.PayoutRequest) (escrow.Payout, error) {
	_, err := l.Service.AskPayout(ctx, req)
	return escrow.Payout{}, errors.Join(lost(), err)
}

// killed never answers: the agent is killed while it waits.
type killed struct {
	escrow.Service
	payouts, pages chan struct{}
}

func (k killed) AskPayout(ctx context.Context, req escrow.PayoutRequest) (escrow.Payout, error) {
	_, err := k.Service.AskPayout(ctx, req)
	k.payouts <- struct{}{}
	<-ctx.Done()
	return escrow.Payout{}, errors.Join(ctx.Err(), err)
}

func (k killed) StartCheckout(ctx context.Context, req escrow.CheckoutRequest) (escrow.Checkout, error) {
	_, err := k.Service.StartCheckout(ctx, req)
	k.pages <- struct{}{}
	<-ctx.Done()
	return escrow.Checkout{}, errors.Join(ctx.Err(), err)
}

func (w *world) onlyPayout(p *person, state string) (only agentclient.Payout) {
	w.t.Helper()
	eventually(w.t, "there is one payout, "+state, func() bool {
		list, err := p.Payouts(w.t.Context(), "")
		if err != nil || len(list) != 1 {
			w.t.Fatalf("%d payouts: %+v, %v", len(list), list, err)
		}
		only = list[0]
		return only.State == state
	})
	return only
}

func (w *world) onlyCard(p *person, state string) (only agentclient.CardPayment) {
	w.t.Helper()
	eventually(w.t, "there is one card payment, "+state, func() bool {
		list, err := p.CardPayments(w.t.Context())
		if err != nil || len(list) != 1 {
			w.t.Fatalf("%d card payments: %+v, %v", len(list), list, err)
		}
		only = list[0]
		return only.State == state
	})
	return only
}

// TestAPayoutWhoseAnswerIsLostIsAskedForOnce: also where the person asks once more.
func TestAPayoutWhoseAnswerIsLostIsAskedForOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("owner", "5.00")
	w.between(func(s escrow.Service) escrow.Service { return lostAnswers{s} })
	req := agentclient.PayOut{Amount: "2.00", To: "IBAN NL00"}
	first, err := p.PayOut(t.Context(), req)
	must(t, err)
	if first.State != agentclient.PayoutUnsure || first.Error == "" {
		t.Fatalf("after a lost answer: %+v", first)
	}
	again, err := p.PayOut(t.Context(), req)
	must(t, err)
	if again.ID != first.ID {
		t.Fatalf("asked again as another: %+v", again)
	}
	p.stop()
	w.start(p)
	w.between(nil)
	w.onlyPayout(p, agentclient.PayoutAsked)
	eventually(t, "it is not asked for again", func() bool {
		left := 0
		w.look(p, func(tx *store.Tx) (err error) { left, err = store.Count[store.Paying](tx); return err })
		return left == 0
	})
	w.has(p, "3.00", "2.00")
	// The same words once more, with the first answered, are a second payout; the
	// same number is not.
	req.ID = first.ID
	_, err = p.PayOut(t.Context(), req)
	must(t, err)
	w.onlyPayout(p, agentclient.PayoutAsked)
}

// TestAnAgentKilledWhileItAsksAsksOnce: for a page, and for a payout.
func TestAnAgentKilledWhileItAsksAsksOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("owner", "5.00")
	payouts, pages := make(chan struct{}, 100), make(chan struct{}, 100)
	w.between(func(s escrow.Service) escrow.Service { return killed{s, payouts, pages} })
	ctx, kill := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	asking.Go(func() { _, _ = p.PayOut(ctx, agentclient.PayOut{Amount: "2.00", To: "IBAN NL00"}) })
	<-payouts
	kill()
	asking.Wait()
	<-payouts // the agent asks again by itself, in vain: that holds up nothing else
	ctx, kill = context.WithCancel(t.Context())
	asking.Go(func() { _, _ = p.PayByCard(ctx, agentclient.PayByCard{Amount: "1.00"}) })
	<-pages
	kill()
	asking.Wait()
	p.stop()
	w.between(nil)
	w.start(p)
	w.onlyPayout(p, agentclient.PayoutAsked)
	w.onlyCard(p, agentclient.CardOpen)
	if n := w.till.pages(); n != 1 {
		t.Errorf("%d pages were made", n)
	}
	w.has(p, "3.00", "2.00")
}

// TestACardPaymentIsSeenThoughNobodyWaits: the agent asks by itself, tells it, and
// lists it until it is left.
func TestACardPaymentIsSeenThoughNobodyWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("owner", "5.00")
	balances, err := p.Balances(t.Context())
	must(t, err)
	if !balances[0].ByCard {
		t.Errorf("the escrow takes cards, and the balance says: %+v", balances[0])
	}
	begun, err := p.PayByCard(t.Context(), agentclient.PayByCard{Amount: "1.00"})
	must(t, err)
	if begun.State != agentclient.CardOpen || begun.URL == "" {
		t.Fatalf("begun: %+v", begun)
	}
	p.stop()
	w.start(p)
	told := make(chan struct{}, 1)
	go p.Events(t.Context(), func(e agentclient.Event) {
		if e.Type == agentclient.EventBalance && e.ID == begun.ID && e.State == agentclient.CardPaid {
			told <- struct{}{}
		}
	})
	w.pay("session-1")
	select {
	case <-told:
	case <-time.After(20 * time.Second):
		t.Fatal("nobody was told")
	}
	w.has(p, "6.00", "0.00")
	w.onlyCard(p, agentclient.CardPaid)
	must(t, p.LeaveCardPayment(t.Context(), begun.ID))
	if list, err := p.CardPayments(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("left, and listed: %+v, %v", list, err)
	}
}

// TestAPayoutThatIsMoreThanThereIsIsRefusedAndForgotten: nothing is kept of it.
func TestAPayoutThatIsMoreThanThereIsIsRefusedAndForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("owner", "5.00")
	_, err := p.PayOut(t.Context(), agentclient.PayOut{Amount: "6.00", To: "IBAN NL00"})
	failure, ok := errors.AsType[*agentclient.Failure](err)
	if !ok || failure.Field != "amount" || failure.Say.Happened[0].Values["Have"].Money.Amount != "5.00" {
		t.Fatalf("refused: %v", err)
	}
	if list, err := p.Payouts(t.Context(), ""); err != nil || len(list) != 0 {
		t.Errorf("payouts: %+v, %v", list, err)
	}
	// Card money is told to be held before it is paid, and when it is asked for.
	if !strings.Contains(failure.Happened, "what was paid by card can be paid out only 14 days later") {
		t.Errorf("refused: %q", failure.Happened)
	}
	if balances, err := p.Balances(t.Context()); err != nil || balances[0].CardHold != 14*24*60*60 {
		t.Errorf("balances: %+v, %v", balances, err)
	}
}

func (u unreliable) Info(ctx context.Context) (escrow.Info, error) {
	if err := u.cut(); err != nil {
		return escrow.Info{}, err
	}
	return u.wrapped().Info(ctx)
}

// pays1 is an escrow whose operator has decided to pay out no less than 1.00.
type pays1 struct{ escrow.Service }

func (p pays1) Info(ctx context.Context) (escrow.Info, error) {
	info, err := p.Service.Info(ctx)
	info.LeastPayouts = []escrow.LeastPayout{{Currency: euro.Name, Amount: 100}}
	return info, err
}

func (p pays1) AskPayout(ctx context.Context, req escrow.PayoutRequest) (escrow.Payout, error) {
	if req.Amount < 100 {
		return escrow.Payout{}, escrow.Errorf(escrow.Invalid, "less than the least")
	}
	return p.Service.AskPayout(ctx, req)
}

// TestThePayoutThatIsTooLittleIsToldTheLeast: beside the amount, also where the operator
// has decided on it a moment ago; then it is shown before anybody asks.
func TestThePayoutThatIsTooLittleIsToldTheLeast(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("owner", "5.00")
	if balances, err := p.Balances(t.Context()); err != nil || balances[0].LeastPayout.Amount != "" {
		t.Errorf("there is no least amount: %+v, %v", balances, err)
	}
	w.between(func(s escrow.Service) escrow.Service { return pays1{s} })
	_, err := p.PayOut(t.Context(), agentclient.PayOut{Amount: "0.99", To: "IBAN NL00"})
	failsWith(t, err, string(escrow.Invalid), "payout.least")
	if failure, ok := errors.AsType[*agentclient.Failure](err); !ok || failure.Field != "amount" || !strings.Contains(failure.Happened, "€1.00") {
		t.Errorf("refused: %v", err)
	}
	if balances, err := p.Balances(t.Context()); err != nil || balances[0].LeastPayout != eur("1.00") {
		t.Errorf("the least is not shown: %+v, %v", balances, err)
	}
	_, err = p.PayOut(t.Context(), agentclient.PayOut{Amount: "1.00", To: strings.Repeat("x", escrow.MaxPayoutTo+1)})
	if failure, ok := errors.AsType[*agentclient.Failure](err); ok && failure.Field == "amount" {
		t.Errorf("what is wrong with the destination is said of the amount: %v", err)
	}
	_, err = p.PayOut(t.Context(), agentclient.PayOut{Amount: "1.00", To: "IBAN NL00"})
	must(t, err)
	w.has(p, "4.00", "1.00")
}

// TestARemovedAccountLeavesNothingOfItsPayments: also of one that is open.
func TestARemovedAccountLeavesNothingOfItsPayments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("owner", "")
	_, err := p.PayByCard(t.Context(), agentclient.PayByCard{Amount: "1.00"})
	must(t, err)
	must(t, p.RemoveAccount(t.Context(), agentclient.RemoveAccount{Address: p.address, Force: true}))
	w.nothingLeft(p, nil)
}

// TestAFrozenAccountShowsInTheStatus: as soon as the escrow has told.
func TestAFrozenAccountShowsInTheStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("owner", "")
	w.ordered(p, agentclient.OrderFreeze)
	p.stop()
	w.start(p)
	eventually(t, "the status says frozen", func() bool {
		status, err := p.Status(t.Context())
		must(t, err)
		return !status.Accounts[0].FrozenAt.IsZero()
	})
	w.ordered(p, agentclient.OrderUnfreeze)
	if status, err := p.Status(t.Context()); err != nil || !status.Accounts[0].FrozenAt.IsZero() {
		t.Errorf("unfrozen: %+v, %v", status.Accounts[0], err)
	}
}
