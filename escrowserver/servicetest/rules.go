package servicetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"earnest/escrow"
)

func ruleTests() []test {
	return []test{
		{"OneOpenBondPerPair", oneOpenBond},
		{"TagsAndDotsMakeNoOtherPair", foldedPair},
		{"ThreeNeverArrived", threeNeverArrived},
		{"OneDomainFillsNoPool", oneDomain},
		{"LookupsAreLimited", lookupsLimited},
		{"QuoteEnds", quoteEnds},
		{"NewerOfferStays", newerOfferStays},
		{"WithdrawIsARequest", withdrawIsARequest},
		{"ArrivalCancelsWithdraw", arrivalCancelsWithdraw},
		{"SameDecisionSameAnswer", sameDecision},
		{"LateMailMovesNoMoney", lateMail},
		{"BondsArePagedAndNumbered", bondsPaged},
		{"BondsWait", bondsWait},
		{"DeadlineBeatsLateReject", deadlineBeatsReject},
		{"RejectInTimeBeatsDeadline", rejectBeatsDeadline},
	}
}

func oneOpenBond(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 3)
	first := anna.buy(bob, 25)
	req, _ := anna.request(bob, 25)
	_, err := anna.Buy(context.Background(), req)
	w.fails(err, escrow.OpenBond)
	anna.has(475, 25)
	first.arrive()
	_, err = anna.Buy(context.Background(), req)
	w.fails(err, escrow.OpenBond)
	first.decide(escrow.Accept)
	_, err = anna.Buy(context.Background(), req)
	w.ok(err)
	anna.has(475, 25)
}

// foldedPair: with tags and dots a mailbox has as many addresses as it likes, and one
// open bond at a recipient, however that one is written. What others buy goes on.
func foldedPair(w *world) {
	ctx := context.Background()
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 3)
	first := anna.buy(bob, 25)
	w.Clock.Move(2 * time.Hour)
	tagged, bobs := w.owner("an.na+1@sender.example", 500), w.recipient("b.ob+paid@recipient.example", 25, 3)
	for _, pair := range [][2]*person{{tagged, bob}, {anna, bobs}, {tagged, bobs}} {
		req, _ := pair[0].request(pair[1], 25)
		_, err := pair[0].Buy(ctx, req)
		w.fails(err, escrow.OpenBond)
	}
	w.owner("hanna@sender.example", 500).buy(bob, 25)
	anna.buy(w.recipient("rob@recipient.example", 25, 1), 25)
	first.arrive()
	first.decide(escrow.Accept)
	tagged.buy(bobs, 25)
	req, _ := anna.request(bob, 25)
	_, err := anna.Buy(ctx, req)
	w.fails(err, escrow.OpenBond)
	w.verified()
}

func threeNeverArrived(w *world) {
	anna := w.owner("anna.b@gmail.com", 500)
	var last *bought
	for i := range 3 {
		last = anna.buy(w.recipient(escrow.Address(fmt.Sprintf("r%d@recipient.example", i)), 25, 1), 25)
	}
	carol := w.recipient("carol@recipient.example", 25, 1)
	_, err := anna.quote(carol, 25)
	w.ok(err)
	w.later(30 * day)
	anna.has(500, 0)
	_, err = anna.quote(carol, 25)
	w.fails(err, escrow.Limited)
	// Another account that proves the same mailbox does not help.
	twin := w.owner("annab+x@gmail.com", 500)
	_, err = twin.quote(carol, 25)
	w.fails(err, escrow.Limited)
	// A late arrival shows that it was no game.
	last.arrive()
	_, err = anna.quote(carol, 25)
	w.ok(err)
	dora := w.owner("dora@gmail.com", 500)
	for i := range 3 {
		dora.buy(w.recipient(escrow.Address(fmt.Sprintf("s%d@recipient.example", i)), 25, 1), 25)
	}
	w.later(30 * day)
	w.later(30*day - time.Second)
	_, err = dora.quote(carol, 25)
	w.fails(err, escrow.Limited)
	w.later(time.Second)
	_, err = dora.quote(carol, 25)
	w.ok(err)
}

