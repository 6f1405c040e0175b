package servicetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
)

func attackTests() []test {
	return []test{
		{"DecideBeforeArrived", decideBeforeArrived},
		{"WithdrawAfterSubmitting", withdrawAfterSubmitting},
		{"ForfeitWithoutDecision", forfeitWithoutDecision},
		{"OldRejectAfterUndo", oldRejectAfterUndo},
		{"DecisionsOfABondAreLimited", decisionsLimited},
		{"ForgedProofs", forgedProofs},
		{"ForgedStatements", forgedStatements},
		{"TamperedQuote", tamperedQuote},
		{"AQuoteWithAFeeIsRefused", feeRefused},
		{"ManyBuyersOneKey", manyBuyers},
		{"OneEndingWins", oneEnding},
	}
}

func decideBeforeArrived(w *world) {
	ctx := context.Background()
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	for _, verdict := range []escrow.Verdict{escrow.Reject, escrow.Accept, escrow.Undo} {
		_, err := bob.Decide(ctx, bond.id(), verdict, bond.decision(verdict))
		w.fails(err, escrow.NotArrived)
	}
	_, err := bob.Read(ctx, bond.id(), bond.statement(escrow.EventRead, ""))
	w.fails(err, escrow.NotArrived)
	w.later(time.Hour)
	anna.has(475, 25)
}

func withdrawAfterSubmitting(w *world) {
	// The spammer submits the mail and at once asks for the money. It stays held
	// while the key lives, so the mail that arrives takes it.
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	_, err := anna.AskWithdraw(context.Background(), bond.id())
	w.ok(err)
	w.later(day)
	anna.has(475, 25)
	// The sender cannot speak for the recipient's agent.
	own, err := escrow.Sign(anna.key, escrow.KindStatement, escrow.Statement{
		Bond: bond.id(), Quote: bond.req.Quote.Hash(), Event: escrow.EventWithdrawn, Time: w.Clock.Now()})
	w.ok(err)
	_, err = anna.Destroyed(context.Background(), bond.id(), own)
	w.fails(err, escrow.Forbidden)
	_, err = bob.Destroyed(context.Background(), bond.id(), own)
	w.fails(err, escrow.Invalid)
	anna.has(475, 25)
	bond.arrive()
	bond.decide(escrow.Reject)
	w.later(time.Hour)
	anna.has(475, 0)
}

// forfeitWithoutDecision plays an escrow that takes the money by itself.
func forfeitWithoutDecision(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	bond.arrive()
	bond.decide(escrow.Accept)
	receipts, err := anna.Receipts(context.Background(), bond.id())
	w.ok(err)
	if len(receipts) != 3 {
		w.Fatalf("%d receipts, want 3", len(receipts))
	}
	chain, err := escrow.VerifyChain(bond.req.Quote, receipts, w.Server.ReceiptKey())
	w.ok(err)
	forged := chain.Receipts[2]
	forged.Event, forged.Money = escrow.EventRejected, escrow.MoneyForfeit
	if _, err := w.verifyForged(bond, receipts[:2], forged); err == nil {
		w.Fatal("a forfeit with an accept for its decision was taken")
	}
	forged.Statement = ""
	if _, err := w.verifyForged(bond, receipts[:2], forged); err == nil {
		w.Fatal("a forfeit without a decision was taken")
	}
	forged.Statement = anna.sign(escrow.KindDecision, escrow.Decision{Bond: bond.id(), Quote: bond.req.Quote.Hash(), Verdict: escrow.Reject, N: 1})
	if _, err := w.verifyForged(bond, receipts[:2], forged); err == nil {
		w.Fatal("a forfeit with another's decision was taken")
	}
	// The control: with the recipient's own decision the same chain is sound.
	forged.Statement = bond.decision(escrow.Reject)
	if _, err := w.verifyForged(bond, receipts[:2], forged); err != nil {
		w.Fatalf("a true forfeit is refused: %v", err)
	}
}

