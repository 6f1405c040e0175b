package servicetest

import (
	"context"
	"slices"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/ledger"
	"earnest/payment"
)

func movementTests() []test {
	return []test{
		{"MovementsSumToTheBalance", movementsSumToTheBalance},
		{"MovementsComeInPages", movementsComeInPages},
		{"MovementsTellNoRejectEarly", movementsTellNoRejectEarly},
		{"MovementsAreOnesOwn", movementsAreOnesOwn},
		{"ForfeitReceivedIsAMovement", forfeitReceived},
		{"ShorterDecisionDeadline", shorterDecisionDeadline},
	}
}

// statement is all movements of the account, in pages of that size, with every
// balance in it held against the movements before.
func (p *person) statement(page int) []escrow.Movement {
	p.w.Helper()
	var all []escrow.Movement
	for cursor := int64(0); ; {
		got, err := p.Movements(context.Background(), cursor, page)
		p.w.ok(err)
		all = append(all, got.Movements...)
		if page > 0 && len(got.Movements) > page || got.More && got.Cursor <= cursor {
			p.w.Fatalf("a page of %d has %d movements and ends at %d", page, len(got.Movements), got.Cursor)
		}
		if cursor = got.Cursor; !got.More {
			break
		}
	}
	sums := map[string]ledger.Balance{}
	for i, m := range all {
		if m.N != int64(i+1) || m.Time.IsZero() || m.Amount <= 0 {
			p.w.Fatalf("movement %d is %+v", i+1, m)
		}
		sum := add(sums[m.Currency.Name], m)
		sums[m.Currency.Name] = sum
		if int64(m.Available) != sum.Available || int64(m.Held) != sum.Held {
			p.w.Fatalf("movement %d says %d and %d held, the movements make %+v", m.N, m.Available, m.Held, sum)
		}
	}
	account, err := p.Account(context.Background())
	p.w.ok(err)
	for _, b := range account.Balances {
		if sum := sums[b.Currency.Name]; sum.Available != int64(b.Available) || sum.Held != int64(b.Held) {
			p.w.Fatalf("the movements in %s make %+v, the balance is %+v", b.Currency.Name, sum, b)
		}
	}
	return all
}

// add is what a movement of the kind does, said anew.
func add(b ledger.Balance, m escrow.Movement) ledger.Balance {
	amount := int64(m.Amount)
	switch m.Kind {
	case escrow.MoveTopUp, escrow.MoveReceived:
		b.Available += amount
	case escrow.MoveHold, escrow.MovePayout:
		b.Available, b.Held = b.Available-amount, b.Held+amount
	case escrow.MoveRefund, escrow.MovePayoutRefused:
		b.Available, b.Held = b.Available+amount, b.Held-amount
	case escrow.MoveForfeit, escrow.MovePayoutPaid:
		b.Held -= amount
	}
	return b
}

func kinds(movements []escrow.Movement) (all []escrow.MovementKind) {
	for _, m := range movements {
		all = append(all, m.Kind)
	}
	return all
}

func movementsSumToTheBalance(w *world) {
	ctx := context.Background()
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 4)
	carol := w.recipient("carol@recipient.example", 30, 1)
	points, err := w.Server.NewVoucher(ctx, OtherCurrency, 7)
	w.ok(err)
	_, err = anna.TopUp(ctx, escrow.TopUp{ID: w.id(), Voucher: points})
	w.ok(err)
	accepted := anna.buy(bob, 25)
	w.Clock.Move(time.Minute)
	rejected := anna.buy(carol, 30)
	accepted.arrive()
	accepted.decide(escrow.Accept)
	rejected.arrive()
	rejected.decide(escrow.Reject)
	w.later(time.Hour)
	expired := anna.buy(bob, 25)
	w.later(31 * day)
	got := anna.statement(0)
	want := []escrow.Movement{
		{Kind: escrow.MoveTopUp, Amount: 500, Ground: escrow.GroundVoucher}, {Kind: escrow.MoveTopUp, Amount: 7, Ground: escrow.GroundVoucher},
		{Kind: escrow.MoveHold, Amount: 25, Bond: accepted.id()}, {Kind: escrow.MoveHold, Amount: 30, Bond: rejected.id()},
		{Kind: escrow.MoveRefund, Amount: 25, Bond: accepted.id()}, {Kind: escrow.MoveForfeit, Amount: 30, Bond: rejected.id()},
		{Kind: escrow.MoveHold, Amount: 25, Bond: expired.id()}, {Kind: escrow.MoveRefund, Amount: 25, Bond: expired.id()},
	}
	if len(got) != len(want) {
		w.Fatalf("the story made %v", kinds(got))
	}
	for i, m := range got {
		if m.Kind != want[i].Kind || m.Amount != want[i].Amount || m.Bond != want[i].Bond || m.Ground != want[i].Ground {
			w.Fatalf("movement %d is %+v, want %+v", i+1, m, want[i])
		}
		if i > 0 && m.Time.Before(got[i-1].Time) {
			w.Fatalf("movement %d is before the one before it", i+1)
		}
	}
	if got[1].Currency != (payment.Currency{Name: OtherCurrency}) || got[0].Currency.Scale != 2 {
		w.Fatalf("currencies %+v and %+v", got[0].Currency, got[1].Currency)
	}
	// Who receives mail has no movement by it.
	if got := kinds(bob.statement(0)); !slices.Equal(got, []escrow.MovementKind{escrow.MoveTopUp}) {
		w.Fatalf("the recipient's movements: %v", got)
	}
}

