package escrowserver

import (
	"context"
	"time"

	"earnest/escrow"
	"earnest/ledger"
	"earnest/payment"
)

// Op is one change of the store. The types below are all of them.
type Op interface {
	// Name begins the label of each write that the operation makes.
	Name() string
}

// Result is how one operation of a batch ended. After an error that carries an
// [escrow.Code] the operation wrote nothing, though a deadline of its bond that
// had passed is booked.
type Result struct {
	Value any
	Err   error
	// Touched are the accounts whose list of bonds changed.
	Touched []escrow.KeyID
	// Surprise, on the first of a batch, is why the batch was done one by one.
	Surprise error
}

// Moment is the escrow's clock at an operation, and the hand that signs the
// receipts of the steps that the operation books.
type Moment struct {
	Now  time.Time
	Sign func(escrow.Receipt) (escrow.Signed, error)
	// Outages are all that the escrow had until then: they move deadlines.
	Outages escrow.Outages
}

// Due reports whether the bond's deadline counts at this moment.
func (m Moment) Due(b escrow.Bond) bool {
	b, _ = b.Extend(m.Outages)
	due := b.Due()
	return !due.IsZero() && !m.Now.Before(due)
}

// OpenAccount makes an account, or leaves it as it is. It gives an [AccountRecord].
type OpenAccount struct {
	Now      time.Time
	Key      escrow.PublicKey
	Recovery escrow.PublicKey
	Seal     Seal
}

// NewVoucher stores a voucher's hash.
type NewVoucher struct {
	Now      time.Time
	Hash     string
	Currency string
	Amount   payment.Amount
	// Signed binds the currency and the amount to the hash.
	Signed escrow.Signed
}

// TopUp redeems a voucher. It gives a [BalanceRecord].
type TopUp struct {
	Now     time.Time
	Account escrow.KeyID
	ID      string
	Hash    string
	// Genuine reports whether the escrow has signed the voucher as it is stored.
	Genuine func(VoucherLine) bool
}

// StartClaim records that a token is about to be mailed. It gives true if the
// mail must be sent, false if this claim was mailed before.
type StartClaim struct {
	Now       time.Time
	Account   escrow.KeyID
	Address   escrow.Address
	Typed     string
	Nonce     string
	TokenHash string
}

// DropClaim forgets a claim whose mail could not be sent.
type DropClaim struct {
	Account escrow.KeyID
	Address escrow.Address
	Nonce   string
}

// ProveAddress ends a claim. It gives an [AccountRecord].
type ProveAddress struct {
	Now       time.Time
	Account   escrow.KeyID
	Address   escrow.Address
	Nonce     string
	TokenHash string
	RenewBy   time.Time
	Promise   Promise // where another account holds the address
	Seal      Seal
}

// PublishOffer stores the offer of an address proven by the account. The
// signature and the content have been checked.
type PublishOffer struct {
	Now     time.Time
	Account escrow.KeyID
	Offer   escrow.Offer
	Signed  escrow.Signed
}

// AddKeys stores one-time keys. The batch and its certificates have been
// checked. It gives an [escrow.Pool].
type AddKeys struct {
	Now          time.Time
	Account      escrow.KeyID
	Key          escrow.KeyID // the account's own
	Batch        escrow.KeyBatch
	Signed       escrow.Signed
	Certificates [][]byte
}

// Buy claims the oldest free key and holds the money. The quote's signature and
// the certificates have been checked. It gives an [escrow.Purchase].
type Buy struct {
	Moment
	Account   escrow.KeyID
	Key       escrow.KeyID // the account's own
	Request   escrow.BuyRequest
	BodyHash  string
	Quote     escrow.Quote
	Recipient escrow.KeyID // the account of the quote's offer
	Group     string       // who the sender counts with: see [SenderGroup]
	KeepUntil time.Time    // the sold key is forgotten then, acknowledged or not
	MostOpen  int          // how many bonds of the account may be open; 0: no limit
}

// Acknowledge forgets the sold key of a bond.
type Acknowledge struct {
	Account escrow.KeyID
	Bond    escrow.BondID
}

// AskWithdraw records the sender's request. It gives the [escrow.BondView].
type AskWithdraw struct {
	Moment
	Account escrow.KeyID
	Bond    escrow.BondID
}

// Arrive books an arrival. It gives an [escrow.Outcome].
type Arrive struct {
	Moment
	Account   escrow.KeyID
	Bond      escrow.BondID
	Proof     string // escrow.ArrivalProof.Hash
	Statement escrow.Signed
	// Checked: the proof verifies against the bond's verification certificate.
	Checked bool
}

// Read books that a person saw the mail. It gives an [escrow.Outcome].
type Read struct {
	Moment
	Account   escrow.KeyID
	Bond      escrow.BondID
	Statement escrow.Signed
}

// Destroyed books a withdrawal. It gives an [escrow.Outcome].
type Destroyed struct {
	Moment
	Account   escrow.KeyID
	Bond      escrow.BondID
	Statement escrow.Signed
}

// Decide books a decision whose signature has been checked. It gives an
// [escrow.Outcome].
type Decide struct {
	Moment
	Account  escrow.KeyID
	Bond     escrow.BondID
	Decision escrow.Decision
	Signed   escrow.Signed
}

// Sweep does what a deadline has brought about on one bond: a bond that is
// damaged must hold up no other.
type Sweep struct {
	Moment
	Bond escrow.BondID
}

// Clean deletes what may be kept no longer.
type Clean struct{ Now time.Time }

// Heartbeat records that an account's agent is alive.
type Heartbeat struct {
	Now     time.Time
	Account escrow.KeyID
}