// verifyForged signs the receipt as the escrow and verifies the chain with it.
func (w *world) verifyForged(bond *bought, before []escrow.Signed, r escrow.Receipt) (escrow.Verified, error) {
	w.Helper()
	signed, err := escrow.Sign(w.ReceiptSigner, escrow.KindReceipt, r)
	w.ok(err)
	return escrow.VerifyChain(bond.req.Quote, append(append([]escrow.Signed{}, before...), signed), w.Server.ReceiptKey())
}

// decisionsLimited: rejecting and undoing fills no disk, and what is decided last counts.
func decisionsLimited(w *world) {
	ctx := context.Background()
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	var bonds []*bought
	var undone escrow.Signed
	for _, sender := range []*person{anna, w.owner("carol@other.example", 500)} {
		bond := sender.buy(bob, 25)
		bond.arrive()
		bonds = append(bonds, bond)
		for range escrowserver.DecisionsOfABond / 2 {
			bond.decide(escrow.Reject)
			undone = bond.decision(escrow.Undo)
			_, err := bob.Decide(ctx, bond.id(), escrow.Undo, undone)
			w.ok(err)
		}
	}
	rejected, accepted := bonds[0], bonds[1]
	rejected.decide(escrow.Reject)
	_, err := bob.Decide(ctx, rejected.id(), escrow.Undo, rejected.decision(escrow.Undo))
	w.fails(err, escrow.Limited)
	_, err = bob.Decide(ctx, accepted.id(), escrow.Undo, undone) // the same bytes again
	w.ok(err)
	accepted.decide(escrow.Accept)
	w.later(time.Hour)
	if v := rejected.view(bob); v.State != escrow.Rejected {
		w.Fatalf("the last reject is %s", v.State)
	}
	anna.has(475, 0)
	w.verified()
}

func oldRejectAfterUndo(w *world) {
	ctx := context.Background()
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	bond.arrive()
	reject := bond.decision(escrow.Reject)
	o, err := bob.Decide(ctx, bond.id(), escrow.Reject, reject)
	w.ok(err)
	bond.decide(escrow.Undo)
	// The very same bytes: the recorded outcome, but the bond stays as it is.
	again, err := bob.Decide(ctx, bond.id(), escrow.Reject, reject)
	w.ok(err)
	if again.Receipt != o.Receipt {
		w.Fatal("the old reject got a new receipt")
	}
	// The same number signed anew.
	anew := bob.sign(escrow.KindDecision, escrow.Decision{Bond: bond.id(), Quote: bond.req.Quote.Hash(), Verdict: escrow.Reject, N: 1, Time: w.Clock.Now().Add(time.Second)})
	_, err = bob.Decide(ctx, bond.id(), escrow.Reject, anew)
	w.fails(err, escrow.Stale)
	// Moved to another verdict, or to another bond.
	_, err = bob.Decide(ctx, bond.id(), escrow.Accept, reject)
	w.fails(err, escrow.Invalid)
	carol := w.owner("carol@sender.example", 100)
	other := carol.buy(bob, 25)
	other.arrive()
	_, err = bob.Decide(ctx, other.id(), escrow.Reject, reject)
	w.fails(err, escrow.Invalid)
	w.later(day)
	anna.has(475, 25)
	if v := bond.view(bob); v.State != escrow.Arrived {
		w.Fatalf("the bond is %s", v.State)
	}
}

