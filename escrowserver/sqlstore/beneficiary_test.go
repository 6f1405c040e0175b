package sqlstore

import (
	"context"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
	"earnest/internal/pgtest"
)

func signedMoment(h servicetest.Harness) escrowserver.Moment {
	return escrowserver.Moment{Now: h.Clock.Now(), Sign: func(r escrow.Receipt) (escrow.Signed, error) {
		return escrow.Sign(h.ReceiptSigner, escrow.KindReceipt, r)
	}}
}

// What is forfeited to an account and what else happens to it wait for each other, as
// all that touches an account does: else its postings are not in the order of the
// commits, and who reads its movements on from where they ended misses one.
func TestForfeitsToAnAccountAreOrdered(t *testing.T) {
	url, err := pgtest.For(t).NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first, second := openAt(t, url), openAt(t, url)
	h := servicetest.NewHarness(t, first)
	bond, charity := servicetest.Forfeiting(t, h)
	apply(t, first, escrowserver.NewVoucher{Now: now0, Hash: "gift", Currency: servicetest.Currency, Amount: 7})
	conn, err := first.engine.begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.rollback()
	forfeit := &tx{conn: conn, batches: &first.batches, pools: &first.pools, known: newKnown()}
	if _, err := forfeit.do(t.Context(), planOf(escrowserver.Sweep{Bond: bond, Moment: signedMoment(h)})); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- second.Apply(context.Background(), []escrowserver.Op{topUp(charity, "operation", "gift")})[0].Err
	}()
	select {
	case err := <-done:
		t.Fatalf("the top-up did not wait for the forfeit: %v", err)
	case <-time.After(500 * time.Millisecond):
	}
	if err := forfeit.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := forfeit.commit("sweep.commit"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if found := faults(t, first, h.Server.ReceiptKey()); len(found) != 1 { // nobody signed the gift
		t.Errorf("faults: %q", found)
	}
}

// A batch books a forfeit to an account after it has read the account, and before.
func TestForfeitBesideATopUpOfTheBeneficiary(t *testing.T) {
	for name, s := range map[string]*Store{"SQLite": openTest(t), "PostgreSQL": openPostgresTest(t, pgtest.For(t))} {
		t.Run(name, func(t *testing.T) {
			h := servicetest.NewHarness(t, s)
			bond, charity := servicetest.Forfeiting(t, h)
			for _, hash := range []string{"first", "gift", "other"} {
				apply(t, s, escrowserver.NewVoucher{Now: now0, Hash: hash, Currency: servicetest.Currency, Amount: 7})
			}
			apply(t, s, topUp(charity, "operation-0", "first"))
			conn, err := s.engine.begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.rollback()
			batch := &tx{conn: conn, batches: &s.batches, pools: &s.pools, known: newKnown()}
			// Each is loaded when it is done, as a bond is that a purchase finds due.
			for _, op := range []escrowserver.Op{escrowserver.Sweep{Bond: bond, Moment: signedMoment(h)}, topUp(charity, "operation-1", "gift"), topUp(charity, "operation-2", "other")} {
				if _, err := batch.do(t.Context(), planOf(op)); err != nil {
					t.Fatal(err)
				}
			}
			if err := batch.flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := batch.commit("batch.commit"); err != nil {
				t.Fatal(err)
			}
			account, err := s.Account(t.Context(), charity)
			if err != nil || len(account.Balances) != 1 || account.Balances[0].Available != 46 {
				t.Errorf("the account has %+v, %v", account.Balances, err)
			}
		})
	}
}
