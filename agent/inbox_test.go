package agent_test

import (
	"fmt"
	"testing"

	"earnest/agent/store"
	"earnest/crypto/secret"
)

// What lies in memory of a list is never older than what is stored.
func TestTheListInMemoryFollowsEveryWrite(t *testing.T) {
	sealer, err := secret.NewSealer(secret.NewKey())
	must(t, err)
	memory, err := store.Open(t.Context(), t.TempDir()+"/agent.db", sealer)
	must(t, err)
	defer memory.Close()
	var cache store.Cache[store.Mail]
	check := func(when string) {
		t.Helper()
		must(t, memory.View(t.Context(), func(tx *store.Tx) error {
			want, err := store.List[store.Mail](tx)
			must(t, err)
			got, err := cache.List(tx)
			if err != nil || len(got) != len(want) || len(want) > 0 && fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: %v, want %v (%v)", when, got, want, err)
			}
			return nil
		}))
	}
	put := func(id, state string, number int64) {
		must(t, memory.Update(t.Context(), "test", func(tx *store.Tx) error {
			return store.Put(tx, store.Mail{ID: id, State: state, Number: number, Subject: state + id})
		}))
	}
	check("empty")
	for i := range int64(20) {
		put(fmt.Sprint(i), store.MailWaiting, i)
	}
	check("at first")
	put("7", store.MailRejecting, 7)
	put("new", store.MailWaiting, 3)
	check("one changed, one came")
	put("7", store.MailWaiting, 70)
	check("changed back and moved")
	must(t, memory.Update(t.Context(), "test", func(tx *store.Tx) error {
		must(t, store.Put(tx, store.Mail{ID: "8", Number: 1000, Subject: "changed here"}))
		if got, err := cache.List(tx); err != nil || got[len(got)-1].Subject != "changed here" {
			t.Errorf("inside a write: %v, %v", got, err)
		}
		return store.Delete[store.Mail](tx, "9")
	}))
	check("one deleted")
}
