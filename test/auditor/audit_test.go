package main

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
	"earnest/test/soak"
)

// leaveOpen lets some bonds be held, arrived, read and rejecting when the books
// are exported.
func (w *town) leaveOpen(most int) {
	w.Helper()
	w.clock.Move(time.Hour)
	w.prepare(min(100, len(w.senders)))
	var lives []*life
	for i := range min(most, len(w.senders)*len(w.recipients)) {
		from, to := w.senders[i%len(w.senders)], w.recipients[i/len(w.senders)]
		lives = append(lives, &life{from: from, to: to, now: w.clock.Now, ctx: w.Context(), kind: "open"})
	}
	w.buy(lives)
	w.clock.Move(2 * time.Hour)
	w.all(len(lives), func(i int) error {
		for k, do := range []func(*life) error{arrived, read, decided(escrow.Reject), decided(escrow.Undo)} {
			if k >= i%5 {
				break
			}
			if err := do(lives[i]); err != nil {
				return err
			}
		}
		return nil
	})
	w.bonds = append(w.bonds, lives...)
}

// export writes the books as earnest-escrow does, with the totals of the second
// month beside those of all time.
func (w *town) export(to io.Writer) escrowserver.Exported {
	w.Helper()
	done, err := escrowserver.Exporter{Name: "escrow.example", Signer: w.signer, Store: w.store, Now: w.clock.Now(),
		Periods: []escrowserver.Period{{From: month(12), Until: month(13)}}}.Write(w.Context(), to)
	w.ok(err)
	return done
}

// month is when a month of the run's year begins.
func month(n time.Month) time.Time { return time.Date(2026, n, 1, 0, 0, 0, 0, time.UTC) }

func (w *town) pinned() []string {
	return []string{strict().EncodeToString(w.server.ReceiptKey())}
}

// TestAuditor has the independent program check a run of bonds with every ending.
func TestAuditor(t *testing.T) {
	senders, recipients, rounds, open := 40, 50, 1, 50
	if soak.Long() {
		senders, recipients, rounds, open = 100, 50, 20, 500
	}
	began := time.Now()
	w := newTown(t, soak.Seed(t), senders, recipients)
	for range rounds {
		w.round(senders * recipients)
	}
	w.leaveOpen(open)
	lived := time.Since(began)

	// Streamed: a hundred thousand bonds are some hundred megabytes.
	began = time.Now()
	out, in := io.Pipe()
	done := make(chan escrowserver.Exported, 1)
	go func() {
		exported := w.export(in)
		in.Close()
		done <- exported
	}()
	report, err := audit(out, w.pinned())
	w.ok(err)
	exported := <-done
	var said bytes.Buffer
	report.print(&said, 20)
	t.Logf("\n%s", said.String())
	soak.Result(t, "%d bonds, %d receipts, %d signatures, %d faults; the run took %.1f s, export and audit %.1f s",
		report.Bonds, report.Receipts, report.Signatures, len(report.Faults), lived.Seconds(), time.Since(began).Seconds())
	if len(report.Faults) > 0 {
		t.Fatalf("%d faults", len(report.Faults))
	}
	if report.Bonds != len(w.bonds) || report.Bonds != exported.Bonds || report.Receipts != exported.Receipts {
		t.Fatalf("%d bonds were bought, %+v exported, %d audited", len(w.bonds), exported, report.Bonds)
	}
	for _, ending := range []string{"held", "arrived", "rejecting", "accepted", "rejected", "withdrawn", "expired",
		"expired, not arrived", "expired, late accept"} {
		if report.Endings[ending] == 0 {
			t.Errorf("no bond of the run is %s", ending)
		}
	}
	if report.Compared != 2 {
		t.Errorf("%d totals were compared, want 2", report.Compared)
	}
	if len(report.Added) < 4 {
		t.Errorf("the totals have %d lines, want two currencies and two beneficiaries", len(report.Added))
	}
	w.agree(report)
}

// agree holds the auditor's totals against the escrow's balances: what went to
// the beneficiaries is what they have.
func (w *town) agree(r *report) {
	w.Helper()
	want := map[string]int64{}
	for _, l := range r.Added {
		want[l.Beneficiary+" "+l.Currency] += l.Forfeited.Amount
	}
	var held, open int64
	for _, l := range r.Added {
		if l.Currency == servicetest.Currency {
			open += l.Open.Amount
		}
	}
	w.ok(w.store.Walk(w.Context(), escrowserver.Visitor{Balance: func(b escrowserver.BalanceLine) error {
		if b.Currency == servicetest.Currency {
			held += int64(b.Balance.Held)
		}
		if forfeited, ours := want[fmt.Sprintf("%s %s", b.Holder, b.Currency)]; ours && int64(b.Balance.Available) != forfeited {
			w.Errorf("%s has %d of %s, the receipts forfeited %d", b.Holder, b.Balance.Available, b.Currency, forfeited)
		}
		return nil
	}}))
	if held != open {
		w.Errorf("%d are held, the receipts say %d", held, open)
	}
}
