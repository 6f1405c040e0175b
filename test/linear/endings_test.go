package linear

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver/servicetest"
	"earnest/internal/pgtest"
	"earnest/test/soak"
)

const (
	// together is how many bonds come to their deadline at the same time.
	together = 20
	step     = time.Hour
)

// TestEndings_ExactlyOneWins lets all that can end a bond happen to it at once, at
// its deadline, while the clock goes by hours: accept, reject, undo, withdrawal
// and destruction, arrival, expiry. One ending wins, and none comes early.
func TestEndings_ExactlyOneWins(t *testing.T) {
	endings(t, onSQLite, soak.Times(2_000, 100_000))
}

// The same on PostgreSQL, with all that happens at one of several servers or another.
func TestEndings_Postgres(t *testing.T) {
	endings(t, onPostgres(pgtest.For(t), 3), soak.Times(600, 100_000))
}

func endings(t *testing.T, open opener, bonds int) {
	seed := soak.Seed(t)
	ended := map[escrow.Event]int{}
	// Books of their own now and then: a long list of old bonds is not the point.
	const perTown = 5_000
	for done := 0; done < bonds; done += perTown {
		r := &ring{town: newTown(t, open, escrow.DefaultTerms()), random: soak.Random(seed, uint64(done)), ended: ended}
		for range together {
			r.senders = append(r.senders, r.settle(price*perTown/together))
		}
		for n := 0; n < min(perTown, bonds-done); n += together {
			r.round()
		}
		r.verified()
	}
	all := 0
	for _, event := range []escrow.Event{escrow.EventAccepted, escrow.EventRejected, escrow.EventExpired, escrow.EventWithdrawn} {
		if ended[event] == 0 && bonds >= 1000 {
			t.Errorf("no bond was %s: the race is not fair", event)
		}
		all += ended[event]
	}
	soak.Result(t, "%d bonds, each ended once: %v", all, ended)
}

// ring is where the bonds of one town are raced, round after round.
type ring struct {
	*town
	random  *rand.Rand
	senders []*person
	ended   map[escrow.Event]int
}

// racer is one bond and what is ready to be done to it.
type racer struct {
	from, to *person
	req      escrow.BuyRequest
	deadline time.Time // of the state in which it comes to the race
	arrived  bool
	tries    map[string]func(context.Context) (escrow.State, error)

	mu      sync.Mutex
	answers map[string]escrow.State
}

// round buys bonds, takes the clock to an hour before their deadline, and lets go.
func (r *ring) round() {
	r.Helper()
	to := r.shop(together)
	// Who has three bonds that never arrived within 30 days may not buy.
	r.Clock.Move(31 * 24 * time.Hour)
	arrived := r.random.IntN(2) == 0
	racers := make([]*racer, together)
	var all sync.WaitGroup
	for i := range racers {
		order, asked := r.random.Perm(3), r.random.IntN(2) == 0
		all.Go(func() { racers[i] = r.racer(r.senders[i], to, arrived, asked, order) })
	}
	all.Wait()
	if r.Failed() {
		r.FailNow()
	}
	// So that the hours fall before, at and after the deadline.
	early := []time.Duration{0, step / 2, step, 2 * step}[r.random.IntN(4)]
	r.Clock.Move(racers[0].deadline.Add(-early).Sub(r.Clock.Now()))
	r.race(racers)
	// All that still waits comes to its end.
	r.Clock.Move(70 * 24 * time.Hour)
	r.ok(r.Server.SweepNow(r.Context()))
	for _, b := range racers {
		r.judge(b)
	}
}

// racer is a bond that was bought, arrived or not, and perhaps asked for back.
func (r *ring) racer(from, to *person, arrived, asked bool, order []int) *racer {
	r.Helper()
	ctx, now := r.Context(), r.Clock.Now()
	quote, err := from.quote(ctx, to)
	r.ok(err)
	certificate := servicetest.NewCertificate(r)
	b := &racer{from: from, to: to, arrived: arrived, answers: map[string]escrow.State{},
		req: escrow.BuyRequest{ID: escrow.BondID(r.id()), Quote: quote, Verification: certificate.Binary, Reply: certificate.Binary}}
	_, err = from.Buy(ctx, b.req)
	r.ok(err)
	b.ready(certificate, now, order, r.at)
	b.deadline = now.Add(escrow.DefaultTerms().Deliver.Duration())
	if arrived {
		_, err := b.tries["arrive"](ctx)
		r.ok(err)
		b.deadline = now.Add(escrow.DefaultTerms().Decide.Duration())
	}
	if asked && !arrived {
		_, err := from.AskWithdraw(ctx, b.req.ID)
		r.ok(err)
	}
	return b
}

// ready signs all that will be tried. The order of the decisions' numbers decides
// which of them another makes stale, and before which server each is.
func (b *racer) ready(certificate servicetest.Certificate, now time.Time, order []int, at func(*person, int) *person) {
	id, to, from, last := b.req.ID, b.to, at(b.from, order[0]), at(b.to, order[1])
	proof := certificate.Proof(string("mail of "+id), "")
	arrival := escrow.Arrival{Proof: proof, Statement: to.statement(id, b.req.Quote, escrow.EventArrived, proof.Hash(), now)}
	gone := to.statement(id, b.req.Quote, escrow.EventWithdrawn, "", now)
	b.tries = map[string]func(context.Context) (escrow.State, error){
		"arrive": func(ctx context.Context) (escrow.State, error) {
			o, err := last.Arrive(ctx, id, arrival)
			return o.Bond.State, err
		},
		"withdraw": func(ctx context.Context) (escrow.State, error) {
			v, err := from.AskWithdraw(ctx, id)
			return v.State, err
		},
		"destroyed": func(ctx context.Context) (escrow.State, error) {
			o, err := last.Destroyed(ctx, id, gone)
			return o.Bond.State, err
		},
	}
	for i, verdict := range []escrow.Verdict{escrow.Accept, escrow.Reject, escrow.Undo} {
		to, signed := at(b.to, i), to.decision(id, b.req.Quote, verdict, int64(1+order[i]), now)
		b.tries[string(verdict)] = func(ctx context.Context) (escrow.State, error) {
			o, err := to.Decide(ctx, id, verdict, signed)
			return o.Bond.State, err
		}
	}
}

