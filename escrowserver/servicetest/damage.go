package servicetest

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

// DamagedBond plays an escrow with one bond that damage has broken in the books:
// all others are refunded, their parties are served, the operator is told, and the
// sweeper does not spin.
func DamagedBond(t testing.TB, h Harness, damage func(escrow.BondID)) {
	t.Helper()
	ctx := context.Background()
	w := &world{TB: t, Harness: h}
	log := w.logged()
	anna, eve := w.owner("anna@sender.example", 500), w.owner("eve@other.example", 500)
	bob, carol, dora := w.recipient("bob@recipient.example", 25, 2), w.recipient("carol@recipient.example", 25, 2), w.recipient("dora@recipient.example", 25, 2)
	broken := eve.buy(bob, 25) // the longest due
	w.Clock.Move(time.Second)
	first, second := anna.buy(bob, 25), anna.buy(carol, 25)
	w.Clock.Move(time.Hour)
	third := anna.buy(dora, 25)
	damage(broken.id())
	w.Clock.Move(30*day - time.Hour)
	// Before any sweep, a party finds its own bond ended.
	if v := first.view(bob); v.State != escrow.Expired {
		w.Fatalf("the bond is %s for its party", v.State)
	}
	anna.has(450, 50)
	w.sweep()
	w.sweep() // the broken one is not tried again at once
	w.stuck(log, broken, 1)
	anna.has(475, 25)
	if v := second.view(carol); v.State != escrow.Expired {
		w.Fatalf("the bond is %s after the sweep", v.State)
	}
	w.later(time.Hour)
	w.stuck(log, broken, 2)
	anna.has(500, 0)
	if v := third.view(dora); v.State != escrow.Expired {
		w.Fatalf("the bond is %s after the next sweep", v.State)
	}
	// Who is a party of the damaged bond sees the others.
	page, err := bob.Bonds(ctx, 0, 0)
	w.ok(err)
	seen := false
	for _, b := range page.Bonds {
		seen = seen || b.ID == first.id()
	}
	if !seen {
		w.Fatal("a damaged bond hides the others")
	}
	report, err := w.verify()
	w.ok(err)
	if len(report.Faults) == 0 {
		w.Fatal("verify does not find the damage")
	}
}

// EarlyBond plays an escrow where damage has one bond listed as due long before it is:
// it is told of, tried seldom, and ends when its deadlines say.
func EarlyBond(t testing.TB, h Harness, damage func(escrow.BondID)) {
	t.Helper()
	w := &world{TB: t, Harness: h}
	log := w.logged()
	anna, bob, carol := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 1), w.recipient("carol@recipient.example", 25, 1)
	early := anna.buy(bob, 25)
	w.Clock.Move(time.Hour)
	other := anna.buy(carol, 25)
	damage(early.id())
	ctx, stop := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer stop()
	w.ok(w.Server.Run(ctx))
	w.stuck(log, early, 1)
	if v := early.view(anna); v.State != escrow.Held {
		w.Fatalf("a bond that is not due is %s", v.State)
	}
	report, err := w.verify()
	w.ok(err)
	if len(report.Faults) == 0 {
		w.Fatal("verify does not find the damage")
	}
	w.later(30 * day)
	anna.has(500, 0)
	if n := w.Server.Health().Stuck; n != 0 || other.view(anna).State != escrow.Expired {
		w.Fatalf("%d are stuck after the deadline, and the other bond is %s", n, other.view(anna).State)
	}
}

// logged has another server take the world over, and returns its log.
func (w *world) logged() *bytes.Buffer {
	w.Helper()
	var log bytes.Buffer
	w.Server = w.restarted(func(c *escrowserver.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	return &log
}

// stuck demands that this bond alone could not be ended, and that the log has told of
// it so often.
func (w *world) stuck(log *bytes.Buffer, b *bought, told int) {
	w.Helper()
	if n := w.Server.Health().Stuck; n != 1 {
		w.Fatalf("%d are stuck, want the damaged bond alone:\n%s", n, log)
	}
	if n := strings.Count(log.String(), "bond="+string(b.id())); n != told {
		w.Fatalf("the log tells %d times of the damaged bond, want %d:\n%s", n, told, log)
	}
}

// DamagedChange plays an escrow with a change that damage has broken in the books:
// all others act, what may be kept no longer is deleted, and it is tried again later.
func DamagedChange(t testing.TB, h Harness, damage func(id string)) {
	t.Helper()
	ctx := context.Background()
	w := &world{TB: t, Harness: h}
	var log bytes.Buffer
	w.Server = w.restarted(func(c *escrowserver.Config) {
		c.Log, c.SweepBatch = slog.New(slog.NewTextHandler(&log, nil)), 1
	})
	eve, anna := w.stranger(), w.stranger()
	asked, err := w.Server.Propose(ctx, eve.id(), "unfreeze", "", "")
	w.ok(err)
	_, err = anna.order(anna.id(), escrow.Order{Action: escrow.ActionFreeze})
	w.ok(err)
	w.Clock.Move(time.Second)
	w.owner("carol@sender.example", 1) // her claim is kept for two days
	_, err = anna.order(anna.id(), escrow.Order{Action: escrow.ActionUnfreeze})
	w.ok(err)
	damage(asked.ID)
	for range 3 {
		w.later(72 * time.Hour)
		w.sweep()
	}
	account, err := anna.Account(ctx)
	w.ok(err)
	if !account.FrozenAt.IsZero() {
		w.Fatal("a damaged change stops the others")
	}
	if next, err := w.Store.NextDue(ctx); err != nil || !next.Equal(asked.DueAt) {
		w.Fatalf("next due at %v, %v; want the damaged change alone, of %v", next, err, asked.DueAt)
	}
	if n := strings.Count(log.String(), "change="+asked.ID); n != 3 {
		w.Fatalf("the log tells of the damaged change %d times, want once in each of 3 sweeps that tried it", n)
	}
}
