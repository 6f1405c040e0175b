package httpapi

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"earnest/internal/lru"
)

// Rate is how many requests are taken.
type Rate struct {
	PerSecond float64
	Burst     int
}

func (r Rate) or(standard Rate) Rate {
	if r.PerSecond == 0 {
		return standard
	}
	return r
}

// noncesWithin is the room that a party's nonces take within that time if it
// keeps to the rate: one for each, and one for each second. 0 without a limit.
func (r Rate) noncesWithin(d time.Duration) int {
	if r.PerSecond < 0 {
		return 0
	}
	return int(math.Ceil((r.PerSecond+1)*d.Seconds())) + r.Burst + 2
}

// maxLimited bounds how many parties a limiter remembers: about 20 MB.
const maxLimited = 100_000

// limiter keeps a rate for each party. When it knows too many it forgets the
// one that was quiet longest.
type limiter struct {
	rate    Rate
	now     func() time.Time
	mu      sync.Mutex
	parties *lru.Map[string, *rate.Limiter]
}

func newLimiter(r Rate, now func() time.Time) *limiter {
	return &limiter{rate: r, now: now, parties: lru.New[string, *rate.Limiter](maxLimited)}
}

// take counts a request, or says how long to wait.
func (l *limiter) take(name string) (wait time.Duration, ok bool) {
	if l.rate.PerSecond < 0 {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket, known := l.parties.Get(name)
	if !known {
		bucket = rate.NewLimiter(rate.Limit(l.rate.PerSecond), max(l.rate.Burst, 1))
		l.parties.Put(name, bucket)
	}
	now := l.now()
	reservation := bucket.ReserveN(now, 1)
	if wait := reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
		return wait, false
	}
	return 0, true
}