func oneDomain(w *world) {
	bob := w.recipient("bob@recipient.example", 25, 20)
	var bonds []*bought
	for i := range 5 {
		bonds = append(bonds, w.owner(escrow.Address(fmt.Sprintf("s%d@h%d.sender.co.uk", i, i)), 100).buy(bob, 25))
	}
	sixth := w.owner("s6@sender.co.uk", 100)
	_, err := sixth.quote(bob, 25)
	w.fails(err, escrow.Limited)
	other := w.owner("s6@other.co.uk", 100)
	other.buy(bob, 25)
	for i := range 6 { // a large provider's customers count one by one
		w.owner(escrow.Address(fmt.Sprintf("s%d@gmail.com", i)), 100).buy(bob, 25)
	}
	req := func() escrow.BuyRequest { bonds[0].arrive(); r, _ := sixth.request(bob, 25); return r }()
	// Quotes made before do not get around the limit at buy.
	seventh := w.owner("s7@sender.co.uk", 100)
	late, _ := seventh.request(bob, 25)
	_, err = sixth.Buy(context.Background(), req)
	w.ok(err)
	_, err = seventh.Buy(context.Background(), late)
	w.fails(err, escrow.Limited)
	seventh.has(100, 0)
}

func lookupsLimited(w *world) {
	ctx := context.Background()
	anna := w.owner("anna@sender.example", 0)
	bob := w.recipient("bob@recipient.example", 25, 1)
	_, err := anna.Offer(ctx, bob.address)
	w.ok(err)
	for i := range 59 {
		_, err := anna.Offer(ctx, escrow.Address(fmt.Sprintf("a%d@unknown.example", i)))
		w.fails(err, escrow.NoOffer)
	}
	_, err = anna.Offer(ctx, "one.more@unknown.example")
	w.fails(err, escrow.Limited)
	if e, ok := errors.AsType[*escrow.Error](err); !ok || e.RetryAfter != time.Hour {
		w.Fatalf("the limit does not say when it ends: %v", err)
	}
	_, err = anna.Offer(ctx, bob.address) // seen within the hour
	w.ok(err)
	_, err = w.owner("eve@sender.example", 0).Offer(ctx, "one.more@unknown.example")
	w.fails(err, escrow.NoOffer)
	carol := w.owner("carol@recipient.example", 1)
	draft := carol.draft(5)
	draft.Public = true
	w.ok(carol.PublishOffer(ctx, carol.sign(escrow.KindOffer, draft)))
	_, err = anna.Offer(ctx, carol.address)
	w.ok(err)
	w.Clock.Move(time.Hour)
	_, err = anna.Offer(ctx, "one.more@unknown.example")
	w.fails(err, escrow.NoOffer)
}

func quoteEnds(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	in, _ := anna.request(bob, 25)
	w.Clock.Move(10*time.Minute - time.Microsecond)
	_, err := anna.Buy(context.Background(), in)
	w.ok(err)
	carol := w.recipient("carol@recipient.example", 25, 2)
	late, _ := anna.request(carol, 25)
	w.Clock.Move(10 * time.Minute)
	_, err = anna.Buy(context.Background(), late)
	w.fails(err, escrow.QuoteExpired)
	anna.has(475, 25)
	_, err = anna.Buy(context.Background(), in) // the answer of what was bought in time
	w.ok(err)
	anna.has(475, 25)
}

func newerOfferStays(w *world) {
	ctx := context.Background()
	bob := w.owner("bob@recipient.example", 1)
	old := bob.sign(escrow.KindOffer, bob.draft(10))
	w.Clock.Move(time.Second)
	bob.offer(20)
	w.fails(bob.PublishOffer(ctx, old), escrow.Conflict)
	newest, err := bob.Offer(ctx, bob.address)
	w.ok(err)
	w.ok(bob.PublishOffer(ctx, newest)) // the same again
	draft := bob.draft(30)
	draft.Made = draft.Made.Add(time.Hour)
	w.fails(bob.PublishOffer(ctx, bob.sign(escrow.KindOffer, draft)), escrow.ClockSkew)
	eve := w.owner("eve@recipient.example", 1)
	eve.address = bob.address
	w.fails(eve.PublishOffer(ctx, eve.sign(escrow.KindOffer, eve.draft(1))), escrow.Unproven)
	w.fails(eve.PublishOffer(ctx, newest), escrow.Forbidden)
	// A price changed within a quote's life: the quote holds what it says.
	_, err = bob.addKeys(1)
	w.ok(err)
	anna := w.owner("anna@sender.example", 100)
	req, _ := anna.request(bob, 20)
	w.Clock.Move(time.Second)
	bob.offer(50)
	_, err = anna.Buy(ctx, req)
	w.ok(err)
	anna.has(80, 20)
}

