package agent_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/crypto/keyring"
	"earnest/crypto/openpgp"
	"earnest/escrow"
	"earnest/internal/mailhost"
	"earnest/mail"
)

func TestK8_UnencryptedMailIsUntouched(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	raw := []byte("From: friend@example.org\r\nTo: recipient@mail.example\r\nSubject: Lunch?\r\n\r\nAt noon?\r\n")
	must(t, w.mail.Deliver(recipient.address, raw))
	w.write(sender, recipient, "After it") // proves that the agent has passed the first
	w.untouched(recipient, raw, 1)
}

func TestK9_ForeignEncryptedMailIsUntouched(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	raw := foreign(t, "friend@example.org", recipient.address)
	must(t, w.mail.Deliver(recipient.address, raw))
	w.write(sender, recipient, "After it")
	w.untouched(recipient, raw, 1)
}

func TestMailOfABuyerToAForeignKeyRaisesAnAlarm(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	w.mail.SetFault(mailhost.RefuseForNow, 1000) // the paid mail itself stays in the outbox
	_, err := sender.Send(t.Context(), agentclient.Compose{To: []string{recipient.address}, Subject: "s", Body: "b"})
	must(t, err)
	time.Sleep(300 * time.Millisecond) // the list of bonds comes ahead of the mail
	must(t, w.mail.Deliver(recipient.address, foreign(t, sender.address, recipient.address)))
	eventually(t, "the alarm is shown", func() bool {
		list, err := recipient.Inbox(t.Context())
		must(t, err)
		return len(list) == 1 && list[0].State == "damaged" && strings.Contains(list[0].Error, "a key that is not yours")
	})
}

func TestK20_PaidMailIsFoundInJunk(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	// A spam filter that puts everything into Junk.
	raw := w.intercept(sender, recipient, "In the junk folder")
	must(t, w.mail.DeliverTo(recipient.address, "Junk", raw))
	must(t, w.mail.Deliver(recipient.address, []byte("From: a@b.example\r\nSubject: wakes INBOX\r\n\r\n.\r\n")))
	eventually(t, "the mail in Junk waits", func() bool {
		list, err := recipient.Inbox(t.Context())
		must(t, err)
		return len(list) == 1 && list[0].State == "waiting"
	})
}

func TestSecondCopyIsADuplicateAndAnotherMailIsNotOpened(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	raw := w.intercept(sender, recipient, "Once")
	must(t, w.mail.Deliver(recipient.address, raw))
	must(t, w.mail.Deliver(recipient.address, raw))
	list, err := sender.Sent(t.Context())
	must(t, err)
	w.waits(recipient, list[0].Bond, "waiting")
	must(t, w.mail.Deliver(recipient.address, append(bytes.Clone(raw), "\r\n"...)))
	time.Sleep(300 * time.Millisecond)
	inbox, err := recipient.Inbox(t.Context())
	must(t, err)
	if len(inbox) != 1 {
		t.Errorf("%d mails are shown for one bond", len(inbox))
	}
}

func TestTamperedMailIsNotOpenedAndNothingIsDecided(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	raw := w.intercept(sender, recipient, "Secret subject")
	broken := tamper(t, raw)
	must(t, w.mail.Deliver(recipient.address, broken))
	var shown agentclient.Mail
	eventually(t, "the mail is called damaged", func() bool {
		inbox, err := recipient.Inbox(t.Context())
		must(t, err)
		if len(inbox) == 1 {
			shown = inbox[0]
		}
		return shown.State == "damaged"
	})
	if shown.Subject != "" || !strings.Contains(shown.Error, "not opened and nothing was decided") {
		t.Errorf("a damaged mail is shown as %+v", shown)
	}
	_, err := recipient.Reject(t.Context(), shown.ID, agentclient.Reject{})
	if failure, ok := errors.AsType[*agentclient.Failure](err); !ok || failure.Code != agentclient.CodeState {
		t.Errorf("reject of a damaged mail: %v", err)
	}
	// The sender may send again under the same bond.
	must(t, w.mail.Deliver(recipient.address, raw))
	eventually(t, "the second copy waits", func() bool {
		inbox, err := recipient.Inbox(t.Context())
		must(t, err)
		return len(inbox) == 2 && inbox[0].State == "waiting"
	})
}

func TestProtectedFromMustBeTheBuyer(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	raw, bond := w.forge(sender, recipient, "somebody.else@mail.example")
	must(t, w.mail.Deliver(recipient.address, raw))
	shown := w.waits(recipient, bond, "damaged")
	if !strings.Contains(shown.Error, "somebody other than the one who paid") || shown.Subject != "" {
		t.Errorf("shown as %+v", shown)
	}
	w.has(sender, "0.75", "0.25") // not arrived: the bond stays as it was
}

