package servicetest

import (
	"context"
	"strings"
	"sync"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
)

func payingTests() []test {
	return []test{
		{"APayoutIsBegunOnce", begunOnce},
		{"NobodyTakesBackWhatIsBegun", begunStays},
		{"AFreezeAfterTheBeginStopsNothing", frozenAfterBegin},
		{"APaymentThatFailedIsRefused", begunRefused},
		{"APayoutIsNotBegunOverADebt", notBegunOverDebt},
		{"MoneyThatMayBeTakenBackPaysNoDebt", youngPaysNoDebt},
		{"WelcomeCreditPaysNoDebt", welcomePaysNoDebt},
		{"WhatARestoreLostIsBegunAllTheSame", begunAfterRestore},
		{"CardMoneyIsPaidOutOnlyLater", cardMoneyHeld},
		{"WhatWasTakenBackIsHeldOnce", takenBackHeldOnce},
	}
}

// begins begins the only payout that waits.
func (w *world) begins() error {
	w.Helper()
	_, err := w.Server.BeginPayout(context.Background(), w.queued().ID, "root", time.Time{})
	return err
}

// paysOut begins it, and says that it was paid.
func (w *world) paysOut(reference string) escrowserver.PayoutRecord {
	w.Helper()
	w.ok(w.begins())
	paid, err := w.Server.EndPayout(context.Background(), w.queued().ID, true, reference, "root")
	w.ok(err)
	return paid
}

// payoutIs demands how far the newest payout is, as its account sees it.
func (p *person) payoutIs(want escrow.PayoutState) {
	p.w.Helper()
	list, err := p.Payouts(context.Background())
	p.w.ok(err)
	if len(list) == 0 || list[0].State != want || list[0].EndedAt.IsZero() != (want == escrow.PayoutAsked || want == escrow.PayoutPaying) {
		p.w.Fatalf("the account sees %+v, want %s", list, want)
	}
}

// waiting has asked for an amount long enough ago.
func (w *world) waiting(p *person, amount payment.Amount) escrow.Payout {
	w.Helper()
	asked, err := p.askPayout(amount, "bank")
	w.ok(err)
	w.later(escrow.PayoutWait)
	return asked
}

// Two operators both see it in the list, and both go to the bank: one is told not to.
func begunOnce(w *world) {
	ctx := context.Background()
	anna := w.owner("anna@sender.example", 100)
	w.waiting(anna, 40)
	id := w.queued().ID
	_, err := w.Server.EndPayout(ctx, id, true, "ref", "root")
	w.fails(err, escrow.Forbidden)
	anna.payoutIs(escrow.PayoutAsked)
	var group sync.WaitGroup
	var mu sync.Mutex
	begun := 0
	for range 4 {
		for _, by := range []string{"root", "eve"} {
			group.Go(func() {
				p, err := w.Server.BeginPayout(ctx, id, by, time.Time{})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil && p.BegunBy == by && p.BegunAt.Equal(w.Clock.Now()):
					begun++
				case escrow.CodeOf(err) != escrow.Conflict:
					w.Errorf("begun by %s: %+v, %v", by, p, err)
				}
			})
		}
	}
	group.Wait()
	if begun != 1 {
		w.Fatalf("begun %d times", begun)
	}
	queued := w.queued()
	if queued.BegunAt.IsZero() || queued.BegunBy == "" || queued.State != escrow.PayoutAsked {
		w.Fatalf("the list has %+v", queued)
	}
	anna.has(60, 40)
	anna.payoutIs(escrow.PayoutPaying)
	paid, err := w.Server.EndPayout(ctx, id, true, "ref", "another operator")
	w.ok(err)
	if paid.BegunBy != queued.BegunBy || !paid.BegunAt.Equal(queued.BegunAt) {
		w.Fatalf("paid, it is %+v", paid)
	}
	anna.payoutIs(escrow.PayoutPaid)
	anna.has(60, 0)
	_, err = w.Server.BeginPayout(ctx, id, "root", time.Time{})
	w.fails(err, escrow.Ended)
	_, err = w.Server.BeginPayout(ctx, "payout:none", "root", time.Time{})
	w.fails(err, escrow.NotFound)
	_, err = w.Server.BeginPayout(ctx, id, "", time.Time{})
	w.fails(err, escrow.Invalid)
}

// Else the owner would have the money here, and again at his bank.
func begunStays(w *world) {
	anna := w.owner("anna@sender.example", 100)
	asked := w.waiting(anna, 40)
	w.ok(w.begins())
	_, err := anna.CancelPayout(context.Background(), asked.ID)
	w.fails(err, escrow.TooLate)
	anna.has(60, 40)
	_, err = anna.order(anna.id(), escrow.Order{Action: escrow.ActionFreeze})
	w.ok(err)
	_, err = anna.CancelPayout(context.Background(), asked.ID)
	w.fails(err, escrow.TooLate)
	anna.has(60, 40)
	anna.payoutIs(escrow.PayoutPaying)
}

