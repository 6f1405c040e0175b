package badinput

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"earnest/agentclient"
	"earnest/internal/mailhost"
	"earnest/internal/sandbox"
	letters "earnest/mail"
)

// ready is a system with both accounts, money and a price.
func ready(t *testing.T, terms string, slow time.Duration) *system {
	t.Helper()
	s := start(t, terms, slow)
	s.join(s.Recipient, s.Recipient.Mailbox)
	s.join(s.Sender, s.Sender.Mailbox)
	s.topUp(s.Recipient)
	s.topUp(s.Sender)
	s.does(s.Recipient, "", "price", "set", "0.25")
	s.keysFor(s.Recipient, 0)
	return s
}

// says fails unless every part is in what was printed.
func says(t *testing.T, printed string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(printed, part) {
			t.Errorf("it does not say %q", part)
		}
	}
}

func TestEscrowIsDown(t *testing.T) {
	t.Parallel()
	s := ready(t, sandbox.LongTerms, 0)
	body := s.file("letter.txt", []byte("Hello.\n"))
	// Paid, and handed over only when the escrow is down.
	s.host.SetFault(mailhost.RefuseForNow, 0)
	paid := s.does(s.Sender, "", "send", "--to", s.Recipient.Address, "--subject", "Hello", "--body-file", body)
	says(t, paid, "Paid. €0.25 is held", "waits in the outbox")
	s.heldIs(s.Sender, "0.25")
	time.Sleep(300 * time.Millisecond) // the recipient's agent hears of the sale
	must(t, s.StopEscrow())
	s.host.SetFault(mailhost.Well, 0)
	held := s.waits(s.Recipient, "held")
	says(t, s.does(s.Recipient, "", "inbox"), "waits for the escrow", "(not opened)")
	says(t, s.does(s.Recipient, "", "read", held.ID), "waits for the escrow", "€0.25, to be confirmed by the escrow", "It is opened by itself when the escrow answers")
	s.fails(s.Recipient, 8, "waits for the escrow and is not opened", "no money moved", "Decide when it is opened", "", "accept", held.ID)
	s.fails(s.Sender, 9, "does not answer", "no money is lost", "when it is back", "", "send", "--to", "x@mail.example", "--subject", "s", "--body-file", body)
	says(t, s.does(s.Recipient, "", "status"), "does not answer since")

	must(t, s.StartEscrow(t.Context(), s.Terms))
	waiting := s.waits(s.Recipient, "waiting")
	must(t, s.StopEscrow())
	says(t, s.does(s.Recipient, "", "accept", waiting.ID), "goes back to "+s.Sender.Address, "decision is kept and goes out when it is back")
	must(t, s.StartEscrow(t.Context(), s.Terms))
	s.eventually("the sender has the money back", func() bool {
		balances, err := s.Sender.Agent.Balances(t.Context())
		return err == nil && balances[0].Available.Amount == "5.00"
	})
	must(t, s.VerifyBooks(t.Context()))
}

// TestQuoteAfterItsExpiry writes to two people through a slow mail server: when
// the first mail is handed over, the second one's price is too old. The same
// price is asked for again; another one is not paid.
func TestQuoteAfterItsExpiry(t *testing.T) {
	t.Parallel()
	s := ready(t, "quote=2s,deliver=30d,decide=14d,undo=10m,final=60d", 3*time.Second)
	second := s.third("second")
	body := s.file("letter.txt", []byte("Hello.\n"))
	send := []string{"send", "--to", s.Recipient.Address, "--to", second.Address, "--subject", "Hello", "--body-file", body}
	says(t, s.does(s.Sender, "", send...), "Sent. €0.25 is held", "Sent. €0.10 is held")
	for _, p := range []*sandbox.Person{s.Recipient, second} {
		s.does(p, "", "accept", s.waits(p, "waiting").ID)
	}
	s.heldIs(s.Sender, "0.00")

	time.AfterFunc(time.Second, func() {
		_, err := second.Agent.SetPrice(context.Background(), agentclient.SetPrice{Options: []string{"0.50"}})
		if err != nil {
			t.Error(err)
		}
	})
	s.fails(s.Sender, 8, "1 of 2 mails were not sent: to "+second.Address+". Nothing was paid and nothing was sent: the recipient asks another price now.",
		"nothing was paid", "Look at the price", "", append(send, "--paid")...) // by now it could go free
	says(t, s.does(s.Sender, "", "sent"), "failed")
	s.heldIs(s.Sender, "0.25")
	must(t, s.VerifyBooks(t.Context()))
}

