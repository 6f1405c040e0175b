package agent_test

import (
	"testing"
	"time"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/keyring"
	"earnest/crypto/openpgp"
	"earnest/escrow"
	"earnest/mail"
)

// Without more the price says how many, and a further accept takes nothing away.
func TestK11_ThePriceSaysHowManyWhereThePersonDoesNot(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	_, err := recipient.SetPrice(t.Context(), agentclient.SetPrice{Options: []string{"0.25"}, FreeAfter: "2"})
	must(t, err)
	w.connect(sender, recipient, agentclient.FreePolicy)
	if here, there := recipient.knows(w, sender).Free, sender.knows(w, recipient).FreeThere; here != "2" || there != "2" {
		t.Errorf("the price says 2, and it is %s here and %s there", here, there)
	}
	_, err = recipient.SetPerson(t.Context(), agentclient.SetPerson{PersonID: agentclient.PersonID{Address: sender.address}, Free: "5"})
	must(t, err)
	w.connect(sender, recipient, agentclient.FreePolicy)
	if here, there := recipient.knows(w, sender).Free, sender.knows(w, recipient).FreeThere; here != "5" || there != "5" {
		t.Errorf("5 were given, and after a further accept it is %s here and %s there", here, there)
	}
}

func TestK11_ALateAcceptConnectsToo(t *testing.T) {
	w := newWorld(t, shortTerms(2, 1))
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	m := w.write(sender, recipient, "Anybody there")
	w.sentIs(sender, m.Bond, "expired", "refunded")
	w.waits(recipient, m.Bond, "expired")
	time.Sleep(2500 * time.Millisecond) // the trash was emptied, had the keys been in it
	_, err := recipient.Accept(t.Context(), m.ID, agentclient.Accept{Free: "3"})
	must(t, err)
	eventually(t, "both are connected", func() bool {
		known := sender.knows(w, recipient)
		return recipient.knows(w, sender) != nil && known != nil && known.FreeThere == "3"
	})
	w.switchOff(true)
	w.free(recipient, sender, "Late, but here")
	w.comes(sender, "Late, but here", "accepted")
	w.free(sender, recipient, "Thanks")
	w.comes(recipient, "Thanks", "accepted")
}

// The recipient can write before the sender's agent has heard of the accept.
func TestK15_AMailFasterThanTheNewsOfTheAcceptIsNotLost(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	m := w.write(sender, recipient, "First")
	sender.stop()
	_, err := recipient.Accept(t.Context(), m.ID, agentclient.Accept{})
	must(t, err)
	w.free(recipient, sender, "At once")
	eventually(t, "it is in the mailbox", func() bool { return len(w.encrypted(sender)) == 1 })
	w.switchOff(true)
	w.start(sender)
	eventually(t, "it is kept", func() bool {
		n := 0
		w.look(sender, func(tx *store.Tx) (err error) {
			n, err = store.Count[store.Mail](tx, store.MailHeld)
			return err
		})
		return n == 1
	})
	if list, err := sender.Inbox(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("it is shown before it is opened: %+v, %v", list, err)
	}
	w.switchOff(false)
	w.comes(sender, "At once", "accepted")
}

