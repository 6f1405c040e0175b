package servicetest

import (
	"context"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
)

// slowTill is a provider that takes questions and does not answer.
type slowTill struct {
	*till
	asked chan struct{}
}

func (p slowTill) Session(ctx context.Context, _ string) (escrowserver.Session, error) {
	select {
	case p.asked <- struct{}{}:
	default:
	}
	<-ctx.Done()
	return escrowserver.Session{}, ctx.Err()
}

// slowProvider: bonds end at their deadlines, however long the provider takes to
// answer.
func slowProvider(w *world) {
	ctx := context.Background()
	bond := w.owner("anna@sender.example", 500).buy(w.recipient("bob@recipient.example", 25, 1), 25)
	e := escrowserver.Event{ID: "event-1", Kind: escrowserver.EventSession, Session: escrowserver.Session{ID: "unknown", Paid: true}}
	w.ok(w.Store.Apply(ctx, []escrowserver.Op{escrowserver.KeepEvent{Now: w.Clock.Now(), Provider: "till", Event: e}})[0].Err)
	w.Clock.Move(40 * day)
	p := slowTill{&till{}, make(chan struct{}, 1)}
	server := w.restarted(func(c *escrowserver.Config) { c.Provider = p })
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- server.Run(running) }()
	<-p.asked
	ended := false
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end) && !ended; time.Sleep(10 * time.Millisecond) {
		b, err := w.Store.Bond(ctx, bond.id())
		w.ok(err)
		ended = b.State.Ended()
	}
	stop()
	w.ok(<-done)
	if !ended {
		w.Fatal("while the provider did not answer, no bond ended")
	}
}

// refundsGrow: the provider tells how much it took back in all. What the operator has
// settled of that is settled.
func refundsGrow(w *world) {
	ctx := context.Background()
	s := w.cashier()
	_, _ = s.start(500)
	s.till.pay(0)
	open := func(units int64, want payment.Amount) escrowserver.DebtRecord {
		w.Helper()
		s.post(escrowserver.Event{ID: "event-" + w.id(), Kind: escrowserver.EventRefund, Back: "refund_1", Payment: "payment-1", Unit: "eur", Units: units})
		debts, err := s.Store.Debts(ctx, false)
		w.ok(err)
		if want == 0 && len(debts) == 0 {
			return escrowserver.DebtRecord{}
		}
		if len(debts) != 1 || debts[0].Amount != want {
			w.Fatalf("after %d units the open debts are %+v, want %d", units, debts, want)
		}
		return debts[0]
	}
	settle := func(debt escrowserver.DebtRecord) {
		w.Helper()
		w.ok(s.server.SettleDebt(ctx, debt.Provider, debt.ID, "paid by bank"))
	}
	settle(open(2000, 200))
	open(2000, 0)
	open(3000, 100)
	open(2500, 100) // out of order
	second := open(3500, 150)
	_, err := s.anna.askPayout(351, "bank")
	w.fails(err, escrow.InsufficientFunds)
	settle(second)
	open(3500, 0)
	settle(open(4000, 50))
	all, err := s.Store.Debts(ctx, true)
	w.ok(err)
	if len(all) != 3 || s.waits() != 0 {
		w.Fatalf("debts %+v, %d events wait", all, s.waits())
	}
}