// race lets everything go at once: each try of each bond, the sweeper, the clock. The
// clock goes on when so many were begun and answered, so that it goes neither before
// nor after all of them, however slow the machine is.
func (r *ring) race(racers []*racer) {
	r.Helper()
	var all sync.WaitGroup
	var came atomic.Int64
	hours := map[int64]bool{}
	for len(hours) < 4 {
		hours[1+r.random.Int64N(together*8)] = true
	}
	one := func() {
		if hours[came.Add(1)] {
			r.Clock.Move(step)
		}
	}
	start := make(chan struct{})
	for _, b := range racers {
		for name, try := range b.tries {
			wait := time.Duration(r.random.IntN(8000)) * time.Microsecond
			all.Go(func() {
				<-start
				time.Sleep(wait)
				one()
				state, err := try(r.Context())
				one()
				if err == nil {
					b.mu.Lock()
					b.answers[name] = state
					b.mu.Unlock()
				} else if escrow.CodeOf(err) == escrow.Internal {
					r.Errorf("%s of bond %s: %v", name, b.req.ID, err)
				}
			})
		}
	}
	for n := range 2 {
		all.Go(func() {
			<-start
			for range 4 {
				if err := r.servers[n%len(r.servers)].SweepNow(r.Context()); err != nil {
					r.Error(err)
				}
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	close(start)
	all.Wait()
}

// judge holds the bond's receipts against the deadlines, what was answered, and
// where the money went.
func (r *ring) judge(b *racer) {
	r.Helper()
	receipts, err := b.to.Receipts(r.Context(), b.req.ID)
	r.ok(err)
	chain, err := escrow.VerifyChain(b.req.Quote, receipts, r.Server.ReceiptKey())
	r.ok(err)
	var ending *escrow.Receipt
	deadline, decide := b.deadline, escrow.DefaultTerms().Decide.Duration()
	for i, receipt := range chain.Receipts {
		switch receipt.Event {
		case escrow.EventArrived:
			if !b.arrived {
				deadline = receipt.Time.Add(decide)
			}
		case escrow.EventAccepted, escrow.EventRejected, escrow.EventExpired, escrow.EventWithdrawn:
			if ending != nil {
				r.Fatalf("bond %s is %s after it was %s", b.req.ID, receipt.Event, ending.Event)
			}
			ending = &chain.Receipts[i]
		}
	}
	if ending == nil {
		r.Fatalf("bond %s did not end", b.req.ID)
	}
	r.ended[ending.Event]++
	switch at := ending.Time; ending.Event {
	case escrow.EventExpired:
		if at.Before(deadline) {
			r.Fatalf("bond %s expired %s before its deadline", b.req.ID, deadline.Sub(at))
		}
	case escrow.EventRejected:
		// It was received in time, and took effect when nobody could undo it any more.
		undo := escrow.DefaultTerms().Undo.Duration()
		if received := at.Add(-undo); !received.Before(deadline) {
			r.Fatalf("bond %s was rejected %s after its deadline", b.req.ID, received.Sub(deadline))
		}
	default:
		if !at.Before(deadline) {
			r.Fatalf("bond %s was %s %s after its deadline", b.req.ID, ending.Event, at.Sub(deadline))
		}
	}
	r.answered(b, ending.Event)
}

// answered holds what the parties were told against the ending: nobody was told of
// another one.
func (r *ring) answered(b *racer, ending escrow.Event) {
	r.Helper()
	fits := func(name string, state escrow.State, event escrow.Event) {
		if got, ok := b.answers[name]; ok && got == state && ending != event {
			r.Fatalf("bond %s: %s was answered with %s, and the bond is %s; answers %v", b.req.ID, name, got, ending, b.answers)
		} else if ending == event && (!ok || got != state) {
			r.Fatalf("bond %s is %s, and %s was answered with %q", b.req.ID, ending, name, got)
		}
	}
	fits("accept", escrow.Accepted, escrow.EventAccepted)
	fits("destroyed", escrow.Withdrawn, escrow.EventWithdrawn)
	_, rejected := b.answers["reject"]
	_, undone := b.answers["undo"]
	if standing := rejected && !undone; standing != (ending == escrow.EventRejected) {
		r.Fatalf("bond %s is %s; answers %v", b.req.ID, ending, b.answers)
	}
	want := escrow.Withdrawn
	switch ending {
	case escrow.EventAccepted:
		want = escrow.Accepted
	case escrow.EventRejected:
		want = escrow.Rejected
	case escrow.EventExpired:
		want = escrow.Expired
	}
	stored, err := r.Store.Bond(r.Context(), b.req.ID)
	r.ok(err)
	if stored.State != want {
		r.Fatalf("bond %s is stored as %s, its receipts say %s", b.req.ID, stored.State, ending)
	}
}
