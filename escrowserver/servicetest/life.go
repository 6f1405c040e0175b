package servicetest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
)

// Life is an account of which something stands in every table that can have it.
type Life struct {
	// Export is of that time.
	Export json.RawMessage
	// Traces are what the account can be known by: its id, its keys, the domain of its
	// addresses, where its money went.
	Traces map[string][]byte
	// Delete has its bonds end, and it deleted.
	Delete func()
}

// LiveALife plays such an account.
func LiveALife(t testing.TB, h Harness) Life {
	t.Helper()
	ctx := context.Background()
	w := &world{TB: t, Harness: h}
	s := w.cashier()
	s.server = w.restarted(func(c *escrowserver.Config) {
		c.Provider = s.till
		c.Welcome = escrowserver.WelcomeCredit{Currency: Currency, Amount: 50, PerDomain: 5, PerDay: 5}
	})
	old, backup := w.protected()
	id := old.id()
	order, anna := w.rotation(id)
	_, err := backup.order(id, order)
	w.ok(err)
	anna.Service = s.server.As(anna.public())
	s.anna = anna
	anna.topUp(500)
	anna.prove("an.na+1@leaver.example")
	w.lifeOfMoney(s)
	ended := w.lifeOfMail(anna)

	w.ok(anna.Heartbeat(ctx))
	w.ok(anna.ClaimAddress(ctx, escrow.AddressClaim{Address: "second@leaver.example", Nonce: w.id()}))
	next, _ := w.rotation(id)
	_, err = anna.order(id, next)
	w.ok(err)
	anna.buy(w.recipient("last@recipient.example", 10, 1), 10)
	all, err := anna.Export(ctx)
	w.ok(err)
	text := func(key escrow.PublicKey) []byte {
		text, err := key.MarshalText()
		w.ok(err)
		return text
	}
	return Life{Export: all,
		Traces: map[string][]byte{"id": []byte(id), "key id": []byte(anna.id()), "first key": old.public(), "key": anna.public(), "recovery key": backup.public(),
			"first key's text": text(old.public()), "key's text": text(anna.public()), "recovery key's text": text(backup.public()),
			"address": []byte("leaver.example"), "destination": []byte("the leaver's bank"), "page": []byte("https://till.example")},
		Delete: func() {
			ended()
			account, err := anna.Account(ctx)
			w.ok(err)
			for _, c := range account.Changes {
				if c.Ended.IsZero() && c.Account == id {
					_, err = anna.order(id, escrow.Order{Action: escrow.ActionCancel, Change: c.ID})
					w.ok(err)
				}
			}
			w.later(100 * day)
			w.stranger().asksFor(anna.address) // who gets it in 14 days
			_, err = backup.order(id, escrow.Order{Action: escrow.ActionDelete, GiveUp: []escrow.GivenUp{{Currency: Currency, Amount: anna.money().Available}}})
			w.ok(err)
			w.later(13 * day)
			w.verified()
		}}
}

// lifeOfMoney is of what came in and went out, beside a voucher.
func (w *world) lifeOfMoney(s *cashier) {
	ctx := context.Background()
	_, _ = s.start(500)
	s.post(escrowserver.Event{ID: "event-1", Kind: escrowserver.EventSession, Session: s.till.pay(0)})
	s.post(escrowserver.Event{ID: "event-2", Kind: escrowserver.EventRefund, Back: "refund-1", Payment: "payment-1", Unit: "eur", Units: 100})
	_, _ = s.start(70)
	_, err := w.Server.Grant(ctx, escrowserver.Grant{ID: w.id(), Account: s.anna.account(), Currency: Currency, Amount: 300, Reason: "a gift", By: "root"})
	w.ok(err)
	_, err = s.anna.askPayout(100, "the leaver's bank")
	w.ok(err)
	w.later(49 * time.Hour)
	w.paysOut("a note")
	for _, perDay := range []payment.Amount{400, 450} {
		_, err = s.anna.SetLimit(ctx, escrow.SetLimit{Currency: Currency, PerMail: amount(400), PerDay: &perDay})
		w.ok(err)
	}
}

// account is the id of the person's account.
func (p *person) account() escrow.KeyID {
	p.w.Helper()
	account, err := p.Account(context.Background())
	p.w.ok(err)
	return account.ID
}

// lifeOfMail is of bonds in both roles, and of blocks by either side. What is then open
// ends by what it gives.
func (w *world) lifeOfMail(anna *person) (ended func()) {
	anna.offer(30)
	_, err := anna.addKeys(5)
	w.ok(err)
	bob, carol := w.recipient("bob@recipient.example", 25, 3), w.recipient("carol@recipient.example", 25, 3)
	bob.topUp(100)
	carol.topUp(100)
	received, open := bob.buy(anna, 30), carol.buy(anna, 30)
	received.arrive()
	received.rejects(true)
	sent, blocked := anna.buy(bob, 25), anna.buy(carol, 25)
	sent.arrive()
	sent.decide(escrow.Accept)
	blocked.arrive()
	blocked.rejects(true)
	w.later(2 * time.Hour)
	return func() { open.arrive() }
}