// A sender with other OpenPGP tools has one certificate for all, and protects no
// header.
func TestK11_AStockSenderWritesFreeToTheKeyThatWasBought(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	keys := openpgp.NewKeys(keyring.OpenMemory(), time.Now)
	own, err := keys.Generate(t.Context(), "own", "sender")
	must(t, err)
	bought, err := sender.Buy(t.Context(), agentclient.BuyKey{To: recipient.address, Certificate: own.Raw})
	must(t, err)
	key, err := openpgp.ParseCertificate([]byte(bought.Key))
	must(t, err)
	stock := func(subject string) []byte {
		raw, err := keys.Seal(t.Context(), openpgp.SealRequest{To: key, SignWith: "own", Letter: mail.Letter{From: sender.address,
			To: recipient.address, Subject: subject, Text: subject, Date: time.Now(), MessageID: mail.NewMessageID(sender.address)}})
		must(t, err)
		return raw
	}
	w.keyOf(recipient, bought.Bond)
	paid := stock("With the bond")
	must(t, w.mail.Deliver(recipient.address, paid))
	m := w.waits(recipient, bought.Bond, "waiting")
	_, err = recipient.Accept(t.Context(), m.ID, agentclient.Accept{Free: "1"})
	must(t, err)
	eventually(t, "they are connected", func() bool { return recipient.knows(w, sender) != nil })
	w.switchOff(true)
	// A copy of the paid one in another form uses nothing up.
	must(t, w.mail.Deliver(recipient.address, append([]byte("X-Copy: 1\r\n"), paid...)))
	must(t, w.mail.Deliver(recipient.address, stock("Free")))
	w.comes(recipient, "Free", "accepted")
	must(t, w.mail.Deliver(recipient.address, stock("One too many")))
	w.comes(recipient, "", "unpaid")
	// The agent that bought has no private key of that certificate.
	if sender.knows(w, recipient) != nil {
		t.Error("an agent without the key takes itself for connected")
	}
	// An answer goes to the sender's own certificate.
	w.free(recipient, sender, "An answer")
	eventually(t, "the answer is there", func() bool { return len(w.encrypted(sender)) == 1 })
	sealed, err := openpgp.Inspect(w.encrypted(sender)[0])
	must(t, err)
	opened, err := keys.Open(t.Context(), sealed, "own", key)
	if err != nil || opened.Header.Subject != "An answer" {
		t.Errorf("the sender's own tools read %+v, %v", opened.Header, err)
	}
}

// After a reject nobody can write to the reply key: it is gone.
func TestK11_ARejectLeavesNoReplyKey(t *testing.T) {
	w := newWorld(t, shortTerms(3600, 1))
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	m := w.write(sender, recipient, "Buy now")
	var key store.Key
	w.look(sender, func(tx *store.Tx) error {
		keys, err := store.List[store.Key](tx, store.KeyReply)
		if len(keys) == 1 {
			key = keys[0]
		}
		return err
	})
	if _, err := sender.ring.Get(t.Context(), key.Name); err != nil {
		t.Fatalf("the reply key of a running purchase: %v", err)
	}
	_, err := recipient.Reject(t.Context(), m.ID, agentclient.Reject{})
	must(t, err)
	w.sentIs(sender, m.Bond, "rejected", "forfeited")
	eventually(t, "the reply key is gone", func() bool {
		_, err := sender.ring.Get(t.Context(), key.Name)
		return err != nil
	})
	if recipient.knows(w, sender) != nil || sender.knows(w, recipient) != nil {
		t.Error("a reject connected")
	}
}

// Each accept brings keys; the oldest go when there are many.
func TestK14_EachAcceptHasItsOwnKeysAndOldOnesGo(t *testing.T) {
	t.Parallel()
	w, recipient, sender := connected(t, agentclient.FreeAlways)
	first := w.pairOf(recipient)
	for range 8 {
		w.connect(sender, recipient, agentclient.FreeAlways)
	}
	fingerprints := map[string]bool{}
	w.look(recipient, func(tx *store.Tx) error {
		conns, err := store.List[store.Connection](tx)
		for _, pair := range conns[0].Pairs {
			fingerprints[pair.Fingerprint], fingerprints[pair.TheirFingerprint] = true, true
		}
		return err
	})
	if len(fingerprints) != 16 || fingerprints[first.Fingerprint] {
		t.Errorf("after nine accepts there are %d keys, the first among them: %v", len(fingerprints), fingerprints[first.Fingerprint])
	}
	eventually(t, "the oldest key is gone", func() bool {
		_, err := recipient.ring.Get(t.Context(), first.Name)
		return err != nil
	})
	w.free(sender, recipient, "With the newest")
	w.comes(recipient, "With the newest", "accepted")
}

