package servicetest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
)

func payoutTests() []test {
	return []test{
		{"AFrozenAccountIsPaidNothingOut", frozenPaidNothing},
		{"TheOwnerCancelsAPayout", payoutCancelled},
		{"ARefusedDestinationIsNewAgain", refusedDestination},
		{"FewPayoutsOfAnAccountWaitAtOnce", payoutsLimited},
		{"ManyPayoutsOfOneHideNobody", payoutsFair},
		{"TooLittleIsNotPaidOut", leastPayout},
	}
}

// The operator pays nothing to an account that its owner has frozen: what is asked for
// there may be a thief's.
func frozenPaidNothing(w *world) {
	ctx := context.Background()
	anna, backup := w.protected()
	anna.topUp(100)
	_, err := anna.askPayout(40, "a thief's bank")
	w.ok(err)
	w.later(48 * time.Hour)
	if !w.queued().FrozenAt.IsZero() {
		w.Fatal("the list tells of a freeze that is not")
	}
	_, err = anna.order(anna.id(), escrow.Order{Action: escrow.ActionFreeze})
	w.ok(err)
	frozen := w.Clock.Now()
	if !w.queued().FrozenAt.Equal(frozen) {
		w.Fatalf("the list says frozen at %s, not %s", w.queued().FrozenAt, frozen)
	}
	w.fails(w.begins(), escrow.Forbidden)
	anna.has(60, 40)
	_, err = backup.order(anna.id(), escrow.Order{Action: escrow.ActionUnfreeze})
	w.ok(err)
	w.paysOut("ref")
	anna.has(60, 0)
	_, err = anna.askPayout(10, "a thief's bank")
	w.ok(err)
	_, err = anna.order(anna.id(), escrow.Order{Action: escrow.ActionFreeze})
	w.ok(err)
	_, err = w.Server.EndPayout(ctx, w.queued().ID, false, "the owner was robbed", "root")
	w.ok(err)
	anna.has(60, 0)
}

func payoutCancelled(w *world) {
	ctx := context.Background()
	anna, _ := w.protected()
	anna.topUp(100)
	first, err := anna.askPayout(40, "a thief's bank")
	w.ok(err)
	_, err = w.stranger().CancelPayout(ctx, first.ID)
	w.fails(err, escrow.NotFound)
	_, err = w.As(nil).CancelPayout(ctx, first.ID)
	w.fails(err, escrow.Unauthorized)
	_, err = anna.CancelPayout(ctx, "no-such-payout")
	w.fails(err, escrow.NotFound)
	_, err = anna.order(anna.id(), escrow.Order{Action: escrow.ActionFreeze})
	w.ok(err)
	for range 2 {
		p, err := anna.CancelPayout(ctx, first.ID)
		w.ok(err)
		if p.ID != first.ID || p.State != escrow.PayoutRefused || p.Note != escrow.CancelledByOwner {
			w.Fatalf("cancelled it is %+v", p)
		}
		anna.has(100, 0)
	}
	got := anna.statement(0)
	if last := got[len(got)-1]; last.Kind != escrow.MovePayoutRefused || last.Reason != escrow.CancelledByOwner {
		w.Fatalf("the account sees %+v", last)
	}
	bob := w.owner("bob@sender.example", 50)
	paid, err := bob.askPayout(50, "bank")
	w.ok(err)
	w.later(48 * time.Hour)
	w.paysOut("ref")
	_, err = bob.CancelPayout(ctx, paid.ID)
	w.fails(err, escrow.Ended)
}

// A thief whose destination was refused, or who takes his own back, waits as long again.
func refusedDestination(w *world) {
	ctx := context.Background()
	anna := w.owner("anna@sender.example", 500)
	for _, end := range []string{"refused", "cancelled"} {
		p, err := anna.askPayout(100, "a thief's bank")
		w.ok(err)
		if end == "refused" {
			_, err = w.Server.EndPayout(ctx, w.queued().ID, false, "who is that?", "root")
		} else {
			_, err = anna.CancelPayout(ctx, p.ID)
		}
		w.ok(err)
		w.later(49 * time.Hour)
	}
	again, err := anna.askPayout(100, "a thief's bank")
	w.ok(err)
	if want := w.Clock.Now().UTC().Add(escrow.PayoutWait); !again.NotBefore.Equal(want) {
		w.Fatalf("it may be paid from %s on, want %s", again.NotBefore, want)
	}
	w.fails(w.begins(), escrow.Forbidden)
}

