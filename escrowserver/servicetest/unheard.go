package servicetest

import (
	"context"
	"errors"
	"strings"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

func unheardTests() []test {
	return []test{
		{"ALostEventIsMadeGoodByAsking", lostEvent},
		{"AnEscrowThatRunsAsksByItself", asksByItself},
		{"TheProviderIsAskedEverMoreSeldom", askedSeldom},
		{"OneThatIsNotAnsweredHidesNoOther", unheardFair},
		{"WhoDidNotAnswerIsNamed", unheardNamed},
		{"WhatIsToldAndAskedForIsCreditedOnce", toldAndAsked},
	}
}

// lostEvent: paid, and no event ever comes.
func lostEvent(w *world) {
	ctx := context.Background()
	s := w.cashier()
	_, req := s.start(500)
	s.till.pay(0)
	w.Clock.Move(10*time.Minute - time.Microsecond)
	w.ok(s.server.AskUnheard(ctx))
	if s.anna.has(0, 0); s.till.asked != 0 {
		w.Fatal("asked while the event may come")
	}
	w.Clock.Move(time.Microsecond)
	for range 2 {
		w.ok(s.server.AskUnheard(ctx))
		s.anna.has(500, 0)
		s.state(req, escrow.CheckoutPaid)
	}
	w.Clock.Move(day)
	w.ok(s.server.AskUnheard(ctx))
	if s.anna.has(500, 0); s.till.asked != 1 {
		w.Fatalf("asked %d times about one that was paid", s.till.asked)
	}
	// Other money than was asked for is not credited by asking either.
	_, wrong := s.start(30)
	s.till.pay(1)
	s.till.sessions[1].Units++
	w.Clock.Move(time.Hour)
	w.ok(s.server.AskUnheard(ctx))
	s.anna.has(500, 0)
	s.state(wrong, escrow.CheckoutWrong)
}

func asksByItself(w *world) {
	ctx := context.Background()
	s := w.cashier()
	_, req := s.start(70)
	s.till.pay(0)
	w.Clock.Move(time.Hour)
	server := w.restarted(func(c *escrowserver.Config) { c.Provider = s.till })
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- server.Run(running) }()
	for range 500 {
		if list, err := s.Store.Checkouts(ctx, escrow.CheckoutPaid, 10); err == nil && len(list) == 1 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	w.ok(<-done)
	s.anna.has(70, 0)
	s.state(req, escrow.CheckoutPaid)
}

// askedSeldom: a page that nobody pays costs the provider few questions, and none once
// it is over.
func askedSeldom(w *world) {
	ctx := context.Background()
	s := w.cashier()
	_, _ = s.start(500)
	begun := w.Clock.Now()
	var last time.Duration
	for range 5 * 24 * 12 {
		w.Clock.Move(5 * time.Minute)
		before := s.till.asked
		w.ok(s.server.AskUnheard(ctx))
		if s.till.asked > before {
			last = w.Clock.Now().Sub(begun)
		}
	}
	if s.till.asked < 20 || s.till.asked > 40 || last < 2*day || last > 4*day {
		w.Fatalf("asked %d times, the last after %s", s.till.asked, last)
	}
	_, over := s.start(70)
	s.till.sessions[1].Over = true
	w.Clock.Move(time.Hour)
	before := s.till.asked
	for range 3 {
		w.ok(s.server.AskUnheard(ctx))
		s.state(over, escrow.CheckoutOver)
		w.Clock.Move(time.Hour)
	}
	if s.till.asked != before+1 {
		w.Fatalf("asked %d times about a page that is over", s.till.asked-before)
	}
}

// unheardFair: while the provider is away one question in each round is enough, and it is
// about another checkout each time.
func unheardFair(w *world) {
	ctx := context.Background()
	s := w.cashier()
	for range 3 {
		_, _ = s.start(100)
		w.Clock.Move(time.Second)
	}
	s.till.pay(2)
	w.Clock.Move(11 * time.Minute)
	s.till.set(true, false)
	for i := range 2 {
		if err := s.server.AskUnheard(ctx); err == nil || s.till.asked != i+1 {
			w.Fatalf("round %d: asked %d times, %v", i, s.till.asked, err)
		}
	}
	s.till.set(false, false)
	w.ok(s.server.AskUnheard(ctx))
	if s.anna.has(100, 0); s.till.asked != 3 {
		w.Fatalf("asked %d times", s.till.asked)
	}
}

func toldAndAsked(w *world) {
	ctx := context.Background()
	s := w.cashier()
	_, _ = s.start(500)
	paid := s.till.pay(0)
	w.Clock.Move(time.Hour)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 10 {
			_ = s.server.AskUnheard(ctx) // the balance tells
		}
	}()
	for range 3 {
		s.post(escrowserver.Event{ID: "event-" + s.id(), Kind: escrowserver.EventSession, Session: paid})
	}
	<-done
	s.anna.has(500, 0)
}

// deaf are books that do not say which checkouts wait, or take nothing.
type deaf struct {
	escrowserver.Store
	lists bool
}

func (d deaf) Unheard(ctx context.Context, provider string, now time.Time, limit int) ([]escrowserver.CheckoutRecord, error) {
	if d.lists {
		return d.Store.Unheard(ctx, provider, now, limit)
	}
	return nil, errors.New("the disk is full")
}

func (d deaf) Apply(context.Context, []escrowserver.Op) []escrowserver.Result {
	return []escrowserver.Result{{Err: errors.New("the disk is full")}}
}

// unheardNamed: the provider is not blamed for the escrow's own books.
func unheardNamed(w *world) {
	ctx := context.Background()
	s := w.cashier()
	_, _ = s.start(500)
	w.Clock.Move(time.Hour)
	for _, lists := range []bool{false, true} {
		server := w.restarted(func(c *escrowserver.Config) { c.Provider, c.Store = s.till, deaf{w.Store, lists} })
		if err := server.AskUnheard(ctx); err == nil || strings.Contains(err.Error(), "provider") {
			w.Fatalf("books that fail: %v", err)
		}
	}
	s.till.set(true, false)
	if err := s.server.AskUnheard(ctx); err == nil || !strings.Contains(err.Error(), "the payment provider did not say") {
		w.Fatalf("a provider that is away: %v", err)
	}
}