// The transfer is on its way: that the books say so is better than that they do not.
func frozenAfterBegin(w *world) {
	anna := w.owner("anna@sender.example", 100)
	w.waiting(anna, 40)
	w.ok(w.begins())
	_, err := anna.order(anna.id(), escrow.Order{Action: escrow.ActionFreeze})
	w.ok(err)
	if queued := w.queued(); queued.FrozenAt.IsZero() || queued.BegunAt.IsZero() {
		w.Fatalf("the list has %+v", queued)
	}
	_, err = w.Server.EndPayout(context.Background(), w.queued().ID, true, "ref", "root")
	w.ok(err)
	anna.has(60, 0)
	anna.payoutIs(escrow.PayoutPaid)
}

func begunRefused(w *world) {
	anna := w.owner("anna@sender.example", 100)
	asked := w.waiting(anna, 40)
	w.ok(w.begins())
	_, err := w.Server.EndPayout(context.Background(), w.queued().ID, false, "the bank knows no such account", "root")
	w.ok(err)
	anna.has(100, 0)
	anna.payoutIs(escrow.PayoutRefused)
	again, err := anna.CancelPayout(context.Background(), asked.ID)
	w.ok(err)
	if again.State != escrow.PayoutRefused {
		w.Fatalf("cancelled, it is %+v", again)
	}
}

// Pay in, ask for it, have the bank take it back, be paid: that was theft.
func notBegunOverDebt(w *world) {
	ctx := context.Background()
	s := w.cashier()
	_, _ = s.start(500)
	s.post(escrowserver.Event{ID: "event-1", Kind: escrowserver.EventSession, Session: s.till.pay(0)})
	w.waiting(s.anna, 500)
	owes := func(want payment.Amount) {
		w.Helper()
		if got := w.queued().Owes; got != want {
			w.Fatalf("the list says that %d are owed, want %d", got, want)
		}
	}
	owes(0)
	s.dispute("dispute-1", 5000)
	owes(500)
	w.fails(w.begins(), escrow.Forbidden)
	s.anna.has(0, 500)
	s.anna.topUp(499)
	owes(1)
	w.fails(w.begins(), escrow.Forbidden)
	// What it has is enough: it can be taken for the debt, and never with this payout.
	s.anna.topUp(1)
	owes(0)
	w.ok(w.begins())
	// What comes now is too late to stop it.
	_, _ = s.start(70)
	s.post(escrowserver.Event{ID: "event-2", Kind: escrowserver.EventSession, Session: s.till.pay(1)})
	s.post(escrowserver.Event{ID: "event-3", Kind: escrowserver.EventRefund, Back: "refund-2", Payment: "payment-2", Unit: "eur", Units: 700})
	s.anna.has(570, 500)
	owes(0)
	s.dispute("dispute-2", 5000)
	owes(500)
	_, err := w.Server.EndPayout(ctx, w.queued().ID, true, "ref", "root")
	w.ok(err)
	s.anna.has(570, 0)
	// What another account owes stops nobody.
	w.waiting(w.owner("bob@sender.example", 100), 100)
	w.paysOut("ref")
}

// youngPaysNoDebt: with a second stolen card the first one's debt would be covered, and
// then the second is taken back, too.
func youngPaysNoDebt(w *world) {
	ctx := context.Background()
	s := w.cashierHolding(14 * day)
	_, _ = s.start(500)
	s.post(escrowserver.Event{ID: "event-1", Kind: escrowserver.EventSession, Session: s.till.pay(0)})
	w.later(14 * day)
	w.waiting(s.anna, 500)
	s.dispute("dispute-1", 5000)
	_, _ = s.start(500)
	s.post(escrowserver.Event{ID: "event-2", Kind: escrowserver.EventSession, Session: s.till.pay(1)})
	s.anna.has(500, 500)
	owes := func(want payment.Amount) {
		w.Helper()
		list, err := w.Store.PayoutQueue(ctx, w.Clock.Now().Add(-14*day), 10)
		w.ok(err)
		if len(list) != 1 || list[0].Owes != want {
			w.Fatalf("the list has %+v, want %d owed", list, want)
		}
	}
	begins := func() error {
		_, err := s.server.BeginPayout(ctx, w.queued().ID, "root", time.Time{})
		return err
	}
	owes(500)
	err := begins()
	w.fails(err, escrow.Forbidden)
	if !strings.Contains(err.Error(), "it owes 500 and has 0 for that") {
		w.Fatal(err)
	}
	s.anna.topUp(200)
	owes(300)
	w.fails(begins(), escrow.Forbidden)
	w.later(14*day - escrow.PayoutWait)
	w.later(escrow.PayoutWait) // nobody has taken back the second
	owes(0)
	w.ok(begins())
}

