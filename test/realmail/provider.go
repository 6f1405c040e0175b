// Package realmail is a mail provider made of the servers that people have:
// Postfix takes the mail, Dovecot keeps it. Its tests tell the whole story on
// them, with GNOME's keyring, and with gpg and swaks as the stranger's tools.
package realmail

import (
	"context"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"earnest/internal/mailtest"
	"earnest/internal/sandbox"
)

// Provider is Postfix before Dovecot. It is a sandbox.Provider.
type Provider struct {
	Dovecot *mailtest.Dovecot
	Postfix *mailtest.Postfix
}

// Start starts both with a mailbox for each name; t's cleanup stops them.
func Start(t mailtest.T, names ...string) Provider {
	dovecot := mailtest.StartDovecot(t, names...)
	return Provider{dovecot, mailtest.StartPostfix(t, dovecot, names...)}
}

// Servers says where they listen.
func (p Provider) Servers() sandbox.Servers {
	return sandbox.Servers{IMAP: "imaps://" + p.Dovecot.IMAPAddr, SMTP: "smtp://" + p.Postfix.SubmissionAddr,
		Relay: "smtp://" + p.Postfix.SMTPAddr, CA: p.Dovecot.CAPEM()}
}

// Mailbox is one of those made at the start.
func (p Provider) Mailbox(name string) (sandbox.Mailbox, error) {
	return sandbox.Mailbox{Address: mailtest.Address(name), User: name, Password: mailtest.Password(name)}, nil
}

// Deliver hands a mail over by LMTP.
func (p Provider) Deliver(_ context.Context, to sandbox.Mailbox, raw []byte) error {
	return p.Dovecot.Deliver(to.User, raw)
}

// Inbox reads a mailbox over IMAP.
func (p Provider) Inbox(ctx context.Context, of sandbox.Mailbox) ([][]byte, error) {
	c, err := imapclient.DialTLS(p.Dovecot.IMAPAddr, &imapclient.Options{TLSConfig: p.Dovecot.TLSConfig()})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.Login(of.User, of.Password).Wait(); err != nil {
		return nil, err
	}
	box, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil || box.NumMessages == 0 {
		return nil, err
	}
	var all imap.SeqSet
	all.AddRange(1, box.NumMessages)
	whole := &imap.FetchItemBodySection{Peek: true}
	fetched, err := c.Fetch(all, &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{whole}}).Collect()
	var raws [][]byte
	for _, m := range fetched {
		raws = append(raws, m.FindBodySection(whole))
	}
	return raws, err
}

// Close does nothing: the cleanup of Start stops the servers.
func (p Provider) Close() error { return nil }
