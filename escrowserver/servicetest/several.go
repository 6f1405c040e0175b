package servicetest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

// Several makes an escrow of several processes, one on each store, all on the same
// books. The harness's As is the first one's.
func Several(t testing.TB, stores ...escrowserver.Store) (Harness, []*escrowserver.Server) {
	t.Helper()
	h := Harness{Store: stores[0], Clock: NewClock(), Mails: &Mails{}, Checked: &atomic.Int64{}}
	_, receiptKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h.ReceiptSigner = receiptKey
	var servers []*escrowserver.Server
	for _, store := range stores {
		cfg := Config(store, h.Clock, h.Mails, receiptKey)
		cfg.Certificates = counted{count: h.Checked}
		server, err := escrowserver.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		servers = append(servers, server)
	}
	h.Server = servers[0]
	h.As = func(key ed25519.PrivateKey) escrow.Service {
		if key == nil {
			return h.Server.As(nil)
		}
		return h.Server.As(escrow.PublicKey(key.Public().(ed25519.PublicKey)))
	}
	return h, servers
}

// DueBonds buys bonds, and gives what ends the wait of one after another: it moves the
// clock to the next bond's deadline and returns which it is.
func DueBonds(t testing.TB, h Harness, bonds int) (next func(i int) escrow.BondID) {
	t.Helper()
	w := &world{TB: t, Harness: h}
	anna := w.owner("anna@sender.example", 500)
	var all []*bought
	for i := range bonds {
		bob := w.recipient(escrow.Address(fmt.Sprintf("bob@recipient%d.example", i)), 25, 1)
		all = append(all, anna.buy(bob, 25))
		w.Clock.Move(time.Hour)
	}
	return func(i int) escrow.BondID {
		w.Clock.Move(all[i].Bond.DeliverBy.Sub(w.Clock.Now()))
		// The clock is a test's: nobody would know that it was moved.
		bob := w.owner(escrow.Address(fmt.Sprintf("dora@recipient%d.example", i)), 500)
		bob.buy(w.recipient(escrow.Address(fmt.Sprintf("emil@recipient%d.example", i)), 25, 1), 25)
		return all[i].id()
	}
}

// WaitElsewhere waits for a change at another process than where it is made.
func WaitElsewhere(t testing.TB, h Harness, other *escrowserver.Server) {
	t.Helper()
	w := &world{TB: t, Harness: h}
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 1)
	type answer struct {
		page escrow.BondPage
		err  error
		took time.Duration
	}
	answers := make(chan answer, 1)
	go func() {
		began := time.Now()
		page, err := other.As(bob.public()).Bonds(context.Background(), 0, time.Minute)
		answers <- answer{page, err, time.Since(began)}
	}()
	time.Sleep(2 * time.Second) // it waits, and the other process listens
	anna.buy(bob, 25)
	a := <-answers
	w.ok(a.err)
	if len(a.page.Bonds) != 1 || a.took > 20*time.Second {
		t.Fatalf("after %v: %+v", a.took, a.page)
	}
}

// RunOfSeveral holds an escrow of several processes against the protocol. Left out is
// what the processes do not know of each other at once, and says so itself: each
// counts the lookups that came to it; a replaced key is known to the others after
// seconds (money never moves by it); an outage after their next beat. And only the
// one that sweeps deals with the events of a provider, and here but one has one.
func RunOfSeveral(t *testing.T, open func(t *testing.T) Harness) {
	own := []string{"LookupsAreLimited", "RecoveryRotatesTheAccount", "TheOwnKeyRotatesAfter48Hours",
		"ARotationCancelsWhatAThiefAskedFor", "AnAccountIsDeleted", "ManyBondsAreMoved", "ASlowProviderStopsNoSweep", "CheckoutKilledBeforeTheCredit",
		"AnEscrowThatRunsAsksByItself"}
	for _, test := range tests() {
		if slices.Contains(own, test.name) {
			continue
		}
		t.Run(test.name, func(t *testing.T) {
			w := &world{TB: t, Harness: open(t)}
			test.run(w)
			w.verified()
		})
	}
}

// Forfeiting is a bond that was rejected a moment ago: whoever sweeps it gives the
// money to a beneficiary that has an account here.
func Forfeiting(t testing.TB, h Harness) (bond escrow.BondID, beneficiary escrow.KeyID) {
	t.Helper()
	w := &world{TB: t, Harness: h}
	b, charity := w.rejectedFor()
	w.Clock.Move(time.Hour)
	return b.id(), charity.id()
}

// rejectedFor rejects a bond whose beneficiary is an account.
func (w *world) rejectedFor() (*bought, *person) {
	w.Helper()
	charity := w.stranger()
	server := w.restarted(func(c *escrowserver.Config) {
		c.Beneficiaries = append(c.Beneficiaries, escrow.Beneficiary{ID: charity.id().Holder(), Name: "Charity"})
	})
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 1)
	w.Clock.Move(time.Second)
	draft := bob.draft(25)
	draft.Beneficiary = charity.id().Holder()
	signed := bob.sign(escrow.KindOffer, draft)
	anna.Service, bob.Service = server.As(anna.public()), server.As(bob.public())
	w.ok(bob.PublishOffer(context.Background(), signed))
	bond := anna.buy(bob, 25)
	bond.arrive()
	bond.decide(escrow.Reject)
	return bond, charity
}
