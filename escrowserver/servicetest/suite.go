package servicetest

import (
	"context"
	"crypto/ed25519"
	"slices"
	"strings"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

const day = 24 * time.Hour

// Run holds an escrow against the protocol. After each test its books are
// verified.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	for _, test := range tests() {
		t.Run(test.name, func(t *testing.T) {
			w := &world{TB: t, Harness: open(t)}
			test.run(w)
			w.verified()
		})
	}
}

type test struct {
	name string
	run  func(w *world)
}

func tests() []test {
	return slices.Concat(storyTests())
}

// verified demands sound books.
func (w *world) verified() escrowserver.Report {
	w.Helper()
	report, err := escrowserver.Verify(context.Background(), w.Store, w.Server.ReceiptKey())
	w.ok(err)
	if len(report.Faults) > 0 {
		w.Fatalf("the books have faults:\n%s", strings.Join(report.Faults, "\n"))
	}
	return report
}

func storyTests() []test {
	return []test{
		{"K3_BuyArriveAccept", buyArriveAccept},
		{"K13_RejectForfeits", rejectForfeits},
		{"K10_SilenceRefunds", silenceRefunds},
	}
}

func buyArriveAccept(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	if bond.Bond.Role != escrow.RoleSender || bond.Bond.State != escrow.Held {
		w.Fatalf("bought %+v", bond.Bond)
	}
	var quote escrow.Quote
	w.ok(escrow.Peek(bond.req.Quote, &quote))
	offer, err := escrow.VerifyOffer(quote.Offer)
	w.ok(err)
	brief, err := escrow.CheckSoldKey(bond.Batch, offer, bond.Certificate)
	w.ok(err)
	if brief.Fingerprint != bond.Bond.KeyFingerprint {
		w.Fatal("the bond names another key than the one sold")
	}
	anna.has(475, 25)
	w.ok(anna.Acknowledge(context.Background(), bond.id()))

	// The certificate to verify with goes to the recipient with the sale, the
	// reply certificate does not.
	page, err := bob.Bonds(context.Background(), 0, 0)
	w.ok(err)
	if len(page.Bonds) != 1 || !slices.Equal(page.Bonds[0].Verification, bond.req.Verification) || page.Bonds[0].Reply != nil {
		w.Fatalf("the recipient sees %+v", page.Bonds)
	}
	if o := bond.arrive(); o.Bond.State != escrow.Arrived || o.Receipt == "" {
		w.Fatalf("arrived: %+v", o.Bond)
	}
	o := bond.decide(escrow.Accept)
	if o.Bond.State != escrow.Accepted || !slices.Equal(o.Bond.Reply, bond.req.Reply) {
		w.Fatalf("accepted: %+v", o.Bond)
	}
	anna.has(500, 0)
	bob.has(1, 0)
	want := []escrow.Event{escrow.EventPaid, escrow.EventArrived, escrow.EventAccepted}
	for _, p := range []*person{anna, bob} {
		if got := bond.events(p); !slices.Equal(got, want) {
			w.Fatalf("receipts say %v, want %v", got, want)
		}
	}
}

func rejectForfeits(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	bond.arrive()
	if o := bond.decide(escrow.Reject); o.Bond.State != escrow.Rejecting || o.Bond.EffectiveAt.IsZero() {
		w.Fatalf("rejecting: %+v", o.Bond)
	}
	if v := bond.view(anna); v.State != escrow.Arrived || !v.EffectiveAt.IsZero() || v.DecisionN != 0 {
		w.Fatalf("the sender sees a reject that can be undone: %+v", v)
	}
	anna.has(475, 25)
	w.later(10*time.Minute - time.Second)
	anna.has(475, 25)
	w.later(time.Second)
	anna.has(475, 0)
	bob.has(1, 0)
	if v := bond.view(bob); v.State != escrow.Rejected || v.Verification != nil || v.Reply != nil {
		w.Fatalf("rejected: %+v", v)
	}
	if got := w.holder("company"); got != 25 {
		w.Fatalf("the company has %d, want 25", got)
	}
	receipts, err := anna.Receipts(context.Background(), bond.id())
	w.ok(err)
	chain, err := escrow.VerifyChain(bond.req.Quote, receipts, w.Server.ReceiptKey())
	w.ok(err)
	last := chain.Receipts[len(chain.Receipts)-1]
	if _, err := escrow.VerifyDecision(last.Statement, bob.key.Public().(ed25519.PublicKey)); err != nil {
		w.Fatalf("the forfeit has no signed decision: %v", err)
	}
}

func silenceRefunds(w *world) {
	anna, bob := w.owner("anna@sender.example", 500), w.recipient("bob@recipient.example", 25, 2)
	bond := anna.buy(bob, 25)
	w.later(29 * day)
	bond.arrive()
	w.later(14*day - time.Microsecond)
	anna.has(475, 25)
	w.later(time.Microsecond)
	anna.has(500, 0)
	if v := bond.view(anna); v.State != escrow.Expired || v.EndedAt.IsZero() {
		w.Fatalf("after silence: %+v", v)
	}
	_, err := bob.Decide(context.Background(), bond.id(), escrow.Reject, bond.decision(escrow.Reject))
	w.fails(err, escrow.TooLate)
	anna.has(500, 0)
}

// holder is what one of the books' own holders has.
func (w *world) holder(holder string) int64 {
	w.Helper()
	var sum int64
	w.ok(w.Store.Walk(context.Background(), escrowserver.Visitor{Balance: func(b escrowserver.BalanceLine) error {
		if string(b.Holder) == holder && b.Currency == Currency {
			sum = b.Balance.Available + b.Balance.Held
		}
		return nil
	}}))
	return sum
}
