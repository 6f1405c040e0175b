package escrowserver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"earnest/escrow"
)

// replacing is a store that tells of replaced keys, or hangs, or fails.
type replacing struct {
	Store
	mu     sync.Mutex
	rows   []ReplacedKey
	err    error
	gate   chan struct{}
	asked  int // for news
	owners int // whose a key is
}

func (r *replacing) Replaced(ctx context.Context, after int64, limit int) ([]ReplacedKey, error) {
	rows, err := r.told(ctx)
	rows = rows[min(int(after), len(rows)):]
	return rows[:min(limit, len(rows))], err
}

func (r *replacing) NewestReplaced(ctx context.Context) (int64, error) {
	rows, err := r.told(ctx)
	return int64(len(rows)), err
}

func (r *replacing) told(ctx context.Context) ([]ReplacedKey, error) {
	r.mu.Lock()
	r.asked++
	rows, err, gate := r.rows, r.err, r.gate
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

func (r *replacing) OwnerOf(_ context.Context, key escrow.KeyID) (escrow.KeyID, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.owners++
	if key == "" || r.err != nil {
		return "", false, r.err
	}
	account := key
	for _, row := range r.rows {
		switch key {
		case row.Key:
			return row.Account, true, nil
		case row.Next:
			account = row.Account
		}
	}
	return account, false, nil
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
		if account, gone, err := k.of(store, "new"); account != "old" || gone || err != nil {
			t.Errorf("the new key is of %q, gone %v, error %v", account, gone, err)
		}
		if _, gone, _ := k.of(store, "old"); !gone {
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
		if _, _, err := k.of(store, "key"); err == nil {
			t.Fatal("whose the key is was not known, and nobody said so")
		}
	}
	if store.asked != 1 {
		t.Errorf("the store was asked %d times, want once", store.asked)
	}
}

// Who knows of news waits for what a question tells that was put after it.
func TestNewsOfKeysAreAwaited(t *testing.T) {
	gate := make(chan struct{})
	store := &replacing{}
	k := &keyring{}
	k.remembered(t, store, "new")
	store.set(nil, gate)
	k.aged()
	var group sync.WaitGroup
	group.Go(func() { k.remembered(t, store, "new") }) // asked before the key is replaced
	for asked := 0; asked < 2; time.Sleep(time.Millisecond) {
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
			if account, _, err := k.of(store, "new"); account != "old" || err != nil {
				t.Errorf("the new key is of %q, error %v", account, err)
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	close(gate)
	group.Wait()
	if store.asked != 3 {
		t.Errorf("the store was asked %d times, want 3", store.asked)
	}
}

// remembered asks for a key, for its being remembered.
func (k *keyring) remembered(t *testing.T, store Store, key escrow.KeyID) {
	t.Helper()
	if _, _, err := k.of(store, key); err != nil {
		t.Error(err)
	}
}

// What another process replaced is heard of, in chains too and more than are read at
// a time, of keys that are remembered. They are not asked for again.
func TestTheRingHearsWhatIsReplaced(t *testing.T) {
	store := &replacing{}
	k := &keyring{}
	for _, key := range []escrow.KeyID{"first", "second", "third", "other"} {
		k.remembered(t, store, key)
	}
	rows := []ReplacedKey{{Key: "first", Account: "first", Next: "second"}, {Key: "second", Account: "first", Next: "third"}}
	for range replacedAtOnce {
		rows = append(rows, ReplacedKey{Key: "crowd", Account: "crowd", Next: "crowd"})
	}
	rows = append(rows, ReplacedKey{Key: "other", Account: "other"}) // deleted
	for i := range rows {
		rows[i].N = int64(i + 1)
	}
	store.mu.Lock()
	store.rows = rows
	store.mu.Unlock()
	asked := store.owners
	k.stale()
	for key, want := range map[escrow.KeyID]ownerOf{"first": {"first", true}, "second": {"first", true}, "third": {"first", false}, "other": {"other", true}} {
		if account, gone, err := k.of(store, key); account != want.account || gone != want.gone || err != nil {
			t.Errorf("%s is of %q, gone %v, error %v; want %+v", key, account, gone, err, want)
		}
	}
	if store.owners != asked {
		t.Errorf("%d keys that are remembered were asked for", store.owners-asked)
	}
}

// replacedMeanwhile answers whose a key is, and has it replaced before the answer comes.
type replacedMeanwhile struct {
	*replacing
	replace func()
}

func (r replacedMeanwhile) OwnerOf(ctx context.Context, key escrow.KeyID) (escrow.KeyID, bool, error) {
	account, gone, err := r.replacing.OwnerOf(ctx, key)
	r.replace()
	return account, gone, err
}

// An answer from before the ring knew of anything is not remembered: what it was told when
// it began may be of this key.
func TestAnAnswerOfBeforeTheRingBeganIsNotRemembered(t *testing.T) {
	store := &replacing{err: errors.New("it is away")}
	k := &keyring{}
	if _, _, err := k.of(store, "first"); err == nil {
		t.Fatal("a store that is away answers")
	}
	store.set(nil, nil)
	account, gone, err := k.of(replacedMeanwhile{store, func() {
		store.mu.Lock()
		store.rows = []ReplacedKey{{N: 1, Key: "first", Account: "first", Next: "second"}}
		store.mu.Unlock()
		k.stale()
		if _, _, err := k.of(store, "other"); err != nil {
			t.Error(err)
		}
	}}, "first")
	if account != "first" || gone || err != nil {
		t.Fatalf("the answer of before: %q, gone %v, %v", account, gone, err)
	}
	if _, gone, err := k.of(store, "first"); !gone || err != nil {
		t.Errorf("a replaced key is good: gone %v, %v", gone, err)
	}
}

// The memory of the ring is bounded, whatever is replaced and whoever asks, and a start
// reads nothing of what was replaced before. Who asks on stays remembered.
func TestMemoryOfKeysIsBounded(t *testing.T) {
	store := &replacing{rows: make([]ReplacedKey, 10_000)}
	k := &keyring{most: 3}
	k.remembered(t, store, "busy")
	if k.last != 10_000 || k.heard != 0 {
		t.Errorf("the start has read %d replaced keys up to %d", k.heard, k.last)
	}
	for i := range 100 {
		k.remembered(t, store, escrow.KeyID(fmt.Sprint("crowd ", i)))
		before := store.owners
		if k.remembered(t, store, "busy"); store.owners != before {
			t.Fatalf("the store was asked for the busy key again after %d others", i+1)
		}
	}
	store.rows = append(store.rows, make([]ReplacedKey, 10_000)...)
	for i := range store.rows {
		store.rows[i] = ReplacedKey{N: int64(i + 1), Key: escrow.KeyID(fmt.Sprint("gone ", i)), Account: "gone", Next: escrow.KeyID(fmt.Sprint("next ", i))}
	}
	k.stale()
	k.remembered(t, store, "busy")
	if k.last != 20_000 || k.keys.Len() > 3 {
		t.Errorf("%d keys are remembered, want 3; heard up to %d", k.keys.Len(), k.last)
	}
	k.remembered(t, store, "") // has no account
	if _, ok := k.remembers(""); ok {
		t.Error("a key without an account is remembered")
	}
}
