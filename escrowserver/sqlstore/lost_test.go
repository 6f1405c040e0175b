package sqlstore

import (
	"context"
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
	"earnest/internal/pgtest"
)

// reads asks the store in each way in which it reads outside of a batch, and the service
// as its account does. What is not there is an answer, too.
func reads(ctx context.Context, h servicetest.Harness, s *Store, caller escrow.PublicKey) map[string]error {
	errs := map[string]error{}
	_, errs["row"] = s.NextDue(ctx)
	_, errs["rows"] = s.Due(ctx, h.Clock.Now(), escrowserver.DueBond{}, 10)
	_, errs["found"] = s.Answered(ctx, caller.ID(), "0192f0c1-0000-7000-8000-000000000001", "")
	_, errs["figures"] = s.Figures(ctx, h.Clock.Now())
	_, errs["export"] = s.Export(ctx, caller.ID())
	errs["walk"] = s.Walk(ctx, escrowserver.Visitor{Balance: func(escrowserver.BalanceLine) error { return nil }})
	_, errs["service"] = h.Server.As(caller).Account(ctx)
	_, errs["caller"] = h.Server.HasAccount(ctx, caller)
	for what, err := range errs {
		if errors.Is(err, escrow.NotFound) {
			delete(errs, what)
		}
	}
	return errs
}

// TestReadsOfALostDatabase: who asks while PostgreSQL ends, is gone or comes up is told
// to try again, and is answered when it is back.
func TestReadsOfALostDatabase(t *testing.T) {
	cluster := pgtest.For(t)
	s := openPostgresTest(t, cluster)
	h := servicetest.NewHarness(t, s)
	caller := escrow.PublicKey(h.ReceiptSigner.Public().(ed25519.PublicKey)) // has no account
	var lost int
	// asked also looks that nothing else is said, and tells whether all was answered.
	asked := func(when string) (answered bool) {
		t.Helper()
		answered = true
		for what, err := range reads(t.Context(), h, s, caller) {
			if err != nil {
				lost++
				answered = false
			}
			if err != nil && escrow.CodeOf(err) != escrow.Unavailable {
				t.Errorf("%s: %s: %v", when, what, err)
			}
		}
		return answered
	}
	if !asked("before") {
		t.Fatal("no answer, though nothing has happened")
	}
	ended, err := pgx.Connect(t.Context(), cluster.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	const end = `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`
	if _, err := ended.Exec(t.Context(), end); err != nil {
		t.Fatal(err)
	}
	if asked("its sessions ended"); lost == 0 {
		t.Error("nobody has seen that the sessions have ended")
	}
	asked("once more") // so that there are sessions again
	if err := cluster.Kill(); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if asked("killed") {
			t.Error("a dead database was read")
		}
	}
	up := make(chan error, 1)
	go func() { up <- cluster.Restart(context.Background()) }()
	soon(t, "all is answered again", time.Minute, func() bool { return asked("comes up") })
	if err := <-up; err != nil {
		t.Fatal(err)
	}
}
