package escrowserver_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
)

// faulty is a store at which operations fail, and which counts how often it is cleaned.
type faulty struct {
	escrowserver.Store
	fails  *func(escrowserver.Op) error
	cleans *int
}

func (f faulty) Apply(ctx context.Context, ops []escrowserver.Op) []escrowserver.Result {
	var results []escrowserver.Result
	for _, op := range ops {
		if _, cleans := op.(escrowserver.Clean); cleans {
			*f.cleans++
		}
		if err := (*f.fails)(op); err != nil {
			results = append(results, escrowserver.Result{Err: err})
			continue
		}
		results = append(results, f.Store.Apply(ctx, []escrowserver.Op{op})...)
	}
	return results
}

// faultySweeper has two bonds, one of which is due, and another server with a log.
func faultySweeper(t *testing.T, fails *func(escrowserver.Op) error) (server *escrowserver.Server, f faulty, h servicetest.Harness, due escrow.BondID, log *bytes.Buffer) {
	t.Helper()
	store := open(t, filepath.Join(t.TempDir(), "books.db"))
	t.Cleanup(func() { store.Close() })
	f = faulty{store, fails, new(int)}
	*fails = func(escrowserver.Op) error { return nil }
	h = servicetest.NewHarness(t, f)
	due = servicetest.DueBonds(t, h, 2)(0)
	log = &bytes.Buffer{}
	cfg := servicetest.Config(f, h.Clock, h.Mails, h.ReceiptSigner)
	cfg.Log = slog.New(slog.NewTextHandler(log, nil))
	server, err := escrowserver.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return server, f, h, due, log
}

// A store that is away for a moment is no damage: nothing is stuck, and the next sweep
// ends what is due.
func TestSweepOfStoreThatIsAwayBlamesNoBond(t *testing.T) {
	var fails func(escrowserver.Op) error
	server, f, _, due, log := faultySweeper(t, &fails)
	fails = func(op escrowserver.Op) error {
		if _, sweeps := op.(escrowserver.Sweep); sweeps {
			return escrow.Errorf(escrow.Unavailable, "the escrow cannot reach its books")
		}
		return nil
	}
	if err := server.SweepNow(t.Context()); !errors.Is(err, escrow.Unavailable) {
		t.Errorf("the sweep ended with %v", err)
	}
	if n := server.Health().Stuck; n != 0 || strings.Contains(log.String(), string(due)) {
		t.Errorf("%d are stuck, the log says: %s", n, log)
	}
	fails = func(escrowserver.Op) error { return nil }
	if err := server.SweepNow(t.Context()); err != nil {
		t.Error(err)
	}
	if b, err := f.Bond(t.Context(), due); err != nil || b.State != escrow.Expired {
		t.Errorf("the bond is %s, %v", b.State, err)
	}
}

// What is stuck stays due, and each commit wakes the sweeper: it does not write each
// time.
func TestSweeperWithStuckBondCleansSeldom(t *testing.T) {
	var fails func(escrowserver.Op) error
	server, f, h, due, _ := faultySweeper(t, &fails)
	fails = func(op escrowserver.Op) error {
		if s, sweeps := op.(escrowserver.Sweep); sweeps && s.Bond == due {
			return errors.New("it is broken")
		}
		return nil
	}
	for round := range 20 {
		if round == 10 {
			h.Clock.Move(10 * time.Second)
		}
		if err := server.SweepNow(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if *f.cleans != 2 || server.Health().Stuck != 1 {
		t.Errorf("in 20 sweeps within 10 seconds it cleaned %d times, want 2; %d are stuck", *f.cleans, server.Health().Stuck)
	}
}
