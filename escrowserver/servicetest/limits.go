package servicetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
)

func limitTests() []test {
	return []test{
		{"LimitAMail", limitAMail},
		{"LimitADay", limitADay},
		{"LimitRolls", limitRolls},
		{"LimitOfABatch", limitOfABatch},
		{"LimitIsRaisedAfter48Hours", limitRaised},
		{"LimitIsOfItsCurrency", limitOfItsCurrency},
		{"OpenBondsAreLimited", openBondsLimited},
	}
}

func amount(n payment.Amount) *payment.Amount { return &n }

// limit sets both limits; nil is none.
func (p *person) limit(perMail, perDay *payment.Amount) escrow.SpendingLimit {
	p.w.Helper()
	account, err := p.SetLimit(context.Background(), escrow.SetLimit{Currency: Currency, PerMail: perMail, PerDay: perDay})
	p.w.ok(err)
	if len(account.Limits) != 1 || account.ID != p.public().ID() {
		p.w.Fatalf("limits: %+v", account)
	}
	return account.Limits[0]
}

func (p *person) tryBuy(recipient *person, price payment.Amount) error {
	p.w.Helper()
	req, _ := p.request(recipient, price)
	_, err := p.Buy(context.Background(), req)
	return err
}

// overLimit demands a refusal that says how much room is left, and that nothing was paid.
func (p *person) overLimit(err error, have, need payment.Amount) {
	p.w.Helper()
	p.w.fails(err, escrow.OverLimit)
	if e, ok := errors.AsType[*escrow.Error](err); !ok || e.Have == nil || *e.Have != have || e.Need == nil || *e.Need != need {
		p.w.Fatalf("the refusal says %+v", err)
	}
}

func limitAMail(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	anna.limit(amount(24), nil)
	anna.overLimit(anna.tryBuy(bob, 25), 24, 25)
	anna.has(500, 0)
	anna.limit(amount(24), amount(0)) // none at all
	carol := w.recipient("carol@recipient.example", 1, 1)
	anna.overLimit(anna.tryBuy(carol, 1), 0, 1)
}

// A day's limit counts what is held and what was forfeited, not what came back.
func limitADay(w *world) {
	anna := w.owner("anna@sender.example", 500)
	var to []*person
	for i := range 4 {
		to = append(to, w.recipient(escrow.Address(fmt.Sprintf("r%d@recipient%d.example", i, i)), 30, 2))
	}
	anna.limit(nil, amount(75))
	rejected, accepted := anna.buy(to[0], 30), anna.buy(to[1], 30)
	anna.overLimit(anna.tryBuy(to[2], 30), 15, 30)
	accepted.arrive()
	accepted.decide(escrow.Accept)
	rejected.arrive()
	rejected.decide(escrow.Reject)
	w.later(time.Hour)
	anna.buy(to[2], 30) // what was accepted came back
	anna.overLimit(anna.tryBuy(to[3], 30), 15, 30)
	account, err := anna.Account(context.Background())
	w.ok(err)
	if len(account.Limits) != 1 || account.Limits[0].Spent != 60 || *account.Limits[0].PerDay != 75 {
		w.Fatalf("the account shows %+v", account.Limits)
	}
}

func limitRolls(w *world) {
	anna, bob, carol := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 30, 1), w.recipient("carol@recipient.example", 30, 1)
	anna.buy(bob, 30)
	// What was spent before the limit was set counts.
	anna.limit(nil, amount(59))
	w.Clock.Move(day - time.Microsecond)
	anna.overLimit(anna.tryBuy(carol, 30), 29, 30)
	w.Clock.Move(time.Microsecond)
	anna.buy(carol, 30)
}

// purchase is the operation that buys from the recipient.
func (p *person) purchase(to *person, price payment.Amount, mostOpen int) escrowserver.Buy {
	w := p.w
	w.Helper()
	req, _ := p.request(to, price)
	quote, _, err := escrow.VerifyQuote(req.Quote, w.Server.ReceiptKey())
	w.ok(err)
	body, err := json.Marshal(req)
	w.ok(err)
	return escrowserver.Buy{Moment: escrowserver.Moment{Now: w.Clock.Now(), Sign: func(r escrow.Receipt) (escrow.Signed, error) {
		return escrow.Sign(w.ReceiptSigner, escrow.KindReceipt, r)
	}}, Account: p.id(), Key: p.id(), Request: req, BodyHash: escrow.Hash(append([]byte("buy\x00"), body...)), Quote: quote,
		Recipient: to.id(), Group: escrowserver.SenderGroup(p.address),
		KeepUntil: w.Clock.Now().Add(day), MostOpen: mostOpen}
}

// What is bought in one batch counts together, and what comes back in it is room.
func limitOfABatch(w *world) {
	ctx := context.Background()
	anna := w.owner("anna@sender.example", 500)
	var ops []escrowserver.Op
	for i := range 4 {
		to := w.recipient(escrow.Address(fmt.Sprintf("r%d@recipient%d.example", i, i)), 30, 1)
		ops = append(ops, anna.purchase(to, 30, 3))
	}
	anna.limit(nil, amount(60))
	results := w.Store.Apply(ctx, ops)
	for i, result := range results {
		if i < 2 {
			w.ok(result.Err)
		} else {
			w.fails(result.Err, escrow.OverLimit)
		}
	}
	anna.has(440, 60)
	anna.limit(nil, nil)
}