func forgedProofs(w *world) {
	ctx := context.Background()
	anna, carol := w.owner("anna@sender.example", 500), w.owner("carol@sender.example", 500)
	bob := w.recipient("bob@recipient.example", 25, 3)
	bond, other := anna.buy(bob, 25), carol.buy(bob, 25)
	// A proof by somebody else's key.
	_, err := bob.Arrive(ctx, bond.id(), escrow.Arrival{Proof: other.arrival("x").Proof, Statement: bond.statement(escrow.EventArrived, other.arrival("x").Proof.Hash())})
	w.fails(err, escrow.BadProof)
	// A statement about another proof, and no proof.
	_, err = bob.Arrive(ctx, bond.id(), escrow.Arrival{Proof: bond.arrival("x").Proof, Statement: bond.statement(escrow.EventArrived, "x")})
	w.fails(err, escrow.BadProof)
	_, err = bob.Arrive(ctx, bond.id(), escrow.Arrival{Statement: bond.statement(escrow.EventArrived, escrow.ArrivalProof{}.Hash())})
	w.fails(err, escrow.BadProof)
	bond.arrive()
	// A second mail to the same key.
	_, err = bob.Arrive(ctx, bond.id(), bond.arrival("a second mail"))
	w.fails(err, escrow.Conflict)
	// The same mail with its packet changed where nobody signed it.
	copied := bond.verification.Proof("mail of bond "+string(bond.id()), "changed")
	if _, err := bob.Arrive(ctx, bond.id(), escrow.Arrival{Proof: copied, Statement: bond.statement(escrow.EventArrived, copied.Hash())}); err != nil {
		w.fails(err, escrow.Conflict)
	}
	// One certificate for two purchases, one mail for two bonds.
	req, _ := anna.request(w.recipient("bert@recipient.example", 25, 1), 25)
	req.Verification = bond.req.Verification
	_, err = anna.Buy(ctx, req)
	w.ok(err)
	second := &bought{req: req, verification: bond.verification, from: anna, to: bob}
	_, err = bob.Arrive(ctx, second.id(), second.arrival("mail of bond "+string(bond.id())))
	w.fails(err, escrow.NotFound) // it is Bert's
	dora := w.owner("dora@sender.example", 100)
	req, _ = dora.request(bob, 25)
	req.Verification = bond.req.Verification
	_, err = dora.Buy(ctx, req)
	w.ok(err)
	third := &bought{req: req, verification: bond.verification, from: dora, to: bob}
	_, err = bob.Arrive(ctx, third.id(), third.arrival("mail of bond "+string(bond.id())))
	w.fails(err, escrow.BadProof)
	copied = bond.verification.Proof("mail of bond "+string(bond.id()), "changed")
	_, err = bob.Arrive(ctx, third.id(), escrow.Arrival{Proof: copied, Statement: third.statement(escrow.EventArrived, copied.Hash())})
	w.fails(err, escrow.BadProof)
	dora.has(75, 25)
}

func forgedStatements(w *world) {
	ctx := context.Background()
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	proof := bond.arrival("x").Proof
	byAnna := anna.sign(escrow.KindStatement, escrow.Statement{Bond: bond.id(), Quote: bond.req.Quote.Hash(), Event: escrow.EventArrived, Proof: proof.Hash()})
	_, err := bob.Arrive(ctx, bond.id(), escrow.Arrival{Proof: proof, Statement: byAnna})
	w.fails(err, escrow.Invalid)
	_, err = anna.Arrive(ctx, bond.id(), escrow.Arrival{Proof: proof, Statement: byAnna})
	w.fails(err, escrow.Forbidden)
	bond.arrive()
	byAnna = anna.sign(escrow.KindDecision, escrow.Decision{Bond: bond.id(), Quote: bond.req.Quote.Hash(), Verdict: escrow.Accept, N: 1})
	_, err = bob.Decide(ctx, bond.id(), escrow.Accept, byAnna)
	w.fails(err, escrow.Invalid)
	// A read statement is not an arrived one, nor a decision of another kind.
	_, err = bob.Read(ctx, bond.id(), bond.statement(escrow.EventArrived, proof.Hash()))
	w.fails(err, escrow.Invalid)
	wrongKind := bob.sign(escrow.KindStatement, escrow.Decision{Bond: bond.id(), Quote: bond.req.Quote.Hash(), Verdict: escrow.Reject, N: 1})
	_, err = bob.Decide(ctx, bond.id(), escrow.Reject, wrongKind)
	w.fails(err, escrow.Invalid)
	future := bob.sign(escrow.KindDecision, escrow.Decision{Bond: bond.id(), Quote: bond.req.Quote.Hash(), Verdict: escrow.Reject, N: 1, Time: w.Clock.Now().Add(6 * time.Minute)})
	_, err = bob.Decide(ctx, bond.id(), escrow.Reject, future)
	w.fails(err, escrow.ClockSkew)
	w.later(day)
	anna.has(475, 25)
}