func withdrawIsARequest(w *world) {
	ctx := context.Background()
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	_, err := bob.Destroyed(ctx, bond.id(), bond.statement(escrow.EventWithdrawn, ""))
	w.fails(err, escrow.Conflict)
	cursor, err := bob.Bonds(ctx, 0, 0)
	w.ok(err)
	v, err := anna.AskWithdraw(ctx, bond.id())
	w.ok(err)
	again, err := anna.AskWithdraw(ctx, bond.id())
	w.ok(err)
	if v.WithdrawAskedAt.IsZero() || !again.WithdrawAskedAt.Equal(v.WithdrawAskedAt) || v.State != escrow.Held {
		w.Fatalf("withdraw asked: %+v", v)
	}
	_, err = bob.AskWithdraw(ctx, bond.id())
	w.fails(err, escrow.Forbidden)
	anna.has(475, 25)
	news, err := bob.Bonds(ctx, cursor.Cursor, 0)
	w.ok(err)
	if len(news.Bonds) != 1 || news.Bonds[0].WithdrawAskedAt.IsZero() {
		w.Fatalf("the recipient's agent is not told: %+v", news)
	}
	statement := bond.statement(escrow.EventWithdrawn, "")
	o, err := bob.Destroyed(ctx, bond.id(), statement)
	w.ok(err)
	if o.Bond.State != escrow.Withdrawn || o.Bond.Verification != nil {
		w.Fatalf("destroyed: %+v", o.Bond)
	}
	same, err := bob.Destroyed(ctx, bond.id(), statement)
	w.ok(err)
	if same.Receipt != o.Receipt {
		w.Fatal("the same statement again has another receipt")
	}
	anna.has(500, 0)
	if got := bond.events(anna); !slices.Equal(got, []escrow.Event{escrow.EventPaid, escrow.EventWithdrawn}) {
		w.Fatalf("receipts say %v", got)
	}
	_, err = bob.Arrive(ctx, bond.id(), bond.arrival("too late"))
	w.fails(err, escrow.BadProof) // nothing is left to check it with
}

func arrivalCancelsWithdraw(w *world) {
	ctx := context.Background()
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	_, err := anna.AskWithdraw(ctx, bond.id())
	w.ok(err)
	if o := bond.arrive(); !o.Bond.WithdrawAskedAt.IsZero() {
		w.Fatal("the arrival did not cancel the withdrawal")
	}
	_, err = bob.Destroyed(ctx, bond.id(), bond.statement(escrow.EventWithdrawn, ""))
	w.fails(err, escrow.Conflict)
	_, err = anna.AskWithdraw(ctx, bond.id())
	w.fails(err, escrow.TooLate)
	anna.has(475, 25)
}

func sameDecision(w *world) {
	ctx := context.Background()
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	arrival := bond.arrival("the mail")
	arrived, err := bob.Arrive(ctx, bond.id(), arrival)
	w.ok(err)
	reject, undo, accept := bond.decision(escrow.Reject), bond.decision(escrow.Undo), bond.decision(escrow.Accept)
	verdicts := []escrow.Verdict{escrow.Reject, escrow.Undo, escrow.Accept}
	var outcomes []escrow.Outcome
	for i, signed := range []escrow.Signed{reject, undo, accept} {
		w.Clock.Move(time.Second)
		o, err := bob.Decide(ctx, bond.id(), verdicts[i], signed)
		w.ok(err)
		outcomes = append(outcomes, o)
	}
	// Each again, after all of them: the recorded outcome, and nothing moves.
	for i, signed := range []escrow.Signed{reject, undo, accept} {
		o, err := bob.Decide(ctx, bond.id(), verdicts[i], signed)
		w.ok(err)
		if o.Receipt != outcomes[i].Receipt || o.Bond.State != outcomes[i].Bond.State || !o.Bond.EffectiveAt.Equal(outcomes[i].Bond.EffectiveAt) ||
			!slices.Equal(o.Bond.Reply, outcomes[i].Bond.Reply) {
			w.Fatalf("%s again: %+v, before %+v", verdicts[i], o.Bond, outcomes[i].Bond)
		}
	}
	again, err := bob.Arrive(ctx, bond.id(), arrival)
	w.ok(err)
	if again.Receipt != arrived.Receipt || again.Bond.State != escrow.Arrived {
		w.Fatalf("the same proof again: %+v", again.Bond)
	}
	w.later(time.Hour)
	anna.has(500, 0)
	_, err = anna.Decide(ctx, bond.id(), escrow.Accept, accept)
	w.fails(err, escrow.Forbidden)
	_, err = w.stranger().Decide(ctx, bond.id(), escrow.Accept, accept)
	w.fails(err, escrow.NotFound)
}

