package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

// outageTold is a store whose walk shows an outage, should it not show its own.
type outageTold struct {
	escrowserver.Store
	line escrowserver.OutageLine
}

// Walk shows the books.
func (s outageTold) Walk(ctx context.Context, v escrowserver.Visitor) error {
	own := false
	if err := s.Store.Walk(ctx, escrowserver.Visitor{Outage: func(escrowserver.OutageLine) error {
		own = true
		return nil
	}}); err != nil {
		return err
	}
	if !own && v.Outage != nil {
		if err := v.Outage(s.line); err != nil {
			return err
		}
	}
	return s.Store.Walk(ctx, v)
}

// TestOutageMovesDeadlinesByTheEscrowsWord: an escrow that was away takes
// decisions after the deadline that the quote promised. The auditor believes them
// by a signed outage alone.
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
	w.clock.Move(7*day - 2*time.Hour)
	w.beat()
	away := escrowserver.OutageLine{Began: w.clock.Now()}
	w.clock.Move(6 * time.Hour) // over the decision deadline of all that arrived
	away.Ended = w.clock.Now()
	w.start()
	w.beat()
	w.ok(decided(escrow.Accept)(lives[0]))
	w.ok(decided(escrow.Reject)(lives[1]))
	w.clock.Move(23 * time.Hour)
	w.ok(decided(escrow.Reject)(lives[2]))
	w.clock.Move(2 * time.Hour)
	w.ok(w.server.SweepNow(t.Context()))
	w.clock.Move(30 * day)
	w.ok(w.server.SweepNow(t.Context()))
	w.bonds = lives

	export := func(line escrowserver.OutageLine) *report {
		t.Helper()
		var text bytes.Buffer
		_, err := escrowserver.Exporter{Name: "escrow.example", Signer: w.signer, Store: outageTold{w.store, line}, Now: w.clock.Now()}.Write(t.Context(), &text)
		w.ok(err)
		r, err := audit(&text, w.pinned())
		w.ok(err)
		return r
	}
	r := export(away)
	for _, f := range r.Faults {
		t.Error(f)
	}
	if r.Outages != 1 || r.Endings["rejected"] != 2 || r.Endings["accepted"] != 1 || r.Endings["expired"] != 1 || r.Endings["expired, not arrived"] != 2 {
		t.Errorf("%d outages, endings %v", r.Outages, r.Endings)
	}
	// An outage at another time moves nothing of these, and one under which a bond
	// expired is no outage.
	for _, tt := range []struct {
		line escrowserver.OutageLine
		want string
		n    int
	}{
		{escrowserver.OutageLine{Began: away.Began.Add(-9 * day), Ended: away.Ended.Add(-9 * day)}, "after the decision deadline", 3},
		{escrowserver.OutageLine{Began: away.Began.Add(9 * day), Ended: away.Ended.Add(9 * day)}, "after the decision deadline", 3},
		{escrowserver.OutageLine{Began: away.Began, Ended: away.Ended.Add(2 * time.Hour)}, "nothing expires before", 1},
	} {
		n := 0
		for _, f := range export(tt.line).Faults {
			if f.Why == whyDeadline && strings.Contains(f.Text, tt.want) {
				n++
			}
		}
		if n != tt.n {
			t.Errorf("%s: %d faults, want %d", tt.want, n, tt.n)
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
