package servicetest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

const day = 24 * time.Hour

// Run holds an escrow against the protocol. After each test its books are
// verified.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	for _, test := range tests() {
		t.Run(test.name, func(t *testing.T) {
			w := &world{TB: t, Harness: open(t)}
			test.run(w)
			w.verified()
		})
	}
}

type test struct {
	name string
	run  func(w *world)
}

func tests() []test {
	return slices.Concat(storyTests(), ruleTests(), attackTests(), addressTests(), configTests(), limitTests(), movementTests(), safetyTests(), thiefTests(), moneyTests(), payoutTests(), payingTests(), unheardTests(), strangerTests(), checkoutTests(), outageTests())
}

// verified demands sound books.
func (w *world) verified() escrowserver.Report {
	w.Helper()
	report, err := w.verify()
	w.ok(err)
	if len(report.Faults) > 0 {
		w.Fatalf("the books have faults:\n%s", strings.Join(report.Faults, "\n"))
	}
	return report
}

func (w *world) verify() (escrowserver.Report, error) {
	return escrowserver.Verify(context.Background(), w.Store, w.Server.ReceiptKey())
}

// holder is what one of the books' own holders has.
func (w *world) holder(holder string) int64 {
	w.Helper()
	var sum int64
	w.ok(w.Store.Walk(context.Background(), escrowserver.Visitor{Balance: func(b escrowserver.BalanceLine) error {
		if string(b.Holder) == holder && b.Currency == Currency {
			sum = b.Balance.Available + b.Balance.Held
		}
		return nil
	}}))
	return sum
}

// Story plays three bonds on the escrow: one accepted, one rejected, one still
// held, with keys left in the pool.
func Story(t testing.TB, h Harness) {
	t.Helper()
	w := &world{TB: t, Harness: h}
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 1)
	carol, dora := w.recipient("carol@recipient.example", 30, 1), w.recipient("dora@recipient.example", 40, 2)
	accepted, rejected := anna.buy(bob, 25), anna.buy(carol, 30)
	accepted.arrive()
	accepted.decide(escrow.Accept)
	rejected.arrive()
	rejected.decide(escrow.Reject)
	w.later(time.Hour)
	anna.buy(dora, 40)
}
