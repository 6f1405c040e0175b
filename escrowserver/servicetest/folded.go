package servicetest

import (
	"context"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

// FoldedPurchases are two of one person at another, who both have written themselves
// with tags and dots, for accounts of their own.
func FoldedPurchases(t testing.TB, h Harness) [2]escrowserver.Buy {
	t.Helper()
	w := &world{TB: t, Harness: h}
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 3)
	w.Clock.Move(2 * time.Hour)
	tagged, dotted := w.owner("anna+1@sender.example", 500), w.recipient("b.ob@recipient.example", 25, 3)
	return [2]escrowserver.Buy{anna.purchase(bob, 25, 0), tagged.purchase(dotted, 25, 0)}
}

// OlderPair plays two open bonds of people who differ by their tags alone, as an older
// program let them be bought. Hide has the first not stand in the second's way, and
// upgrade makes of the books what that program left, and brings them up to date.
func OlderPair(t testing.TB, h Harness, hide func(escrow.BondID), upgrade func()) {
	t.Helper()
	w := &world{TB: t, Harness: h}
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bo.b+x@recipient.example", 25, 4)
	ended := anna.buy(bob, 25)
	ended.arrive()
	ended.decide(escrow.Accept)
	first := anna.buy(bob, 25)
	hide(first.id())
	w.Clock.Move(2 * time.Hour)
	second := w.owner("anna+1@sender.example", 500).buy(bob, 25)
	upgrade()
	w.verified()
	w.Clock.Move(2 * time.Hour)
	dotted := w.owner("an.na@sender.example", 500)
	refused := func() {
		w.Helper()
		req, _ := dotted.request(bob, 25)
		_, err := dotted.Buy(context.Background(), req)
		w.fails(err, escrow.OpenBond)
	}
	refused()
	first.arrive()
	first.decide(escrow.Accept)
	refused()
	second.arrive()
	second.decide(escrow.Reject)
	w.later(time.Hour)
	dotted.buy(bob, 25)
	anna.has(500, 0)
	w.verified()
}
