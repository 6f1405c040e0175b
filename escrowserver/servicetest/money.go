package servicetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/ledger"
	"earnest/payment"
)

func moneyTests() []test {
	return []test{
		{"CreditIsSeenWithItsReason", creditSeen},
		{"PayoutIsHeldThenPaidOrRefused", payoutHeld},
		{"PayoutToANewDestinationWaits48Hours", payoutWaits},
		{"PayoutsRaceForOneBalance", payoutsRace},
		{"WelcomeCreditIsOffByDefault", welcomeOff},
		{"WelcomeCreditOnceForMailboxAndAccount", welcomeOnce},
		{"WelcomeCreditIsLimitedADay", welcomeLimited},
		{"WelcomeCreditIsForBondsOnly", welcomeForBonds},
	}
}

func creditSeen(w *world) {
	ctx := context.Background()
	anna := w.owner("anna@sender.example", 0)
	grant := escrowserver.Grant{ID: w.id(), Account: anna.public().ID(), Currency: Currency, Amount: 700, Reason: "refund of\na bad  day", By: "root"}
	var first escrowserver.CreditLine
	for i := range 3 {
		line, err := w.Server.Grant(ctx, grant)
		w.ok(err)
		if i == 0 {
			first = line
		}
		if line != first || !line.Genuine(w.Server.ReceiptKey()) {
			w.Fatalf("given again it is %+v, first %+v", line, first)
		}
		anna.has(700, 0)
		w.Clock.Move(time.Hour)
	}
	got := anna.statement(0)
	if len(got) != 1 || got[0].Kind != escrow.MoveTopUp || got[0].Amount != 700 || got[0].Ground != escrow.GroundOperator || got[0].Reason != "refund of a bad day" {
		w.Fatalf("the account sees %+v", got)
	}
	other := grant
	other.Amount++
	_, err := w.Server.Grant(ctx, other)
	w.fails(err, escrow.Conflict)
	byAddress := escrowserver.Grant{ID: w.id(), Address: "anna@sender.example", Currency: Currency, Amount: 1, Reason: "more", By: "root"}
	line, err := w.Server.Grant(ctx, byAddress)
	w.ok(err)
	if line.Account != anna.public().ID() {
		w.Fatalf("credited %s", line.Account)
	}
	anna.has(701, 0)
	for name, wrong := range map[string]func(*escrowserver.Grant){
		"nobody":       func(g *escrowserver.Grant) { g.Address = "nobody@sender.example" },
		"no reason":    func(g *escrowserver.Grant) { g.Reason = " \n" },
		"nothing":      func(g *escrowserver.Grant) { g.Amount = 0 },
		"less":         func(g *escrowserver.Grant) { g.Amount = -1 },
		"no currency":  func(g *escrowserver.Grant) { g.Currency = "usd.example" },
		"no id":        func(g *escrowserver.Grant) { g.ID = "" },
		"another's id": func(g *escrowserver.Grant) { g.Account = "no-such-account" },
	} {
		g := byAddress
		g.ID = w.id()
		wrong(&g)
		if _, err := w.Server.Grant(ctx, g); err == nil || errors.Is(err, escrow.Internal) {
			w.Fatalf("%s: %v", name, err)
		}
	}
	anna.has(701, 0)
}

func (p *person) askPayout(amount payment.Amount, to string) (escrow.Payout, error) {
	return p.AskPayout(context.Background(), escrow.PayoutRequest{ID: p.w.id(), Currency: Currency, Amount: amount, To: to})
}

// queued is the only payout that waits for the operator.
func (w *world) queued() escrowserver.PayoutRecord {
	w.Helper()
	list, err := w.Store.PayoutQueue(context.Background(), w.Clock.Now(), 10)
	w.ok(err)
	if len(list) != 1 {
		w.Fatalf("%d payouts wait: %+v", len(list), list)
	}
	return list[0]
}