func limitRaised(w *world) {
	ctx := context.Background()
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	anna.limit(amount(20), amount(100))
	raised := anna.limit(amount(30), amount(50))
	at := w.Clock.Now().Add(48 * time.Hour)
	if *raised.PerMail != 20 || *raised.PerDay != 50 || raised.Raise == nil || !raised.Raise.At.Equal(at) || *raised.Raise.PerMail != 30 || *raised.Raise.PerDay != 50 {
		w.Fatalf("the lower acts at once, the higher with notice: %+v", raised)
	}
	w.Clock.Move(47 * time.Hour)
	anna.overLimit(anna.tryBuy(bob, 25), 20, 25)
	// Asked again, for the same or for less, it keeps its time.
	if again := anna.limit(amount(28), amount(50)); !again.Raise.At.Equal(at) {
		w.Fatalf("asked again: %+v", again)
	}
	// For more, or for none, it begins anew.
	if more := anna.limit(nil, amount(50)); !more.Raise.At.Equal(w.Clock.Now().Add(48 * time.Hour)) {
		w.Fatalf("asked for more: %+v", more)
	}
	w.Clock.Move(time.Hour)
	anna.overLimit(anna.tryBuy(bob, 25), 20, 25)
	w.Clock.Move(47 * time.Hour)
	anna.buy(bob, 25)
	// Set to what it is, a raise is given up.
	anna.limit(amount(10), amount(50))
	anna.limit(nil, nil)
	anna.limit(amount(10), amount(50))
	w.Clock.Move(72 * time.Hour)
	account, err := anna.Account(ctx)
	w.ok(err)
	if l := account.Limits[0]; l.Raise != nil || *l.PerMail != 10 {
		w.Fatalf("given up: %+v", l)
	}
}

func limitOfItsCurrency(w *world) {
	ctx := context.Background()
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 1)
	_, err := anna.SetLimit(ctx, escrow.SetLimit{Currency: OtherCurrency, PerMail: amount(0), PerDay: amount(0)})
	w.ok(err)
	eve := w.stranger()
	eve.limit(amount(0), amount(0))
	anna.buy(bob, 25)
	_, err = anna.SetLimit(ctx, escrow.SetLimit{Currency: "no.example", PerMail: amount(0)})
	w.fails(err, escrow.Invalid)
	_, err = anna.SetLimit(ctx, escrow.SetLimit{Currency: Currency, PerMail: amount(-1)})
	w.fails(err, escrow.Invalid)
	_, err = w.As(nil).SetLimit(ctx, escrow.SetLimit{Currency: Currency})
	w.fails(err, escrow.Unauthorized)
}

// DamagedOpenBonds has as many open bonds as an account may have, damages those that
// are due first, and demands that the others make room when they are due.
func DamagedOpenBonds(t testing.TB, h Harness, damage func(escrow.BondID)) {
	t.Helper()
	w := &world{TB: t, Harness: h}
	anna := w.owner("anna@sender.example", 500)
	for i := range 100 {
		if i%50 == 0 {
			w.Clock.Move(time.Hour) // for the lookups
		}
		w.Clock.Move(time.Second)
		b := anna.buy(w.recipient(escrow.Address(fmt.Sprintf("r@recipient%d.example", i)), 1, 1), 1)
		b.arrive()
		if i < 12 {
			damage(b.id())
		}
	}
	w.Clock.Move(40 * day)
	bob := w.recipient("r@last.example", 1, 1)
	renew(w, anna)
	anna.buy(bob, 1)
	w.sweep()
	if n := w.Server.Health().Stuck; n != 12 {
		w.Fatalf("%d are stuck, want the 12 damaged bonds", n)
	}
}

// DamagedCount damages the count of a sender's open bonds: the money comes back all
// the same.
func DamagedCount(t testing.TB, h Harness, damage func(escrow.BondID)) {
	t.Helper()
	w := &world{TB: t, Harness: h}
	anna := w.owner("anna@sender.example", 500)
	b := anna.buy(w.recipient("bob@recipient.example", 25, 1), 25)
	damage(b.id())
	report, err := w.verify()
	w.ok(err)
	if len(report.Faults) == 0 {
		w.Fatal("verify does not find the damage")
	}
	w.later(31 * day)
	anna.has(500, 0)
}

// openBondsLimited: an account has at most so many open bonds, whoever they are at.
func openBondsLimited(w *world) {
	anna := w.owner("anna@sender.example", 500)
	const most = 100
	var first *bought
	for i := range most {
		if i%50 == 0 {
			w.Clock.Move(time.Hour) // for the lookups
		}
		b := anna.buy(w.recipient(escrow.Address(fmt.Sprintf("r@recipient%d.example", i)), 1, 1), 1)
		if first == nil {
			first = b
		}
	}
	w.Clock.Move(time.Hour)
	last := w.recipient("r@last.example", 1, 1)
	w.fails(anna.tryBuy(last, 1), escrow.Limited)
	anna.has(400, 100)
	first.arrive()
	first.decide(escrow.Accept)
	anna.buy(last, 1)
	w.fails(anna.tryBuy(w.recipient("r@more.example", 1, 1), 1), escrow.Limited)
}
