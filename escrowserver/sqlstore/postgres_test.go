package sqlstore

import (
	"slices"
	"strings"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver/servicetest"
	"earnest/internal/pgtest"
)

func openPostgresTest(t *testing.T, cluster *pgtest.Cluster) *Store {
	t.Helper()
	return openAt(t, emptyDatabase(t, cluster))
}

func emptyDatabase(t *testing.T, cluster *pgtest.Cluster) (url string) {
	t.Helper()
	url, err := cluster.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return url
}

func TestServiceOnPostgres(t *testing.T) {
	cluster := pgtest.For(t)
	servicetest.Run(t, func(t *testing.T) servicetest.Harness { return servicetest.NewHarness(t, openPostgresTest(t, cluster)) })
}

func TestMachineOnPostgres(t *testing.T) {
	cluster := pgtest.For(t)
	servicetest.Machine(t, func(t *testing.T) servicetest.Harness { return servicetest.NewHarness(t, openPostgresTest(t, cluster)) }, 3, 300)
}

// A server that may lose what it has acknowledged is refused.
func TestUnsafePostgresIsRefused(t *testing.T) {
	cluster := pgtest.For(t, "fsync=off")
	if s, err := Open(t.Context(), cluster.URL("postgres")); err == nil || !strings.Contains(err.Error(), "fsync") {
		t.Errorf("opened %v, %v", s, err)
	}
}

// A question that was first asked of an empty table looks its row up by an index when
// the table has grown, too: the plan that it was given then is kept.
func TestQuestionsOfYoungBooksStayFast(t *testing.T) {
	s := openPostgresTest(t, pgtest.For(t))
	buying := wants{now: time.Now()}
	for range 20 {
		account, sender := escrow.KeyID("anna"), escrow.Address("anna@a.example")
		buying.taken = append(buying.taken, "b1")
		buying.open = append(buying.open, pair{sender, "bob@b.example"})
		buying.endedOfAccounts = append(buying.endedOfAccounts, accountEnded(account))
		buying.groups = append(buying.groups, group{"bob@b.example", "a.example"})
	}
	// fetched is how many rows of bonds the questions of a purchase read.
	conn, err := s.engine.begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.rollback()
	fetched := func() (n int) {
		t.Helper()
		asking := &tx{conn: conn, pools: &s.pools, known: newKnown()}
		questions := slices.DeleteFunc(asking.buyQuestions(buying), func(q question) bool { return len(q.values) == 0 })
		if err := conn.ask(t.Context(), questions); err != nil {
			t.Fatal(err)
		}
		const read = `SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'bond'`
		if err := conn.row(t.Context(), read).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 10 { // until the plan is kept
		fetched()
	}
	if _, err := conn.exec(t.Context(), `INSERT INTO bond (id, quote, sender, sender_folded, sender_group, sender_account, recipient, recipient_folded,
			recipient_account, key_fingerprint, state, due_at, bought_at, deliver_by, decide_by, final_at, arrived_at, read_at,
			effective_at, ended_at, withdraw_asked_at, late_accepted_at, last_decision, decision_n, extension_signed, sender_change, recipient_change)
		SELECT 'x' || n, '', 'eve' || n, 'eve' || n, '', 'eve' || n, 'bob@b.example', 'bob@b.example', 'bob', 'f' || n, 'arrived', 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, '', 0, '', 1, n
		FROM generate_series(1, 5000) AS n`); err != nil {
		t.Fatal(err)
	}
	before := fetched()
	if n := fetched() - before; n > 100 {
		t.Errorf("the questions of a purchase read %d of 5000 bonds that are others'", n)
	}
}

// The same holds for writes.
func TestWritesOfYoungBooksStayFast(t *testing.T) {
	s := openPostgresTest(t, pgtest.For(t))
	conn, err := s.engine.begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.rollback()
	drop := writes{write: dropSoldKey}
	for range 20 {
		drop.values = append(drop.values, []any{"b1"})
	}
	read := func() (n int) {
		t.Helper()
		if err := conn.(setWriter).writeSets(t.Context(), []writes{drop}, nil); err != nil {
			t.Fatal(err)
		}
		const read = `SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'sold_key'`
		if err := conn.row(t.Context(), read).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 10 {
		read()
	}
	if _, err := conn.exec(t.Context(), `INSERT INTO sold_key (bond, certificate, batch, keep_until)
		SELECT 'x' || n, '', '', 1 FROM generate_series(1, 5000) AS n`); err != nil {
		t.Fatal(err)
	}
	before := read()
	if n := read() - before; n > 100 {
		t.Errorf("the delete of one key read %d of 5000 that are others'", n)
	}
}
