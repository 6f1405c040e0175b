package servicetest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

func outageTests() []test {
	return []test{
		{"OutageMovesDeadlines", outageMovesDeadlines},
		{"OutageIsFoundOnce", outageIsFoundOnce},
		{"ClockJumpExpiresNothing", clockJumpExpiresNothing},
		{"ManyBondsAreMoved", manyBondsAreMoved},
	}
}

// away is an escrow for which five minutes are an outage, as for every real one.
func away(c *escrowserver.Config) { c.OutageOver = 0 }

// served lets time pass while the escrow is served.
func (w *world) served(d time.Duration) {
	w.Helper()
	w.Clock.Move(d)
	w.beats(w.restarted(func(*escrowserver.Config) {}))
}

// outages are the escrow's, verified as a stranger would.
func (w *world) outages(signed []escrow.Signed) escrow.Outages {
	w.Helper()
	all, err := escrow.VerifyOutages(signed, w.Server.ReceiptKey())
	w.ok(err)
	return all
}

// proven demands that the receipts of a bond verify with the outages alone that the
// bond names, and does not without any if it needs them.
func (w *world) proven(server *escrowserver.Server, b *bought, needed bool) {
	w.Helper()
	ctx, service := context.Background(), server.As(b.from.public())
	v, err := service.Bond(ctx, b.id())
	w.ok(err)
	receipts, err := service.Receipts(ctx, b.id())
	w.ok(err)
	if _, err := escrow.VerifyChain(b.req.Quote, receipts, server.ReceiptKey(), w.outages(v.Outages)...); err != nil {
		w.Fatalf("with the outages of the bond: %v", err)
	}
	if _, err := escrow.VerifyChain(b.req.Quote, receipts, server.ReceiptKey()); (err != nil) != needed {
		w.Fatalf("without an outage: %v", err)
	}
}

// An outage of over 5 minutes moves every running deadline by its length, and none
// ends for a day after it: neither by the sweeper nor by an operation, nor by another
// restart. Final deadlines and rejects do their work.
func outageMovesDeadlines(w *world) {
	ctx := context.Background()
	anna, eve := w.owner("anna@sender.example", 500), w.owner("eve@other.example", 500)
	bob, carol, dora := w.recipient("bob@recipient.example", 25, 2), w.recipient("carol@recipient.example", 25, 2), w.recipient("dora@recipient.example", 25, 2)
	must := func(server *escrowserver.Server, b *bought, want escrow.State) escrow.BondView {
		w.Helper()
		w.ok(server.SweepNow(ctx))
		v, err := server.As(b.to.public()).Bond(ctx, b.id())
		w.ok(err)
		if v.State != want {
			w.Fatalf("the bond is %s, want %s", v.State, want)
		}
		return v
	}
	// The control: five minutes are no outage.
	first := eve.buy(bob, 25)
	w.served(30*day - 5*time.Minute)
	w.Clock.Move(5 * time.Minute)
	server := w.restarted(away)
	if v := must(server, first, escrow.Expired); len(v.Outages) > 0 {
		w.Fatal("five minutes moved a deadline")
	}

	silent, rejected, forgotten := anna.buy(bob, 25), anna.buy(carol, 25), anna.buy(dora, 25)
	bought := w.Clock.Now()
	w.served(29 * day)
	rejected.arrive()
	rejected.decide(escrow.Reject)
	w.served(0)
	w.Clock.Move(2 * day) // the delivery deadline passes while the escrow is away
	server = w.restarted(away)
	if v := must(server, silent, escrow.Held); !v.DeliverBy.Equal(bought.Add(32*day)) || len(v.Outages) != 1 {
		w.Fatalf("the delivery deadline is %s after the purchase, by %d outages", v.DeliverBy.Sub(bought), len(v.Outages))
	}
	must(server, rejected, escrow.Rejected)
	w.beats(server)
	w.served(2 * time.Minute)
	server = w.restarted(away)
	_, err := server.As(bob.public()).Arrive(ctx, silent.id(), silent.arrival("after the outage"))
	w.ok(err)
	w.proven(server, silent, true)
	w.served(day - 2*time.Minute - time.Microsecond)
	must(server, forgotten, escrow.Held)
	w.served(time.Microsecond)
	must(server, forgotten, escrow.Expired)
	w.proven(server, forgotten, false)
	// Its decision deadline began after the outage.
	if v := must(server, silent, escrow.Arrived); !v.DecideBy.Equal(v.ArrivedAt.Add(14 * day)) {
		w.Fatalf("its decision deadline is %s after it arrived", v.DecideBy.Sub(v.ArrivedAt))
	}
	// Its final deadline ends it, though the escrow was away again.
	w.Clock.Move(28 * day)
	must(w.restarted(away), silent, escrow.Expired)
	info, err := w.restarted(away).As(nil).Info(ctx)
	w.ok(err)
	if told := w.outages(info.Outages); len(told) != 2 || !told[0].Ended.Equal(bought.Add(31*day)) || told[0].Ended.Sub(told[0].Began) != 2*day {
		w.Fatalf("the escrow tells %+v", told)
	}
	w.verified()
}

