package servicetest

import (
	"context"
	"testing"
	"time"

	"earnest/escrow"
)

// DamagedBond plays an escrow with one bond that damage has broken in the books:
// all others are refunded, their parties are served, and the sweeper does not spin.
func DamagedBond(t testing.TB, h Harness, damage func(escrow.BondID)) {
	t.Helper()
	ctx := context.Background()
	w := &world{TB: t, Harness: h}
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
	anna.has(475, 25)
	if v := second.view(carol); v.State != escrow.Expired {
		w.Fatalf("the bond is %s after the sweep", v.State)
	}
	w.later(time.Hour)
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
