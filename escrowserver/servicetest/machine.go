package servicetest

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"earnest/escrow"
	"earnest/ledger"
	"earnest/payment"
)

// Machine does random operations on an escrow, steps in each of the runs, and
// holds what the parties see against a simple model. After each run the books
// are verified.
func Machine(t *testing.T, open func(t *testing.T) Harness, runs, steps int) {
	if err := flag.Set("rapid.checks", fmt.Sprint(runs)); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{TB: rapidTB{t, rt}, Harness: open(t)}
		m := &machine{world: w, rt: rt, bob: w.recipient("bob@recipient.example", 25, 0), forfeit: map[*person]payment.Amount{}, newest: map[*person]escrow.Movement{}}
		for i := range 3 {
			m.senders = append(m.senders, w.owner(escrow.Address(fmt.Sprintf("s@sender%d.example", i)), 100))
		}
		for range steps {
			m.step()
		}
		for _, p := range m.senders {
			p.statement(3)
		}
		w.verified()
	})
}

// rapidTB fails the run and not the test, so that rapid can look for a shorter one.
type rapidTB struct {
	testing.TB
	rt *rapid.T
}

func (r rapidTB) Fatal(args ...any)                 { r.rt.Fatal(args...) }
func (r rapidTB) Fatalf(format string, args ...any) { r.rt.Fatalf(format, args...) }
func (r rapidTB) Helper()                           { r.rt.Helper() }

type machine struct {
	*world
	rt      *rapid.T
	bob     *person
	senders []*person
	bonds   []*bought
	// The model: what has not ended, and what was forfeit. An ending that changed
	// later would show in the balances.
	open    []*bought
	forfeit map[*person]payment.Amount
	company payment.Amount
	// The newest movement that each sender has seen, by sender.
	newest map[*person]escrow.Movement
}

func (m *machine) step() {
	action := rapid.SampledFrom([]func(){
		m.someKeys, m.someBuy, m.someBuy, m.someArrival, m.someArrival, m.someEvent, m.someEvent, m.someEvent, m.someTime, m.someForgery,
	}).Draw(m.rt, "action")
	action()
	m.check()
}

func (m *machine) someKeys() {
	m.answered(second(m.bob.addKeys(rapid.IntRange(1, 3).Draw(m.rt, "keys"))))
}

func (m *machine) someBuy() {
	from := rapid.SampledFrom(m.senders).Draw(m.rt, "sender")
	quote, err := from.quote(m.bob, 25)
	if err != nil {
		m.answered(err)
		return
	}
	verification := NewCertificate(m)
	req := escrow.BuyRequest{ID: escrow.BondID(m.id()), Quote: quote, Verification: verification.Binary, Reply: verification.Binary}
	purchase, err := from.Buy(context.Background(), req)
	if err != nil {
		m.answered(err)
		return
	}
	b := &bought{Purchase: purchase, req: req, verification: verification, from: from, to: m.bob}
	m.bonds, m.open = append(m.bonds, b), append(m.open, b)
	again, err := from.Buy(context.Background(), req)
	m.ok(err)
	if again.Receipt != purchase.Receipt {
		m.Fatal("the same buy again has another receipt")
	}
}

func (m *machine) some() *bought {
	if len(m.bonds) == 0 {
		return nil
	}
	// Mostly the newest: older ones have ended.
	newest := max(0, len(m.bonds)-4)
	return rapid.SampledFrom(m.bonds[newest:]).Draw(m.rt, "bond")
}

func (m *machine) someArrival() {
	if b := m.some(); b != nil {
		_, err := m.bob.Arrive(context.Background(), b.id(), b.arrival("mail of bond "+string(b.id())))
		m.answered(err)
	}
}