func payoutsLimited(w *world) {
	ctx := context.Background()
	anna := w.owner("anna@sender.example", 500)
	var first escrow.Payout
	for i := range escrowserver.OpenPayouts {
		p, err := anna.askPayout(1, fmt.Sprintf("bank %d", i))
		w.ok(err)
		if i == 0 {
			first = p
		}
	}
	_, err := anna.askPayout(1, "bank")
	w.fails(err, escrow.Limited)
	anna.has(500-escrowserver.OpenPayouts, escrowserver.OpenPayouts)
	_, err = anna.CancelPayout(ctx, first.ID)
	w.ok(err)
	_, err = anna.askPayout(1, "bank")
	w.ok(err)
}

// The operator's list has the oldest of each account before the second of any.
func payoutsFair(w *world) {
	ctx := context.Background()
	eve := w.owner("eve@sender.example", 500)
	for i := range payment.Amount(4) {
		_, err := eve.askPayout(1+i, "bank")
		w.ok(err)
		w.Clock.Move(time.Second)
	}
	for _, name := range []escrow.Address{"anna@sender.example", "bob@sender.example"} {
		_, err := w.owner(name, 500).askPayout(100, "bank")
		w.ok(err)
		w.Clock.Move(time.Second)
	}
	list, err := w.Store.PayoutQueue(ctx, w.Clock.Now(), 4)
	w.ok(err)
	var got []payment.Amount
	for _, p := range list {
		got = append(got, p.Amount)
	}
	if fmt.Sprint(got) != "[1 100 100 2]" {
		w.Fatalf("the list has %v", got)
	}
	if n, err := w.Store.PayoutsAsked(ctx); err != nil || n != 6 {
		w.Fatalf("%d are asked for, %v", n, err)
	}
}

// Each payout is work: less than the least amount is refused in words that say it, and
// the escrow tells it beforehand. What was taken before stays taken.
func leastPayout(w *world) {
	ctx := context.Background()
	anna := w.stranger()
	points, err := w.Server.NewVoucher(ctx, OtherCurrency, 500)
	w.ok(err)
	_, err = anna.TopUp(ctx, escrow.TopUp{ID: w.id(), Voucher: points})
	w.ok(err)
	info, err := w.As(nil).Info(ctx)
	w.ok(err)
	if len(info.LeastPayouts) != 1 || info.LeastPayouts[0] != (escrow.LeastPayout{Currency: OtherCurrency, Amount: LeastPayout}) {
		w.Fatalf("the escrow tells %+v", info.LeastPayouts)
	}
	ask := func(by escrow.Service, id string, amount payment.Amount) error {
		_, err := by.AskPayout(ctx, escrow.PayoutRequest{ID: id, Currency: OtherCurrency, Amount: amount, To: "bank"})
		return err
	}
	err = ask(anna, w.id(), LeastPayout-1)
	w.fails(err, escrow.Invalid)
	if text := err.Error(); !strings.Contains(text, "100 points.example") || !strings.Contains(text, "nothing was moved") {
		w.Fatalf("the refusal says %q", text)
	}
	anna.holds(OtherCurrency, 500, 0)
	first := w.id()
	w.ok(ask(anna, first, LeastPayout))
	anna.holds(OtherCurrency, 400, 100)
	dearer := w.again(anna, func(c *escrowserver.Config) { c.LeastPayouts[0].Amount = LeastPayout + 1 })
	w.ok(ask(dearer, first, LeastPayout))
	w.fails(ask(dearer, w.id(), LeastPayout), escrow.Invalid)
	anna.holds(OtherCurrency, 400, 100)
	for _, wrong := range [][]escrow.LeastPayout{
		{{Currency: "usd.example", Amount: 1}}, {{Currency: Currency}}, {{Currency: Currency, Amount: 1}, {Currency: Currency, Amount: 2}},
	} {
		cfg := Config(w.Store, w.Clock, w.Mails, w.ReceiptSigner)
		cfg.LeastPayouts = wrong
		if _, err := escrowserver.New(cfg); err == nil {
			w.Fatalf("taken: %+v", wrong)
		}
	}
}

// holds demands a balance in a currency.
func (p *person) holds(currency string, available, held payment.Amount) {
	p.w.Helper()
	account, err := p.Account(context.Background())
	p.w.ok(err)
	for _, b := range account.Balances {
		if b.Currency.Name == currency && (b.Available != available || b.Held != held) {
			p.w.Fatalf("the balance is %+v, want %d and %d held", b, available, held)
		}
	}
}
