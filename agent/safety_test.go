package agent_test

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/escrow"
)

// ordered gives an order and demands that it is taken.
func (w *world) ordered(p *person, order string) agentclient.AccountSafety {
	w.t.Helper()
	safety, err := p.OrderAccount(w.t.Context(), agentclient.AccountOrder{Address: p.address, Order: order})
	must(w.t, err)
	return safety
}

func TestK_AFrozenAccountPaysForNothingAndDecides(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	m := w.write(sender, recipient, "before")
	for _, p := range []*person{recipient, sender} {
		if safety := w.ordered(p, agentclient.OrderFreeze); safety.FrozenAt.IsZero() || !safety.Recovery {
			t.Fatalf("frozen: %+v", safety)
		}
	}
	before, err := w.books.Offer(t.Context(), escrow.Address(recipient.address), w.now())
	must(t, err)
	if _, err := recipient.SetPrice(t.Context(), agentclient.SetPrice{Options: []string{"0.30"}}); err == nil {
		t.Log("the agent keeps the price for later")
	}
	after, err := w.books.Offer(t.Context(), escrow.Address(recipient.address), w.now())
	must(t, err)
	if after.Signed != before.Signed {
		t.Error("a frozen account changed its price")
	}
	_, err = recipient.Reject(t.Context(), m.ID, agentclient.Reject{Block: true})
	must(t, err)
	w.waits(recipient, m.Bond, "rejecting")
	// The recovery key is in the keyring: it ends the freeze at once.
	if safety := w.ordered(sender, agentclient.OrderUnfreeze); !safety.FrozenAt.IsZero() {
		t.Fatalf("still frozen: %+v", safety)
	}
	w.pass(11 * time.Minute)
	// Blocked, the sender is told only that it is limited.
	var offer escrow.Offer
	must(t, escrow.Peek(before.Signed, &offer))
	key := w.signer(sender).Public().(ed25519.PublicKey)
	_, err = w.server.As(escrow.PublicKey(key)).Quote(t.Context(), escrow.QuoteRequest{
		Sender: escrow.Address(sender.address), Recipient: escrow.Address(recipient.address), Option: offer.Options[0]})
	if !errors.Is(err, escrow.Limited) {
		t.Fatalf("the block does not hold: %v", err)
	}
}

func TestK_ARemovedAccountReleasesItsAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("recipient", "1.00")
	w.price(p, "0.25")
	must(t, p.RemoveAccount(t.Context(), agentclient.RemoveAccount{Address: p.address, Force: true}))
	if _, err := w.books.Offer(t.Context(), escrow.Address(p.address), w.now()); !errors.Is(err, escrow.NoOffer) {
		t.Fatalf("the offer stands: %v", err)
	}
	if n, err := w.books.Pool(t.Context(), escrow.Address(p.address)); err != nil || n != 0 {
		t.Fatalf("%d keys are for sale, %v", n, err)
	}
}

func TestK_AnAccountIsExportedThenDeletedAtTheEscrowAndHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	p := w.join("recipient", "1.00")
	all, err := p.ExportAccount(t.Context(), p.address)
	must(t, err)
	var read struct{ Tables map[string][]map[string]any }
	must(t, json.Unmarshal(all, &read))
	if read.Tables["addresses"][0]["address"] != p.address {
		t.Fatalf("exported: %s", all)
	}
	order := agentclient.AccountOrder{Address: p.address, Order: agentclient.OrderDelete}
	_, err = p.OrderAccount(t.Context(), order)
	if failure, ok := errors.AsType[*agentclient.Failure](err); !ok || failure.Field != "giveUp" {
		t.Fatalf("money was given up unasked: %v", err)
	}
	order.GiveUp = true
	_, err = p.OrderAccount(t.Context(), order)
	must(t, err)
	w.nothingLeft(p, nil)
	if _, err := w.books.Account(t.Context(), escrow.KeyID(read.Tables["account"][0]["id"].(string))); !errors.Is(err, escrow.Unauthorized) {
		t.Fatalf("the escrow still has it: %v", err)
	}
}
