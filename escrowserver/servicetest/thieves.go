package servicetest

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

// thiefTests are what somebody with a stolen key might try.
func thiefTests() []test {
	return []test{
		{"ManyOrdersHideNoWaitingChange", manyOrders},
		{"OrdersThatWaitAreLimitedADay", ordersLimited},
		{"ADeletedAccountTakesNoMoney", deletedTakesNone},
		{"ARotatedRecipientIsNoBeneficiary", rotatedBeneficiary},
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

// deletedTakesNone: money for an account that no key reaches any more is credited to
// nobody, and the operator is told.
func deletedTakesNone(w *world) {
	ctx := context.Background()
	s := w.cashier()
	var log bytes.Buffer
	s.server = w.restarted(func(c *escrowserver.Config) {
		c.Provider, c.Log = s.till, slog.New(slog.NewTextHandler(&log, nil))
	})
	s.anna.Service = s.server.As(s.anna.public())
	_, _ = s.start(500)
	_, err := s.anna.order(s.anna.id(), escrow.Order{Action: escrow.ActionDelete})
	w.fails(err, escrow.Conflict) // the page may still be paid
	w.Clock.Move(25 * time.Hour)
	before := escrowserver.Grant{ID: w.id(), Account: s.anna.id(), Currency: Currency, Amount: 5, Reason: "sorry", By: "root"}
	_, err = w.Server.Grant(ctx, before)
	w.ok(err)
	_, err = s.anna.order(s.anna.id(), escrow.Order{Action: escrow.ActionDelete, GiveUp: []escrow.GivenUp{{Currency: Currency, Amount: 5}}})
	w.ok(err)
	paid := s.till.pay(0)
	s.post(escrowserver.Event{ID: "event-1", Kind: escrowserver.EventSession, Session: paid})
	wrong, err := s.Store.Checkouts(ctx, escrow.CheckoutWrong, 10)
	w.ok(err)
	if len(wrong) != 1 || s.waits() != 0 || !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "refund") {
		w.Fatalf("%d checkouts are the operator's, %d events wait; log: %s", len(wrong), s.waits(), log.String())
	}
	// The same process does not know yet that the key is replaced.
	code, err := w.Server.NewVoucher(ctx, Currency, 7)
	w.ok(err)
	_, err = s.anna.TopUp(ctx, escrow.TopUp{ID: w.id(), Voucher: code})
	w.fails(err, escrow.NotFound)
	_, err = s.anna.StartCheckout(ctx, escrow.CheckoutRequest{ID: w.id(), Currency: Currency, Amount: 5})
	w.fails(err, escrow.NotFound)
	grant := before
	grant.ID = w.id()
	_, err = w.Server.Grant(ctx, grant)
	w.fails(err, escrow.NotFound)
	_, err = w.Server.Grant(ctx, before) // asked again after a lost answer
	w.ok(err)
	record, err := s.Store.Account(ctx, s.anna.id())
	if err == nil {
		for _, b := range record.Balances {
			if b.Available != 0 || b.Held != 0 {
				w.Fatalf("the deleted account has %+v", b)
			}
		}
	}
	bob := w.stranger()
	_, err = bob.TopUp(ctx, escrow.TopUp{ID: w.id(), Voucher: code})
	w.ok(err)
	bob.has(7, 0)
}

// rotatedBeneficiary: forfeits never go to the recipient, with whatever key the
// recipient signs the offer.
func rotatedBeneficiary(w *world) {
	ctx := context.Background()
	anna, backup := w.protected()
	anna.topUp(5)
	anna.prove("anna@recipient.example")
	server := w.restarted(func(c *escrowserver.Config) {
		c.Beneficiaries = append(c.Beneficiaries, escrow.Beneficiary{ID: anna.id().Holder(), Name: "a charity"})
	})
	order, heir := w.rotation(anna.id())
	_, err := backup.order(anna.id(), order)
	w.ok(err)
	heir.Service, heir.address = server.As(heir.public()), anna.address
	draft := heir.draft(30)
	draft.Beneficiary = anna.id().Holder()
	w.fails(heir.PublishOffer(ctx, heir.sign(escrow.KindOffer, draft)), escrow.Invalid)
	heir.offer(30)
}
