package servicetest

import (
	"context"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

// MoneyStory plays what brings value in beside vouchers, and what takes it out: a
// credit, a welcome, a checkout that was paid and in part taken back and one that
// was not paid, a payout that was paid, one refused, one that is paying
// and one that waits.
func MoneyStory(t testing.TB, h Harness) {
	t.Helper()
	ctx := context.Background()
	w := &world{TB: t, Harness: h, ids: 1_000_000}
	w.welcoming(10, 10)("wanda@welcome.example").has(50, 0)
	s := w.cashier()
	_, _ = s.start(500)
	s.post(escrowserver.Event{ID: "event-story", Kind: escrowserver.EventSession, Session: s.till.pay(0)})
	s.post(escrowserver.Event{ID: "event-story-back", Kind: escrowserver.EventRefund, Back: "refund-story", Payment: "payment-1", Unit: "eur", Units: 100})
	_, _ = s.start(70)
	_, err := w.Server.Grant(ctx, escrowserver.Grant{ID: w.id(), Account: s.anna.public().ID(), Currency: Currency, Amount: 300, Reason: "a gift", By: "root"})
	w.ok(err)
	for _, end := range []escrow.PayoutState{escrow.PayoutPaid, escrow.PayoutRefused, escrow.PayoutPaying, escrow.PayoutAsked} {
		_, err := s.anna.askPayout(100, "bank")
		w.ok(err)
		w.later(49 * time.Hour)
		switch end {
		case escrow.PayoutPaid:
			w.paysOut("a note")
		case escrow.PayoutRefused:
			_, err = w.Server.EndPayout(ctx, w.queued().ID, false, "a note", "root")
			w.ok(err)
		case escrow.PayoutPaying:
			w.ok(w.begins())
		}
	}
}
