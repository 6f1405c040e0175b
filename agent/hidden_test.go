package agent_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"

	"earnest/escrow"
	"earnest/mail"
)

func TestHiddenRecipientIsFoundByTrial(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	bond, write := w.stock(sender, recipient)
	// A foreign one goes by, and an identical copy is a duplicate.
	must(t, w.mail.Deliver(recipient.address, hide(t, foreign(t, "friend@example.org", recipient.address))))
	raw := hide(t, write("Hidden", "for your eyes"))
	must(t, w.mail.Deliver(recipient.address, raw))
	must(t, w.mail.Deliver(recipient.address, raw))
	got := w.waits(recipient, bond, "waiting")
	message, err := recipient.Message(t.Context(), got.ID)
	must(t, err)
	if message.Subject != "Hidden" || message.Text != "for your eyes" {
		t.Errorf("read as %q %q", message.Subject, message.Text)
	}
	inbox, err := recipient.Inbox(t.Context())
	must(t, err)
	if len(inbox) != 1 {
		t.Errorf("%d mails are shown", len(inbox))
	}
}

// The agent was off when the key was sold and the mail came: whichever of list
// and mailbox is read first, the mail is not lost.
func TestHiddenRecipientWaitsForTheListOfBonds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	recipient.stop()
	bond, write := w.stock(sender, recipient)
	must(t, w.mail.Deliver(recipient.address, hide(t, write("Hidden", "for your eyes"))))
	w.setDown(true)
	w.start(recipient)
	eventually(t, "the mailbox is read", func() bool {
		status, err := recipient.Status(t.Context())
		return err == nil && status.Accounts[0].Mailbox == "watching"
	})
	time.Sleep(200 * time.Millisecond)
	w.setDown(false)
	w.waits(recipient, bond, "waiting")
}

// A flood of foreign mails with hidden recipients uses up the trials of an hour;
// the paid mail behind it waits and is not lost.
func TestFloodOfHiddenRecipientsLosesNoMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	bond, write := w.stock(sender, recipient)
	w.keyOf(recipient, bond)
	flood := hide(t, foreign(t, "flood@example.org", recipient.address))
	for i := range 25 {
		must(t, w.mail.Deliver(recipient.address, append(bytes.Clone(flood), strings.Repeat("\r\n", i)...)))
	}
	must(t, w.mail.Deliver(recipient.address, hide(t, write("Hidden", "behind the flood"))))
	w.write(w.join("other", "1.00"), recipient, "After them") // all before it were looked at
	inbox, err := recipient.Inbox(t.Context())
	must(t, err)
	if len(inbox) != 1 {
		t.Fatal("the flood did not use up the trials: the test tests nothing")
	}
	w.pass(time.Hour + time.Minute)
	w.waits(recipient, bond, "waiting")
}

// hide takes the key ids out of an encrypted mail, as gpg --throw-keyids does
// (RFC 9580 section 5.1: a wildcard is eight zero octets).
func hide(t *testing.T, raw []byte) []byte {
	t.Helper()
	armored, err := mail.EncryptedPart(raw)
	must(t, err)
	block, err := armor.Decode(bytes.NewReader(armored))
	must(t, err)
	var packets bytes.Buffer
	_, err = packets.ReadFrom(block.Body)
	must(t, err)
	data := packets.Bytes()
	// A new-format PKESK, version 3, whose length is one octet.
	if data[0] != 0xc1 || data[1] >= 192 || data[2] != 3 {
		t.Fatalf("the mail begins with % x, not with the packet that names its key", data[:3])
	}
	clear(data[3:11])
	var out bytes.Buffer
	writer, err := armor.Encode(&out, block.Type, nil)
	must(t, err)
	_, err = writer.Write(data)
	must(t, err)
	must(t, writer.Close())
	hidden := bytes.ReplaceAll(append(out.Bytes(), '\n'), []byte("\n"), []byte("\r\n"))
	return bytes.Replace(raw, bytes.TrimSpace(armored), bytes.TrimSpace(hidden), 1)
}
