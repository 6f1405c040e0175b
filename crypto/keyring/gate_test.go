package keyring

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"earnest/crypto/secret"
)

// promptStore answers a set only once answered is closed, as a secret service
// with its unlock dialogue open. It counts the calls inside at the same time.
type promptStore struct {
	memory
	answered chan struct{}
	mu       sync.Mutex
	inside   int
	most     int
	calls    int
}

func (p *promptStore) set(ctx context.Context, name, item string) error {
	p.mu.Lock()
	p.calls++
	p.inside++
	p.most = max(p.most, p.inside)
	p.mu.Unlock()
	<-p.answered
	time.Sleep(time.Second)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inside--
	return p.memory.set(ctx, name, item)
}

func promptRing(timeout time.Duration) (*promptStore, *Ring) {
	store := &promptStore{memory: memory{}, answered: make(chan struct{})}
	return store, &Ring{kind: KindOS, store: store, gate: newGate(timeout)}
}

func TestAPromptIsNotAwaitedForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, ring := promptRing(5 * time.Second)
		start := time.Now()
		if err := ring.Put(t.Context(), "a", secret.New(nil)); !errors.Is(err, ErrTimeout) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("answered after %v", took)
		}
		start = time.Now()
		if err := ring.Put(t.Context(), "b", secret.New(nil)); !errors.Is(err, ErrTimeout) || time.Since(start) != 0 {
			t.Errorf("a call behind an overdue one: %v after %v", err, time.Since(start))
		}
		close(store.answered) // the person unlocks the keyring
		time.Sleep(2 * time.Second)
		if err := ring.Put(t.Context(), "c", secret.New(nil)); err != nil {
			t.Errorf("after the prompt: %v", err)
		}
		if store.calls != 2 || store.most != 1 {
			t.Errorf("%d calls, %d at once", store.calls, store.most)
		}
	})
}

func TestAHangingCallIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, ring := promptRing(time.Second)
		_ = ring.Put(t.Context(), "a", secret.New(nil))
		time.Sleep((patience-1)*time.Second - time.Millisecond)
		if _, err := ring.Get(t.Context(), "a"); !errors.Is(err, ErrTimeout) {
			t.Errorf("a second call was made beside the hanging one: %v", err)
		}
		time.Sleep(time.Second)
		if _, err := ring.Get(t.Context(), "a"); !errors.Is(err, ErrNotFound) {
			t.Errorf("the ring stays dead: %v", err)
		}
		close(store.answered)
		time.Sleep(2 * time.Second) // lets the hanging call end
	})
}

func TestCallsWaitForTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, ring := promptRing(2 * time.Second)
		close(store.answered)
		var all sync.WaitGroup
		for range 8 { // 8 s in all, four timeouts: only a call itself has a deadline
			all.Go(func() {
				if err := ring.Put(t.Context(), "a", secret.New(nil)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if store.most != 1 || store.calls != 8 {
			t.Errorf("%d calls, %d at once", store.calls, store.most)
		}
	})
}

func TestACallerMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, ring := promptRing(10 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := ring.Put(ctx, "a", secret.New(nil)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		close(store.answered)
		if err := ring.Put(t.Context(), "b", secret.New(nil)); err != nil {
			t.Errorf("the next caller: %v", err)
		}
	})
}

func TestAFailingClientDoesNotEndTheProgram(t *testing.T) {
	g := newGate(time.Minute)
	_, err := g.do(t.Context(), func(context.Context) (string, error) { panic("nil signal") })
	if !errors.Is(err, ErrNoKeyring) {
		t.Errorf("got %v", err)
	}
	if got, err := g.do(t.Context(), func(context.Context) (string, error) { return "x", nil }); err != nil || got != "x" {
		t.Errorf("the next call: %q, %v", got, err)
	}
}
