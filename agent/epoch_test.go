package agent_test

import (
	"testing"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
	"earnest/escrowserver"
)

// After a restore of the escrow the agent drops its unsold keys and sells new ones;
// a key that was bought stays, though the agent had not heard of it yet.
func TestARestoredEscrowGetsNewKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	anna, bo := w.join("anna", "5.00"), w.join("bo", "5.00")
	w.price(bo, "0.25")
	full := func() bool {
		status, err := bo.Status(t.Context())
		return err == nil && status.Accounts[0].Pool == escrow.PoolSize
	}
	eventually(t, "the pool is full", full)
	bo.stop()
	_, err := anna.Send(t.Context(), agentclient.Compose{To: []string{bo.address}, Subject: "S", Body: "B", Paid: true})
	must(t, err)
	result := w.books.Apply(t.Context(), []escrowserver.Op{escrowserver.NewEpoch{Epoch: time.Now().UnixMicro()}})[0]
	must(t, result.Err)
	w.start(bo)
	eventually(t, "the pool is full again", func() bool {
		n, err := w.books.Pool(t.Context(), escrow.Address(bo.address))
		return err == nil && n == escrow.PoolSize && full()
	})
	states := map[string]int{}
	w.look(bo, func(tx *store.Tx) error {
		epoch, err := w.books.Epoch(t.Context())
		must(t, err)
		for _, state := range []string{store.KeyUploaded, store.KeyDead, store.KeySold} {
			keys, err := store.List[store.Key](tx, state)
			must(t, err)
			states[state] = len(keys)
			for _, key := range keys {
				if (state == store.KeyUploaded) != (key.Epoch == epoch) {
					t.Errorf("a key of epoch %d is %s", key.Epoch, state)
				}
			}
		}
		return nil
	})
	if states[store.KeyUploaded] != escrow.PoolSize || states[store.KeyDead] != escrow.PoolSize-1 || states[store.KeySold] != 1 {
		t.Errorf("keys: %v", states)
	}
}
