package httpapi

import (
	"fmt"
	"testing"
	"time"
)

// TestLimiterMemoryIsBounded: a crowd does not fill the memory, and does not
// free those who ask on.
func TestLimiterMemoryIsBounded(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	l := newLimiter(Rate{PerSecond: 1, Burst: 1}, func() time.Time { return now })
	l.max = 3
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
	if len(l.parties) != 3 || l.recent.Len() != 3 {
		t.Errorf("%d parties, %d in the list, want 3", len(l.parties), l.recent.Len())
	}
}
