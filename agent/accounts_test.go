package agent_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/crypto/keyring"
	"earnest/crypto/openpgp"
	"earnest/escrow"
	"earnest/mail"
)

// Two accounts in one agent; they write to each other, so that it is both
// parties of the bonds.
func TestTwoAccountsOfOneAgentWriteToEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	home := w.join("home", "1.00")
	work := w.second(home, "work@mail.example", "work@mail.example")
	for address, price := range map[string]string{home.address: "0.25", work: "0.10"} {
		_, err := home.SetPrice(t.Context(), agentclient.SetPrice{Address: address, Options: []string{price}})
		must(t, err)
	}
	eventually(t, "keys of home are for sale", func() bool {
		status, err := home.Status(t.Context())
		return err == nil && status.Accounts[0].Pool > 0
	})
	_, err := home.Send(t.Context(), agentclient.Compose{To: []string{home.address}, Subject: "s", Body: "b"})
	if failure, ok := errors.AsType[*agentclient.Failure](err); !ok || failure.Code != agentclient.CodeUsage {
		t.Errorf("which account writes was not asked: %v", err)
	}
	w.topUp(home, 1, "1.00")
	sent, err := home.Send(t.Context(), agentclient.Compose{From: work, To: []string{home.address}, Subject: "From work", Body: "b"})
	must(t, err)
	got := w.waits(home, sent[0].Bond, "waiting")
	if got.To != home.address || got.From != work || got.Subject != "From work" {
		t.Errorf("shown as %+v", got)
	}
	w.sentIs(home, sent[0].Bond, "arrived", "held")
	_, err = home.Accept(t.Context(), got.ID, agentclient.Accept{})
	must(t, err)
	w.waits(home, sent[0].Bond, "accepted")
	w.sentIs(home, sent[0].Bond, "accepted", "refunded")
	home.stop()
	w.start(home)
	w.sentIs(home, sent[0].Bond, "accepted", "refunded")
	for _, id := range []string{got.ID, sent[0].ID} {
		if receipts, err := home.Receipts(t.Context(), id); err != nil || !receipts.Verified {
			t.Errorf("receipts: %v %s", err, receipts.Fault)
		}
	}
}

// Two addresses of one mailbox: each account sees the other's mail, and takes
// its own alone.
func TestTwoAddressesOfOneMailbox(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	w.aliases = map[string]string{"home@mail.example": "alias@mail.example"}
	home, sender := w.join("home", "1.00"), w.join("sender", "1.00")
	w.second(home, "alias@mail.example", home.address)
	w.topUp(home, 1, "1.00")
	for _, address := range []string{home.address, "alias@mail.example"} {
		_, err := home.SetPrice(t.Context(), agentclient.SetPrice{Address: address, Options: []string{"0.25"}})
		must(t, err)
	}
	eventually(t, "keys of both are for sale", func() bool {
		status, err := home.Status(t.Context())
		return err == nil && status.Accounts[0].Pool > 0 && status.Accounts[1].Pool > 0
	})
	sent, err := sender.Send(t.Context(), agentclient.Compose{To: []string{home.address, "alias@mail.example"}, Subject: "To both", Body: "b"})
	must(t, err)
	for i, to := range []string{home.address, "alias@mail.example"} {
		if got := w.waits(home, sent[i].Bond, "waiting"); got.To != to {
			t.Errorf("the mail to %s is shown as one to %s", to, got.To)
		}
	}
	must(t, w.mail.Renumber(t.Context(), home.address, "INBOX"))
	third := w.write(w.join("other", "1.00"), home, "After it")
	inbox, err := home.Inbox(t.Context())
	must(t, err)
	for _, m := range inbox {
		if m.State != "waiting" {
			t.Errorf("%q is %s: %s", m.Subject, m.State, m.Error)
		}
	}
	if len(inbox) != 3 || third.To != home.address {
		t.Errorf("%d mails are shown", len(inbox))
	}
}

func TestLargestMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	big := bytes.Repeat([]byte("0123456789abcde\n"), 20<<16) // 20 MB
	compose := agentclient.Compose{To: []string{recipient.address}, Subject: "Large", Body: "see below",
		Attachments: []agentclient.Attachment{{Name: "big.bin", Type: "application/octet-stream", Data: big}}}
	sent, err := sender.Send(t.Context(), compose)
	must(t, err)
	got := w.waits(recipient, sent[0].Bond, "waiting")
	at, err := recipient.Attachment(t.Context(), got.ID, 0)
	must(t, err)
	if !bytes.Equal(at.Data, big) {
		t.Errorf("%d bytes came of %d", len(at.Data), len(big))
	}
	if agentclient.MaxMail != mail.MaxData {
		t.Errorf("the agent's limit is %d and a mail's is %d", agentclient.MaxMail, mail.MaxData)
	}
	compose.Attachments[0].Data = bytes.Repeat([]byte("x"), agentclient.MaxMail) // and the text
	_, err = sender.Send(t.Context(), compose)
	if failure, ok := errors.AsType[*agentclient.Failure](err); !ok || failure.Code != agentclient.CodeTooLarge ||
		failure.Happened != "Text and attachments are 26 MB, and a mail can have 25 MB." {
		t.Errorf("over the limit: %v", err)
	}
	w.has(sender, "0.75", "0.25")
}

// second adds an account to the person's agent, with a mailbox of its own or
// the one of an address that the login reads.
func (w *world) second(p *person, address, login string) string {
	w.t.Helper()
	password := "pw home"
	if login == address {
		password = "pw"
		must(w.t, w.mail.AddUser(login, password, address))
	}
	_, err := p.AddAccount(w.t.Context(), agentclient.AddAccount{Address: address, IMAP: "imaps://" + w.mail.IMAPAddr,
		SMTP: "smtps://" + w.mail.SubmissionsAddr, User: login, Password: password, Escrow: "https://escrow.example"})
	must(w.t, err)
	eventually(w.t, address+" is proven", func() bool {
		status, err := p.Status(w.t.Context())
		return err == nil && len(status.Accounts) == 2 && status.Accounts[1].Proven
	})
	return address
}

// topUp redeems a voucher for the n-th account of the person's agent.
func (w *world) topUp(p *person, n int, amount string) {
	w.t.Helper()
	status, err := p.Status(w.t.Context())
	must(w.t, err)
	w.redeem(escrow.KeyID(status.Accounts[n].Identity), amount)
}

// quietList is an escrow whose list of bonds brings nothing new.
type quietList struct{ escrow.Service }

func (q quietList) Bonds(ctx context.Context, after int64, wait time.Duration) (escrow.BondPage, error) {
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
	return escrow.BondPage{Cursor: after}, ctx.Err()
}

// A key bought for other tools is handed over again while no mail to it came:
// afterwards nothing that is written to it would be opened.
func TestUsedKeyIsNotHandedOverAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	recipient, sender := w.join("recipient", "1.00"), w.join("sender", "1.00")
	w.price(recipient, "0.25")
	keys := openpgp.NewKeys(keyring.OpenMemory(), time.Now)
	own, err := keys.Generate(t.Context(), "own", "sender")
	must(t, err)
	buy := agentclient.BuyKey{To: recipient.address, Certificate: own.Raw}
	first, err := sender.Buy(t.Context(), buy)
	must(t, err)
	again, err := sender.Buy(t.Context(), buy)
	must(t, err)
	if again.Bond != first.Bond || again.Key != first.Key {
		t.Error("a key that nobody used was bought twice")
	}
	w.keyOf(recipient, first.Bond)
	w.between(func(s escrow.Service) escrow.Service { return quietList{s} })
	time.Sleep(300 * time.Millisecond) // the polls that began before
	key, err := openpgp.ParseCertificate([]byte(first.Key))
	must(t, err)
	raw, err := keys.Seal(t.Context(), openpgp.SealRequest{
		Letter: mail.Letter{From: sender.address, To: recipient.address, Subject: "Used", Text: "x", Date: time.Now(), MessageID: mail.NewMessageID(sender.address)},
		Stamp:  openpgp.Stamp{Bond: first.Bond, Key: first.Fingerprint, Reply: own.Fingerprint}, To: key, SignWith: "own",
	})
	must(t, err)
	must(t, w.mail.Deliver(recipient.address, raw))
	w.waits(recipient, first.Bond, "waiting")
	if bought, err := sender.Buy(t.Context(), buy); !errors.Is(err, escrow.OpenBond) {
		t.Errorf("with a mail undecided: bond %s, %v", bought.Bond, err)
	}
}
