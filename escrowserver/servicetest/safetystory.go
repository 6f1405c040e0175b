package servicetest

import (
	"context"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/payment"
)

// SafetyStory plays accounts of which one is frozen, one rotated, one deleted, one
// waits for an address, one has a limit, and one has blocked a sender.
func SafetyStory(t testing.TB, h Harness) {
	t.Helper()
	w := &world{TB: t, Harness: h}
	frozen, backup := w.protected()
	_, err := backup.order(frozen.id(), escrow.Order{Action: escrow.ActionFreeze})
	w.ok(err)
	w.later(time.Minute)
	_, err = frozen.order(frozen.id(), escrow.Order{Action: escrow.ActionUnfreeze})
	w.ok(err)

	rotated, backup := w.protected()
	rotated.topUp(10)
	rotated.prove("rotated@safety.example")
	order, heir := w.rotation(rotated.id())
	_, err = backup.order(rotated.id(), order)
	w.ok(err)
	heir.renewed()
	heir.address = rotated.address
	heir.offer(10)
	_, err = heir.addKeys(1)
	w.ok(err)

	deleted := w.owner("deleted@safety.example", 7)
	payout, err := deleted.askPayout(3, "bank")
	w.ok(err)
	_, err = deleted.CancelPayout(context.Background(), payout.ID)
	w.ok(err)
	_, err = deleted.order(deleted.id(), escrow.Order{Action: escrow.ActionDelete, GiveUp: []escrow.GivenUp{{Currency: Currency, Amount: 7}}})
	w.ok(err)

	spammer, blocker := w.owner("spammer@safety.example", 100), w.recipient("blocker@other.example", 25, 1)
	spammer.limit(amount(90), amount(95))
	spammer.limit(amount(90), amount(99))
	bond := spammer.buy(blocker, 25)
	bond.arrive()
	bond.rejects(true)
	w.later(time.Hour)
	w.stranger().asksFor(blocker.address)
	if _, err := heir.Account(context.Background()); err != nil {
		w.Fatal(err)
	}
}

// ValueStory plays an account that lowers a limit, names another recovery key, releases an
// address and has a payout refused, after midway was called. The function that it gives
// lowers the limit further.
func ValueStory(t testing.TB, h Harness, midway func()) func() {
	t.Helper()
	ctx := context.Background()
	w := &world{TB: t, Harness: h}
	anna, backup := w.protected()
	anna.topUp(500)
	anna.prove("spare@safety.example")
	anna.limit(amount(100), nil)
	_, err := anna.SetLimit(ctx, escrow.SetLimit{Currency: OtherCurrency, PerMail: amount(0)})
	w.ok(err)
	_, err = anna.askPayout(30, "bank")
	w.ok(err)
	midway()
	lower := func(to payment.Amount) {
		_, err := anna.SetLimit(ctx, escrow.SetLimit{Currency: Currency, PerMail: &to})
		w.ok(err)
	}
	lower(50)
	_, err = backup.order(anna.id(), escrow.Order{Action: escrow.ActionRecovery, Recovery: w.stranger().public()})
	w.ok(err)
	_, err = anna.order(anna.id(), escrow.Order{Action: escrow.ActionRelease, Address: "spare@safety.example"})
	w.ok(err)
	_, err = w.Server.EndPayout(ctx, w.queued().ID, false, "a note", "root")
	w.ok(err)
	return func() { lower(40) }
}

// ChangeStory plays an account that has another key, whose changes were cancelled, replaced
// and done, of whose address another asks, and that is frozen at the end, after midway was
// called. The function that it gives has a limit written of each account with a change.
func ChangeStory(t testing.TB, h Harness, midway func()) func() {
	t.Helper()
	ctx := context.Background()
	w := &world{TB: t, Harness: h}
	anna, backup := w.protected()
	anna.prove("held@safety.example")
	midway()
	recovery := func() {
		_, err := anna.order(anna.id(), escrow.Order{Action: escrow.ActionRecovery, Recovery: w.stranger().public()})
		w.ok(err)
	}
	recovery()
	recovery()
	order, heir := w.rotation(anna.id())
	_, err := backup.order(anna.id(), order) // cancels what waits
	w.ok(err)
	heir.renewed()
	asks, waits := w.stranger(), w.stranger()
	w.later(25 * time.Hour) // a mail with a token went to the address
	asked := asks.asksFor("held@safety.example")
	_, err = heir.order(anna.id(), escrow.Order{Action: escrow.ActionCancel, Change: asked.ID})
	w.ok(err)
	w.later(25 * time.Hour)
	waits.asksFor("held@safety.example")
	freeze := func() {
		w.later(time.Minute)
		_, err := heir.order(anna.id(), escrow.Order{Action: escrow.ActionFreeze})
		w.ok(err)
	}
	unfreeze := func() (change string) {
		w.later(time.Minute)
		account, err := heir.order(anna.id(), escrow.Order{Action: escrow.ActionUnfreeze})
		w.ok(err)
		for _, c := range account.Changes {
			if c.Ended.IsZero() && c.Kind == string(escrow.ActionUnfreeze) {
				change = c.ID
			}
		}
		return change
	}
	freeze()
	_, err = heir.order(anna.id(), escrow.Order{Action: escrow.ActionCancel, Change: unfreeze()})
	w.ok(err)
	unfreeze()
	w.later(48 * time.Hour)
	freeze()
	return func() {
		for _, p := range []*person{heir, asks, waits} {
			_, err := p.SetLimit(ctx, escrow.SetLimit{Currency: Currency, PerMail: amount(40)})
			w.ok(err)
		}
	}
}
