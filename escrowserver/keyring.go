package escrowserver

import (
	"cmp"
	"context"
	"sync"
	"time"

	"earnest/escrow"
	"earnest/internal/lru"
)

// keyring remembers whose a key is, and whether it was replaced: of the keys that ask
// most, as many as it may. Of any other the store is asked. What another process
// replaced is known here within keysEvery; what moves money is checked within its
// transaction besides.
type keyring struct {
	mu    sync.Mutex
	most  int // 0: mostKeys
	keys  *lru.Map[escrow.KeyID, ownerOf]
	last  int64 // the newest replaced key that it knows of
	began bool  // it knows which was the newest when it began
	heard int   // of how many it has heard since

	asked  time.Time     // when the store answered last, or failed to
	news   int           // how often somebody knew of news
	known  int           // how many news that answer has, and the start
	asking chan struct{} // closed when the question at hand is answered; nil: there is none
}

// ownerOf is the account of a key, and whether the key was replaced.
type ownerOf struct {
	account escrow.KeyID
	gone    bool
}

const (
	keysEvery = 5 * time.Second
	mostKeys  = 100_000
	// replacedAtOnce bounds how many replaced keys are read at a time.
	replacedAtOnce = 1000
)

// stale has the next call ask the store.
func (k *keyring) stale() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.news++
}

// of is the account of a key, and whether the key was replaced.
func (k *keyring) of(store Store, key escrow.KeyID) (account escrow.KeyID, gone bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refresh(store)
	if owner, ok := k.remembers(key); ok {
		return owner.account, owner.gone, nil
	}
	// Whatever is replaced while the store is asked may not be in its answer.
	began, heard := k.began, k.heard
	k.unlocked(func() {
		ctx, cancel := context.WithTimeout(context.Background(), keysEvery)
		defer cancel()
		account, gone, err = store.OwnerOf(ctx, key)
	})
	if err != nil || account == "" {
		return key, false, err // it may open an account at any time
	}
	if began && k.heard == heard {
		k.keys.Put(key, ownerOf{account, gone})
	}
	return account, gone, nil
}

func (k *keyring) unlocked(f func()) {
	k.mu.Unlock()
	defer k.mu.Lock()
	f()
}

func (k *keyring) remembers(key escrow.KeyID) (ownerOf, bool) {
	if k.keys == nil {
		k.keys = lru.New[escrow.KeyID, ownerOf](cmp.Or(k.most, mostKeys))
	}
	return k.keys.Get(key)
}

// refresh asks the store for news if that is due: one asks for all. Who is after news
// waits for the answer; for anybody else what is known will do meanwhile, so that a
// store that hangs holds up no other.
func (k *keyring) refresh(store Store) {
	want := k.news + 1
	for k.known < want || time.Since(k.asked) > keysEvery {
		switch asking := k.asking; {
		case asking == nil:
			k.ask(store)
		case k.known >= want:
			return
		default:
			k.unlocked(func() { <-asking })
		}
	}
}

// ask puts the question, unlocked.
func (k *keyring) ask(store Store) {
	asking, known := make(chan struct{}), k.news+1
	k.asking = asking
	ctx, cancel := context.WithTimeout(context.Background(), keysEvery)
	defer func() {
		cancel()
		// A store that does not answer is told of by the operation itself, and is not
		// asked more often than one that does.
		k.asked, k.known, k.asking = time.Now(), known, nil
		close(asking)
	}()
	for more := true; more; {
		var rows []ReplacedKey
		var err error
		last, began := k.last, k.began
		k.unlocked(func() {
			if began {
				rows, err = store.Replaced(ctx, last, replacedAtOnce)
			} else {
				last, err = store.NewestReplaced(ctx)
			}
		})
		if err != nil {
			return
		}
		k.last, k.began = last, true
		k.hear(rows)
		more = len(rows) == replacedAtOnce
	}
}

// hear notes what was replaced of what is remembered. Of any other the store is asked.
func (k *keyring) hear(rows []ReplacedKey) {
	for _, row := range rows {
		for key, owner := range map[escrow.KeyID]ownerOf{row.Key: {row.Account, true}, row.Next: {row.Account, false}} {
			if _, ok := k.remembers(key); ok {
				k.keys.Put(key, owner)
			}
		}
		k.last = row.N
	}
	k.heard += len(rows)
}

// HasAccount reports whether the key has an account, or had one.
func (s *Server) HasAccount(ctx context.Context, key escrow.PublicKey) (bool, error) {
	id, _, err := s.keys.of(s.cfg.Store, key.ID())
	if err == nil {
		_, err = s.cfg.Store.Account(ctx, id)
	}
	switch {
	case err == nil, escrow.CodeOf(err) == escrow.Unauthorized:
		return true, nil // of a key that was replaced the service says so itself
	case escrow.CodeOf(err) != escrow.NotFound:
		return false, err
	}
	return false, nil
}