func (m *machine) someEvent() {
	b := m.some()
	if b == nil {
		return
	}
	ctx := context.Background()
	event := rapid.SampledFrom([]string{"accept", "reject", "reject", "undo", "read", "withdraw", "destroyed"}).Draw(m.rt, "event")
	var err error
	switch event {
	case "read":
		_, err = m.bob.Read(ctx, b.id(), b.statement(escrow.EventRead, ""))
	case "withdraw":
		_, err = b.from.AskWithdraw(ctx, b.id())
	case "destroyed":
		_, err = m.bob.Destroyed(ctx, b.id(), b.statement(escrow.EventWithdrawn, ""))
	default:
		verdict := escrow.Verdict(event)
		signed := b.decision(verdict)
		var first, again escrow.Outcome
		if first, err = m.bob.Decide(ctx, b.id(), verdict, signed); err == nil {
			again, err = m.bob.Decide(ctx, b.id(), verdict, signed)
			if again.Receipt != first.Receipt {
				m.Fatal("the same decision again has another receipt")
			}
		}
	}
	m.answered(err)
}

func (m *machine) someTime() {
	m.Clock.Move(rapid.SampledFrom([]time.Duration{time.Microsecond, 10 * time.Minute, time.Hour, 10 * 24 * time.Hour, 31 * 24 * time.Hour}).Draw(m.rt, "pause"))
	if rapid.Bool().Draw(m.rt, "sweep") {
		m.sweep()
	}
	// Proofs of addresses lapse in half a year.
	for _, p := range append([]*person{m.bob}, m.senders...) {
		account, err := p.Account(context.Background())
		m.ok(err)
		if account.Addresses[0].RenewBy.Sub(m.Clock.Now()) < 60*24*time.Hour {
			p.prove(p.address)
		}
	}
}

// someForgery tries what must never work.
func (m *machine) someForgery() {
	b := m.some()
	if b == nil {
		return
	}
	ctx := context.Background()
	proof := NewCertificate(m).Proof("another mail", "")
	if _, err := m.bob.Arrive(ctx, b.id(), escrow.Arrival{Proof: proof, Statement: b.statement(escrow.EventArrived, proof.Hash())}); err == nil {
		m.Fatal("a proof by another key was taken")
	}
	bySender := b.from.sign(escrow.KindDecision, escrow.Decision{Bond: b.id(), Quote: b.req.Quote.Hash(), Verdict: escrow.Accept, N: b.n + 1})
	if _, err := m.bob.Decide(ctx, b.id(), escrow.Accept, bySender); err == nil {
		m.Fatal("a decision by the sender was taken")
	}
}

func second[T any](_ T, err error) error { return err }

// answered takes refusals, which are part of the protocol, but no failure.
func (m *machine) answered(err error) {
	m.Helper()
	if escrow.CodeOf(err) == escrow.Internal {
		m.Fatalf("the escrow failed: %v", err)
	}
}

// check holds what the parties see against the model: money is with the sender,
// held by an open bond, or forfeit.
func (m *machine) check() {
	m.Helper()
	m.sweep()
	held := map[*person]payment.Amount{}
	open := m.open[:0]
	for _, b := range m.open {
		stored, err := m.Store.Bond(context.Background(), b.id())
		m.ok(err)
		switch {
		case !stored.State.Ended():
			held[b.from] += 25
			open = append(open, b)
		case stored.State == escrow.Rejected:
			m.forfeit[b.from] += 25
			m.company += 25
		}
	}
	m.open = open
	for _, p := range m.senders {
		p.has(100-held[p]-m.forfeit[p], held[p])
		page, err := p.Movements(context.Background(), m.newest[p].N, 0)
		m.ok(err)
		if n := len(page.Movements); n > 0 {
			m.newest[p] = page.Movements[n-1]
		}
		if last := m.newest[p]; last.Available != 100-held[p]-m.forfeit[p] || last.Held != held[p] {
			m.Fatalf("the last movement leaves %d and %d held", last.Available, last.Held)
		}
	}
	if got := m.holder(string(ledger.Company)); got != int64(m.company) {
		m.Fatalf("the company has %d, the rejected bonds make %d", got, m.company)
	}
}
