package escrowserver

import (
	"fmt"
	"testing"
	"time"

	"earnest/escrow"
)

// TestLookupMemoryIsBounded: a crowd does not fill the memory, and does not free those
// who ask on.
func TestLookupMemoryIsBounded(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	l := &lookups{most: 3}
	looks := func(account escrow.KeyID, n int) error {
		return l.take(looker{account: account}, escrow.Address(fmt.Sprintf("a%d@example.org", n)), now)
	}
	for n := range lookupsAnHour {
		if err := looks("busy", n); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		if err := looks(escrow.KeyID(fmt.Sprint("crowd ", i)), 0); err != nil {
			t.Errorf("crowd %d: %v", i, err)
		}
		if err := looks("busy", 0); err != nil {
			t.Errorf("the same address again: %v", err)
		}
		if err := looks("busy", 1000); escrow.CodeOf(err) != escrow.Limited {
			t.Errorf("busy is free after %d others: %v", i+1, err)
		}
		if l.seen.Len() > 3 {
			t.Fatalf("%d accounts are remembered, want 3", l.seen.Len())
		}
	}
	// Of no limit is not more remembered than of the usual one.
	any := looker{account: "any", stranger: true, limits: StrangerLimits{Lookups: -1, LookupsPerNetwork: -1, LookupsInAll: -1}}
	for n := range 1000 {
		if err := l.take(any, escrow.Address(fmt.Sprintf("a%d@example.org", n)), now); err != nil {
			t.Fatal(err)
		}
	}
	of, _ := l.seen.Get("any")
	if n := len(of.done); n != lookupsAnHour {
		t.Errorf("%d lookups are remembered of an account without a limit", n)
	}
	now = now.Add(time.Hour)
	if err := looks("new", 0); err != nil || l.seen.Len() != 1 {
		t.Errorf("%d accounts are remembered an hour later: %v", l.seen.Len(), err)
	}
}
