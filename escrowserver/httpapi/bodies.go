package httpapi

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"earnest/escrow"
	"earnest/escrow/wire"
)

// Bounds of the bodies that are in memory at once: of all, and of one account,
// so that one that sends slowly leaves room for the others.
const (
	maxBodies        = 64 << 20
	maxBodiesPerKey  = 2 * wire.MaxBody
	waitForBodyRoom  = 5 * time.Second
	retryAfterBodies = 10 * time.Second
)

// bodies keeps count of what the bodies of requests under way may take.
type bodies struct {
	all    *semaphore.Weighted
	most   int64
	perKey int64
	wait   time.Duration
	mu     sync.Mutex
	of     map[string]int64
}

func newBodies() *bodies {
	return &bodies{all: semaphore.NewWeighted(maxBodies), most: maxBodies, perKey: maxBodiesPerKey,
		wait: waitForBodyRoom, of: map[string]int64{}}
}

// sizeOf is what the body may take: without a length, the most that is read.
func sizeOf(r *http.Request) int64 {
	if r.ContentLength < 0 {
		return wire.MaxBody
	}
	return min(r.ContentLength, wire.MaxBody)
}

// take waits for room for the key's body. Free gives it back.
func (b *bodies) take(ctx context.Context, key string, size int64) (free func(), err error) {
	if size == 0 {
		return func() {}, nil
	}
	if !b.count(key, size) {
		return nil, &escrow.Error{Code: escrow.Limited, RetryAfter: retryAfterBodies,
			Detail: "too many large requests of this account at once; nothing was done"}
	}
	waiting, cancel := context.WithTimeout(ctx, b.wait)
	defer cancel()
	if err := b.all.Acquire(waiting, size); err != nil {
		b.count(key, -size)
		return nil, &escrow.Error{Code: escrow.Limited, RetryAfter: retryAfterBodies,
			Detail: "too many large requests at once; nothing was done"}
	}
	return func() {
		b.all.Release(size)
		b.count(key, -size)
	}, nil
}

// count adds to what the key has under way, unless it becomes too much.
func (b *bodies) count(key string, size int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	sum := b.of[key] + size
	switch {
	case size > 0 && sum > b.perKey:
		return false
	case sum == 0:
		delete(b.of, key)
	default:
		b.of[key] = sum
	}
	return true
}
