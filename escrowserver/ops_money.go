package escrowserver

import (
	"context"
	"time"

	"earnest/escrow"
	"earnest/ledger"
	"earnest/payment"
)

// Credit gives an account money that the escrow has signed for. Done again under
// the same id it does nothing. It gives the [CreditLine] as it is in the books.
type Credit struct{ CreditLine }

// CreditKind says on what ground an account was credited.
type CreditKind = escrow.Ground

// The grounds.
const (
	CreditOperator = escrow.GroundOperator // the operator said so
	CreditPayment  = escrow.GroundPayment  // it was paid to a provider
	CreditWelcome  = escrow.GroundWelcome  // for proving the first address
)

// CreditLine is money that was given out other than by a voucher.
type CreditLine struct {
	ID       string // of the transfer, too
	Kind     CreditKind
	Account  escrow.KeyID
	Currency string
	Amount   payment.Amount
	Reason   string // the account is told
	By       string // who gave it: the operator's name at his machine, or the provider's
	Signed   escrow.Signed
	MadeAt   time.Time
	Transfer *ledger.Transfer // only [Store.Walk] shows it
}

// StartCheckout keeps a checkout before the provider is asked for its page. It
// gives the [CheckoutRecord], as it was kept before if it was.
type StartCheckout struct{ CheckoutRecord }

// OpenCheckout keeps the provider's page. It gives the [CheckoutRecord].
type OpenCheckout struct {
	Now      time.Time
	Checkout string
	Session  Session
	AskAt    time.Time // as [LookAgain] has it
}

// CheckoutRecord is a checkout as stored.
type CheckoutRecord struct {
	ID               string
	Account          escrow.KeyID
	Operation        string
	Provider         string
	Currency         string
	Amount           payment.Amount
	Unit             string
	Units            int64
	Session, Payment string
	URL              string
	State            escrow.CheckoutState
	MadeAt, EndedAt  time.Time
	// AskAt is when the provider is asked next whether it was paid, if it is open.
	AskAt time.Time
}

// KeepEvent keeps what a provider told. It gives false if it was kept before.
type KeepEvent struct {
	Now      time.Time
	Provider string
	Event    Event
}

// EventRecord is an event that was kept.
type EventRecord struct {
	Provider   string
	Event      Event
	ReceivedAt time.Time
}

// EndEvent says that a kept event needs nothing more, and why.
type EndEvent struct {
	Now          time.Time
	Provider, ID string
	Outcome      string
}

// SettleCheckout brings a checkout to what the provider says of its session: paid
// is credited once. It gives the [CheckoutRecord].
type SettleCheckout struct {
	Now      time.Time
	Checkout string
	Session  Session
	// Sign makes the credit's statement.
	Sign func(CreditLine) (escrow.Signed, error)
}

// TakeBack keeps that a provider took back money of a checkout, or gave it again.
type TakeBack struct {
	Now      time.Time
	Provider string
	Checkout string
	ID       string
	Kind     string // refund or dispute
	Amount   payment.Amount
	Won      bool // a dispute ended for the escrow
}

// DebtRecord is money that was credited and then taken back by the provider.
type DebtRecord struct {
	Provider, ID, Checkout string
	Kind, State, Note      string
	Account                escrow.KeyID
	Currency               string
	Amount                 payment.Amount
	MadeAt, EndedAt        time.Time
}

// SettleDebt says that the operator has dealt with a debt.
type SettleDebt struct {
	Now          time.Time
	Provider, ID string
	Note         string
}

// LookAgain says when the provider is asked next whether an open checkout was paid;
// zero: no more.
type LookAgain struct {
	Checkout string
	At       time.Time
}

// AskPayout holds money to be paid out. It gives the [PayoutRecord].
type AskPayout struct {
	PayoutRecord
	Key  escrow.KeyID // the account's own
	Seal Seal
	// Hold is how long money that was paid to a provider is not paid out.
	Hold time.Duration
	// Least refuses an amount that is too little to be paid out.
	Least func(payment.Amount) error
}

// BeginPayout says that the operator pays a payout now, by hand: nobody but he ends it
// from here. It gives the [PayoutRecord].
type BeginPayout struct {
	Now    time.Time
	ID, By string
	Seal   Seal
	// Hold is how long what was paid to a provider can be taken back, and so pays no debt.
	Hold time.Duration
	// Lost is when the books last came from a backup, if the operator says that he has
	// paid the payout in the time that was lost: then no freeze and no debt matters any
	// more to one that was asked for before.
	Lost time.Time
}

