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

// Books in which an older program let two bonds of one folded pair be open are brought
// up to date: both end as they were promised, and no third is bought before.
func TestOlderBooksMayHaveTwoOpenBondsOfAPair(t *testing.T) {
	upgraded := func(t *testing.T, s *Store) {
		db := testDB(t, s)
		exec := func(text string, args ...any) {
			t.Helper()
			if _, err := db.ExecContext(t.Context(), s.engine.text(text), args...); err != nil {
				t.Fatal(err)
			}
		}
		servicetest.OlderPair(t, servicetest.NewHarness(t, s), func(id escrow.BondID) {
			exec(`UPDATE bond SET sender_folded = 'hidden' WHERE id = '` + string(id) + `'`)
		}, func() {
			for _, text := range []string{
				`DROP INDEX bond_open`, `DROP INDEX bond_group`,
				`UPDATE bond SET sender_folded = 'anna@sender.example'`,
				`ALTER TABLE bond DROP COLUMN recipient_folded`, `ALTER TABLE bond DROP COLUMN beside`,
				`CREATE UNIQUE INDEX bond_open ON bond (sender, recipient) WHERE state IN ('held', 'arrived', 'rejecting')`,
				`CREATE INDEX bond_group ON bond (recipient, sender_group) WHERE state = 'held'`,
				`DELETE FROM ` + versions + ` WHERE version_id = 19`,
			} {
				exec(text)
			}
			if e, ok := s.engine.(*sqliteEngine); ok { // the steps need the one connection that writes
				if err := e.leave(); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
	t.Run("SQLite", func(t *testing.T) { upgraded(t, openTest(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { upgraded(t, openPostgresTest(t, pgtest.For(t))) })
}

// Two processes sell to the same person at the same moment, under other addresses, to
// accounts that have nothing in common: one purchase is made.
func TestAFoldedPairBuysOnceAtTwoProcesses(t *testing.T) {
	url, err := pgtest.For(t).NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first, second := openAt(t, url), openAt(t, url)
	h := servicetest.NewHarness(t, first)
	purchases := servicetest.FoldedPurchases(t, h)
	conn, err := first.engine.begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.rollback()
	buying := &tx{conn: conn, batches: &first.batches, pools: &first.pools, soldTo: map[escrow.Address]int64{}, known: newKnown()}
	if _, err := buying.do(t.Context(), planOf(purchases[0])); err != nil {
		t.Fatal(err)
	}
	if err := buying.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- second.Apply(context.Background(), []escrowserver.Op{purchases[1]})[0].Err }()
	select {
	case err := <-done:
		t.Fatalf("the second purchase did not wait for the first: %v", err)
	case <-time.After(500 * time.Millisecond):
	}
	if err := buying.commit("buy.commit"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; escrow.CodeOf(err) != escrow.OpenBond {
		t.Errorf("the second purchase: %v; want it refused", err)
	}
	if found := faults(t, first, h.Server.ReceiptKey()); len(found) != 0 {
		t.Errorf("faults: %q", found)
	}
}
