package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

// outagesTold is a store whose walk shows other outages than it has.
type outagesTold struct {
	escrowserver.Store
	told []escrowserver.OutageLine
}

// Walk shows the books.
func (s outagesTold) Walk(ctx context.Context, v escrowserver.Visitor) error {
	show := v.Outage
	v.Outage = nil
	for _, line := range s.told {
		if show == nil {
			break
		}
		if err := show(line); err != nil {
			return err
		}
	}
	return s.Store.Walk(ctx, v)
}

// outages are those of the escrow.
func (w *town) outages() []escrowserver.OutageLine {
	w.Helper()
	alive, err := w.store.Alive(w.Context())
	w.ok(err)
	return alive.Outages
}

// signedOutage is an outage that the key's owner says there was.
func (w *town) signedOutage(key ed25519.PrivateKey, began, ended time.Time, grace time.Duration) escrowserver.OutageLine {
	w.Helper()
	o := escrow.NewOutage("escrow.example", began, ended)
	o.Until = o.Until.Add(grace)
	signed, err := escrow.Sign(key, escrow.KindOutage, o)
	w.ok(err)
	return escrowserver.OutageLine{Began: began, Ended: ended, Signed: signed}
}

// gone lets time pass in which the escrow is away, and served in which it is not.
func (w *town) gone(d time.Duration) {
	w.Helper()
	w.beat()
	w.clock.Move(d)
	w.over = 5 * time.Minute
	w.start()
	w.beat()
}

func (w *town) served(d time.Duration) {
	w.Helper()
	w.clock.Move(d)
	w.over = 0
	w.start()
	w.beat()
}

// TestOutageMovesDeadlinesByTheEscrowsWord: an escrow that was away takes
// decisions after the deadline that the quote promised. The auditor believes them
// by a signed outage alone, and by none that is forged, too long or too short.
func TestOutageMovesDeadlinesByTheEscrowsWord(t *testing.T) {
	w := newTown(t, 9, 6, 2)
	w.prepare(8)
	var lives []*life
	for i := range 6 {
		lives = append(lives, &life{from: w.senders[i], to: w.recipients[0], now: w.clock.Now, ctx: t.Context(), kind: "outage"})
	}
	w.buy(lives) // to one who decides within 7 days
	w.clock.Move(time.Hour)
	for _, l := range lives[:4] {
		w.ok(arrived(l))
	}
	w.served(2 * day)
	w.gone(12 * time.Hour)                 // the decision deadline is after 7 days and 12 hours more
	w.served(5*day - time.Hour)            // of those 7 and 11 hours have passed
	w.ok(decided(escrow.Accept)(lives[0])) // 11 hours late by the quote
	w.gone(6 * time.Hour)                  // over the moved deadline, and 5 hours more
	w.ok(decided(escrow.Reject)(lives[1]))
	w.served(23 * time.Hour)
	w.ok(decided(escrow.Reject)(lives[2]))
	w.served(2 * time.Hour)
	w.ok(w.server.SweepNow(t.Context()))
	w.served(30 * day)
	w.ok(w.server.SweepNow(t.Context()))
	w.bonds = lives

	export := func(lines []escrowserver.OutageLine) *report {
		t.Helper()
		var text bytes.Buffer
		_, err := escrowserver.Exporter{Name: "escrow.example", Signer: w.signer, Store: outagesTold{w.store, lines}, Now: w.clock.Now()}.Write(t.Context(), &text)
		w.ok(err)
		r, err := audit(&text, w.pinned())
		w.ok(err)
		return r
	}
	true2 := w.outages()
	if len(true2) != 2 {
		t.Fatalf("%d outages were found, want 2", len(true2))
	}
	r := export(true2)
	for _, f := range r.Faults {
		t.Error(f)
	}
	if r.Outages != 2 || r.Endings["rejected"] != 2 || r.Endings["accepted"] != 1 || r.Endings["expired"] != 1 || r.Endings["expired, not arrived"] != 2 {
		t.Errorf("%d outages, endings %v", r.Outages, r.Endings)
	}
	first, second := true2[0], true2[1]
	lines := func(l ...escrowserver.OutageLine) []escrowserver.OutageLine { return l }
	const late, early = "after the decision deadline", "before its deadline"
	for name, tt := range map[string]struct {
		lines []escrowserver.OutageLine
		want  string
		n     int // bonds with that fault
		why   string
	}{
		"none":                {nil, late, 3, ""},
		"the first only":      {lines(first), late, 2, ""},
		"the second only":     {lines(second), late, 3, ""},
		"at another time":     {lines(first, w.signedOutage(w.signer, second.Began.Add(9*day), second.Ended.Add(9*day), 0)), late, 2, ""},
		"forged":              {lines(first, w.signedOutage(newKey(w.random), second.Began, second.Ended, 0)), late, 2, whySignature},
		"too short":           {lines(first, w.signedOutage(w.signer, second.Began, second.Ended.Add(-2*time.Hour), 0)), late, 1, ""},
		"the first too short": {lines(w.signedOutage(w.signer, first.Began, first.Ended.Add(-3*time.Hour), 0), second), late, 3, ""},
		"too long":            {lines(first, w.signedOutage(w.signer, second.Began, second.Ended.Add(2*time.Hour), 0)), early, 1, ""},
		"the first too long":  {lines(w.signedOutage(w.signer, first.Began, first.Ended.Add(50*time.Hour), 0), second), early, 1, ""},
		"a longer grace":      {lines(first, w.signedOutage(w.signer, second.Began, second.Ended, time.Hour)), late, 2, whyForm},
		"told twice":          {lines(first, second, second), early, 0, whyForm},
		"one within another":  {lines(first, second, w.signedOutage(w.signer, second.Began.Add(time.Hour), second.Ended.Add(time.Hour), 0)), early, 0, whyForm},
	} {
		n, why := 0, ""
		for _, f := range export(tt.lines).Faults {
			if f.Bond == "" && f.Why != whyTotals { // those differ by the bonds at fault
				why = f.Why
			} else if f.Why == whyDeadline && strings.Contains(f.Text, tt.want) {
				n++
			}
		}
		if n != tt.n || why != tt.why {
			t.Errorf("%s: %d faults %q and %q, want %d and %q", name, n, tt.want, why, tt.n, tt.why)
		}
	}
}

// beat has the escrow run until it gave a sign of life.
func (w *town) beat() {
	w.Helper()
	ctx, stop := context.WithCancel(w.Context())
	done := make(chan error, 1)
	go func() { done <- w.server.Run(ctx) }()
	for range 2000 {
		alive, err := w.store.Alive(w.Context())
		w.ok(err)
		if alive.Beat.Equal(w.clock.Now()) {
			stop()
			w.ok(<-done)
			return
		}
		time.Sleep(time.Millisecond)
	}
	stop()
	w.Fatal("the escrow's heart does not beat")
}
