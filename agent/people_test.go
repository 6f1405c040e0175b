package agent_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/escrow"
)

// connected is two people after an accept, with what it gave.
func connected(t *testing.T, free agentclient.Free) (w *world, recipient, sender *person) {
	t.Helper()
	w = newWorld(t, escrow.Terms{})
	recipient, sender = w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	w.connect(sender, recipient, free)
	return w, recipient, sender
}

// connect has a mail paid and accepted, and waits until both know of it.
func (w *world) connect(from, to *person, free agentclient.Free) {
	w.t.Helper()
	m := w.write(from, to, "First")
	_, err := to.Accept(w.t.Context(), m.ID, agentclient.Accept{Free: free})
	must(w.t, err)
	w.sentIs(from, m.Bond, "accepted", "refunded")
	eventually(w.t, "both know what the accept gave", func() bool {
		there, here := from.knows(w, to), to.knows(w, from)
		sent, err := from.SentByID(w.t.Context(), m.Bond)
		must(w.t, err)
		return there != nil && here != nil && sent.FreeThere != "" && w.keepsReceipts(to, m.Bond) && w.keepsReceipts(from, m.Bond)
	})
}

// knows is the connection that somebody has with another, or nil.
func (p *person) knows(w *world, other *person) *agentclient.Person {
	w.t.Helper()
	people, err := p.People(w.t.Context())
	must(w.t, err)
	for _, known := range people {
		if known.Address == other.address {
			return &known
		}
	}
	return nil
}

// free sends a mail over the connection.
func (w *world) free(from, to *person, subject string) agentclient.Sent {
	w.t.Helper()
	sent, err := from.Send(w.t.Context(), agentclient.Compose{To: []string{to.address}, Subject: subject, Body: "Body of " + subject})
	must(w.t, err)
	if !sent[0].Free || sent[0].Bond != "" || sent[0].Money != "none" || sent[0].Price != (agentclient.Money{}) {
		w.t.Fatalf("%q did not go free: %+v", subject, sent[0])
	}
	return sent[0]
}

// comes waits for a mail with the subject and the state.
func (w *world) comes(to *person, subject, state string) (found agentclient.Mail) {
	w.t.Helper()
	eventually(w.t, subject+" is "+state, func() bool {
		list, err := to.Inbox(w.t.Context())
		must(w.t, err)
		for _, m := range list {
			if m.Subject == subject && m.State == state {
				found = m
			}
		}
		return found.ID != ""
	})
	return found
}

// askedForMails is what the escrow was asked for while it was off, without the
// receipts of the bond that a connection began with: those may be fetched once
// more at any time, and a free mail has none.
func (w *world) askedForMails() []string {
	return slices.DeleteFunc(w.askedWhileOff(), func(what string) bool { return what == "receipts" })
}

func TestK15_TenMailsBothWaysWithTheEscrowOff(t *testing.T) {
	w, recipient, sender := connected(t, agentclient.FreePolicy)
	w.switchOff(true)
	for i := range 10 {
		from, to := sender, recipient
		if i%2 == 1 {
			from, to = to, from
		}
		subject := fmt.Sprintf("Free %d", i)
		sent := w.free(from, to, subject)
		m := w.comes(to, subject, "accepted")
		if !m.Free || m.Bond != "" || m.From != from.address || m.Price != (agentclient.Money{}) || m.Queued {
			t.Errorf("it came as %+v", m)
		}
		message, err := to.Message(t.Context(), m.ID)
		must(t, err)
		if message.Text != "Body of "+subject {
			t.Errorf("text %q", message.Text)
		}
		if now, err := from.SentByID(t.Context(), sent.ID); err != nil || now.State != "submitted" {
			t.Errorf("it is %s, %v", now.State, err)
		}
	}
	for _, pair := range [][2]*person{{sender, recipient}, {recipient, sender}} {
		known := pair[0].knows(w, pair[1])
		if known.Sent != 5 || known.Received != 5 || known.Free != agentclient.FreeAlways || known.FreeThere != agentclient.FreeAlways || known.Last.IsZero() {
			t.Errorf("%s knows %+v", pair[0].address, known)
		}
		price, err := pair[0].Price(t.Context(), pair[1].address)
		if err != nil || !price.Connected || price.Free != agentclient.FreeAlways {
			t.Errorf("the price of a connected address with the escrow off: %+v, %v", price, err)
		}
	}
	asked := slices.DeleteFunc(w.askedForMails(), func(what string) bool { return what == "offer" }) // by Price above
	if len(asked) > 0 {
		t.Errorf("the escrow was asked for %q", asked)
	}
	w.switchOff(false)
	w.has(sender, "1.00", "0.00")
}

