package servicetest

import (
	"context"
	"testing"
	"time"

	"earnest/escrow"
)

// Sequel plays on books that have a past, whatever it was, so that each kind of row
// that is numbered gets a new one: keys for sale, receipts in and beside the chain of
// a bond, money that moves, a key replaced.
func Sequel(t testing.TB, h Harness) {
	t.Helper()
	w := &world{TB: t, Harness: h, ids: 2_000_000}
	anna, bob := w.owner("anna@sequel.example", 100), w.recipient("bob@sequel.example", 25, 3)
	rejected := anna.buy(bob, 25)
	rejected.arrive()
	rejected.decide(escrow.Reject)
	w.later(time.Hour)
	anna.has(75, 0)
	expired := anna.buy(bob, 25)
	w.later(30 * day)
	anna.has(75, 0)
	for bond, end := range map[*bought]escrow.State{rejected: escrow.Rejected, expired: escrow.Expired} {
		if v := bond.view(anna); v.State != end {
			w.Fatalf("the bond is %s, want %s", v.State, end)
		}
	}
	rotated, backup := w.protected()
	order, heir := w.rotation(rotated.id())
	_, err := backup.order(rotated.id(), order)
	w.ok(err)
	heir.renewed()
	if _, err := heir.Account(context.Background()); err != nil {
		w.Fatal(err)
	}
}