// welcomePaysNoDebt: it is for bonds, and was nobody's money.
func welcomePaysNoDebt(w *world) {
	s := w.cashier()
	s.server = w.restarted(func(c *escrowserver.Config) {
		c.Provider, c.Welcome = s.till, escrowserver.WelcomeCredit{Currency: Currency, Amount: 50, PerDomain: 9, PerDay: 9}
	})
	s.anna.Service = s.server.As(s.anna.public())
	s.anna.prove("anna@sender.example")
	_, _ = s.start(50)
	s.post(escrowserver.Event{ID: "event-1", Kind: escrowserver.EventSession, Session: s.till.pay(0)})
	s.anna.has(100, 0)
	w.waiting(s.anna, 50)
	s.dispute("dispute-1", 500)
	s.anna.has(50, 50)
	if got := w.queued().Owes; got != 50 {
		w.Fatalf("the list says that %d are owed", got)
	}
	w.fails(w.begins(), escrow.Forbidden)
	s.anna.topUp(50)
	w.ok(w.begins())
}

// dispute is the bank's: it takes back what was paid at the first session.
func (s *cashier) dispute(id string, units int64) {
	s.Helper()
	s.post(escrowserver.Event{ID: "event-" + s.id(), Kind: escrowserver.EventDispute, Back: id, Payment: "payment-1", Unit: "eur", Units: units})
}

// begunAfterRestore: what the bank has paid is paid, whatever the account looks like in
// books of before.
func begunAfterRestore(w *world) {
	ctx := context.Background()
	anna, backup := w.protected()
	anna.topUp(100)
	w.waiting(anna, 40)
	_, err := backup.order(anna.id(), escrow.Order{Action: escrow.ActionFreeze})
	w.ok(err)
	restored := w.Clock.Now()
	w.fails(w.begins(), escrow.Forbidden)
	_, err = w.Server.BeginPayout(ctx, w.queued().ID, "root", w.queued().AskedAt)
	w.fails(err, escrow.Conflict)
	_, err = w.Server.BeginPayout(ctx, w.queued().ID, "root", restored)
	w.ok(err)
	_, err = w.Server.EndPayout(ctx, w.queued().ID, true, "ref", "root")
	w.ok(err)
	anna.has(60, 0)
}

// cardMoneyHeld: it can be spent for mails at once, and leaves when it is known to stay.
func cardMoneyHeld(w *world) {
	ctx := context.Background()
	s := w.cashierHolding(14 * day)
	info, err := s.anna.Info(ctx)
	w.ok(err)
	if info.CheckoutHold.Duration() != 14*day {
		w.Fatalf("told: %v", info.CheckoutHold)
	}
	if info, err = w.stranger().Info(ctx); err != nil || info.CheckoutHold != 0 {
		w.Fatalf("without card payments: %v, %v", info.CheckoutHold, err)
	}
	_, _ = s.start(500)
	s.post(escrowserver.Event{ID: "event-1", Kind: escrowserver.EventSession, Session: s.till.pay(0)})
	s.canBePaidOut(0)
	s.anna.topUp(100)
	s.canBePaidOut(100)
	w.later(14*day - time.Microsecond)
	_, _ = s.start(50)
	s.post(escrowserver.Event{ID: "event-2", Kind: escrowserver.EventSession, Session: s.till.pay(1)})
	s.canBePaidOut(100)
	s.anna.prove("anna@sender.example")
	s.anna.buy(w.recipient("bob@recipient.example", 25, 1), 25)
	s.canBePaidOut(75)
	w.later(time.Microsecond)
	s.canBePaidOut(575)
	_, err = s.anna.askPayout(575, "bank")
	w.ok(err)
	s.anna.has(50, 600)
}

// canBePaidOut asks for one more, and is told.
func (s *cashier) canBePaidOut(want payment.Amount) {
	s.Helper()
	_, err := s.anna.askPayout(want+1, "bank")
	s.fails(err, escrow.InsufficientFunds)
	if e := err.(*escrow.Error); *e.Have != want || !strings.Contains(e.Detail, "paid by card can be paid out 14 days later") {
		s.Fatalf("%d can be paid out, want %d: %v", *e.Have, want, e)
	}
}

// takenBackHeldOnce: money that is owed is not young, too.
func takenBackHeldOnce(w *world) {
	s := w.cashierHolding(14 * day)
	_, _ = s.start(500)
	s.post(escrowserver.Event{ID: "event-1", Kind: escrowserver.EventSession, Session: s.till.pay(0)})
	s.anna.topUp(100)
	s.canBePaidOut(100)
	s.dispute("dispute-1", 2000)
	s.canBePaidOut(100) // 200 are owed, and 300 of what came are young
	s.dispute("dispute-2", 4000)
	s.canBePaidOut(0) // 600 are owed
	w.ok(s.server.SettleDebt(context.Background(), "till", "dispute-1", "paid by bank"))
	s.canBePaidOut(200) // 400 are owed, and nothing is young
	w.ok(s.server.SettleDebt(context.Background(), "till", "dispute-2", "paid by bank"))
	s.canBePaidOut(600)
}
