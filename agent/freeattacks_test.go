package agent_test

import (
	"bytes"
	"testing"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/keyring"
	"earnest/crypto/openpgp"
	"earnest/internal/mailhost"
	"earnest/mail"
)

// caught sends a mail free and takes it out of the mailbox, as if it were still
// on its way.
func (w *world) caught(from, to *person, subject string) []byte {
	w.t.Helper()
	to.stop()
	before := w.encrypted(to)
	w.free(from, to, subject)
	var raw []byte
	eventually(w.t, "the mail is delivered", func() bool {
		all := w.encrypted(to)
		raw = all[len(all)-1]
		return len(all) > len(before)
	})
	must(w.t, w.mail.Empty(w.t.Context(), to.address, "INBOX"))
	w.start(to)
	return raw
}

func (w *world) encrypted(p *person) (all [][]byte) {
	w.t.Helper()
	raws, err := w.mail.Messages(w.t.Context(), p.address, "INBOX")
	must(w.t, err)
	for _, raw := range raws {
		if isEncrypted(raw) {
			all = append(all, raw)
		}
	}
	return all
}

// pairOf is the pair of keys that somebody shares with another.
func (w *world) pairOf(p *person) (pair store.Pair) {
	w.look(p, func(tx *store.Tx) error {
		conns, err := store.List[store.Connection](tx)
		pair = conns[0].Pairs[len(conns[0].Pairs)-1]
		return err
	})
	return pair
}

// forged seals a mail to the recipient's connection key.
func (w *world) forged(keys *openpgp.Keys, signWith, from string, to *person) []byte {
	return w.stamped(keys, signWith, from, to.address, to, openpgp.Stamp{})
}

func (w *world) stamped(keys *openpgp.Keys, signWith, from, says string, to *person, stamp openpgp.Stamp) []byte {
	w.t.Helper()
	pair := w.pairOf(to)
	var certificate []byte
	w.look(to, func(tx *store.Tx) error {
		key, _, err := store.Get[store.Key](tx, pair.Fingerprint)
		certificate = key.Certificate
		return err
	})
	key, err := openpgp.ParseCertificate(certificate)
	must(w.t, err)
	raw, err := keys.Seal(w.t.Context(), openpgp.SealRequest{To: key, SignWith: signWith, Stamp: stamp,
		Letter: mail.Letter{From: from, To: says, Subject: "Forged", Text: "x", Date: time.Now(), MessageID: mail.NewMessageID(from)}})
	must(w.t, err)
	return raw
}

// A key id is seen by everybody on the way: it opens nothing.
func TestK11_WrongSignatureOrForeignFromIsDamagedAndNotCounted(t *testing.T) {
	w, recipient, sender := connected(t, agentclient.FreeMails(3))
	w.switchOff(true)
	strange := openpgp.NewKeys(keyring.OpenMemory(), time.Now)
	_, err := strange.Generate(t.Context(), "own", "stranger")
	must(t, err)
	must(t, w.mail.Deliver(recipient.address, w.forged(strange, "own", sender.address, recipient)))
	w.comes(recipient, "", "damaged")
	// Signed by the right one, who says to be another.
	own := openpgp.NewKeys(sender.ring, time.Now)
	must(t, w.mail.Deliver(recipient.address, w.forged(own, w.pairOf(sender).Name, "boss@mail.example", recipient)))
	eventually(t, "both are damaged", func() bool {
		list, err := recipient.Inbox(t.Context())
		must(t, err)
		n := 0
		for _, m := range list {
			if m.State == "damaged" && m.Subject == "" && m.Free {
				n++
			}
		}
		return n == 2
	})
	if left := recipient.knows(w, sender).Free; left != "3" {
		t.Errorf("%s are left", left)
	}
	if asked := w.askedForMails(); len(asked) > 0 {
		t.Errorf("the escrow was asked for %q", asked)
	}
}

