package escrowserver

import (
	"cmp"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"earnest/escrow"
	"earnest/internal/lru"
)

// mostLookers bounds how many accounts a lookups remembers: about 10 MB.
const mostLookers = 10_000

// lookups counts the different addresses that an account looked up within an
// hour. Asking again for the same one costs nothing. When it knows too many accounts
// it forgets the one that was quiet longest.
type lookups struct {
	mu   sync.Mutex
	most int // 0: mostLookers
	seed maphash.Seed
	seen *lru.Map[escrow.KeyID, *lookedUp]
	// strangers are all of them together, and by network.
	strangers hourly
}

// lookedUp is what an account looked up, the oldest first.
type lookedUp struct{ done []lookup }

// lookup has an address as a hash, which is as short as any.
type lookup struct {
	address uint64
	at      int64 // in microseconds
}

// looker is who looks an address up.
type looker struct {
	account  escrow.KeyID
	stranger bool
	network  string
	limits   StrangerLimits
}

// limit is how many addresses the account may look up within an hour; negative: any.
func (l looker) limit() int {
	if l.stranger {
		return l.limits.Lookups
	}
	return lookupsAnHour
}

// take counts a lookup, or refuses it.
func (l *lookups) take(who looker, address escrow.Address, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(now)
	hash := maphash.String(l.seed, string(address))
	mine, known := l.seen.Get(who.account)
	if known {
		mine.forget(now)
	} else {
		mine = &lookedUp{}
	}
	if slices.ContainsFunc(mine.done, func(d lookup) bool { return d.address == hash }) {
		return nil
	}
	limit := who.limit()
	if limit >= 0 && len(mine.done) >= limit {
		return tooManyLookups(who, limit, mine.wait(now))
	}
	if who.stranger {
		if wait := l.strangers.take(who.network, who.limits.LookupsPerNetwork, who.limits.LookupsInAll, now); wait > 0 {
			return tooManyOfAll(wait, "accounts without a proven address looked up too many addresses within an hour; prove an address first")
		}
	}
	if limit < 0 && len(mine.done) >= lookupsAnHour {
		mine.done = mine.done[1:] // it is remembered for no limit
	}
	mine.done = append(mine.done, lookup{hash, now.UnixMicro()})
	if !known {
		l.seen.Put(who.account, mine)
	}
	return nil
}

func tooManyLookups(who looker, limit int, wait time.Duration) error {
	hint := ""
	if who.stranger {
		hint = ", or prove an address, and you may look up more"
	}
	err := escrow.Errorf(escrow.Limited, "you looked up %d addresses within an hour; wait a little%s", limit, hint)
	err.RetryAfter = wait
	return err
}

// forget drops accounts that were quiet for an hour.
func (l *lookups) forget(now time.Time) {
	if l.seen == nil {
		l.seen, l.seed = lru.New[escrow.KeyID, *lookedUp](cmp.Or(l.most, mostLookers)), maphash.MakeSeed()
	}
	for {
		account, of, ok := l.seen.Oldest()
		if !ok {
			return
		}
		if of.forget(now); len(of.done) > 0 {
			return
		}
		l.seen.Forget(account)
	}
}

// forget drops lookups older than an hour.
func (u *lookedUp) forget(now time.Time) {
	hourAgo := now.Add(-time.Hour).UnixMicro()
	n := 0
	for n < len(u.done) && u.done[n].at <= hourAgo {
		n++
	}
	u.done = u.done[n:]
}

// wait is until the oldest lookup counts no more.
func (u *lookedUp) wait(now time.Time) time.Duration {
	if len(u.done) == 0 {
		return time.Hour
	}
	return time.UnixMicro(u.done[0].at).Add(time.Hour).Sub(now)
}