func lateMail(w *world) {
	ctx := context.Background()
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	w.later(31 * day)
	anna.has(500, 0)
	w.later(80 * day)
	if o := bond.arrive(); o.Bond.State != escrow.Expired || o.Bond.ArrivedAt.IsZero() {
		w.Fatalf("late arrival: %+v", o.Bond)
	}
	o := bond.decide(escrow.Accept)
	if o.Bond.State != escrow.Expired || o.Bond.LateAcceptedAt.IsZero() || !slices.Equal(o.Bond.Reply, bond.req.Reply) {
		w.Fatalf("late accept: %+v", o.Bond)
	}
	anna.has(500, 0)
	want := []escrow.Event{escrow.EventPaid, escrow.EventExpired, escrow.EventLateArrived, escrow.EventLateAccepted}
	if got := bond.events(anna); !slices.Equal(got, want) {
		w.Fatalf("receipts say %v, want %v", got, want)
	}
	// After 90 days nothing is left to accept with.
	never := anna.buy(bob, 25)
	w.later(30 * day)
	w.later(90 * day)
	stored, err := w.Store.Bond(ctx, never.id())
	w.ok(err)
	if stored.Verification != nil || stored.Reply != nil {
		w.Fatal("the sender's certificates are kept over 90 days")
	}
	_, err = bob.Arrive(ctx, never.id(), never.arrival("too late"))
	w.fails(err, escrow.BadProof)
	anna.has(500, 0)
}

func bondsPaged(w *world) {
	ctx := context.Background()
	anna := w.owner("anna@sender.example", 500)
	var bonds []*bought
	for i := range 3 {
		bonds = append(bonds, anna.buy(w.recipient(escrow.Address(fmt.Sprintf("r%d@recipient.example", i)), 1, 1), 1))
	}
	page, err := anna.Bonds(ctx, 0, 0)
	w.ok(err)
	if len(page.Bonds) != 3 || page.More || page.Bonds[0].ID != bonds[0].id() || page.Bonds[2].ID != bonds[2].id() {
		w.Fatalf("page: %+v", page)
	}
	bonds[1].arrive()
	news, err := anna.Bonds(ctx, page.Cursor, 0)
	w.ok(err)
	if len(news.Bonds) != 1 || news.Bonds[0].ID != bonds[1].id() || news.Bonds[0].State != escrow.Arrived || news.Cursor <= page.Cursor {
		w.Fatalf("news: %+v", news)
	}
	none, err := anna.Bonds(ctx, news.Cursor, 0)
	w.ok(err)
	if len(none.Bonds) != 0 || none.Cursor != news.Cursor {
		w.Fatalf("no news: %+v", none)
	}
	w.ok(anna.Heartbeat(ctx))
	_, err = w.As(nil).Bonds(ctx, 0, 0)
	w.fails(err, escrow.Unauthorized)
}

func bondsWait(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	type answer struct {
		page escrow.BondPage
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		page, err := bob.Bonds(context.Background(), 0, 30*time.Second)
		done <- answer{page, err}
	}()
	bond := anna.buy(bob, 25)
	select {
	case a := <-done:
		w.ok(a.err)
		if len(a.page.Bonds) != 1 || a.page.Bonds[0].ID != bond.id() {
			w.Fatalf("news: %+v", a.page)
		}
	case <-time.After(10 * time.Second):
		w.Fatal("a buy did not wake the recipient's agent")
	}
	page, err := bob.Bonds(context.Background(), 1, 10*time.Millisecond)
	w.ok(err)
	if len(page.Bonds) != 0 || page.Cursor != 1 {
		w.Fatalf("without news: %+v", page)
	}
}

func deadlineBeatsReject(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	bond.arrive()
	w.Clock.Move(14 * day) // and no sweeper came by
	_, err := bob.Decide(context.Background(), bond.id(), escrow.Reject, bond.decision(escrow.Reject))
	w.fails(err, escrow.TooLate)
	anna.has(500, 0)
}

func rejectBeatsDeadline(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	bond.arrive()
	w.later(14*day - time.Minute)
	bond.decide(escrow.Reject)
	w.later(2 * time.Minute)
	anna.has(475, 25)
	w.later(8 * time.Minute)
	anna.has(475, 0)
	if v := bond.view(anna); v.State != escrow.Rejected {
		w.Fatalf("the bond is %s", v.State)
	}
}