// A mail that the right one signed, for somebody else or for other keys, was moved
// here by somebody.
func TestK11_AMailForOthersOrForOtherKeysIsDamaged(t *testing.T) {
	w, recipient, sender := connected(t, agentclient.FreeMails(3))
	own, pair := openpgp.NewKeys(sender.ring, time.Now), w.pairOf(sender)
	right := openpgp.Stamp{Key: pair.TheirFingerprint, Reply: pair.Fingerprint}
	other, bonded := right, right
	other.Key, bonded.Bond = pair.Fingerprint, string(pair.Bond)
	for _, raw := range [][]byte{
		w.stamped(own, pair.Name, sender.address, "boss@mail.example", recipient, right),
		w.stamped(own, pair.Name, sender.address, recipient.address, recipient, other),
		w.stamped(own, pair.Name, sender.address, recipient.address, recipient, bonded),
		w.stamped(own, pair.Name, sender.address, "third@mail.example", recipient, right), // not shown any more
		w.stamped(own, pair.Name, sender.address, recipient.address, recipient, right),
	} {
		must(t, w.mail.Deliver(recipient.address, raw))
	}
	w.comes(recipient, "Forged", "accepted") // the last one is nothing of the kind
	list, err := recipient.Inbox(t.Context())
	must(t, err)
	damaged := 0
	for _, m := range list {
		if m.State == "damaged" {
			damaged++
		}
	}
	if left := recipient.knows(w, sender).Free; damaged != 3 || left != "2" {
		t.Errorf("%d are shown as damaged and %s are left", damaged, left)
	}
}

func TestK11_TheSameMailAgainIsNeitherCountedNorShown(t *testing.T) {
	w, recipient, sender := connected(t, agentclient.FreeMails(3))
	raw := w.caught(sender, recipient, "Once")
	// The same bytes, and the same mail with another outside.
	for _, copied := range [][]byte{raw, raw, append([]byte("Received: by a relay\r\n"), raw...),
		bytes.Replace(raw, []byte("\r\nDate:"), []byte("\r\nX-Copy: 1\r\nDate:"), 1)} {
		must(t, w.mail.Deliver(recipient.address, copied))
	}
	w.comes(recipient, "Once", "accepted")
	w.free(sender, recipient, "Last")
	w.comes(recipient, "Last", "accepted")
	list, err := recipient.Inbox(t.Context())
	must(t, err)
	if known := recipient.knows(w, sender); len(list) != 3 || known.Free != "1" || known.Received != 2 {
		t.Errorf("%d mails, %+v", len(list), known)
	}
}

// A mail that the server refuses for good counts as not written, and its text
// stays.
func TestK11_WhatCannotBeSentIsNotCounted(t *testing.T) {
	w, recipient, sender := connected(t, agentclient.FreeMails(2))
	w.mail.SetFault(mailhost.RefuseForGood, 1)
	sent := w.free(sender, recipient, "Refused")
	eventually(t, "it failed", func() bool {
		now, err := sender.SentByID(t.Context(), sent.ID)
		must(t, err)
		return now.State == "failed" && now.Kept && now.Error != ""
	})
	if known := sender.knows(w, recipient); known.FreeThere != "2" || known.Sent != 0 {
		t.Errorf("after a mail that was refused: %+v", known)
	}
	if _, err := sender.Withdraw(t.Context(), sent.ID); code(err) != agentclient.CodeState {
		t.Errorf("withdraw: %v", err)
	}
	// The answer is lost, so it is handed over again: the recipient counts one.
	w.mail.SetFault(mailhost.CutDelivered, 1)
	w.free(sender, recipient, "Twice")
	w.comes(recipient, "Twice", "accepted")
	eventually(t, "it came twice", func() bool {
		all := w.encrypted(recipient)
		return len(all) >= 3 && bytes.Equal(body(all[len(all)-1]), body(all[len(all)-2]))
	})
	w.free(sender, recipient, "Last")
	w.comes(recipient, "Last", "accepted")
	if known := recipient.knows(w, sender); known.Free != "0" || known.Received != 2 {
		t.Errorf("the recipient counted %+v", known)
	}
}

// body is a mail from its own first header on: the server writes before it.
func body(raw []byte) []byte { return raw[max(bytes.Index(raw, []byte("From: ")), 0):] }
