package wire

import (
	"container/heap"
	"crypto/sha256"
	"sync"
	"time"

	"earnest/escrow"
)

// verdict is what the memory for nonces says of a request.
type verdict int

const (
	fresh   verdict = iota // never seen, and remembered now
	again                  // seen before, or too old to know
	crowded                // the key has too many requests to remember
)

// nonces remembers which requests of which key were seen, by the second in
// which they were signed, as long as their time would still be taken.
//
// Room is bounded in all and for each key. What one key sends takes no other
// key's room: when all of it is taken, the key that has the most gives up its
// oldest second, and nothing is taken any more that this key signed then or
// before. So no replay is ever let through, and who floods shuts out nobody else.
type nonces struct {
	mu      sync.Mutex
	keys    map[string]*keyNonces
	seconds map[int64]map[*keyNonces]struct{} // who has what to be forgotten then
	crowd   crowd
	count   int
	max     int
	perKey  int
	// started is the first second from which requests are taken; oldest is the
	// first that is remembered.
	started, oldest int64
}

// keyNonces are one key's. A second without nonces stands for one that was
// given up: it is kept as long as the floor that it left matters.
type keyNonces struct {
	name  string
	seen  map[int64]map[[16]byte]struct{}
	count int // nonces and seconds: what it takes of the room
	floor int64
	index int
}

func newNonces(started time.Time, most, perKey int) *nonces {
	first := started.Unix()
	if started.Nanosecond() > 0 {
		first++ // signed earlier in the second of the start: before the start
	}
	return &nonces{keys: map[string]*keyNonces{}, seconds: map[int64]map[*keyNonces]struct{}{},
		max: most, perKey: perKey, started: first}
}

func nonceID(nonce string) [16]byte {
	sum := sha256.Sum256([]byte(nonce))
	return [16]byte(sum[:16])
}

// take remembers the nonce of the key if it is new. Seconds before oldest are
// over: their requests are refused for their time.
func (n *nonces) take(key escrow.PublicKey, nonce string, created, oldest int64) verdict {
	id := nonceID(nonce)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.forget(oldest)
	if created < n.started || created < n.oldest {
		return again
	}
	k := n.keys[string(key)]
	if k == nil {
		k = &keyNonces{name: string(key), seen: map[int64]map[[16]byte]struct{}{}, index: -1}
	}
	if _, seen := k.seen[created][id]; seen || created < k.floor {
		return again
	}
	need := 1
	if k.seen[created] == nil {
		need++ // a second takes room too
	}
	if k.count+need > n.perKey {
		return crowded
	}
	for n.count+need > n.max {
		if len(n.crowd) == 0 || n.crowd[0].count <= k.count+need || !n.giveUp(n.crowd[0]) {
			return crowded
		}
	}
	n.add(k, created, id)
	return fresh
}

// later reports whether all that is remembered of the key was signed after
// that second, or the nonce is among it.
func (n *nonces) later(key escrow.PublicKey, nonce string, created int64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	k := n.keys[string(key)]
	if k == nil {
		return false
	}
	if _, seen := k.seen[created][nonceID(nonce)]; seen || created < k.floor {
		return true
	}
	for second := range k.seen {
		if second <= created {
			return false
		}
	}
	return true
}

func (n *nonces) add(k *keyNonces, second int64, id [16]byte) {
	if k.index < 0 {
		n.keys[k.name] = k
		heap.Push(&n.crowd, k)
	}
	if k.seen[second] == nil {
		k.seen[second] = map[[16]byte]struct{}{}
		if n.seconds[second] == nil {
			n.seconds[second] = map[*keyNonces]struct{}{}
		}
		n.seconds[second][k] = struct{}{}
		n.grow(k, 1)
	}
	k.seen[second][id] = struct{}{}
	n.grow(k, 1)
}

func (n *nonces) grow(k *keyNonces, by int) {
	k.count += by
	n.count += by
	heap.Fix(&n.crowd, k.index)
}

// giveUp has the key give up the oldest second that it has nonces of.
func (n *nonces) giveUp(k *keyNonces) bool {
	var low int64
	for second, ids := range k.seen {
		if len(ids) > 0 && (low == 0 || second < low) {
			low = second
		}
	}
	if low == 0 {
		return false
	}
	n.grow(k, -len(k.seen[low]))
	clear(k.seen[low])
	k.floor = low + 1
	for second := range k.seen {
		if second < low {
			n.drop(k, second)
		}
	}
	return true
}

// forget drops every second before the first one kept.
func (n *nonces) forget(first int64) {
	if first <= n.oldest {
		return
	}
	n.oldest = first
	for second, keys := range n.seconds {
		if second >= first {
			continue
		}
		for k := range keys {
			n.drop(k, second)
		}
	}
}

// drop forgets one second of the key, and the key with its last.
func (n *nonces) drop(k *keyNonces, second int64) {
	n.grow(k, -1-len(k.seen[second]))
	delete(k.seen, second)
	delete(n.seconds[second], k)
	if len(n.seconds[second]) == 0 {
		delete(n.seconds, second)
	}
	if len(k.seen) == 0 {
		heap.Remove(&n.crowd, k.index)
		delete(n.keys, k.name)
	}
}

// crowd is the keys as a heap, the one with the most first.
type crowd []*keyNonces

func (c crowd) Len() int           { return len(c) }
func (c crowd) Less(i, j int) bool { return c[i].count > c[j].count }
func (c crowd) Swap(i, j int) {
	c[i], c[j] = c[j], c[i]
	c[i].index, c[j].index = i, j
}

// Push is for package heap.
func (c *crowd) Push(x any) {
	k := x.(*keyNonces)
	k.index = len(*c)
	*c = append(*c, k)
}

// Pop is for package heap.
func (c *crowd) Pop() any {
	last := len(*c) - 1
	k := (*c)[last]
	(*c)[last] = nil
	*c = (*c)[:last]
	k.index = -1
	return k
}
