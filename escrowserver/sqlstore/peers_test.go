package sqlstore

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
	"earnest/internal/pgtest"
)

// run starts a process's own work and returns what ends it.
func run(t *testing.T, s *escrowserver.Server) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

func soon(t *testing.T, what string, within time.Duration, is func() bool) {
	t.Helper()
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("%s: not within %v", what, within)
}

func threeStores(t *testing.T) []*Store {
	t.Helper()
	url, err := pgtest.For(t).NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return []*Store{openAt(t, url), openAt(t, url), openAt(t, url)}
}

// leader is the session that has the lock of who sweeps; 0 if none has.
func leader(t *testing.T, s *Store) (pid int) {
	t.Helper()
	err := s.engine.reading().QueryRowContext(t.Context(), `SELECT COALESCE(MAX(pid), 0) FROM pg_locks
		WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32 | objid::bigint) = hashtextextended($1, 0)
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`, peerLock).Scan(&pid)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// TestOneSweepsAndOthersTakeOver: what is due is ended though nobody asks for it,
// by whichever process is left, within seconds of the end of the one that swept.
func TestOneSweepsAndOthersTakeOver(t *testing.T) {
	stores := threeStores(t)
	h, servers := servicetest.Several(t, stores[0], stores[1], stores[2])
	var due []escrow.BondID
	next := servicetest.DueBonds(t, h, 3)
	for _, s := range servers {
		run(t, s)
	}
	soon(t, "a process leads", 10*time.Second, func() bool { return leader(t, stores[0]) != 0 })
	for try := range 3 {
		first := leader(t, stores[0])
		due = append(due, next(try))
		soon(t, "the bond ends", 10*time.Second, func() bool {
			b, err := stores[0].Bond(t.Context(), due[try])
			return err == nil && b.State.Ended()
		})
		// Its session ends, as when its process is killed or its machine is gone.
		if _, err := stores[0].engine.reading().ExecContext(t.Context(), `SELECT pg_terminate_backend($1)`, first); err != nil {
			t.Fatal(err)
		}
		soon(t, "another leads", 10*time.Second, func() bool { pid := leader(t, stores[0]); return pid != 0 && pid != first })
	}
}

// TestStoppedSweeperIsReplaced: a process that stops leaves the lead at once.
func TestStoppedSweeperIsReplaced(t *testing.T) {
	stores := threeStores(t)
	h, servers := servicetest.Several(t, stores[0], stores[1])
	next := servicetest.DueBonds(t, h, 1)
	stop := run(t, servers[0])
	soon(t, "the first leads", 10*time.Second, func() bool { return leader(t, stores[2]) != 0 })
	run(t, servers[1])
	stop()
	bond := next(0)
	soon(t, "the other ends the bond", 15*time.Second, func() bool {
		b, err := stores[2].Bond(t.Context(), bond)
		return err == nil && b.State.Ended()
	})
}

// TestNewsReachOtherProcesses: who waits at one process hears at once what was done
// at another, also after the connection that brings news was lost.
func TestNewsReachOtherProcesses(t *testing.T) {
	stores := threeStores(t)
	peers := []escrowserver.Peers{stores[0].Peers(), stores[1].Peers()}
	heard := make(chan []escrow.KeyID, 100)
	listening := make(chan struct{}, 10)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lost := make(chan error, 10)
	for _, p := range peers {
		go func() {
			for ctx.Err() == nil {
				lost <- p.Hear(ctx, func() { listening <- struct{}{} }, func(ids []escrow.KeyID) { heard <- ids })
			}
		}()
	}
	<-listening
	<-listening
	var many []escrow.KeyID
	for i := range 1000 { // more than one message holds
		many = append(many, escrow.KeyID(fmt.Sprintf("%043d", i)))
	}
	if err := peers[0].Tell(ctx, many); err != nil {
		t.Fatal(err)
	}
	for sum := 0; sum < len(many); {
		select {
		case ids := <-heard: // the other one only
			sum += len(ids)
		case <-time.After(5 * time.Second):
			t.Fatalf("heard of %d accounts of %d", sum, len(many))
		}
	}
	if _, err := stores[2].engine.reading().ExecContext(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE query = 'LISTEN earnest_news' AND datname = current_database()`); err != nil {
		t.Fatal(err)
	}
	<-lost
	<-lost
	<-listening
	<-listening
	if err := peers[1].Tell(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if ids := <-heard; len(ids) != 0 || len(heard) != 0 {
		t.Errorf("all were to look again, but %d were named, and %d more news came", len(ids), len(heard))
	}
}

// TestWaitEndsByAnotherProcess: a list that waits at one process shows what was done
// at another long before the wait is over.
func TestWaitEndsByAnotherProcess(t *testing.T) {
	stores := threeStores(t)
	h, servers := servicetest.Several(t, stores[0], stores[1])
	for _, s := range servers {
		run(t, s)
	}
	servicetest.WaitElsewhere(t, h, servers[1])
}