func TestEscrowDown_MailWaitsUnopenedAndDecisionsQueue(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	raw := w.intercept(sender, recipient, "Waits for the escrow")
	w.setDown(true)
	must(t, w.mail.Deliver(recipient.address, raw))
	sent, err := sender.Sent(t.Context())
	must(t, err)
	held := w.waits(recipient, sent[0].Bond, "held")
	if held.Subject != "" {
		t.Error("the subject is shown before the escrow's receipt")
	}
	w.setDown(false)
	mail := w.waits(recipient, sent[0].Bond, "waiting")
	w.setDown(true)
	decided, err := recipient.Accept(t.Context(), mail.ID, agentclient.Accept{})
	must(t, err)
	if !decided.Queued || decided.State != "accepted" {
		t.Errorf("a decision without the escrow: %+v", decided)
	}
	recipient.stop() // and it outlives a restart
	w.start(recipient)
	w.setDown(false)
	w.sentIs(sender, mail.Bond, "accepted", "refunded")
}

func TestSwappedOneTimeKeyIsRefused(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	other, err := openpgp.NewKeys(keyring.OpenMemory(), time.Now).Generate(t.Context(), "k", "one-time key")
	must(t, err)
	w.between(func(s escrow.Service) escrow.Service { return swapping{s, other.Raw} })
	_, err = sender.Send(t.Context(), agentclient.Compose{To: []string{recipient.address}, Subject: "s", Body: "b"})
	if failure, ok := errors.AsType[*agentclient.Failure](err); !ok || failure.Code != agentclient.CodeDamaged {
		t.Fatalf("a swapped key: %v", err)
	}
	inbox, err := w.mail.Messages(t.Context(), recipient.address, "INBOX")
	must(t, err)
	if len(inbox) != 1 { // the token mail
		t.Error("a mail was sent to the swapped key")
	}
}

func TestNoMoneySaysHowMuchIsMissing(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "0.10")
	w.price(recipient, "0.25")
	_, err := sender.Send(t.Context(), agentclient.Compose{To: []string{recipient.address}, Subject: "s", Body: "b"})
	refused, ok := errors.AsType[*escrow.Error](err)
	if !ok || refused.Code != escrow.InsufficientFunds || *refused.Have != 10 || *refused.Need != 25 {
		t.Errorf("no money: %v", err)
	}
	w.has(sender, "0.10", "0.00")
}

func TestUnknownAddressHasNoOffer(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	sender := w.join("sender", "1.00")
	_, err := sender.Send(t.Context(), agentclient.Compose{To: []string{"nobody@mail.example"}, Subject: "s", Body: "b"})
	if !errors.Is(err, escrow.NoOffer) {
		t.Errorf("unknown address: %v", err)
	}
}

func TestRefusedMailIsWithdrawnAndRefunded(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	w.mail.SetFault(mailhost.RefuseForGood, 1)
	sent, err := sender.Send(t.Context(), agentclient.Compose{To: []string{recipient.address}, Subject: "s", Body: "b"})
	must(t, err)
	// The recipient's agent destroys the key unopened, and says so.
	w.sentIs(sender, sent[0].Bond, "withdrawn", "refunded")
	w.has(sender, "1.00", "0.00")
}

func TestCutAfterTheFinalDotDeliversOnce(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	w.mail.SetFault(mailhost.CutDelivered, 1)
	sent, err := sender.Send(t.Context(), agentclient.Compose{To: []string{recipient.address}, Subject: "s", Body: "b"})
	must(t, err)
	w.waits(recipient, sent[0].Bond, "waiting")
	w.sentIs(sender, sent[0].Bond, "arrived", "held")
}

func TestLettersToSeveralHaveOneBondEach(t *testing.T) {
	w := newWorld(t, escrow.Terms{})
	first, second, sender := w.join("first", "1.00"), w.join("second", "1.00"), w.join("sender", "1.00")
	w.price(first, "0.25")
	w.price(second, "0.10")
	big := strings.Repeat("0123456789abcdef", 64<<10)
	subject := "Grüße aus Łódź — 你好 " + strings.Repeat("sehr lang ", 40)
	sent, err := sender.Send(t.Context(), agentclient.Compose{
		To: []string{first.address, second.address}, Subject: subject, Body: "Zwei Leser, zwei Pfänder. ✓",
		Attachments: []agentclient.Attachment{{Name: "Prüfung.bin", Type: "application/octet-stream", Data: []byte(big)}},
	})
	must(t, err)
	w.has(sender, "0.65", "0.35")
	for i, p := range []*person{first, second} {
		got := w.waits(p, sent[i].Bond, "waiting")
		look, err := p.Look(t.Context(), got.ID)
		must(t, err)
		if line, err := p.MailByID(t.Context(), got.ID); err != nil || !line.Unread || look.Text == "" {
			t.Errorf("a look counts as reading: %+v, %v", line, err)
		}
		message, err := p.Message(t.Context(), got.ID)
		must(t, err)
		if message.Subject != strings.TrimSpace(subject) || message.Text != "Zwei Leser, zwei Pfänder. ✓" || got.To != p.address {
			t.Errorf("read as %q %q", message.Subject, message.Text)
		}
		at, err := p.Attachment(t.Context(), got.ID, 0)
		must(t, err)
		if at.Name != "Prüfung.bin" || string(at.Data) != big {
			t.Errorf("the attachment %q has %d bytes", at.Name, len(at.Data))
		}
	}
}