// Names of the operations.
func (OpenAccount) Name() string  { return "open" }
func (NewVoucher) Name() string   { return "voucher" }
func (TopUp) Name() string        { return "topup" }
func (StartClaim) Name() string   { return "claim" }
func (DropClaim) Name() string    { return "dropclaim" }
func (ProveAddress) Name() string { return "prove" }
func (PublishOffer) Name() string { return "offer" }
func (AddKeys) Name() string      { return "keys" }
func (Buy) Name() string          { return "buy" }
func (Acknowledge) Name() string  { return "acknowledge" }
func (AskWithdraw) Name() string  { return "withdraw" }
func (Arrive) Name() string       { return "arrive" }
func (Read) Name() string         { return "read" }
func (Destroyed) Name() string    { return "destroyed" }
func (Decide) Name() string       { return "decide" }
func (Sweep) Name() string        { return "sweep" }
func (Clean) Name() string        { return "clean" }
func (Heartbeat) Name() string    { return "heartbeat" }

// Store keeps what the escrow knows.
type Store interface {
	LimitStore
	InventoryStore
	SafetyStore
	// Apply does a batch of operations in one transaction, in order. Each fails
	// alone. When it returns, what succeeded is durable.
	Apply(ctx context.Context, ops []Op) []Result
	// AtOnce is how many calls of Apply do their work at the same time; more wait.
	AtOnce() int
	// Note is a text that the books say of themselves; empty if they do not.
	Note(ctx context.Context, name string) (string, error)

	// Answered reports whether the account's operation was done before, with that
	// body; with another it returns Conflict.
	Answered(ctx context.Context, account escrow.KeyID, id, bodyHash string) (bool, error)
	// BeforeBuy is Answered for a purchase, with what the account has available in
	// the currency: both in one question.
	BeforeBuy(ctx context.Context, account escrow.KeyID, id, bodyHash, currency string) (answered bool, available payment.Amount, err error)
	// Account returns NotFound for a key that has no account.
	Account(ctx context.Context, id escrow.KeyID) (AccountRecord, error)
	// Offer returns NoOffer unless the address has one and is proven at now.
	Offer(ctx context.Context, address escrow.Address, now time.Time) (OfferRecord, error)
	// Pool counts the unsold keys of an address.
	Pool(ctx context.Context, address escrow.Address) (int, error)
	// Epoch is the pools' epoch: see [NewEpoch].
	Epoch(ctx context.Context) (int64, error)
	// Standing is what limits a sender who asks for a quote.
	Standing(ctx context.Context, query StandingQuery) (Standing, error)
	// Bond returns NotFound for an unknown bond.
	Bond(ctx context.Context, id escrow.BondID) (escrow.Bond, error)
	// Bonds lists what changed for the account after the cursor, oldest first.
	Bonds(ctx context.Context, account escrow.KeyID, after int64, limit int) ([]Change, error)
	// Movements lists what the books did to the account's balances, oldest first,
	// from the one after the given number on.
	Movements(ctx context.Context, account escrow.KeyID, after int64, limit int) ([]MovementRecord, error)
	// Receipts returns the chain of a bond in order.
	Receipts(ctx context.Context, id escrow.BondID) ([]escrow.Signed, error)
	// NextDue is when a Sweep or a Clean has something to do next; zero if never.
	NextDue(ctx context.Context) (time.Time, error)
	// Due lists at most limit bonds whose deadline, as it is stored, has come: the
	// longest due first, from the one after the given. An outage may have moved it.
	Due(ctx context.Context, now time.Time, after DueBond, limit int) ([]DueBond, error)
	// OpenBonds lists at most limit bonds that have not ended, in the order of their
	// ids, from the one after the given.
	OpenBonds(ctx context.Context, after escrow.BondID, limit int) ([]escrow.BondID, error)
	// Alive is the escrow's last sign of life.
	Alive(ctx context.Context) (Alive, error)
	// Walk shows all books to the visitor, as of one moment.
	Walk(ctx context.Context, v Visitor) error

	MoneyStore
}

// AccountRecord is an account as stored.
type AccountRecord struct {
	ID        escrow.KeyID
	Key       escrow.PublicKey
	Balances  []BalanceRecord
	Addresses []escrow.ProvenAddress
	FrozenAt  time.Time
	Recovery  bool // it has a recovery key
	// Changes wait, or ended within 30 days.
	Changes []escrow.AccountChange
}

// BalanceRecord is an account's money in a currency.
type BalanceRecord struct {
	Currency        string
	Available, Held payment.Amount
}

// MovementRecord is what one step of a transfer changed of an account's balance in
// a currency, by how much, and the balance after it.
type MovementRecord struct {
	N             int64 // counts the account's movements from 1
	Time          time.Time
	Transfer      string
	Payer         ledger.Holder
	Currency      string
	Change, After ledger.Balance
	Credit        CreditKind // empty where the transfer is no credit
	Reason        string     // of the credit, or of the payout's end
}

// OfferRecord is the offer of an address and whose it is.
type OfferRecord struct {
	Account escrow.KeyID
	Signed  escrow.Signed
	Public  bool
}

// StandingQuery asks about a sender before a recipient.
type StandingQuery struct {
	Account   escrow.KeyID
	Sender    escrow.Address
	Recipient escrow.Address
	Group     string
	Now       time.Time
}

// Change is a bond that changed for an account, in the role, under the number.
type Change struct {
	N    int64
	Role escrow.Role
	Bond escrow.Bond
	// Damaged says why the bond cannot be read; of Bond only the id is set.
	Damaged error
}

// Alive is the escrow's last heartbeat, and its outages in the order of time.
type Alive struct {
	Beat    time.Time
	Outages []OutageLine
}

// DueBond is a bond and when it is due.
type DueBond struct {
	At   time.Time
	Bond escrow.BondID
}