// free = n: counted by the recipient's agent and known to the sender's, which
// pays for mail n+1 as for the first.
func TestK11_FreeMailsAreCountedOnBothSides(t *testing.T) {
	w, recipient, sender := connected(t, agentclient.FreeMails(2))
	if there := sender.knows(w, recipient).FreeThere; there != "2" {
		t.Errorf("the sender was told %q", there)
	}
	for i, left := range []agentclient.Free{"1", "0"} {
		w.free(sender, recipient, fmt.Sprint("Free ", i))
		w.comes(recipient, fmt.Sprint("Free ", i), "accepted")
		if here, there := recipient.knows(w, sender).Free, sender.knows(w, recipient).FreeThere; here != left || there != left {
			t.Errorf("after %d: %s left, the sender thinks %s", i+1, here, there)
		}
	}
	if price, err := sender.Price(t.Context(), recipient.address); err != nil || !price.Connected || price.Free != "0" || len(price.Options) != 1 {
		t.Errorf("the price when they are used up: %+v, %v", price, err)
	}
	sent, err := sender.Send(t.Context(), agentclient.Compose{To: []string{recipient.address}, Subject: "Third", Body: "b"})
	must(t, err)
	if sent[0].Free || sent[0].Bond == "" {
		t.Fatalf("mail n+1 went free: %+v", sent[0])
	}
	// The next accept gives new ones, and new keys.
	m := w.waits(recipient, sent[0].Bond, "waiting")
	_, err = recipient.Accept(t.Context(), m.ID, agentclient.Accept{Free: "1"})
	must(t, err)
	eventually(t, "the new ones are known", func() bool { return sender.knows(w, recipient).FreeThere == "1" })
	w.free(sender, recipient, "Fourth")
	w.comes(recipient, "Fourth", "accepted")
	w.free(recipient, sender, "Answer")
	w.comes(sender, "Answer", "accepted")
	// Used up again, a mail needs the escrow, and that it is away is no price.
	w.switchOff(true)
	if price, err := sender.Price(t.Context(), recipient.address); err == nil {
		t.Errorf("with nothing left and the escrow away the price is %+v", price)
	}
}

// Mail n+1 without a bond is not opened, and nothing of it is shown, until an
// accept; a reject deletes it here.
func TestK11_MailBeyondTheCountIsNotOpenedBeforeAnAccept(t *testing.T) {
	w, recipient, sender := connected(t, agentclient.FreeAlways)
	_, err := recipient.SetPerson(t.Context(), agentclient.SetPerson{PersonID: agentclient.PersonID{Address: sender.address}, Free: "0"})
	must(t, err)
	w.free(sender, recipient, "Secret") // it was not told yet
	m := w.comes(recipient, "", "unpaid")
	if m.From != sender.address || m.Name != "" || !m.Free || m.Bond != "" {
		t.Errorf("it is shown as %+v", m)
	}
	message, err := recipient.Message(t.Context(), m.ID)
	must(t, err)
	if message.Text != "" || message.Subject != "" {
		t.Errorf("it is opened: %+v", message)
	}
	if _, err := recipient.Accept(t.Context(), m.ID, agentclient.Accept{Free: "lots"}); code(err) != agentclient.CodeUsage {
		t.Errorf("accept with nonsense: %v", err)
	}
	after, err := recipient.Accept(t.Context(), m.ID, agentclient.Accept{Free: "1"})
	must(t, err)
	if after.State != "accepted" || after.Subject != "Secret" {
		t.Errorf("after accept: %+v", after)
	}
	if message, err = recipient.Message(t.Context(), m.ID); err != nil || message.Text != "Body of Secret" {
		t.Errorf("after accept: %q, %v", message.Text, err)
	}
	w.free(sender, recipient, "Second")
	w.comes(recipient, "Second", "accepted")
	w.free(sender, recipient, "Third")
	third := w.comes(recipient, "", "unpaid")
	rejected, err := recipient.Reject(t.Context(), third.ID, agentclient.Reject{})
	must(t, err)
	if rejected.State != "rejected" || rejected.Subject != "" || rejected.Queued {
		t.Errorf("after reject: %+v", rejected)
	}
	if _, err := recipient.Accept(t.Context(), third.ID, agentclient.Accept{}); code(err) != agentclient.CodeState {
		t.Errorf("accept after reject: %v", err)
	}
	if _, err := recipient.Undo(t.Context(), m.ID); code(err) != agentclient.CodeState {
		t.Errorf("undo: %v", err)
	}
	// A mail back tells how many are left, and the sender pays from then on.
	w.free(recipient, sender, "Answer")
	w.comes(sender, "Answer", "accepted")
	if there := sender.knows(w, recipient).FreeThere; there != "0" {
		t.Errorf("after an answer the sender thinks %s are left", there)
	}
	w.has(sender, "1.00", "0.00")
}