func TestTamperedAndMalformedMails(t *testing.T) {
	t.Parallel()
	s := ready(t, sandbox.LongTerms, 0)
	sender := newTools(t, s)

	t.Run("tampered", func(t *testing.T) {
		s := s.in(t)
		raw := sender.seal(t, "Content-Type: text/plain\r\n\r\nSecret words.\r\n")
		must(t, s.host.Deliver(s.Recipient.Address, tamper(t, raw)))
		damaged := s.waits(s.Recipient, "damaged")
		says(t, s.does(s.Recipient, "", "inbox"), "damaged", "(not opened)")
		says(t, s.does(s.Recipient, "", "read", damaged.ID), "(not opened)", "comes back to the sender", "cannot be trusted: it was changed on its way", "not opened and nothing was decided", "the bond goes back by itself")
		s.fails(s.Recipient, 8, "cannot be trusted and was not opened", "no money moved", "Do nothing", "", "reject", damaged.ID)
		// The sender sends it again, whole.
		must(t, s.host.Deliver(s.Recipient.Address, raw))
		whole := s.waits(s.Recipient, "waiting")
		says(t, s.does(s.Recipient, "", "read", whole.ID), "Secret words.")
		s.does(s.Recipient, "", "accept", whole.ID)
		s.waits(s.Recipient, "accepted")
	})
	for name, inner := range map[string]string{
		"a tree without end":        nested(400) + "Content-Type: text/plain\r\n\r\nDeep.\r\n",
		"a part without its border": "Content-Type: multipart/mixed\r\n\r\nNo boundary is named.\r\n",
		"an open border":            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nStill here.\r\n",
		"broken base64":             "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n####\r\n",
		"no header at all":          "\x00\x01\x02\r\n\xff\xfe\r\n",
		"an unknown charset":        "Content-Type: text/plain; charset=x-nobody\r\n\r\nWords.\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := s.in(t)
			sender.buy(t, s)
			must(t, s.host.Deliver(s.Recipient.Address, sender.seal(t, inner)))
			m := s.waits(s.Recipient, "waiting")
			got := s.earnest(s.Recipient, "", "read", m.ID)
			switch got.code {
			case 0:
				says(t, got.out, "Signed by the buyer", "€0.25 held")
			case 10:
				says(t, got.err, "its parts cannot be read", "the bond is held as before", "accept, reject")
			default:
				t.Errorf("exit code %d", got.code)
			}
			s.does(s.Recipient, "", "accept", m.ID) // and it can be decided
			s.heldIs(s.Sender, "0.00")
		})
	}
	t.Run("not PGP/MIME though it says so", func(t *testing.T) {
		s := s.in(t)
		sender.buy(t, s)
		for _, raw := range []string{
			"From: a@example.org\r\nContent-Type: multipart/encrypted\r\n\r\nnothing\r\n",
			"From: a@example.org\r\nContent-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\r\n\r\n--b\r\n--b\r\n--b\r\n",
			"Content-Type: multipart/encrypted; boundary=\"\r\n\r\n",
		} {
			must(t, s.host.Deliver(s.Recipient.Address, []byte(raw)))
		}
		must(t, s.host.Deliver(s.Recipient.Address, sender.seal(t, "Content-Type: text/plain\r\n\r\nAfter them.\r\n")))
		m := s.waits(s.Recipient, "waiting") // the agent goes on
		says(t, s.does(s.Recipient, "", "read", m.ID), "After them.")
	})
	must(t, s.VerifyBooks(t.Context()))
}

// in is the system for a subtest.
func (s *system) in(t *testing.T) *system {
	copied := *s
	copied.t = t
	return &copied
}

func nested(depth int) string {
	return strings.Repeat("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", depth)
}

// tools are another OpenPGP program: what it encrypts, nobody has looked at.
type tools struct {
	s      *system
	own    *openpgp.Entity
	file   string
	bought *openpgp.Entity
	n      int
}

func newTools(t *testing.T, s *system) *tools {
	t.Helper()
	own, err := openpgp.NewEntity("sender", "", s.Sender.Address, &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Curve: packet.Curve25519})
	must(t, err)
	var certificate bytes.Buffer
	must(t, own.Serialize(&certificate))
	tool := &tools{s: s, own: own, file: s.file("sender.pgp", certificate.Bytes())}
	tool.buy(t, s)
	return tool
}

// buy buys the key for the next mail with the command line.
func (o *tools) buy(t *testing.T, s *system) {
	t.Helper()
	o.n++
	out := o.file + strings.Repeat("x", o.n)
	s.does(s.Sender, "", "buy", "--to", s.Recipient.Address, "--sender-cert", o.file, "--key-out", out)
	keys, err := readKeys(out)
	must(t, err)
	o.bought = keys[0]
}

// seal signs and encrypts whatever it is given.
func (o *tools) seal(t *testing.T, inner string) []byte {
	t.Helper()
	var sealed bytes.Buffer
	armored, err := armor.Encode(&sealed, "PGP MESSAGE", nil)
	must(t, err)
	plain, err := openpgp.Encrypt(armored, []*openpgp.Entity{o.bought}, o.own, nil, nil)
	must(t, err)
	_, err = plain.Write([]byte(inner))
	must(t, err)
	must(t, plain.Close())
	must(t, armored.Close())
	raw, err := letters.WrapEncrypted([]letters.Field{
		{Name: "From", Value: o.s.Sender.Address}, {Name: "To", Value: o.s.Recipient.Address}, {Name: "Subject", Value: "Odd"},
		{Name: "Date", Value: time.Now().Format(time.RFC1123Z)}, {Name: "Message-ID", Value: letters.NewMessageID(o.s.Sender.Address)},
	}, sealed.Bytes())
	must(t, err)
	return raw
}

// tamper changes one character in the middle of the armor.
func tamper(t *testing.T, raw []byte) []byte {
	t.Helper()
	changed := bytes.Clone(raw)
	start, end := bytes.Index(raw, []byte("-----BEGIN PGP MESSAGE-----")), bytes.Index(raw, []byte("-----END PGP MESSAGE-----"))
	for i := (start + end) / 2; i < end; i++ {
		if changed[i] >= 'a' && changed[i] < 'z' {
			changed[i]++
			return changed
		}
	}
	t.Fatal("there is nothing to change")
	return nil
}