// What a person gave while the mail waited is not taken back by an accept that says
// nothing of it.
func TestK11_AnAcceptOfAnUnpaidMailTakesNothingAway(t *testing.T) {
	t.Parallel()
	w, recipient, sender := connected(t, agentclient.FreeAlways)
	set := func(free agentclient.Free) {
		t.Helper()
		_, err := recipient.SetPerson(t.Context(), agentclient.SetPerson{PersonID: agentclient.PersonID{Address: sender.address}, Free: free})
		must(t, err)
	}
	_, err := recipient.SetPrice(t.Context(), agentclient.SetPrice{Options: []string{"0.25"}, FreeAfter: "3"})
	must(t, err)
	set("0")
	w.free(sender, recipient, "Waits")
	m := w.comes(recipient, "", "unpaid")
	set(agentclient.FreeAlways)
	_, err = recipient.Accept(t.Context(), m.ID, agentclient.Accept{})
	must(t, err)
	if free := recipient.knows(w, sender).Free; free != agentclient.FreeAlways {
		t.Errorf("the accept took it down to %s", free)
	}
}

// A mail that waits for an accept is opened by it, however many accepts came since:
// it is in the list, and its key goes when it is decided.
func TestK14_TheKeyOfAnUnpaidMailStays(t *testing.T) {
	t.Parallel()
	w, recipient, sender := connected(t, agentclient.FreeAlways)
	first := w.pairOf(recipient)
	_, err := recipient.SetPerson(t.Context(), agentclient.SetPerson{PersonID: agentclient.PersonID{Address: sender.address}, Free: "0"})
	must(t, err)
	w.free(sender, recipient, "Waits long")
	m := w.comes(recipient, "", "unpaid")
	for range 9 {
		w.connect(sender, recipient, agentclient.FreeNone)
	}
	after, err := recipient.Accept(t.Context(), m.ID, agentclient.Accept{Free: "1"})
	must(t, err)
	if after.State != "accepted" || after.Subject != "Waits long" {
		t.Errorf("after accept: %+v", after)
	}
	w.connect(sender, recipient, agentclient.FreeAlways)
	eventually(t, "its key is gone", func() bool {
		_, err := recipient.ring.Get(t.Context(), first.Name)
		return err != nil
	})
	w.look(recipient, func(tx *store.Tx) error {
		conns, err := store.List[store.Connection](tx)
		if n := len(conns[0].Pairs); n != 8 {
			t.Errorf("%d pairs are left", n)
		}
		return err
	})
}

// A mail that comes late, or is held back by somebody on the way, does not say
// again what a later one has changed.
func TestK11_AnOldMailSaysNothingNewOfTheFreeMails(t *testing.T) {
	t.Parallel()
	w, recipient, sender := connected(t, agentclient.FreeMails(5))
	late := w.caught(recipient, sender, "Held back") // says 5
	w.pass(2 * time.Second)                          // a Date has whole seconds
	_, err := recipient.SetPerson(t.Context(), agentclient.SetPerson{PersonID: agentclient.PersonID{Address: sender.address}, Free: "0"})
	must(t, err)
	w.free(recipient, sender, "Not free any more")
	w.comes(sender, "Not free any more", "accepted")
	must(t, w.mail.Deliver(sender.address, late))
	w.comes(sender, "Held back", "accepted")
	if there := sender.knows(w, recipient).FreeThere; there != agentclient.FreeNone {
		t.Errorf("after the late mail the sender thinks %s are left", there)
	}
	w.pass(2 * time.Second)
	_, err = recipient.SetPerson(t.Context(), agentclient.SetPerson{PersonID: agentclient.PersonID{Address: sender.address}, Free: "4"})
	must(t, err)
	w.free(recipient, sender, "Free again")
	w.comes(sender, "Free again", "accepted")
	if there := sender.knows(w, recipient).FreeThere; there != "4" {
		t.Errorf("after the last mail the sender thinks %s are left", there)
	}
}