// swapping sells a key of its own.
type swapping struct {
	escrow.Service
	certificate []byte
}

func (s swapping) Buy(ctx context.Context, req escrow.BuyRequest) (escrow.Purchase, error) {
	purchase, err := s.Service.Buy(ctx, req)
	purchase.Certificate = s.certificate
	return purchase, err
}

// untouched fails unless the mail is in INBOX byte for byte and the agent shows
// only so many mails.
func (w *world) untouched(p *person, raw []byte, shown int) {
	w.t.Helper()
	inbox, err := p.Inbox(w.t.Context())
	must(w.t, err)
	if len(inbox) != shown {
		w.t.Errorf("the agent shows %d mails, want %d", len(inbox), shown)
	}
	all, err := w.mail.Messages(w.t.Context(), p.address, "INBOX")
	must(w.t, err)
	for _, m := range all {
		if bytes.Equal(m, raw) {
			return
		}
	}
	w.t.Error("the mail is not in the mailbox as it came")
}

// intercept has a mail sent and takes it out of the mailbox that it came to
// before the recipient's agent runs again.
func (w *world) intercept(from, to *person, subject string) []byte {
	w.t.Helper()
	to.stop()
	sent, err := from.Send(w.t.Context(), agentclient.Compose{To: []string{to.address}, Subject: subject, Body: "Body of " + subject})
	must(w.t, err)
	var raw []byte
	eventually(w.t, "the mail is delivered", func() bool {
		all, err := w.mail.Messages(w.t.Context(), to.address, "INBOX")
		must(w.t, err)
		raw = all[len(all)-1]
		return isEncrypted(raw)
	})
	must(w.t, w.mail.Empty(w.t.Context(), to.address, "INBOX"))
	w.start(to)
	eventually(w.t, "the agent is back", func() bool {
		status, err := to.Status(w.t.Context())
		return err == nil && status.Accounts[0].Mailbox == "watching"
	})
	w.keyOf(to, sent[0].Bond)
	return raw
}

// forge buys with stock tools, and signs a mail that says it is from somebody else.
func (w *world) forge(from, to *person, says string) ([]byte, string) {
	w.t.Helper()
	keys := openpgp.NewKeys(keyring.OpenMemory(), time.Now)
	own, err := keys.Generate(w.t.Context(), "own", "sender")
	must(w.t, err)
	bought, err := from.Buy(w.t.Context(), agentclient.BuyKey{To: to.address, Certificate: own.Raw})
	must(w.t, err)
	key, err := openpgp.ParseCertificate([]byte(bought.Key))
	must(w.t, err)
	raw, err := keys.Seal(w.t.Context(), openpgp.SealRequest{
		Letter: mail.Letter{From: says, To: to.address, Subject: "Forged", Text: "x", Date: time.Now(), MessageID: mail.NewMessageID(says)},
		Stamp:  openpgp.Stamp{Bond: bought.Bond, Key: bought.Fingerprint, Reply: own.Fingerprint},
		To:     key, SignWith: "own",
	})
	must(w.t, err)
	return raw, bought.Bond
}

// foreign is an encrypted mail to a key that is nobody's here.
func foreign(t *testing.T, from, to string) []byte {
	t.Helper()
	keys := openpgp.NewKeys(keyring.OpenMemory(), time.Now)
	own, err := keys.Generate(t.Context(), "own", "friend")
	must(t, err)
	raw, err := keys.Seal(t.Context(), openpgp.SealRequest{
		Letter: mail.Letter{From: from, To: to, Subject: "Private", Text: "x", Date: time.Now(), MessageID: mail.NewMessageID(from)},
		To:     own, SignWith: "own",
	})
	must(t, err)
	return raw
}

// tamper changes one character in the middle of the armor.
func tamper(t *testing.T, raw []byte) []byte {
	t.Helper()
	broken := bytes.Clone(raw)
	start := bytes.Index(broken, []byte("-----BEGIN PGP MESSAGE-----"))
	end := bytes.Index(broken, []byte("-----END PGP MESSAGE-----"))
	if start < 0 || end < 0 {
		t.Fatal("there is no armor in the mail")
	}
	for i := (start + end) / 2; i < end; i++ {
		if broken[i] >= 'a' && broken[i] < 'z' {
			broken[i]++
			return broken
		}
	}
	t.Fatal(fmt.Sprint("no letter to change in ", end-start, " bytes"))
	return nil
}

func isEncrypted(raw []byte) bool {
	_, err := mail.EncryptedPart(raw)
	return err == nil
}
