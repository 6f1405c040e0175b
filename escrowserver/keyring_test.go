package escrowserver

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"earnest/escrow"
)

// replacing is a store that tells of replaced keys, or hangs, or fails.
type replacing struct {
	Store
	mu    sync.Mutex
	rows  []ReplacedKey
	err   error
	gate  chan struct{}
	asked int
}

func (r *replacing) Replaced(ctx context.Context, after int64) ([]ReplacedKey, error) {
	r.mu.Lock()
	r.asked++
	rows, err, gate := r.rows[min(int(after), len(r.rows)):], r.err, r.gate
	r.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return rows, err
}

func (r *replacing) set(err error, gate chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err, r.gate = err, gate
}

// aged has the ring ask again.
func (k *keyring) aged() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked = time.Now().Add(-2 * keysEvery)
}

func within(t *testing.T, d time.Duration, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { f(); close(done) }()
	select {
	case <-done:
	case <-time.After(d):
		t.Errorf("%s: not within %v", what, d)
		<-done
	}
}

// A database that hangs holds up who asks it, and nobody else.
func TestAHangingStoreHoldsUpOneRequest(t *testing.T) {
	store := &replacing{rows: []ReplacedKey{{N: 1, Key: "old", Account: "old", Next: "new"}}}
	k := &keyring{}
	knows := func() {
		if account, gone := k.of(store, "new"); account != "old" || gone {
			t.Errorf("the new key is of %q, gone %v", account, gone)
		}
		if _, gone := k.of(store, "old"); !gone {
			t.Error("the old key is still good")
		}
	}
	knows()
	gate := make(chan struct{})
	store.set(nil, gate)
	k.aged()
	var asking sync.WaitGroup
	asking.Go(knows)
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		store.mu.Lock()
		asked := store.asked
		store.mu.Unlock()
		if asked == 2 {
			break
		}
	}
	within(t, time.Second, "another request", knows)
	close(gate)
	asking.Wait()
	if store.asked != 2 {
		t.Errorf("the store was asked %d times, want 2", store.asked)
	}
}

// A database that fails is not asked by every request.
func TestAFailingStoreIsAskedSeldom(t *testing.T) {
	store := &replacing{err: errors.New("away")}
	k := &keyring{}
	for range 100 {
		k.of(store, "key")
	}
	if store.asked != 1 {
		t.Errorf("the store was asked %d times, want once", store.asked)
	}
}

// Who knows of news waits for what a question tells that was put after it.
func TestNewsOfKeysAreAwaited(t *testing.T) {
	gate := make(chan struct{})
	store := &replacing{gate: gate}
	k := &keyring{}
	var group sync.WaitGroup
	group.Go(func() { k.of(store, "old") }) // asked before the key is replaced
	for asked := 0; asked == 0; time.Sleep(time.Millisecond) {
		store.mu.Lock()
		asked = store.asked
		store.mu.Unlock()
	}
	store.mu.Lock()
	store.rows, store.gate = []ReplacedKey{{N: 1, Key: "old", Account: "old", Next: "new"}}, nil
	store.mu.Unlock()
	k.stale()
	for range 5 {
		group.Go(func() {
			if account, _ := k.of(store, escrow.KeyID("new")); account != "old" {
				t.Errorf("the new key is of %q", account)
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	close(gate)
	group.Wait()
	if store.asked != 2 {
		t.Errorf("the store was asked %d times, want 2", store.asked)
	}
}