func payoutHeld(w *world) {
	ctx := context.Background()
	anna := w.owner("anna@sender.example", 500)
	req := escrow.PayoutRequest{ID: w.id(), Currency: Currency, Amount: 200, To: "IBAN  NL00 BANK 0123"}
	first, err := anna.AskPayout(ctx, req)
	w.ok(err)
	if first.State != escrow.PayoutAsked || first.To != "IBAN NL00 BANK 0123" || !first.NotBefore.Equal(w.Clock.Now().UTC().Add(48*time.Hour)) {
		w.Fatalf("asked: %+v", first)
	}
	anna.has(300, 200)
	again, err := anna.AskPayout(ctx, req)
	w.ok(err)
	if again != first {
		w.Fatalf("asked again: %+v, first %+v", again, first)
	}
	other := req
	other.Amount++
	_, err = anna.AskPayout(ctx, other)
	w.fails(err, escrow.Conflict)
	_, err = anna.askPayout(301, "x")
	w.fails(err, escrow.InsufficientFunds)
	for _, wrong := range []escrow.PayoutRequest{
		{ID: w.id(), Currency: Currency, Amount: 0, To: "x"}, {ID: w.id(), Currency: Currency, Amount: -5, To: "x"},
		{ID: w.id(), Currency: "usd.example", Amount: 5, To: "x"}, {ID: w.id(), Currency: Currency, Amount: 5, To: " "},
		{ID: "x", Currency: Currency, Amount: 5, To: "x"}, {ID: w.id(), Currency: Currency, Amount: 5, To: "a\u202eb"},
	} {
		_, err = anna.AskPayout(ctx, wrong)
		w.fails(err, escrow.Invalid)
	}
	w.later(48 * time.Hour)
	paid := w.paysOut("bank ref 1")
	if _, err = w.Server.EndPayout(ctx, paid.ID, true, "bank ref 1", "root"); err != nil {
		w.Fatalf("the same word again: %v", err)
	}
	_, err = w.Server.EndPayout(ctx, paid.ID, false, "changed my mind", "root")
	w.fails(err, escrow.Ended)
	_, err = w.Server.EndPayout(ctx, "payout:none", true, "x", "root")
	w.fails(err, escrow.NotFound)
	anna.has(300, 0)
	if got := w.holder(string(ledger.Payouts)); got != 200 {
		w.Fatalf("%d were paid out, want 200", got)
	}
	_, err = anna.askPayout(300, "elsewhere")
	w.ok(err)
	_, err = w.Server.EndPayout(ctx, w.queued().ID, false, "no such bank", "root")
	w.ok(err)
	anna.has(300, 0)
	got := anna.statement(0)
	want := []escrow.MovementKind{escrow.MoveTopUp, escrow.MovePayout, escrow.MovePayoutPaid, escrow.MovePayout, escrow.MovePayoutRefused}
	if !slices.Equal(kinds(got), want) || got[2].Reason != "bank ref 1" || got[4].Reason != "no such bank" || got[1].Bond != "" || got[1].Reason != "" {
		w.Fatalf("the account sees %+v", got)
	}
	list, err := anna.Payouts(ctx)
	w.ok(err)
	if len(list) != 2 || list[0].State != escrow.PayoutRefused || list[1].State != escrow.PayoutPaid || list[1].Note != "bank ref 1" {
		w.Fatalf("payouts %+v", list)
	}
	if list, err = w.stranger().Payouts(ctx); err != nil || len(list) != 0 {
		w.Fatalf("a stranger sees %+v, %v", list, err)
	}
	_, err = w.As(nil).Payouts(ctx)
	w.fails(err, escrow.Unauthorized)
}

func payoutWaits(w *world) {
	ctx := context.Background()
	anna := w.owner("anna@sender.example", 500)
	_, err := anna.askPayout(100, "bank one")
	w.ok(err)
	w.later(48*time.Hour - time.Microsecond)
	first := w.queued()
	w.fails(w.begins(), escrow.Forbidden)
	_, err = w.Server.EndPayout(ctx, first.ID, true, "ref", "root")
	w.fails(err, escrow.Forbidden)
	anna.has(400, 100)
	w.later(time.Microsecond)
	w.paysOut("ref")
	// A destination that was seen can be paid at once, another one cannot; nor can
	// one that another account has used.
	_, err = anna.askPayout(100, "bank one")
	w.ok(err)
	w.paysOut("ref")
	_, err = anna.askPayout(100, "bank two")
	w.ok(err)
	w.fails(w.begins(), escrow.Forbidden)
	_, err = w.Server.EndPayout(ctx, w.queued().ID, false, "no", "root")
	w.ok(err)
	eve := w.owner("eve@sender.example", 500)
	_, err = eve.askPayout(100, "bank one")
	w.ok(err)
	w.fails(w.begins(), escrow.Forbidden)
}