// Several processes come back at the same time: one of them finds the outage, and
// all know of it.
func outageIsFoundOnce(w *world) {
	ctx := context.Background()
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	w.served(29 * day)
	var servers []*escrowserver.Server
	for i := range 4 { // they have started before, and stood still; no two clocks are the same
		servers = append(servers, w.restarted(func(c *escrowserver.Config) {
			away(c)
			c.Now = func() time.Time { return w.Clock.Now().Add(time.Duration(i) * time.Second) }
		}))
	}
	w.Clock.Move(2 * day)
	var group sync.WaitGroup
	for _, server := range servers {
		group.Go(func() { _ = server.SweepNow(ctx) })
	}
	group.Wait()
	for _, server := range servers {
		v, err := server.As(bob.public()).Bond(ctx, bond.id())
		w.ok(err)
		if v.State != escrow.Held || len(v.Outages) != 1 || v.DeliverBy.Sub(v.BoughtAt.Add(32*day)).Truncate(4*time.Second) != 0 {
			w.Fatalf("the bond is %s, to be delivered %s after the purchase, by %d outages", v.State, v.DeliverBy.Sub(v.BoughtAt), len(v.Outages))
		}
	}
	alive, err := w.Store.Alive(ctx)
	w.ok(err)
	if len(alive.Outages) != 1 {
		w.Fatalf("%d outages were found, want 1", len(alive.Outages))
	}
}

// A clock that jumps forward while the escrow runs looks like an outage, and so
// nothing ends early; set back, it gives no time twice.
func clockJumpExpiresNothing(w *world) {
	ctx := context.Background()
	anna, bob, carol := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2), w.recipient("carol@recipient.example", 25, 2)
	// The control: the same jump in an escrow that takes it for its own time.
	lost := anna.buy(carol, 25)
	w.served(30*day - time.Hour)
	blind := w.restarted(func(*escrowserver.Config) {})
	w.Clock.Move(6 * time.Hour)
	v, err := blind.As(carol.public()).Bond(ctx, lost.id())
	w.ok(err)
	if v.State != escrow.Expired {
		w.Fatalf("the control: the bond is %s", v.State)
	}
	w.served(0)

	bond := anna.buy(bob, 25)
	w.served(30*day - time.Hour)
	server := w.restarted(away)
	state := func() escrow.BondView {
		w.Helper()
		w.ok(server.SweepNow(ctx))
		v, err := server.As(bob.public()).Bond(ctx, bond.id())
		w.ok(err)
		return v
	}
	before := state()
	w.Clock.Move(6 * time.Hour)
	jumped := state()
	if jumped.State != escrow.Held || jumped.DeliverBy.Sub(w.Clock.Now()) < before.DeliverBy.Sub(before.BoughtAt.Add(30*day-time.Hour)) {
		w.Fatalf("the bond is %s with %s left", jumped.State, jumped.DeliverBy.Sub(w.Clock.Now()))
	}
	w.Clock.Move(-6 * time.Hour) // it was wrong
	w.beats(server)
	w.Clock.Move(6 * time.Hour) // and so again
	if again := state(); !again.DeliverBy.Equal(jumped.DeliverBy) || len(again.Outages) != 1 {
		w.Fatalf("the same hours moved it to %s, by %d outages", again.DeliverBy, len(again.Outages))
	}
	w.verified()
}

// The parties of all open bonds hear of the moved deadlines soon after an outage,
// though nobody asks for the bonds.
func manyBondsAreMoved(w *world) {
	ctx := context.Background()
	bob, carol := w.recipient("bob@recipient.example", 25, 8), w.recipient("carol@recipient.example", 25, 8)
	var bonds []*bought
	for _, name := range []escrow.Address{"a@one.example", "b@two.example", "c@three.example"} {
		from := w.owner(name, 500)
		bonds = append(bonds, from.buy(bob, 25), from.buy(carol, 25))
	}
	bonds[0].arrive()
	page, err := bob.Bonds(ctx, 0, 0)
	w.ok(err)
	w.served(day)
	w.Clock.Move(6 * time.Hour)
	server := w.restarted(func(c *escrowserver.Config) { c.OutageOver, c.SweepBatch = 0, 2 })
	w.beats(server)
	w.workedOff(server)
	page, err = server.As(bob.public()).Bonds(ctx, page.Cursor, 0)
	w.ok(err)
	if len(page.Bonds) != 3 {
		w.Fatalf("%d bonds of the recipient have changed, want 3", len(page.Bonds))
	}
	for _, v := range page.Bonds {
		stored, err := w.Store.Bond(ctx, v.ID)
		w.ok(err)
		moved, quote := v.DeliverBy, stored.DeliverBy
		if v.State == escrow.Arrived {
			moved, quote = v.DecideBy, stored.DecideBy
		}
		if moved.Sub(quote) != 6*time.Hour || !stored.Due().Equal(moved) || !slices.Equal(stored.Outages, v.Outages) {
			w.Fatalf("a %s bond was moved by %s", v.State, moved.Sub(quote))
		}
	}
	w.verified()
}

// workedOff lets the server run until it has moved all bonds by its outages.
func (w *world) workedOff(server *escrowserver.Server) {
	w.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	defer func() {
		stop()
		w.ok(<-done)
	}()
	for range 1000 {
		alive, err := w.Store.Alive(ctx)
		w.ok(err)
		if !slices.ContainsFunc(alive.Outages, func(o escrowserver.OutageLine) bool { return o.WorkedOff.IsZero() }) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.Fatal("the outage is not worked off")
}

// AfterOutage leaves books behind in which an outage has moved the open bonds.
func AfterOutage(t testing.TB, h Harness) {
	t.Helper()
	w := &world{TB: t, Harness: h}
	w.served(0)
	w.Clock.Move(6 * time.Hour)
	server := w.restarted(away)
	w.beats(server)
	w.workedOff(server)
}
