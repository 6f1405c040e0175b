package agentclient

import "context"

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
	TopUp(ctx context.Context, voucher string) ([]Balance, error)

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
	// Attachment returns the n-th attachment, from 0, with its data.
	Attachment(ctx context.Context, id string, n int) (Attachment, error)
	Accept(ctx context.Context, id string) (Mail, error)
	Reject(ctx context.Context, id string) (Mail, error)
	Undo(ctx context.Context, id string) (Mail, error)
	Receipts(ctx context.Context, bond string) (Receipts, error)
	Doctor(ctx context.Context) ([]Check, error)

	// Events calls fn for every event until ctx ends or the connection breaks.
	// The first event is a status, sent at once.
	Events(ctx context.Context, fn func(Event)) error
}
