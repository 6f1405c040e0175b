package badinput

import (
	"crypto/rand"
	"testing"
	"time"

	"earnest/internal/mailhost"
	"earnest/internal/sandbox"
)

// TestSettingUpAndPaying gives wrong passwords, certificates, addresses and
// amounts to agents that are being set up.
func TestSettingUpAndPaying(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.LongTerms, 0)
	body := s.file("letter.txt", []byte("Hello.\n"))
	send := func(to string, more ...string) []string {
		return append([]string{"send", "--to", to, "--subject", "Hello", "--body-file", body}, more...)
	}
	own := s.Provider.Servers()

	s.fails(s.Sender, 4, "No such account", "no money moved", "earnest account add", "", send(s.Recipient.Address)...)
	s.fails(s.Sender, 4, "refused the user name or password", "The account was not added", "made for apps",
		"not the password\n", s.add(s.Sender, s.Sender.Mailbox, own)...)
	expired := expiredHost(t, s.Sender.Mailbox)
	s.fails(s.Sender, 4, "a certificate that has expired", "The account was not added", "clock",
		s.Sender.Password+"\n", s.add(s.Sender, s.Sender.Mailbox, expired)...)
	half := own
	half.SMTP = expired.SMTP
	half.CA = expired.CA
	s.fails(s.Sender, 4, "shows a certificate that has expired", "The account was not added", "clock",
		s.Sender.Password+"\n", s.add(s.Sender, s.Sender.Mailbox, half)...)
	away := own
	away.IMAP = "imaps://127.0.0.1:1"
	s.fails(s.Sender, 9, "The mailbox at 127.0.0.1:1 does not answer", "The account was not added", "name and port",
		s.Sender.Password+"\n", s.add(s.Sender, s.Sender.Mailbox, away)...)

	s.join(s.Sender, s.Sender.Mailbox)
	s.join(s.Recipient, s.Recipient.Mailbox)
	s.fails(s.Sender, 5, "Nobody has set a price", "nothing was paid", "ordinary mail", "", send("nobody@mail.example")...)
	s.fails(s.Sender, 2, "\"not an address\" is not an e-mail address", "nothing was paid", "someone@example.org", "", send("not an address")...)
	// The recipient has a price, and no money to upload keys with.
	s.fails(s.Recipient, 2, "cannot be set", "The price is as it was", "0.25", "", "price", "set", "a quarter")
	s.does(s.Recipient, "", "price", "set", "0.25")
	s.fails(s.Sender, 7, "no one-time key left", "nothing was paid", "Try again in an hour", "", send(s.Recipient.Address)...)
	s.topUp(s.Recipient)
	s.keysFor(s.Recipient, 0)
	s.fails(s.Sender, 6, "costs €0.25 and you have €0.00", "Nothing was sent", "Top up at least €0.25", "", send(s.Recipient.Address)...)
	s.fails(s.Sender, 6, "no such voucher", "balance is as it was", "Check the code", "", "topup", "EARN-AAAA-BBBB")
	s.topUp(s.Sender)

	large := make([]byte, 50<<20)
	_, _ = rand.Read(large)
	s.fails(s.Sender, 12, "more than 25 MB", "nothing was paid", "smaller", "", send(s.Recipient.Address, "--attach", s.file("film.mp4", large))...)
	two := s.file("half.bin", large[:15<<20])
	s.fails(s.Sender, 12, "more than 25 MB", "nothing was paid", "smaller", "", send(s.Recipient.Address, "--attach", two, "--attach", two)...)
	s.fails(s.Sender, 2, "cannot be read", "no money moved", "Check", "", send(s.Recipient.Address, "--attach", "/nowhere/film.mp4")...)
	var balances []struct{ Available struct{ Amount string } }
	s.json(s.Sender, &balances, "balance")
	if len(balances) != 1 || balances[0].Available.Amount != "5.00" {
		t.Errorf("after all that the sender has %+v", balances)
	}
	must(t, s.VerifyBooks(t.Context()))
}

// expiredHost is a mail server whose certificate ended yesterday.
func expiredHost(t *testing.T, m sandbox.Mailbox) sandbox.Servers {
	t.Helper()
	host, err := mailhost.Start(mailhost.Options{CertNotAfter: time.Now().AddDate(0, 0, -1)})
	must(t, err)
	t.Cleanup(func() { host.Close() })
	must(t, host.AddUser(m.User, m.Password, m.Address))
	return sandbox.Servers{IMAP: "imaps://" + host.IMAPAddr, SMTP: "smtps://" + host.SubmissionsAddr, CA: host.CAPEM}
}
