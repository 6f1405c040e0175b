package app_test

import (
	"strings"
	"testing"
	"time"

	"earnest/cmd/earnest-escrow/app"
	"earnest/escrowserver"
	"earnest/payment"
)

// TestThePayoutsMarksSayWhetherToPay: what an operator must know stands under the payout.
func TestThePayoutsMarksSayWhetherToPay(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	euro := func(string) payment.Currency { return payment.Currency{Name: "escrow.example", Scale: 2, Unit: "EUR"} }
	asked := escrowserver.PayoutRecord{AskedAt: at, NotBefore: at}
	for name, tt := range map[string]struct {
		change   func(*escrowserver.PayoutRecord)
		restored time.Time
		want     []string
	}{
		"nothing": {func(*escrowserver.PayoutRecord) {}, at, nil},
		"begun":   {func(p *escrowserver.PayoutRecord) { p.BegunAt, p.BegunBy = at, "ro\x1bot" }, time.Time{}, []string{"begun at 2026-11-20 12:00 UTC by ro<U+001B>ot: do not pay it twice"}},
		"owes":    {func(p *escrowserver.PayoutRecord) { p.Owes = 501 }, time.Time{}, []string{"ATTENTION: a card payment was taken back, and the account owes 5.01 EUR more than it has and will keep (welcome credit, and what was paid by card lately, do not count): pay nothing"}},
		"frozen":  {func(p *escrowserver.PayoutRecord) { p.FrozenAt = at }, time.Time{}, []string{"frozen since 2026-11-20 12:00 UTC, perhaps by its owner after a theft: it is paid nothing"}},
		"begun, then owes and frozen": {func(p *escrowserver.PayoutRecord) { p.BegunAt, p.BegunBy, p.Owes, p.FrozenAt = at, "root", 1, at }, time.Time{},
			[]string{"begun at", "unless you refunded it at the provider yourself for this payout (then say 'payout paid')", "stop the transfer if you still can; what was paid is 'paid'"}},
		"restored":        {func(*escrowserver.PayoutRecord) {}, at.Add(1), []string{"asked for before the books were restored at 2026-11-20 12:00 UTC"}},
		"begun, restored": {func(p *escrowserver.PayoutRecord) { p.BegunAt, p.BegunBy = at, "root" }, at.Add(1), []string{"begun at", "begun before the books were restored at 2026-11-20 12:00 UTC: it was paid most likely"}},
		"restored, begun": {func(p *escrowserver.PayoutRecord) { p.BegunAt, p.BegunBy = at.Add(2), "root" }, at.Add(1), []string{"begun at", "asked for before the books were restored"}},
	} {
		p := asked
		tt.change(&p)
		marks := app.Queue{Restored: tt.restored}.Marks(p, euro)
		if len(marks) != len(tt.want) {
			t.Errorf("%s: %q", name, marks)
			continue
		}
		for i, want := range tt.want {
			if !strings.Contains(marks[i], want) {
				t.Errorf("%s: %q, want %q", name, marks[i], want)
			}
		}
	}
}
