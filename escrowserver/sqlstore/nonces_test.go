package sqlstore

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrow/wire"
	"earnest/internal/pgtest"
)

// process is the side of one escrow process that looks at requests.
func process(s *Store, now func() time.Time) *wire.Verifier {
	return wire.NewVerifier(wire.VerifierConfig{Hosts: []string{"escrow.example"}, Now: now, Started: now(), Shared: s.Nonces()})
}

func signedBy(t testing.TB, key byte, at time.Time) *http.Request {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = key
	signer, err := wire.NewSigner(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://escrow.example/v1/account", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := signer.Sign(r, nil, at); err != nil {
		t.Fatal(err)
	}
	return r
}

func taken(t *testing.T, v *wire.Verifier, r *http.Request) {
	t.Helper()
	if _, err := v.Verify(r); err != nil {
		t.Fatalf("a new request: %v", err)
	}
}

func replayed(t *testing.T, v *wire.Verifier, r *http.Request) {
	t.Helper()
	if _, err := v.Verify(r); !errors.Is(err, escrow.Replayed) {
		t.Fatalf("a request that was seen: %v", err)
	}
}

// What one process has seen is replayed at every other, however many are asked at once.
func TestRequestSeenAtAnotherProcessIsReplayed(t *testing.T) {
	cluster := pgtest.For(t)
	url, err := cluster.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var processes []*wire.Verifier
	for range 3 {
		processes = append(processes, process(openAt(t, url), time.Now))
	}
	const requests, keys = 300, 7
	var wg sync.WaitGroup
	counts := make([]atomic.Int64, requests)
	for i := range requests {
		r := signedBy(t, byte(i%keys), time.Now())
		for n := range 3 * 2 { // twice at each
			wg.Go(func() {
				_, err := processes[n%3].Verify(r.Clone(t.Context()))
				if err == nil {
					counts[i].Add(1)
				} else if !errors.Is(err, escrow.Replayed) {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	for i := range counts {
		if n := counts[i].Load(); n != 1 {
			t.Errorf("request %d was taken %d times", i, n)
		}
	}
}

// A process that starts again refuses nothing new and takes nothing old; after a
// crash that empties what was remembered, nothing is taken that may have been seen.
func TestNoReplayAfterStartsAndCrashes(t *testing.T) {
	cluster := pgtest.For(t)
	url, err := cluster.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	clock := time.Now().Truncate(time.Second)
	now := func() time.Time { return clock }
	first := process(openAt(t, url), now)
	// The first start of all: nothing can have been seen.
	seen, ahead := signedBy(t, 1, clock.Add(-time.Minute)), signedBy(t, 1, clock.Add(2*time.Minute))
	taken(t, first, seen)
	taken(t, first, ahead)

	clock = clock.Add(time.Second)
	second := openAt(t, url)
	again := process(second, now)
	replayed(t, again, seen)
	replayed(t, again, ahead)
	taken(t, again, signedBy(t, 1, clock.Add(-2*time.Minute))) // signed before the start, and new
	lost := signedBy(t, 1, clock)
	taken(t, again, lost)

	crash(t, second)
	clock = clock.Add(time.Second)
	third := process(openAt(t, url), now)
	for _, r := range []*http.Request{seen, ahead, lost} {
		replayed(t, third, r)
	}
	replayed(t, third, signedBy(t, 1, clock)) // nobody knows whether it was seen
	clock = clock.Add(time.Second)
	taken(t, third, signedBy(t, 1, clock))
	clock = clock.Add(3 * time.Minute)
	replayed(t, third, ahead) // its time has come
}

// What a process took whose clock is ahead is as old after a crash as it was signed.
func TestNoReplayAfterACrashOfWhatAnotherClockTook(t *testing.T) {
	cluster := pgtest.For(t)
	url, err := cluster.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := openAt(t, url)
	clock := time.Now().Truncate(time.Second)
	now := func() time.Time { return clock }
	ahead, behind := process(s, func() time.Time { return clock.Add(4 * time.Second) }), process(s, now)
	seen := signedBy(t, 1, clock.Add(4*time.Second))
	taken(t, ahead, seen)
	taken(t, behind, signedBy(t, 1, clock))
	crash(t, s)
	clock = clock.Add(time.Second)
	behind = process(openAt(t, url), now)
	replayed(t, behind, seen)
	replayed(t, behind, signedBy(t, 1, clock.Add(3*time.Second)))
	taken(t, behind, signedBy(t, 1, clock.Add(4*time.Second)))
}

// Of books that an older program served it is not known when anything was signed.
func TestCrashOfOlderBooksTakesNothingForTheClocksMargin(t *testing.T) {
	cluster := pgtest.For(t)
	url, err := cluster.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := openAt(t, url)
	clock := time.Now().Truncate(time.Second)
	now := func() time.Time { return clock }
	taken(t, process(s, now), signedBy(t, 1, clock))
	if _, err := s.engine.reading().ExecContext(t.Context(), `DELETE FROM nonce_horizon`); err != nil {
		t.Fatal(err)
	}
	crash(t, s)
	v := process(openAt(t, url), now)
	replayed(t, v, signedBy(t, 1, clock.Add(nonceMargin*time.Second)))
	taken(t, v, signedBy(t, 1, clock.Add(nonceMargin*time.Second+time.Second)))
}

// Books that were restored, or moved from SQLite, have accounts and no memory: what was
// signed before may have been taken where they come from.
func TestNoReplayInRestoredBooks(t *testing.T) {
	cluster := pgtest.For(t)
	url, err := cluster.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := openAt(t, url)
	clock := time.Now().Truncate(time.Second)
	now := func() time.Time { return clock }
	v := process(s, now)
	seen := signedBy(t, 1, clock)
	taken(t, v, seen)
	for _, lost := range []string{
		`INSERT INTO account (id, public_key, key_id, recovery, opened_at) VALUES ('a', 'k', 'a', '', 1)`,
		`DELETE FROM nonce`, `DELETE FROM nonce_since`, `DELETE FROM nonce_ahead`, `DELETE FROM nonce_horizon`,
	} {
		if _, err := s.engine.reading().ExecContext(t.Context(), lost); err != nil {
			t.Fatal(err)
		}
	}
	v = process(openAt(t, url), now)
	replayed(t, v, seen)
	replayed(t, v, signedBy(t, 1, clock))
	taken(t, v, signedBy(t, 1, clock.Add(time.Second)))
}

// crash ends the database as a defect of it would: one of its processes is killed,
// and it recovers from its log.
func crash(t *testing.T, s *Store) {
	t.Helper()
	db := s.engine.reading()
	var pid int
	if err := db.QueryRowContext(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	var left int
	for range 500 {
		err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM nonce`).Scan(&left)
		if err == nil && left == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the crash left %d nonces: this test shows nothing", left)
}

// What a key signed before it asked for its account was refused then, at whatever
// process, and is not done later.
func TestRequestBeforeTheAccountIsReplayedEverywhere(t *testing.T) {
	cluster := pgtest.For(t)
	url, err := cluster.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	clock := time.Now().Truncate(time.Second)
	now := func() time.Time { return clock }
	one, other := process(openAt(t, url), now), process(openAt(t, url), now)
	refused := signedBy(t, 1, clock.Add(-time.Second))
	if _, err := other.Caller(refused); err != nil {
		t.Fatal(err)
	}
	opening := signedBy(t, 1, clock)
	caller, err := one.Caller(opening)
	if err != nil {
		t.Fatal(err)
	}
	if err := one.Complete(opening, caller, true); err != nil {
		t.Fatal(err)
	}
	replayed(t, other, refused)
	replayed(t, other, opening)
	taken(t, other, signedBy(t, 1, clock))
	taken(t, other, signedBy(t, 2, clock.Add(-time.Second)))
}

// What is too old to be taken is not kept.
func TestNoncesArePruned(t *testing.T) {
	cluster := pgtest.For(t)
	s := openPostgresTest(t, cluster)
	clock := time.Now().Truncate(time.Second)
	v := process(s, func() time.Time { return clock })
	for range 50 {
		taken(t, v, signedBy(t, 1, clock))
	}
	clock = clock.Add(2*wire.MaxSkew + time.Minute)
	taken(t, v, signedBy(t, 1, clock))
	var left int
	for range 100 {
		if err := s.engine.reading().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM nonce`).Scan(&left); err != nil {
			t.Fatal(err)
		}
		if left == 2 { // and the first of all
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d nonces are kept", left)
}

// BenchmarkNonces is what it costs to have the memory shared, with as many requests
// at once as named.
func BenchmarkNonces(b *testing.B) {
	cluster := pgtest.For(b)
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			url, err := cluster.NewDatabase(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			n := openAt(b, url).Nonces()
			now := time.Now().Unix()
			var count atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			for range clients {
				wg.Go(func() {
					for {
						i := count.Add(1)
						if i > int64(b.N) {
							return
						}
						id := append(wire.SharedSecond(now), []byte(fmt.Sprintf("%016d", i*2654435761%1e15))...)
						if isNew, err := n.Take(b.Context(), wire.SharedRequest{ID: id, Account: id[8:], Signed: now, Now: now, Oldest: now - 300}); err != nil || !isNew {
							b.Error(isNew, err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}
