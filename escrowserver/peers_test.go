package escrowserver

import (
	"context"
	"slices"
	"testing"
	"time"

	"earnest/escrow"
)

// What is told while the last is being told names its accounts: nobody else is to
// look again.
func TestNewsNameTheirAccounts(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	var u unsent
	u.add([]escrow.KeyID{"a"})
	<-u.ready() // the teller woke, and has not looked yet
	u.add([]escrow.KeyID{"b"})
	u.add([]escrow.KeyID{"c"})
	accounts, everybody, ok := u.next(ctx)
	slices.Sort(accounts)
	if !ok || everybody || !slices.Equal(accounts, []escrow.KeyID{"a", "b", "c"}) {
		t.Fatalf("%v, everybody %v", accounts, everybody)
	}
	// The token of what has been told meanwhile.
	u.ready() <- struct{}{}
	if accounts, everybody, ok = u.next(ctx); ok {
		t.Errorf("nothing happened, and %v are told, everybody %v", accounts, everybody)
	}
	ctx = t.Context()
	u.add(nil)
	if accounts, everybody, ok = u.next(ctx); !ok || !everybody || len(accounts) != 0 {
		t.Errorf("everybody is to look: %v, %v", accounts, everybody)
	}
	for range maxUnsent + 1 {
		u.add([]escrow.KeyID{escrow.KeyID(newSecret())})
	}
	if _, everybody, ok = u.next(ctx); !ok || !everybody {
		t.Error("more than can be named, and not everybody is told")
	}
}
