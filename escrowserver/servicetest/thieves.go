package servicetest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"strings"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
)

// thiefTests are what somebody with a stolen key might try.
func thiefTests() []test {
	return []test{
		{"ManyOrdersHideNoWaitingChange", manyOrders},
		{"OrdersThatWaitAreLimitedADay", ordersLimited},
		{"OrdersThatChangeNothingAreNotKept", emptyOrders},
		{"OrdersAreSmall", largeOrders},
		{"AFullDayOfOrdersLeavesWhatStopsAThief", fullOfOrders},
		{"ADeletedAccountTakesNoMoney", deletedTakesNone},
		{"ARotatedRecipientIsNoBeneficiary", rotatedBeneficiary},
		{"AnAccountLeavesFewKeysADay", rotationsLimited},
		{"ARotationEndsPayoutsOfAThief", rotatedPayouts},
		{"ARotationEndsRaisesOfLimits", rotatedRaise},
		{"AFreezeEndsRaisesOfLimits", frozenRaise},
		{"AReplacedKeySetsNoLimit", replacedLimit},
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

// ordersKept is how many orders the books keep of the account.
func (p *person) ordersKept() int {
	p.w.Helper()
	text, err := p.Export(context.Background())
	p.w.ok(err)
	var all struct {
		Tables struct {
			Orders []struct{} `json:"orders"`
		} `json:"tables"`
	}
	p.w.ok(json.Unmarshal(text, &all))
	return len(all.Tables.Orders)
}

// emptyOrders: a freeze of what is frozen, and an unfreeze of what is not, fill no disk.
func emptyOrders(w *world) {
	anna, backup := w.protected()
	give := func(by *person, action escrow.Action, frozen bool, kept int) {
		w.Helper()
		account, err := by.order(anna.id(), escrow.Order{Action: action})
		w.ok(err)
		if account.FrozenAt.IsZero() == frozen || len(account.Changes) > 0 {
			w.Fatalf("after %s the account is %+v", action, account)
		}
		if n := anna.ordersKept(); n != kept {
			w.Fatalf("after %s %d orders are kept, want %d", action, n, kept)
		}
		w.Clock.Move(2 * time.Minute)
	}
	give(anna, escrow.ActionUnfreeze, false, 0)
	give(backup, escrow.ActionUnfreeze, false, 0)
	give(anna, escrow.ActionFreeze, true, 1)
	give(anna, escrow.ActionFreeze, true, 1)
	give(backup, escrow.ActionFreeze, true, 1)
	give(backup, escrow.ActionUnfreeze, false, 2)
	give(anna, escrow.ActionUnfreeze, false, 2)
	w.verified()
}

// largeOrders: each order is kept, so a large one is none.
func largeOrders(w *world) {
	anna, _ := w.protected()
	give := func(o escrow.Order) error {
		o.Account, o.Action, o.Time = anna.id(), escrow.ActionFreeze, w.Clock.Now()
		_, err := w.As(nil).Order(context.Background(), anna.sign(escrow.KindOrder, o))
		return err
	}
	w.fails(give(escrow.Order{ID: strings.Repeat("a", escrow.MaxOrderID+1)}), escrow.Invalid)
	w.fails(give(escrow.Order{ID: w.id(), Change: strings.Repeat("a", escrow.MaxOrder)}), escrow.Invalid)
	if n := anna.ordersKept(); n != 0 {
		w.Fatalf("%d orders are kept", n)
	}
	w.ok(give(escrow.Order{ID: strings.Repeat("a", escrow.MaxOrderID)}))
}

// fullOfOrders: a day's orders are bounded, and whoever has used them up keeps nobody
// from stopping a thief.
func fullOfOrders(w *world) {
	anna, backup := w.protected()
	give := func(by *person, o escrow.Order) error {
		_, err := by.order(anna.id(), o)
		return err
	}
	order, _ := w.rotation(anna.id())
	asked, err := anna.order(anna.id(), order)
	w.ok(err)
	for range (escrowserver.OrdersADay - 1) / 2 {
		w.ok(give(anna, escrow.Order{Action: escrow.ActionFreeze}))
		w.ok(give(backup, escrow.Order{Action: escrow.ActionUnfreeze}))
	}
	w.ok(give(anna, escrow.Order{Action: escrow.ActionFreeze}))
	w.fails(give(backup, escrow.Order{Action: escrow.ActionUnfreeze}), escrow.Limited)
	_, next, err := ed25519.GenerateKey(rand.Reader)
	w.ok(err)
	w.fails(give(backup, escrow.Order{Action: escrow.ActionRecovery, Recovery: (&person{w: w, key: next}).public()}), escrow.Limited)
	w.ok(give(anna, escrow.Order{Action: escrow.ActionFreeze}))
	w.ok(give(backup, escrow.Order{Action: escrow.ActionCancel, Change: asked.Changes[0].ID}))
	order, heir := w.rotation(anna.id())
	w.ok(give(backup, order)) // which ends the freeze, too
	w.ok(give(heir, escrow.Order{Action: escrow.ActionFreeze}))
	w.Clock.Move(24 * time.Hour)
	w.ok(give(backup, escrow.Order{Action: escrow.ActionUnfreeze}))
	w.verified()
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

// rotationsLimited: keys that were replaced are kept for good, so whoever names them,
// and whatever recovery key comes with them, an account has 5 a day.
func rotationsLimited(w *world) {
	anna, backup := w.protected()
	rotate := func() error {
		_, next, err := ed25519.GenerateKey(rand.Reader)
		w.ok(err)
		order, _ := w.rotation(anna.id())
		heir := &person{w: w, key: next}
		order.Recovery = heir.public()
		if _, err = backup.order(anna.id(), order); err == nil {
			backup = heir
		}
		w.Clock.Move(time.Minute)
		return err
	}
	for range 5 {
		w.ok(rotate())
	}
	w.fails(rotate(), escrow.Limited)
	_, err := backup.order(anna.id(), escrow.Order{Action: escrow.ActionFreeze})
	w.ok(err)
	w.later(24 * time.Hour)
	w.ok(rotate())
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

// raised is an account whose thief has asked for no limit in one currency; in the other
// a raise has acted before.
func (w *world) raised() (anna, backup *person) {
	w.Helper()
	ctx := context.Background()
	anna, backup = w.protected()
	other := func(perMail *payment.Amount) {
		_, err := anna.SetLimit(ctx, escrow.SetLimit{Currency: OtherCurrency, PerMail: perMail})
		w.ok(err)
	}
	other(amount(5))
	other(amount(7))
	w.Clock.Move(escrow.RaiseAfter)
	_, err := anna.SetLimit(ctx, escrow.SetLimit{Currency: Currency, PerMail: amount(20), PerDay: amount(20)})
	w.ok(err)
	_, err = anna.SetLimit(ctx, escrow.SetLimit{Currency: Currency})
	w.ok(err)
	w.Clock.Move(time.Hour)
	return anna, backup
}

// limitsAre demands what is left of the limits of raised.
func (p *person) limitsAre() {
	p.w.Helper()
	account, err := p.Account(context.Background())
	p.w.ok(err)
	for _, l := range account.Limits {
		want := payment.Amount(20)
		if l.Currency == OtherCurrency {
			want = 7
		}
		if l.Raise != nil || l.PerMail == nil || *l.PerMail != want {
			p.w.Fatalf("the limit in %s is %+v, want %d and no raise", l.Currency, l, want)
		}
	}
	if len(account.Limits) != 2 {
		p.w.Fatalf("the limits are %+v", account.Limits)
	}
}

// rotatedRaise: a limit that a thief has raised is none once the owner is back.
func rotatedRaise(w *world) {
	anna, backup := w.raised()
	order, heir := w.rotation(anna.id())
	_, err := backup.order(anna.id(), order)
	w.ok(err)
	heir.renewed()
	heir.limitsAre()
	w.later(72 * time.Hour)
	heir.limitsAre()
	w.verified()
}

// rotatedPayouts: what a thief has asked to be paid is not paid after the owner is back,
// and no destination of the old key counts as known; what was begun goes on.
func rotatedPayouts(w *world) {
	ctx := context.Background()
	anna, backup := w.protected()
	anna.topUp(100)
	begun, err := anna.askPayout(10, "a bank")
	w.ok(err)
	w.later(escrow.PayoutWait)
	w.ok(w.begins())
	asked, err := anna.askPayout(90, "a thief's bank")
	w.ok(err)
	_, err = anna.order(anna.id(), escrow.Order{Action: escrow.ActionFreeze})
	w.ok(err)
	w.later(escrow.PayoutWait + time.Hour)
	order, heir := w.rotation(anna.id())
	_, err = backup.order(anna.id(), order)
	w.ok(err)
	heir.renewed()
	list, err := heir.Payouts(ctx)
	w.ok(err)
	for _, p := range list {
		if p.ID == asked.ID && (p.State != escrow.PayoutRefused || p.Note != escrow.EndedByRecovery || !p.EndedAt.Equal(w.Clock.Now())) ||
			p.ID == begun.ID && p.State != escrow.PayoutPaying {
			w.Fatalf("after the rotation: %+v", p)
		}
	}
	if len(list) != 2 || w.queued().Operation != begun.ID {
		w.Fatalf("the operator's list has %+v, the account %+v", w.queued(), list)
	}
	heir.has(90, 10)
	w.verified()
	_, err = w.Server.EndPayout(ctx, w.queued().ID, true, "ref", "root")
	w.ok(err)
	for _, to := range []string{"a bank", "a thief's bank"} {
		again, err := heir.askPayout(10, to)
		w.ok(err)
		if want := w.Clock.Now().UTC().Add(escrow.PayoutWait); !again.NotBefore.Equal(want) {
			w.Fatalf("to %s it may be paid from %s on, want %s", to, again.NotBefore, want)
		}
	}
	w.verified()
}

// frozenRaise: in a frozen account no raise acts, and none is taken; what is lower acts.
func frozenRaise(w *world) {
	ctx := context.Background()
	anna, backup := w.raised()
	_, err := backup.order(anna.id(), escrow.Order{Action: escrow.ActionFreeze})
	w.ok(err)
	anna.limitsAre()
	_, err = anna.SetLimit(ctx, escrow.SetLimit{Currency: Currency, PerMail: amount(21), PerDay: amount(20)})
	w.fails(err, escrow.Forbidden)
	w.later(72 * time.Hour)
	anna.limitsAre()
	_, err = anna.SetLimit(ctx, escrow.SetLimit{Currency: OtherCurrency, PerMail: amount(7), PerDay: amount(7)})
	w.ok(err)
	_, err = backup.order(anna.id(), escrow.Order{Action: escrow.ActionUnfreeze})
	w.ok(err)
	w.later(72 * time.Hour)
	anna.limitsAre()
	w.verified()
}

// replacedLimit: a process that has not heard of it yet takes no limit by the old key.
func replacedLimit(w *world) {
	anna, backup := w.protected()
	order, heir := w.rotation(anna.id())
	_, err := backup.order(anna.id(), order)
	w.ok(err)
	_, err = anna.SetLimit(context.Background(), escrow.SetLimit{Currency: Currency, PerMail: amount(0)}) // as it began
	w.fails(err, escrow.Unauthorized)
	heir.renewed()
	account, err := heir.Account(context.Background())
	w.ok(err)
	if len(account.Limits) != 0 {
		w.Fatalf("the old key has set %+v", account.Limits)
	}
}
