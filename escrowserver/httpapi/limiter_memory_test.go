package httpapi

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"earnest/internal/lru"
)

// TestLimiterMemoryIsBounded: a crowd does not fill the memory, and does not
// free those who ask on.
func TestLimiterMemoryIsBounded(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	l := newLimiter(Rate{PerSecond: 1, Burst: 1}, func() time.Time { return now })
	l.parties = lru.New[string, *rate.Limiter](3)
	if _, ok := l.take("busy"); !ok {
		t.Fatal("the first request is refused")
	}
	for i := range 10 {
		if _, ok := l.take(fmt.Sprint("crowd ", i)); !ok {
			t.Errorf("crowd %d is refused", i)
		}
		if _, ok := l.take("busy"); ok {
			t.Errorf("busy is free after %d others", i+1)
		}
	}
	if l.parties.Len() != 3 {
		t.Errorf("%d parties, want 3", l.parties.Len())
	}
}
