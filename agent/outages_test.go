package agent_test

import (
	"crypto/ed25519"
	"testing"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// A sender is told of the outages by which the escrow says that it moved a bond's
// deadlines.
func TestASentMailTellsOfTheOutagesThatMovedItsDeadlines(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shortTerms(3600, 1))
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	w.write(sender, recipient, "A question")
	id := w.onlySent(sender)
	sent := w.sentIs(sender, id, "arrived", "held") // nothing of the escrow's is on its way any more
	if len(sent.Outages) != 0 {
		t.Errorf("the escrow was never away, and it tells of %+v", sent.Outages)
	}
	sender.stop()
	_, key, err := ed25519.GenerateKey(nil)
	must(t, err)
	ended := time.Now().UTC().Truncate(time.Second)
	outage := escrow.NewOutage("escrow.example", ended.Add(-3*time.Hour), ended)
	signed, err := escrow.Sign(key, escrow.KindOutage, outage)
	must(t, err)
	w.change(sender, func(tx *store.Tx) error {
		bonds, err := store.List[store.Bond](tx)
		for _, b := range bonds {
			b.Outages = []escrow.Signed{signed, "nonsense"}
			if err == nil {
				err = store.Put(tx, b)
			}
		}
		return err
	})
	w.start(sender)
	sent, err = sender.SentByID(t.Context(), id)
	must(t, err)
	if want := (agentclient.Outage{Escrow: "escrow.example", Began: outage.Began, Ended: outage.Ended}); len(sent.Outages) != 1 || sent.Outages[0] != want {
		t.Errorf("it tells of %+v, want %+v", sent.Outages, want)
	}
}
