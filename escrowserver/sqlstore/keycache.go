package sqlstore

import (
	"context"
	"fmt"
	"sync"

	"earnest/escrow"
)

// soldKeys remembers up to which key each address is sold. Keys are numbered as they
// come and sold in that order, under the lock of their owner, so none before it comes
// back; PostgreSQL would look at every one that was sold until it has cleaned up.
type soldKeys struct {
	mu      sync.Mutex
	through map[escrow.Address]int64
}

const rememberedPools = 10_000

func (k *soldKeys) after(address escrow.Address) int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.through[address]
}

// note is told after a commit.
func (k *soldKeys) note(taken map[escrow.Address]int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.through == nil || len(k.through) > rememberedPools {
		k.through = map[escrow.Address]int64{}
	}
	for address, id := range taken {
		k.through[address] = max(id, k.through[address])
	}
}

// keyBatches keeps the newest signed batches in memory: each is sold a hundred
// times, and never changes.
type keyBatches struct {
	mu   sync.Mutex
	jws  map[string]escrow.Signed
	next []string // the oldest first
}

const keptBatches = 256

func (k *keyBatches) get(ctx context.Context, q querier, hash string) (escrow.Signed, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if jws, ok := k.jws[hash]; ok {
		return jws, nil
	}
	var jws escrow.Signed
	if err := q.row(ctx, `SELECT jws FROM key_batch WHERE hash = ?`, hash).Scan(&jws); err != nil {
		return "", fmt.Errorf("key batch %s: %w", hash, err)
	}
	if k.jws == nil {
		k.jws = map[string]escrow.Signed{}
	}
	if len(k.next) == keptBatches {
		delete(k.jws, k.next[0])
		k.next = k.next[1:]
	}
	k.jws[hash], k.next = jws, append(k.next, hash)
	return jws, nil
}