// EndPayout ends a payout: paid, after it was begun, or refused. It gives the
// [PayoutRecord].
type EndPayout struct {
	Now      time.Time
	ID       string
	Paid     bool
	Note, By string
	Seal     Seal
}

// CancelPayout ends a payout by its owner's word: the money is available again. It
// gives the [PayoutRecord].
type CancelPayout struct {
	Now          time.Time
	Account, Key escrow.KeyID
	ID           string
	Seal         Seal
}

// PayoutRecord is a payout as stored.
type PayoutRecord struct {
	ID        string // of the transfer, too
	Account   escrow.KeyID
	Operation string
	Currency  string
	Amount    payment.Amount
	To        string
	State     escrow.PayoutState
	AskedAt   time.Time
	NotBefore time.Time
	// BegunAt is since when the operator pays it, and BegunBy who does. Its state is
	// asked until it has ended.
	BegunAt  time.Time
	BegunBy  string
	EndedAt  time.Time
	Note, By string
	Signed   escrow.Signed
	// FrozenAt is since when the account is frozen, in the list of all that are asked
	// for: nothing is begun to be paid to it until it is not. Owes is by how much what
	// was taken back from the account is more than what it has and will keep: the same.
	FrozenAt time.Time
	Owes     payment.Amount
	Transfer *ledger.Transfer // only [Store.Walk] shows it
}

// Welcome gives an account its welcome credit, if it and the mailbox had none and
// the day's limits leave room. It gives true if it did.
type Welcome struct {
	CreditLine
	Mailbox, Domain   string // hashes
	PerDomain, PerDay int    // how many a day
	OneDayAgo         time.Time
}

// CreditOf says on what ground a credit stands in the books: a checkout that was
// paid, or a welcome.
type CreditOf struct{ Checkout, Welcome bool }

// WelcomeLine is a welcome credit and what was credited by it.
type WelcomeLine struct {
	Mailbox  string
	Account  escrow.KeyID
	Currency string
	Amount   payment.Amount
	MadeAt   time.Time
	Credit   *CreditLine
}

// CheckoutLine is a checkout, what was credited for it, and what was taken back.
type CheckoutLine struct {
	CheckoutRecord
	Credit *CreditLine
	Debts  payment.Amount
}

// Names of the operations.
func (Credit) Name() string         { return "credit" }
func (StartCheckout) Name() string  { return "checkout" }
func (OpenCheckout) Name() string   { return "opencheckout" }
func (KeepEvent) Name() string      { return "event" }
func (EndEvent) Name() string       { return "endevent" }
func (SettleCheckout) Name() string { return "settle" }
func (TakeBack) Name() string       { return "takeback" }
func (SettleDebt) Name() string     { return "debt" }
func (LookAgain) Name() string      { return "look" }
func (AskPayout) Name() string      { return "payout" }
func (BeginPayout) Name() string    { return "beginpayout" }
func (EndPayout) Name() string      { return "endpayout" }
func (CancelPayout) Name() string   { return "cancelpayout" }
func (Welcome) Name() string        { return "welcome" }

// MoneyStore keeps what comes in beside vouchers, and what goes out.
type MoneyStore interface {
	// Holder is the account that has proven the address, NotFound for none.
	Holder(ctx context.Context, address escrow.Address, now time.Time) (escrow.KeyID, error)
	// Checkout returns NotFound for an unknown checkout.
	Checkout(ctx context.Context, id string) (CheckoutRecord, error)
	// CheckoutOf finds a checkout by the provider's session, or by its payment.
	CheckoutOf(ctx context.Context, provider, session, payment string) (CheckoutRecord, bool, error)
	// Events lists those that are not dealt with, oldest first.
	Events(ctx context.Context, limit int) ([]EventRecord, error)
	// Checkouts lists those in a state, newest first.
	Checkouts(ctx context.Context, state escrow.CheckoutState, limit int) ([]CheckoutRecord, error)
	// Unheard lists open checkouts of the provider about which it is to be asked now, the
	// longest due first.
	Unheard(ctx context.Context, provider string, now time.Time, limit int) ([]CheckoutRecord, error)
	// Debts lists those that are open, oldest first; all of them if asked for.
	Debts(ctx context.Context, all bool) ([]DebtRecord, error)
	// Payouts lists those of an account, newest first.
	Payouts(ctx context.Context, account escrow.KeyID, limit int) ([]PayoutRecord, error)
	// PayoutQueue lists all that are asked for: the oldest of each account first, then
	// its next. What was paid to a provider after the time can still be taken back.
	PayoutQueue(ctx context.Context, since time.Time, limit int) ([]PayoutRecord, error)
	// PayoutsAsked counts those that are asked for.
	PayoutsAsked(ctx context.Context) (int, error)
}
