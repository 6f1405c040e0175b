package httpapi

import (
	"context"
	"sync"

	"earnest/escrow"
)

// maxKnown bounds each half of the memory for keys with an account.
const maxKnown = 50_000

// knownKeys remembers which keys have an account: an account stays. That a key
// has none is asked every time, since it may open one.
type knownKeys struct {
	ask func(context.Context, escrow.PublicKey) (bool, error)
	max int
	mu  sync.Mutex
	// When young is full it becomes old, and what was old is forgotten.
	young, old map[string]struct{}
}

func newKnownKeys(ask func(context.Context, escrow.PublicKey) (bool, error)) *knownKeys {
	return &knownKeys{ask: ask, max: maxKnown, young: map[string]struct{}{}}
}

func (k *knownKeys) has(ctx context.Context, key escrow.PublicKey) (bool, error) {
	if k.ask == nil || k.remembers(string(key)) {
		return true, nil
	}
	known, err := k.ask(ctx, key)
	if known && err == nil {
		k.remember(string(key))
	}
	return known, err
}

func (k *knownKeys) remembers(key string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.young[key]; ok {
		return true
	}
	_, ok := k.old[key]
	return ok
}

func (k *knownKeys) remember(key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.young) >= k.max {
		k.young, k.old = map[string]struct{}{}, k.young
	}
	k.young[key] = struct{}{}
}
