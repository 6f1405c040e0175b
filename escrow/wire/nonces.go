package wire

import (
	"crypto/sha256"
	"sync"
	"time"

	"earnest/escrow"
)

// nonces remembers which requests were seen, by the second in which they were
// signed, as long as their time would still be taken. When its room is full it
// forgets the oldest second and takes nothing signed then or before: a client
// that is refused so signs anew, and no replay is ever let through.
type nonces struct {
	mu    sync.Mutex
	seen  map[int64]map[[16]byte]struct{}
	count int
	max   int
	// floor is the first second from which requests are taken.
	floor int64
}

func newNonces(started time.Time, most int) *nonces {
	floor := started.Unix()
	if started.Nanosecond() > 0 {
		floor++ // signed earlier in the second of the start: before the start
	}
	return &nonces{seen: map[int64]map[[16]byte]struct{}{}, max: most, floor: floor}
}

// take reports whether the nonce of the key is new, and remembers it. Seconds
// before oldest are over: their requests are refused for their time.
func (n *nonces) take(key escrow.PublicKey, nonce string, created, oldest int64) bool {
	sum := sha256.Sum256(append([]byte(key), nonce...))
	id := [16]byte(sum[:16])
	n.mu.Lock()
	defer n.mu.Unlock()
	if created < n.floor {
		return false
	}
	if _, again := n.seen[created][id]; again {
		return false
	}
	n.forget(oldest)
	for n.count >= n.max {
		n.forget(n.lowest() + 1)
	}
	if created < n.floor {
		return false
	}
	if n.seen[created] == nil {
		n.seen[created] = map[[16]byte]struct{}{}
	}
	n.seen[created][id] = struct{}{}
	n.count++
	return true
}

// forget drops every second before the first one kept.
func (n *nonces) forget(first int64) {
	if first <= n.floor {
		return
	}
	for second, ids := range n.seen {
		if second < first {
			n.count -= len(ids)
			delete(n.seen, second)
		}
	}
	n.floor = first
}

func (n *nonces) lowest() int64 {
	var low int64
	for second := range n.seen {
		if low == 0 || second < low {
			low = second
		}
	}
	return low
}
