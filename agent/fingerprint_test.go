package agent_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// beginsAnew is the person at another machine, with a new account at the escrow: the
// old one is gone with its keys, and nothing follows from it.
func (w *world) beginsAnew(p *person) *person {
	w.t.Helper()
	must(w.t, p.RemoveAccount(w.t.Context(), agentclient.RemoveAccount{Address: p.address, Force: true}))
	p.stop()
	w.pass(2 * time.Hour) // one token mail an hour
	fresh := w.newMachine(p)
	_, err := fresh.AddAccount(w.t.Context(), w.recovery(p, "").AddAccount)
	must(w.t, err)
	eventually(w.t, "the address is proven anew", func() bool {
		status, err := fresh.Status(w.t.Context())
		return err == nil && status.Accounts[0].Proven
	})
	return fresh
}

// TestAnotherFingerprintIsAcceptedByGivingIt: before, nothing is bought there; a wrong
// or the old one is refused and changes nothing; after, mail goes to the new one, and
// what was before is on record.
func TestAnotherFingerprintIsAcceptedByGivingIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	_, err := sender.Price(t.Context(), recipient.address)
	must(t, err)
	old := w.identity(recipient)
	recipient = w.beginsAnew(recipient)
	w.redeem(escrow.KeyID(w.identity(recipient)), "1.00")
	w.price(recipient, "0.30")
	shown := w.identity(recipient)
	alarmed := func() {
		t.Helper()
		_, err := sender.Price(t.Context(), recipient.address)
		failsWith(t, err, agentclient.CodeIdentity, "price.other-identity")
		if !strings.Contains(err.Error(), old) || !strings.Contains(err.Error(), shown) {
			t.Errorf("the alarm does not say both: %v", err)
		}
		of, err := sender.Fingerprints(t.Context(), "", recipient.address)
		must(t, err)
		if of.Known != old || of.Shown != shown || !of.AcceptedAt.IsZero() || of.Seen.IsZero() {
			t.Errorf("fingerprints: %+v", of)
		}
	}
	alarmed()
	slip := "A" + shown[1:]
	if slip == shown {
		slip = "B" + shown[1:]
	}
	for given, say := range map[string]string{
		old: "fingerprint.other", w.identity(sender): "fingerprint.other", slip: "fingerprint.other",
		shown[:42]: "fingerprint.none", "": "fingerprint.none", "yes": "fingerprint.none",
		"earnest:" + sender.address + "?escrow=escrow.example&fp=" + shown: "fingerprint.card",
	} {
		_, err := sender.AcceptFingerprint(t.Context(), agentclient.AcceptFingerprint{Address: recipient.address, Fingerprint: given})
		code := agentclient.CodeUsage
		if say == "fingerprint.other" {
			code = agentclient.CodeIdentity
		}
		failsWith(t, err, code, say)
	}
	alarmed()
	_, err = sender.Send(t.Context(), agentclient.Compose{To: []string{recipient.address}, Subject: "s", Body: "b", Paid: true})
	failsWith(t, err, agentclient.CodeIdentity, "price.other-identity")
	w.has(sender, "1.00", "0.00")
	for _, given := range []string{" " + shown[:20] + "\n" + shown[20:] + " ", "earnest:" + recipient.address + "?escrow=escrow.example&fp=" + shown} {
		of, err := sender.AcceptFingerprint(t.Context(), agentclient.AcceptFingerprint{Account: sender.address, Address: recipient.address, Fingerprint: given})
		must(t, err)
		if of.Known != shown || of.Shown != shown || of.AcceptedAt.IsZero() || len(of.Before) != 1 || of.Before[0].Fingerprint != old {
			t.Fatalf("accepted: %+v", of)
		}
	}
	sender.stop()
	w.start(sender)
	w.write(sender, recipient, "to the new one")
	w.has(sender, "0.70", "0.30")
}

// TestAFingerprintIsAcceptedBeforeTheFirstMail: who compares the card first does not
// take the escrow's word; another than the one given is not even noted.
func TestAFingerprintIsAcceptedBeforeTheFirstMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "")
	w.price(recipient, "0.25")
	_, err := sender.AcceptFingerprint(t.Context(), agentclient.AcceptFingerprint{Address: recipient.address, Fingerprint: w.identity(sender)})
	failsWith(t, err, agentclient.CodeIdentity, "fingerprint.other")
	w.look(sender, func(tx *store.Tx) error {
		n, err := store.Count[store.Pin](tx)
		if n != 0 {
			t.Errorf("%d identities are known", n)
		}
		return err
	})
	of, err := sender.AcceptFingerprint(t.Context(), agentclient.AcceptFingerprint{Address: recipient.address, Fingerprint: w.identity(recipient)})
	must(t, err)
	if of.Known != of.Shown || of.AcceptedAt.IsZero() || len(of.Before) != 0 || of.Connected {
		t.Errorf("accepted: %+v", of)
	}
}

// oldOffer is an escrow that shows an offer of before.
type oldOffer struct {
	escrow.Service
	offer escrow.Signed
}

func (o oldOffer) Offer(context.Context, escrow.Address) (escrow.Signed, error) { return o.offer, nil }

func (u unreliable) Offer(ctx context.Context, address escrow.Address) (escrow.Signed, error) {
	return u.wrapped().Offer(ctx, address)
}

// TestAnOlderOfferBringsNoRecoveryKeyBack: whose fingerprint is accepted while the
// escrow shows an offer of before is accepted, and the recovery key stays the newer.
func TestAnOlderOfferBringsNoRecoveryKeyBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "")
	w.price(recipient, "0.25")
	record, err := w.books.Offer(t.Context(), escrow.Address(recipient.address), w.now())
	must(t, err)
	w.onPaper(recipient)
	old, err := escrow.VerifyOffer(record.Signed)
	must(t, err)
	pin := func() (only store.Pin) {
		w.look(sender, func(tx *store.Tx) error {
			pins, err := store.List[store.Pin](tx)
			if len(pins) == 1 {
				only = pins[0]
			}
			return err
		})
		return only
	}
	eventually(t, "the sender knows the newer recovery key", func() bool {
		_, err := sender.Price(t.Context(), recipient.address)
		must(t, err)
		return pin().Recovery.ID() != old.Recovery.ID()
	})
	newer := pin()
	w.between(func(s escrow.Service) escrow.Service { return oldOffer{s, record.Signed} })
	of, err := sender.AcceptFingerprint(t.Context(), agentclient.AcceptFingerprint{Address: recipient.address, Fingerprint: w.identity(recipient)})
	must(t, err)
	if of.AcceptedAt.IsZero() {
		t.Errorf("accepted: %+v", of)
	}
	if now := pin(); now.Recovery.ID() != newer.Recovery.ID() || !now.Made.Equal(newer.Made) {
		t.Errorf("an older offer has set the recovery key back, to that of %v", now.Made)
	}
}
