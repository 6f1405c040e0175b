package mailhost_test

import (
	"bytes"
	"crypto/tls"
	"net/smtp"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"earnest/internal/mailhost"
)

func TestMailGoesBetweenUsersByteForByte(t *testing.T) {
	before := goleak.IgnoreCurrent()
	h, err := mailhost.Start(mailhost.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for login, address := range map[string]string{"alice": "Alice@example.org", "bob": "bob@example.org"} {
		if err := h.AddUser(login, "secret", address); err != nil {
			t.Fatal(err)
		}
	}
	raw := []byte("From: alice@example.org\r\nSubject: =?broken\r\n\r\n.\xff dot\r\n\r\n")
	// A client that is not ours, over the relay without login.
	if err := smtp.SendMail(h.RelayAddr, nil, "", []string{"BOB@example.org"}, raw); err != nil {
		t.Fatal(err)
	}
	// And over submission: a login is wanted, and must own the sender.
	if err := smtp.SendMail(h.RelayAddr, nil, "", []string{"nobody@example.org"}, raw); err == nil {
		t.Error("mail to nobody was taken")
	}
	if err := submit(h, "", "alice@example.org", raw); err == nil {
		t.Error("submission took a mail without a login")
	}
	if err := submit(h, "alice", "bob@example.org", raw); err == nil {
		t.Error("submission took a mail from a sender that the login does not own")
	}
	if err := submit(h, "alice", "alice@example.org", raw); err != nil {
		t.Error(err)
	}
	if err := h.DeliverTo("bob@example.org", mailhost.Junk, raw); err != nil {
		t.Fatal(err)
	}
	for mailbox, want := range map[string]int{mailhost.Inbox: 2, mailhost.Junk: 1, mailhost.Archive: 0} {
		got, err := h.Messages(t.Context(), "bob", mailbox)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != want || slices.ContainsFunc(got, func(m []byte) bool { return !bytes.Equal(m, raw) }) {
			t.Errorf("%s holds %q, want %d times the mail", mailbox, got, want)
		}
	}
	if err := h.AddUser("eve", "secret", "BOB@EXAMPLE.ORG"); err == nil {
		t.Error("an address was given to two users")
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, before)
}

// submit uses the standard library's client.
func submit(h *mailhost.Host, login, from string, raw []byte) error {
	conn, err := tls.Dial("tcp", h.SubmissionsAddr, h.TLSConfig())
	if err != nil {
		return err
	}
	c, err := smtp.NewClient(conn, "127.0.0.1")
	if err != nil {
		return err
	}
	defer c.Close()
	if login != "" {
		if err := c.Auth(smtp.PlainAuth("", login, "secret", "127.0.0.1")); err != nil {
			return err
		}
	}
	if err := c.Mail(from); err != nil {
		return err
	}
	if err := c.Rcpt("bob@example.org"); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(raw); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}