func tamperedQuote(w *world) {
	ctx := context.Background()
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	req, _ := anna.request(bob, 25)
	var quote escrow.Quote
	w.ok(escrow.Peek(req.Quote, &quote))
	quote.Option.Amount = 1
	cheap := req
	cheap.Quote = anna.sign(escrow.KindQuote, quote)
	_, err := anna.Buy(ctx, cheap)
	w.fails(err, escrow.Invalid)
	big := req
	big.Reply = make([]byte, escrow.MaxCertificate+1)
	_, err = anna.Buy(ctx, big)
	w.fails(err, escrow.Invalid)
	none := req
	none.Verification = nil
	_, err = anna.Buy(ctx, none)
	w.fails(err, escrow.Invalid)
	anna.has(500, 0)
	_, err = anna.Buy(ctx, req)
	w.ok(err)
}

// A fee is neither held nor counted as spent, so nobody buys by a quote that has one.
func feeRefused(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	req, _ := anna.request(bob, 25)
	var quote escrow.Quote
	w.ok(escrow.Peek(req.Quote, &quote))
	for _, fee := range []payment.Amount{1, -1} {
		quote.RefundFee = fee
		signed, err := escrow.Sign(w.ReceiptSigner, escrow.KindQuote, quote)
		w.ok(err)
		costly := req
		costly.Quote = signed
		_, err = anna.Buy(context.Background(), costly)
		w.fails(err, escrow.Invalid)
		anna.has(500, 0)
	}
}

func manyBuyers(w *world) {
	const buyers, keys = 12, 5
	bob := w.recipient("bob@recipient.example", 25, keys)
	var reqs []escrow.BuyRequest
	var people []*person
	for i := range buyers {
		p := w.owner(escrow.Address(fmt.Sprintf("s@sender%d.example", i)), 100)
		req, _ := p.request(bob, 25)
		people, reqs = append(people, p), append(reqs, req)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	sold := map[string]int{}
	empty := 0
	for i, p := range people {
		wg.Go(func() {
			purchase, err := p.Buy(context.Background(), reqs[i])
			mu.Lock()
			defer mu.Unlock()
			if escrow.CodeOf(err) == escrow.SoldOut {
				empty++
			} else if err == nil {
				sold[purchase.Bond.KeyFingerprint]++
			} else {
				w.Errorf("buy: %v", err)
			}
		})
	}
	wg.Wait()
	if len(sold) != keys || empty != buyers-keys {
		w.Fatalf("%d keys sold and %d buyers refused, want %d and %d", len(sold), empty, keys, buyers-keys)
	}
}

func oneEnding(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	bond.arrive()
	accept, reject := bond.decision(escrow.Accept), bond.decision(escrow.Reject)
	w.Clock.Move(14*day - time.Microsecond)
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = bob.Decide(context.Background(), bond.id(), escrow.Accept, accept) })
	wg.Go(func() { _, _ = bob.Decide(context.Background(), bond.id(), escrow.Reject, reject) })
	wg.Go(func() { w.Clock.Move(time.Microsecond); _ = w.Server.SweepNow(context.Background()) })
	wg.Wait()
	w.later(time.Hour)
	endings := 0
	for _, event := range bond.events(anna) {
		switch event {
		case escrow.EventAccepted, escrow.EventRejected, escrow.EventExpired:
			endings++
		}
	}
	if endings != 1 {
		w.Fatalf("%d endings", endings)
	}
	if b := anna.money(); b.Held != 0 || b.Available != 500 && b.Available != 475 {
		w.Fatalf("balance %+v", b)
	}
}
