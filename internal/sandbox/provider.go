package sandbox

import (
	"context"

	"earnest/internal/mailhost"
)

// Provider is a mail provider: who keeps the people's mailboxes.
type Provider interface {
	// Servers says where mail is read, submitted and relayed.
	Servers() Servers
	// Mailbox opens a mailbox for somebody.
	Mailbox(name string) (Mailbox, error)
	// Deliver brings a mail from outside.
	Deliver(ctx context.Context, to Mailbox, raw []byte) error
	// Inbox reads every mail of somebody's INBOX, and changes nothing.
	Inbox(ctx context.Context, of Mailbox) ([][]byte, error)
	Close() error
}

// Servers are a provider's URLs, and the authority behind their certificates.
type Servers struct {
	IMAP, SMTP, Relay string
	CA                []byte
}

// Mailbox is somebody's at a provider.
type Mailbox struct{ Address, User, Password string }

// domain is where the people of the built-in provider have their addresses. It
// is reserved (RFC 2606): nothing can leave for it.
const domain = "mail.example"

// builtIn is the provider in this process.
type builtIn struct{ host *mailhost.Host }

func (b builtIn) Servers() Servers {
	return Servers{IMAP: "imaps://" + b.host.IMAPAddr, SMTP: "smtps://" + b.host.SubmissionsAddr,
		Relay: "smtp://" + b.host.RelayAddr, CA: b.host.CAPEM}
}

func (b builtIn) Mailbox(name string) (Mailbox, error) {
	m := Mailbox{Address: name + "@" + domain, User: name + "@" + domain, Password: name + "'s password"}
	return m, b.host.AddUser(m.User, m.Password, m.Address)
}

func (b builtIn) Deliver(_ context.Context, to Mailbox, raw []byte) error {
	return b.host.Deliver(to.Address, raw)
}

func (b builtIn) Inbox(ctx context.Context, of Mailbox) ([][]byte, error) {
	return b.host.Messages(ctx, of.User, mailhost.Inbox)
}

func (b builtIn) Close() error { return b.host.Close() }
