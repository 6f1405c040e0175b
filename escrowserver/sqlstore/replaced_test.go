package sqlstore

import (
	"context"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/internal/pgtest"
)

// Two processes replace keys at the same time: who reads the list from where it ended
// the last time misses none, in whatever order they commit.
func TestNoReplacedKeyIsMissed(t *testing.T) {
	url, err := pgtest.For(t).NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first, second := openAt(t, url), openAt(t, url)
	a, b := newAccount(1), newAccount(2)
	apply(t, first, a)
	apply(t, first, b)
	replace := func(s *Store, account escrowserver.OpenAccount) *tx {
		conn, err := s.engine.begin(t.Context())
		if err != nil {
			t.Error(err)
			return nil
		}
		held := &tx{conn: conn, known: newKnown()}
		next := escrow.KeyID("next of " + account.Key.ID())
		if err := held.replaceKey(t.Context(), "order", account.Key.ID(), account.Key, next, "", 1); err != nil {
			t.Error(err)
		}
		return held
	}
	early := replace(first, a)
	done := make(chan error, 1)
	go func() { done <- replace(second, b).conn.commit(context.Background()) }()
	var last int64
	seen := map[escrow.KeyID]bool{}
	read := func() {
		rows, err := first.Replaced(t.Context(), last, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			last, seen[row.Key] = row.N, true
		}
	}
	time.Sleep(500 * time.Millisecond) // the second has committed, or waits
	read()
	if err := early.conn.commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	read()
	if len(seen) != 2 {
		t.Errorf("%d replaced keys were read of 2", len(seen))
	}
}
