package agentclient

import (
	"context"
	"io"
)

// Agent is what a client of the local API can ask. [Client] implements it over
// the socket; windows are tested against one in memory. Errors are [*Failure].
type Agent interface {
	Status(ctx context.Context) (Status, error)
	AddAccount(ctx context.Context, req AddAccount) (Account, error)
	// Price is what it costs to write to the address; an empty address asks for
	// the own one.
	Price(ctx context.Context, address string) (Price, error)
	SetPrice(ctx context.Context, req SetPrice) (Price, error)
	Balances(ctx context.Context) ([]Balance, error)
	TopUp(ctx context.Context, req Redeem) ([]Balance, error)

	// Send buys a bond for each recipient and puts the mails into the outbox.
	Send(ctx context.Context, mail Compose) ([]Sent, error)
	Sent(ctx context.Context) ([]Sent, error)
	SentByID(ctx context.Context, id string) (Sent, error)
	Withdraw(ctx context.Context, id string) (Sent, error)
	Buy(ctx context.Context, req BuyKey) (Bought, error)

	// Inbox lists the paid mails, newest first.
	Inbox(ctx context.Context) ([]Mail, error)
	// Message opens a mail; reading is reported to the escrow if the offer says so.
	Message(ctx context.Context, id string) (Message, error)
	// Look is Message without noting, or telling anybody, that the mail was read.
	Look(ctx context.Context, id string) (Message, error)
	// MailByID is one line of the inbox; it opens nothing.
	MailByID(ctx context.Context, id string) (Mail, error)
	// Attachment returns the n-th attachment, from 0, with its data.
	Attachment(ctx context.Context, id string, n int) (Attachment, error)
	// SaveAttachment writes the n-th attachment to w and tells how far it is.
	// progress may be nil.
	SaveAttachment(ctx context.Context, id string, n int, w io.Writer, progress func(done, total int64)) error
	// Source is an opened mail as it was inside the encryption, byte for byte.
	Source(ctx context.Context, id string) (Source, error)
	// Accept lets a mail in: its bond goes back to the sender, who may write
	// further mails free.
	Accept(ctx context.Context, id string, req Accept) (Mail, error)
	Reject(ctx context.Context, id string, req Reject) (Mail, error)
	Undo(ctx context.Context, id string) (Mail, error)
	Receipts(ctx context.Context, bond string) (Receipts, error)
	Doctor(ctx context.Context) ([]Check, error)

	PeopleAgent
	FingerprintAgent
	DraftsAgent
	MoneyAgent
	SetupAgent
	RecoveryAgent
	KeysAgent

	// Events calls fn for every event until ctx ends or the connection breaks.
	// The first event is a status, sent at once.
	Events(ctx context.Context, fn func(Event)) error
}
