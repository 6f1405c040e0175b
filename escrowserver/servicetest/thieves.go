package servicetest

import (
	"context"
	"time"

	"earnest/escrow"
)

// thiefTests are what somebody with a stolen key might try.
func thiefTests() []test {
	return []test{
		{"ManyOrdersHideNoWaitingChange", manyOrders},
		{"OrdersThatWaitAreLimitedADay", ordersLimited},
	}
}

// manyOrders: whatever a thief orders and replaces, the owner sees what waits, and
// what ended last.
func manyOrders(w *world) {
	ctx := context.Background()
	anna, _ := w.protected()
	var order escrow.Order
	for i := range 101 {
		if i%20 == 0 {
			w.Clock.Move(25 * time.Hour)
		}
		order, _ = w.rotation(anna.id())
		_, err := anna.order(anna.id(), order)
		w.ok(err)
		w.Clock.Move(time.Second)
	}
	w.sweep()
	account, err := anna.Account(ctx)
	w.ok(err)
	var waiting []escrow.AccountChange
	for _, c := range account.Changes {
		if c.Ended.IsZero() {
			waiting = append(waiting, c)
		}
	}
	if len(waiting) != 1 || len(account.Changes) != 101 {
		w.Fatalf("%d changes are shown, %d of them wait, want 101 and 1", len(account.Changes), len(waiting))
	}
	_, err = anna.order(anna.id(), escrow.Order{Action: escrow.ActionCancel, Change: waiting[0].ID})
	w.ok(err)
	account, err = anna.Account(ctx)
	w.ok(err)
	if newest := account.Changes[len(account.Changes)-1]; len(account.Changes) != 100 || newest.ID != waiting[0].ID || newest.Ending != "cancelled" {
		w.Fatalf("%d changes are shown, the last is %+v; want the newest 100 that ended", len(account.Changes), newest)
	}
}

// ordersLimited: a key orders 20 changes a day that wait, and whatever stops a thief
// is not limited.
func ordersLimited(w *world) {
	anna, backup := w.protected()
	var account escrow.Account
	for range 20 {
		order, _ := w.rotation(anna.id())
		taken, err := anna.order(anna.id(), order)
		w.ok(err)
		account = taken
	}
	for range 2 {
		order, _ := w.rotation(anna.id())
		_, err := anna.order(anna.id(), order)
		w.fails(err, escrow.Limited)
	}
	_, err := anna.order(anna.id(), escrow.Order{Action: escrow.ActionFreeze})
	w.ok(err)
	for _, c := range account.Changes {
		if c.Ended.IsZero() {
			_, err = anna.order(anna.id(), escrow.Order{Action: escrow.ActionCancel, Change: c.ID})
			w.ok(err)
		}
	}
	_, err = backup.order(anna.id(), escrow.Order{Action: escrow.ActionUnfreeze})
	w.ok(err)
	w.Clock.Move(24 * time.Hour)
	order, _ := w.rotation(anna.id())
	_, err = anna.order(anna.id(), order)
	w.ok(err)
	order, _ = w.rotation(anna.id())
	_, err = backup.order(anna.id(), order)
	w.ok(err)
}