// Two windows decide at once: one counts, and what was accepted stays readable.
func TestK11_OneDecisionOfAnUnpaidMailCounts(t *testing.T) {
	w, recipient, sender := connected(t, agentclient.FreeAlways)
	none := agentclient.SetPerson{PersonID: agentclient.PersonID{Address: sender.address}, Free: "0"}
	for i := range 5 {
		_, err := recipient.SetPerson(t.Context(), none)
		must(t, err)
		w.free(sender, recipient, fmt.Sprint("Mail ", i))
		m := w.comes(recipient, "", "unpaid")
		var accepted, rejected error
		var both sync.WaitGroup
		both.Go(func() { _, accepted = recipient.Accept(t.Context(), m.ID, agentclient.Accept{Free: "0"}) })
		both.Go(func() { _, rejected = recipient.Reject(t.Context(), m.ID, agentclient.Reject{}) })
		both.Wait()
		if (accepted == nil) == (rejected == nil) {
			t.Errorf("accept: %v, reject: %v", accepted, rejected)
		}
		message, err := recipient.Message(t.Context(), m.ID)
		must(t, err)
		if state := message.State; (state == "accepted") != (accepted == nil) || (message.Text != "") != (accepted == nil) {
			t.Errorf("accept: %v, and it is %s with the text %q", accepted, state, message.Text)
		}
	}
}

func TestK12_WhoWasPaidForMayAlwaysWrite(t *testing.T) {
	w, recipient, sender := connected(t, agentclient.FreeNone)
	known := sender.knows(w, recipient)
	if known.Why != agentclient.WhyPaid || known.Free != agentclient.FreeAlways || known.FreeThere != agentclient.FreeNone {
		t.Errorf("the sender knows %+v", known)
	}
	known = recipient.knows(w, sender)
	if known.Why != agentclient.WhyAccepted || known.Free != agentclient.FreeNone || known.FreeThere != agentclient.FreeAlways {
		t.Errorf("the recipient knows %+v", known)
	}
	w.switchOff(true)
	w.free(recipient, sender, "An answer")
	w.comes(sender, "An answer", "accepted")
	if asked := w.askedForMails(); len(asked) > 0 {
		t.Errorf("the escrow was asked for %q", asked)
	}
}

