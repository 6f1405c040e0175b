package store

import (
	"fmt"
	"math"
	"sync"
)

// Cache keeps the records of a kind unsealed in memory, so that a long list is
// not unsealed whenever it is shown. What lies there is shared: it is read only.
// The zero Cache is empty. It is safe for concurrent use.
type Cache[R Record] struct {
	mu    sync.Mutex
	known map[string]cached[R]
}

type cached[R Record] struct {
	seal   string
	record R
}

// sealMark is how much of a sealed record tells it from every other: its version
// and a random nonce, which each write makes anew.
const sealMark = 25

// List is what [List] gives for all states. A record is taken from memory where
// it was not written since.
func (c *Cache[R]) List(tx *Tx) ([]R, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var zero R
	kind, bytes := zero.place().kind, sealMark
	if len(c.known) == 0 {
		bytes = math.MaxInt32 // all in one
	}
	rows, err := tx.tx.Query(`SELECT id, substr(sealed, 1, ?) FROM record WHERE kind = ? ORDER BY number, id`, bytes, kind)
	if err != nil {
		return nil, fmt.Errorf("%s: list %s: %w", tx.label, kind, err)
	}
	defer rows.Close()
	known, all := make(map[string]cached[R], len(c.known)), make([]R, 0, len(c.known))
	for rows.Next() {
		var id string
		var sealed []byte
		if err := rows.Scan(&id, &sealed); err != nil {
			return nil, fmt.Errorf("%s: list %s: %w", tx.label, kind, err)
		}
		now, ok := c.known[id]
		if mark := string(sealed[:min(len(sealed), sealMark)]); !ok || now.seal != mark {
			now.seal = mark
			if len(sealed) > sealMark {
				err = unseal(tx.sealer, sealed, place{kind: kind, id: id}, &now.record)
			} else {
				now.record, _, err = Get[R](tx, id)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: list %s: %w", tx.label, kind, err)
			}
		}
		known[id], all = now, append(all, now.record)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: list %s: %w", tx.label, kind, err)
	}
	c.known = known
	return all, nil
}