func movementsComeInPages(w *world) {
	ctx := context.Background()
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 3)
	for range 3 {
		bond := anna.buy(bob, 25)
		bond.arrive()
		bond.decide(escrow.Accept)
	}
	whole := anna.statement(0)
	if len(whole) != 7 {
		w.Fatalf("%d movements, want 7", len(whole))
	}
	for _, page := range []int{1, 3, 7, 1000} {
		if got := anna.statement(page); !slices.Equal(got, whole) {
			w.Fatalf("in pages of %d: %+v", page, got)
		}
	}
	last, err := anna.Movements(ctx, 7, 1)
	w.ok(err)
	if len(last.Movements) != 0 || last.More || last.Cursor != 7 {
		w.Fatalf("after the last: %+v", last)
	}
	anna.topUp(1)
	if last, err = anna.Movements(ctx, last.Cursor, 1); err != nil || len(last.Movements) != 1 || last.Movements[0].N != 8 || last.Movements[0].Available != 501 {
		w.Fatalf("what came since: %+v, %v", last, err)
	}
	_, err = anna.Movements(ctx, -1, 1)
	w.fails(err, escrow.Invalid)
	_, err = anna.Movements(ctx, 0, -1)
	w.fails(err, escrow.Invalid)
}

func movementsTellNoRejectEarly(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 1)
	bond := anna.buy(bob, 25)
	bond.arrive()
	before := anna.statement(0)
	bond.decide(escrow.Reject)
	if got := anna.statement(0); !slices.Equal(got, before) {
		w.Fatalf("a reject that can be undone shows as %+v", got)
	}
	w.later(10*time.Minute - time.Microsecond)
	if got := anna.statement(0); !slices.Equal(got, before) {
		w.Fatalf("a reject that can be undone shows as %+v", got)
	}
	w.later(time.Microsecond)
	if got := anna.statement(0); len(got) != len(before)+1 || got[len(before)].Kind != escrow.MoveForfeit {
		w.Fatalf("after the reject: %v", kinds(got))
	}
}

func movementsAreOnesOwn(w *world) {
	ctx := context.Background()
	anna, eve := w.owner("anna@sender.example", 500), w.stranger()
	if got := eve.statement(0); len(got) != 0 {
		w.Fatalf("a new account has %v", kinds(got))
	}
	_, err := w.As(nil).Movements(ctx, 0, 0)
	w.fails(err, escrow.Unauthorized)
	// Another's movements leave no gap in one's own numbers.
	eve.topUp(1)
	anna.topUp(2)
	eve.topUp(3)
	if got := eve.statement(0); len(got) != 2 {
		w.Fatalf("eve's movements: %v", kinds(got))
	}
}

func forfeitReceived(w *world) {
	bond, charity := w.rejectedFor()
	w.later(time.Hour)
	got := charity.statement(0)
	if len(got) != 1 || got[0].Kind != escrow.MoveReceived || got[0].Amount != 25 || got[0].Bond != "" {
		w.Fatalf("the charity's movements: %+v", got)
	}
	bond.from.statement(0)
}

func shorterDecisionDeadline(w *world) {
	ctx := context.Background()
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	publish := func(within escrow.Seconds) error {
		w.Clock.Move(time.Second)
		draft := bob.draft(25)
		draft.DecideWithin = within
		return bob.PublishOffer(ctx, bob.sign(escrow.KindOffer, draft))
	}
	for _, wrong := range []escrow.Seconds{-1, 1, escrow.MinDecide - 1, escrow.DefaultTerms().Decide + 1} {
		w.fails(publish(wrong), escrow.Invalid)
	}
	w.ok(publish(escrow.DefaultTerms().Decide))
	w.ok(publish(2 * escrow.MinDecide))
	bond := anna.buy(bob, 25)
	quote, _, err := escrow.VerifyQuote(bond.req.Quote, w.Server.ReceiptKey())
	w.ok(err)
	want := escrow.DefaultTerms()
	want.Decide = 2 * escrow.MinDecide
	if quote.Terms != want {
		w.Fatalf("the quote's terms are %+v", quote.Terms)
	}
	bond.arrive()
	w.later(2*time.Hour - time.Microsecond)
	anna.has(475, 25)
	w.later(time.Microsecond)
	anna.has(500, 0)
	if v := bond.view(anna); v.State != escrow.Expired {
		w.Fatalf("two hours later the bond is %s", v.State)
	}
	// An escrow that has become quicker than the offer keeps its own deadline.
	server := w.restarted(func(c *escrowserver.Config) { c.Terms = escrow.DefaultTerms(); c.Terms.Decide = 60 })
	anna.Service = server.As(anna.public())
	signed, err := anna.quote(bob, 25)
	w.ok(err)
	if quote, _, err = escrow.VerifyQuote(signed, w.Server.ReceiptKey()); err != nil || quote.Terms.Decide != 60 {
		w.Fatalf("quote %+v, %v", quote.Terms, err)
	}
}