// An accept in the other direction makes it both, and mail to the older keys
// still opens.
func TestK11_AcceptBothWaysIsOneConnectionAndLosesNoMail(t *testing.T) {
	w, recipient, sender := connected(t, agentclient.FreeAlways)
	w.price(sender, "0.25")
	late := w.caught(sender, recipient, "Under way")
	paid, err := recipient.Send(t.Context(), agentclient.Compose{To: []string{sender.address}, Subject: "Paid back", Body: "b", Paid: true})
	must(t, err)
	if paid[0].Free || paid[0].Bond == "" {
		t.Fatalf("Paid did not force a bond: %+v", paid[0])
	}
	m := w.waits(sender, paid[0].Bond, "waiting")
	_, err = sender.Accept(t.Context(), m.ID, agentclient.Accept{})
	must(t, err)
	for _, pair := range [][2]*person{{sender, recipient}, {recipient, sender}} {
		eventually(t, "it is both", func() bool { return pair[0].knows(w, pair[1]).Why == agentclient.WhyBoth })
		people, err := pair[0].People(t.Context())
		if err != nil || len(people) != 1 {
			t.Errorf("%d connections, %v", len(people), err)
		}
	}
	must(t, w.mail.Deliver(recipient.address, late))
	w.comes(recipient, "Under way", "accepted")
	w.free(sender, recipient, "New keys")
	w.comes(recipient, "New keys", "accepted")
	w.free(recipient, sender, "New keys back")
	w.comes(sender, "New keys back", "accepted")
}

func TestK15_RemovingSomebodyDeletesTheKeysAndTheNextMailNeedsABond(t *testing.T) {
	w, recipient, sender := connected(t, agentclient.FreeAlways)
	must(t, recipient.RemovePerson(t.Context(), agentclient.PersonID{Address: sender.address}))
	if recipient.knows(w, sender) != nil {
		t.Error("the connection is still there")
	}
	if err := recipient.RemovePerson(t.Context(), agentclient.PersonID{Address: sender.address}); code(err) != agentclient.CodeNotFound {
		t.Errorf("removed twice: %v", err)
	}
	var name string
	w.look(recipient, func(tx *store.Tx) error {
		keys, err := store.List[store.Key](tx, store.KeyDead)
		if len(keys) == 1 {
			name = keys[0].Name
		}
		return err
	})
	eventually(t, "the private key is gone", func() bool {
		_, err := recipient.ring.Get(t.Context(), name)
		return name != "" && err != nil
	})
	w.free(sender, recipient, "Nobody reads this")
	w.free(sender, recipient, "Nor this")
	eventually(t, "both are in the mailbox", func() bool {
		all, err := w.mail.Messages(t.Context(), recipient.address, "INBOX")
		must(t, err)
		n := 0
		for _, raw := range all {
			if isEncrypted(raw) {
				n++
			}
		}
		return n >= 3
	})
	sent, err := recipient.Send(t.Context(), agentclient.Compose{To: []string{sender.address}, Subject: "s", Body: "b"})
	if err == nil {
		t.Errorf("a mail to somebody removed went %+v", sent)
	}
	list, err := recipient.Inbox(t.Context())
	must(t, err)
	if len(list) != 1 {
		t.Errorf("the inbox has %+v", list)
	}
	// A list of bonds that comes again does not bring it back.
	recipient.stop()
	w.start(recipient)
	if recipient.knows(w, sender) != nil {
		t.Error("the connection is back")
	}
}

// Bonds that were accepted by an agent without connections get theirs.
func TestK15_AcceptsOfBeforeAreConnectedAtTheStart(t *testing.T) {
	w, recipient, sender := connected(t, agentclient.FreePolicy)
	for _, p := range []*person{recipient, sender} {
		p.stop()
		w.change(p, func(tx *store.Tx) error {
			conns, err := store.List[store.Connection](tx)
			must(t, err)
			keys, err := store.List[store.Key](tx, store.KeyConnected)
			must(t, err)
			for _, key := range keys {
				if key.Connection = ""; p == sender { // reply keys had no record
					must(t, store.Delete[store.Key](tx, key.Fingerprint))
				} else {
					must(t, store.Put(tx, key))
				}
			}
			accounts, err := store.List[store.Account](tx)
			must(t, err)
			accounts[0].Connected = false
			must(t, store.Delete[store.Connection](tx, conns[0].ID))
			return store.Put(tx, accounts[0])
		})
		w.start(p)
	}
	w.switchOff(true)
	eventually(t, "both know each other", func() bool { return recipient.knows(w, sender) != nil && sender.knows(w, recipient) != nil })
	w.free(recipient, sender, "After the update")
	w.comes(sender, "After the update", "accepted")
}
