package servicetest

import (
	"context"
	"strings"
	"time"

	"earnest/escrow"
)

// rejects decides with a block or without.
func (b *bought) rejects(block bool) {
	b.to.w.Helper()
	b.n++
	_, err := b.to.Decide(context.Background(), b.id(), escrow.Reject, b.to.sign(escrow.KindDecision, escrow.Decision{
		Bond: b.id(), Quote: b.req.Quote.Hash(), Verdict: escrow.Reject, N: b.n, Time: b.to.w.Clock.Now(), Block: block}))
	b.to.w.ok(err)
}

func blocks(w *world) {
	ctx := context.Background()
	anna, bob, carol := w.owner("an.na@sender.example", 500), w.recipient("bob@recipient.example", 25, 5), w.recipient("carol@recipient.example", 25, 5)
	bond := anna.buy(bob, 25)
	bond.arrive()
	bond.rejects(true)
	// Until the reject takes effect nothing tells of it.
	_, err := anna.quote(bob, 25)
	w.ok(err)
	early, _ := anna.request(bob, 25)
	w.later(10 * time.Minute)
	_, err = anna.Buy(ctx, early)
	if err == nil {
		w.Fatal("a quote of before buys past the block")
	}
	_, err = anna.quote(bob, 25)
	w.fails(err, escrow.Limited)
	if strings.Contains(err.Error(), "block") || strings.Contains(err.Error(), "reject") {
		w.Fatalf("the answer tells of the block: %v", err)
	}
	anna.prove("anna+tag@sender.example")
	_, err = anna.quote(bob, 25)
	w.fails(err, escrow.Limited)
	_, err = anna.quote(carol, 25)
	w.ok(err)
	anna.address = "an.na@sender.example"
	w.later(170 * day)
	renew(w, anna, bob)
	w.later(170 * day)
	renew(w, anna, bob)
	_, err = anna.quote(bob, 25)
	w.fails(err, escrow.Limited)
	w.later(25 * day)
	_, err = anna.quote(bob, 25)
	w.ok(err)
}

func renew(w *world, people ...*person) {
	w.Helper()
	for _, p := range people {
		p.prove(p.address)
	}
}

func undoneBlocksNobody(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 5)
	bond := anna.buy(bob, 25)
	bond.arrive()
	bond.rejects(true)
	bond.decide(escrow.Undo)
	bond.rejects(false)
	w.later(time.Hour)
	_, err := anna.quote(bob, 25)
	w.ok(err)
	_, err = bob.Decide(context.Background(), bond.id(), escrow.Accept, bob.sign(escrow.KindDecision, escrow.Decision{
		Bond: bond.id(), Quote: bond.req.Quote.Hash(), Verdict: escrow.Accept, N: 99, Time: w.Clock.Now(), Block: true}))
	w.fails(err, escrow.Invalid)
}
