package linear

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
	"earnest/internal/pgtest"
	"earnest/ledger"
)

// TestBuyersWaitForNobody holds the balances that all have in common, the company's and
// the issuance's: purchases, arrivals and ends go on, since they move nobody's money but
// the sender's. A top-up and a forfeit, which do, wait, and nobody waits behind them.
func TestBuyersWaitForNobody(t *testing.T) {
	cluster, url := pgtest.For(t), ""
	terms := escrow.DefaultTerms()
	terms.Undo = 0 // a reject takes effect when somebody looks
	w := newTown(t, func(t testing.TB) (stores []escrowserver.Store) {
		url = newDatabase(t, cluster)
		for range 3 {
			stores = append(stores, openBooks(t, url))
		}
		return stores
	}, terms)
	shop, strict := w.shop(3), w.shop(2)
	// After the first forfeit the company has a balance.
	w.ok(w.arrived(t.Context(), w.settle(price), strict, escrow.Reject, w.servers[0]))
	topUp := escrow.TopUp{ID: w.id(), Voucher: w.voucher(price)}
	richer, rejected := w.settle(0), w.settle(price)
	buyers := []*person{w.settle(price), w.settle(price), w.settle(price)}

	release := lockBalances(t, url, ledger.Company, ledger.Issuance)
	waits := map[string]chan error{"top-up": make(chan error, 1), "forfeit": make(chan error, 1)}
	go func() {
		_, err := w.at(richer, 1).TopUp(context.WithoutCancel(t.Context()), topUp)
		waits["top-up"] <- err
	}()
	go func() {
		waits["forfeit"] <- w.arrived(context.WithoutCancel(t.Context()), rejected, strict, escrow.Reject, w.servers[2])
	}()
	time.Sleep(300 * time.Millisecond) // by now both hold what they have before they wait
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, buyer := range buyers {
		if err := w.arrived(ctx, buyer, shop, escrow.Accept, w.servers[0]); err != nil {
			t.Errorf("a buyer waited for the money of others: %v", err)
		}
	}
	for what, done := range waits {
		select {
		case err := <-done:
			t.Errorf("the %s did not wait for what it moves, so nothing was held: %v", what, err)
			done <- err
		default:
		}
	}
	release()
	for what, done := range waits {
		if err := <-done; err != nil {
			t.Errorf("the %s, when it could: %v", what, err)
		}
	}
	w.verified()
}

// arrived buys, arrives and decides before that server, and looks at what came of it.
func (w *town) arrived(ctx context.Context, from, to *person, verdict escrow.Verdict, server *escrowserver.Server) error {
	buyer, shop := *from, *to
	buyer.Service, shop.Service = server.As(from.public()), server.As(to.public())
	quote, err := buyer.quote(ctx, to)
	if err != nil {
		return err
	}
	certificate, id := servicetest.NewCertificate(w), escrow.BondID(w.id())
	if _, err := buyer.Buy(ctx, escrow.BuyRequest{ID: id, Quote: quote, Verification: certificate.Binary, Reply: certificate.Binary}); err != nil {
		return err
	}
	proof := certificate.Proof("mail of "+string(id), "")
	if _, err := shop.Arrive(ctx, id, escrow.Arrival{Proof: proof, Statement: shop.statement(id, quote, escrow.EventArrived, proof.Hash(), w.now())}); err != nil {
		return err
	}
	if _, err := shop.Decide(ctx, id, verdict, shop.decision(id, quote, verdict, 1, w.now())); err != nil {
		return err
	}
	want := map[escrow.Verdict]escrow.State{escrow.Accept: escrow.Accepted, escrow.Reject: escrow.Rejected}[verdict]
	view, err := buyer.Bond(ctx, id)
	return is(view.State, want, err)
}

// lockBalances holds the rows as a transaction does that is about to write them.
func lockBalances(t *testing.T, url string, holders ...ledger.Holder) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, holder := range holders {
		tag, err := tx.Exec(t.Context(), `SELECT 1 FROM balance WHERE holder = $1 FOR UPDATE`, string(holder))
		if err != nil || tag.RowsAffected() != 1 {
			t.Fatalf("the balance of %s: %d rows, %v", holder, tag.RowsAffected(), err)
		}
	}
	return func() {
		if err := tx.Rollback(context.Background()); err != nil {
			t.Error(err)
		}
	}
}
