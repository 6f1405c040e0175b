package servicetest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

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
	return slices.Concat(storyTests(), ruleTests(), attackTests(), addressTests())
}

// verified demands sound books.
func (w *world) verified() escrowserver.Report {
	w.Helper()
	report, err := escrowserver.Verify(context.Background(), w.Store, w.Server.ReceiptKey())
	w.ok(err)
	if len(report.Faults) > 0 {
		w.Fatalf("the books have faults:\n%s", strings.Join(report.Faults, "\n"))
	}
	return report
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
