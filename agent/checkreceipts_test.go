package agent_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"earnest/agentclient"
	"earnest/crypto/keyring"
	"earnest/escrow"
)

// exported is the receipts of a mail that was accepted, as they are handed on.
func (w *world) exported() (sender *person, receipts agentclient.Receipts) {
	w.t.Helper()
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	mail := w.write(sender, recipient, "A question")
	_, err := recipient.Accept(w.t.Context(), mail.ID, agentclient.Accept{})
	must(w.t, err)
	w.sentIs(sender, mail.Bond, "accepted", "refunded")
	receipts, err = sender.Receipts(w.t.Context(), mail.Bond)
	must(w.t, err)
	if !receipts.Verified || !receipts.KeyPinned || len(receipts.Receipts) != 3 {
		w.t.Fatalf("exported: %+v", receipts)
	}
	return sender, receipts
}

// outsider is an agent without account: it knows no escrow.
func (w *world) outsider() *person {
	p := &person{home: w.t.TempDir(), ring: keyring.OpenMemory()}
	w.start(p)
	return p
}

func TestEveryMovementIsProvenOffline(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	sender, receipts := w.exported()
	sender.stop()
	w.start(sender)
	w.setDown(true)
	claims := receipts
	claims.Verified, claims.Steps = false, nil
	checked, err := sender.CheckReceipts(t.Context(), claims)
	must(t, err)
	if !checked.Verified || !checked.KeyPinned || checked.Fault != "" || len(checked.Steps) != 3 || checked.Steps[2].Money != "refunded" || checked.ReceiptKey != receipts.ReceiptKey {
		t.Errorf("checked: %+v", checked)
	}
	unknown, err := w.outsider().CheckReceipts(t.Context(), claims)
	must(t, err)
	if !unknown.Verified || unknown.KeyPinned || unknown.ReceiptKey != receipts.ReceiptKey {
		t.Errorf("where nobody knows the escrow: %+v", unknown)
	}
	claims.ReceiptKey = "none"
	if _, err = w.outsider().CheckReceipts(t.Context(), claims); err == nil {
		t.Error("receipts were checked against no key")
	}
	failure, ok := errors.AsType[*agentclient.Failure](err)
	if !ok || failure.Field != "receiptKey" {
		t.Errorf("without a key: %v", err)
	}
	// What the file names as its key is nothing to an agent that knows better.
	if checked, err = sender.CheckReceipts(t.Context(), claims); err != nil || !checked.Verified {
		t.Errorf("with a pinned key: %+v, %v", checked, err)
	}
}

func TestTheWrongReceiptIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	sender, receipts := w.exported()
	stranger := w.outsider()
	wrong := map[string]func(*agentclient.Receipts){
		"receipt 2: it does not name": func(r *agentclient.Receipts) { r.Receipts = slices.Delete(slices.Clone(r.Receipts), 1, 2) },
		"receipt 3: the signature": func(r *agentclient.Receipts) {
			r.Receipts = slices.Clone(r.Receipts)
			r.Receipts[2] = r.Receipts[2][:len(r.Receipts[2])-6] + "AAAAAA"
		},
		"receipt 1: that is not":           func(r *agentclient.Receipts) { r.Receipts = []string{"nothing"} },
		"there are no receipts":            func(r *agentclient.Receipts) { r.Receipts = nil },
		"quote: ":                          func(r *agentclient.Receipts) { r.Quote = "a.b.c" },
		"receipt 1: it belongs to another": func(r *agentclient.Receipts) { r.Bond = "another" },
	}
	for words, change := range wrong {
		changed := receipts
		change(&changed)
		for _, p := range []*person{sender, stranger} {
			checked, err := p.CheckReceipts(t.Context(), changed)
			must(t, err)
			if checked.Verified || !strings.Contains(checked.Fault, words) || strings.Contains(checked.Fault, "escrow: invalid") {
				t.Errorf("%q: verified %v, fault %q", words, checked.Verified, checked.Fault)
			}
		}
	}
}

// An escrow made up to prove a story takes the name of the real one, not its key.
func TestReceiptsOfAFalseEscrowProveNothing(t *testing.T) {
	t.Parallel()
	real, fake := newWorld(t, escrow.Terms{}), newWorld(t, escrow.Terms{})
	_, forged := fake.exported()
	checked, err := real.join("judge", "").CheckReceipts(t.Context(), forged)
	must(t, err)
	if checked.Verified || !checked.KeyPinned || !strings.Contains(checked.Fault, "another key") || checked.ReceiptKey == forged.ReceiptKey {
		t.Errorf("receipts of a false escrow: %+v", checked)
	}
}
