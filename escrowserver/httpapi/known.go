package httpapi

import (
	"context"
	"sync"

	"earnest/escrow"
	"earnest/internal/lru"
)

// maxKnown bounds the memory for keys with an account: about 10 MB.
const maxKnown = 50_000

// knownKeys remembers which keys have an account: an account stays. That a key
// has none is asked every time, since it may open one.
type knownKeys struct {
	ask  func(context.Context, escrow.PublicKey) (bool, error)
	mu   sync.Mutex
	keys *lru.Map[string, struct{}]
}

func newKnownKeys(ask func(context.Context, escrow.PublicKey) (bool, error)) *knownKeys {
	return &knownKeys{ask: ask, keys: lru.New[string, struct{}](maxKnown)}
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
	_, ok := k.keys.Get(key)
	return ok
}

func (k *knownKeys) remember(key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys.Put(key, struct{}{})
}