func payoutsRace(w *world) {
	anna := w.owner("anna@sender.example", 100)
	var group sync.WaitGroup
	results := make([]error, 10)
	for i := range results {
		id := w.id()
		group.Go(func() {
			_, results[i] = anna.AskPayout(context.Background(), escrow.PayoutRequest{ID: id, Currency: Currency, Amount: 30, To: "bank"})
		})
	}
	group.Wait()
	done := 0
	for _, err := range results {
		if err == nil {
			done++
		} else {
			w.fails(err, escrow.InsufficientFunds)
		}
	}
	if done != 3 {
		w.Fatalf("%d payouts of 30 out of 100", done)
	}
	anna.has(10, 90)
}

// welcoming is the escrow with welcome credit.
func (w *world) welcoming(perDomain, perDay int) func(address escrow.Address) *person {
	server := w.restarted(func(c *escrowserver.Config) {
		c.Welcome = escrowserver.WelcomeCredit{Currency: Currency, Amount: 50, PerDomain: perDomain, PerDay: perDay}
	})
	return func(address escrow.Address) *person {
		p := w.stranger()
		p.Service = server.As(p.public())
		p.prove(address)
		return p
	}
}

func welcomeOff(w *world) {
	w.owner("anna@sender.example", 0).has(0, 0)
	for _, wrong := range []escrowserver.WelcomeCredit{
		{Currency: Currency, Amount: 50}, {Currency: "usd.example", Amount: 50, PerDomain: 1, PerDay: 1}, {Currency: Currency, Amount: -1, PerDomain: 1, PerDay: 1},
	} {
		cfg := Config(w.Store, w.Clock, w.Mails, w.ReceiptSigner)
		cfg.Welcome = wrong
		if _, err := escrowserver.New(cfg); err == nil {
			w.Fatalf("taken: %+v", wrong)
		}
	}
}

func welcomeOnce(w *world) {
	welcome := w.welcoming(100, 100)
	anna := welcome("anna@sender.example")
	anna.has(50, 0)
	if got := anna.statement(0); len(got) != 1 || got[0].Kind != escrow.MoveTopUp || got[0].Ground != escrow.GroundWelcome || got[0].Reason == "" {
		w.Fatalf("the account sees %+v", got)
	}
	// Neither another address of the account, nor the mailbox under another tag or
	// account, nor the same one years later.
	anna.prove("anna.two@other.example")
	anna.has(50, 0)
	welcome("a.nna+tag@sender.example").has(0, 0)
	w.later(400 * day)
	welcome("anna@sender.example").has(0, 0)
	welcome("bob@sender.example").has(50, 0)
}

func welcomeLimited(w *world) {
	welcome := w.welcoming(2, 3)
	for i, want := range []payment.Amount{50, 50, 0} {
		welcome(escrow.Address(fmt.Sprintf("p%d@dep%d.sender.example", i, i))).has(want, 0)
	}
	welcome("p@second.example").has(50, 0)
	welcome("p@third.example").has(0, 0)
	w.later(day + time.Second)
	welcome("p9@sender.example").has(50, 0)
}

func welcomeForBonds(w *world) {
	welcome := w.welcoming(100, 100)
	anna := welcome("anna@sender.example")
	bob := w.recipient("bob@recipient.example", 25, 1)
	_, err := anna.askPayout(1, "bank")
	w.fails(err, escrow.InsufficientFunds)
	anna.topUp(10)
	_, err = anna.askPayout(11, "bank")
	w.fails(err, escrow.InsufficientFunds)
	_, err = anna.askPayout(10, "bank")
	w.ok(err)
	anna.has(50, 10)
	anna.buy(bob, 25)
	anna.has(25, 35)
}
