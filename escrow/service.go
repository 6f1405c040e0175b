package escrow

import (
	"context"
	"encoding/json"
	"time"

	"earnest/ledger"
	"earnest/payment"
)

// Service is the escrow as one account sees it: the server implements it, the
// client speaks it over HTTP, and both pass the same conformance suite.
//
// Every call may fail with an [Error]. A call that changes something carries an
// operation id made and stored by the caller before the first try: the same id
// with the same body gives the same answer, with another body [Conflict].
type Service interface {
	// Info describes the escrow. It needs no account.
	Info(ctx context.Context) (Info, error)
	// OpenAccount makes the account of the signing key, or returns it as it is.
	OpenAccount(ctx context.Context, req OpenAccount) (Account, error)
	// Account returns the account with balances and addresses.
	Account(ctx context.Context) (Account, error)
	// TopUp redeems a voucher.
	TopUp(ctx context.Context, req TopUp) (Balance, error)
	// SetLimit bounds what the account may spend in a currency, and returns the
	// account with its limits.
	SetLimit(ctx context.Context, req SetLimit) (Account, error)
	// Movements lists what happened to the account's money after the cursor, oldest
	// first: at most limit of them, and at most MaxMovements; 0 is that.
	Movements(ctx context.Context, after int64, limit int) (MovementPage, error)

	// Order takes what one of the account's two keys has signed about it. The request
	// needs no account. The same signed order again gives the account as it is.
	Order(ctx context.Context, order Signed) (Account, error)
	// Export returns all that is stored about the account: one JSON object.
	Export(ctx context.Context) (json.RawMessage, error)

	// ClaimAddress has a token mailed to the address.
	ClaimAddress(ctx context.Context, req AddressClaim) error
	// ProveAddress ends a claim with the mailed token.
	ProveAddress(ctx context.Context, req AddressProof) (Account, error)

	// PublishOffer sets the price of a proven address. Older offers never
	// replace newer ones.
	PublishOffer(ctx context.Context, offer Signed) error
	// Offer looks up the price of an address. Unknown and unlisted addresses
	// both answer NoOffer.
	Offer(ctx context.Context, address Address) (Signed, error)
	// AddKeys uploads one-time keys. It needs a positive balance.
	AddKeys(ctx context.Context, req KeyUpload) (Pool, error)
	// Pool tells how many unsold keys an own address has.
	Pool(ctx context.Context, address Address) (Pool, error)

	// Quote says what it costs to write there, signed and for 10 minutes.
	Quote(ctx context.Context, req QuoteRequest) (Signed, error)
	// Buy claims a key and holds the money, in one transaction.
	Buy(ctx context.Context, req BuyRequest) (Purchase, error)
	// Acknowledge says that the sold key was received; the escrow forgets it.
	Acknowledge(ctx context.Context, bond BondID) error
	// AskWithdraw asks for the bond back before it arrived.
	AskWithdraw(ctx context.Context, bond BondID) (BondView, error)

	// Bonds lists the account's bonds that changed after the cursor, oldest
	// change first, and waits up to wait (at most a minute) for one.
	Bonds(ctx context.Context, after int64, wait time.Duration) (BondPage, error)
	// Bond returns one bond of the account.
	Bond(ctx context.Context, bond BondID) (BondView, error)
	// Arrive reports a mail with proof. The same proof again gives the same answer.
	Arrive(ctx context.Context, bond BondID, req Arrival) (Outcome, error)
	// Read reports that a person saw the mail.
	Read(ctx context.Context, bond BondID, statement Signed) (Outcome, error)
	// Destroyed confirms that the private key of a bond whose withdrawal was
	// asked for is gone unopened.
	Destroyed(ctx context.Context, bond BondID, statement Signed) (Outcome, error)
	// Decide takes an accept, a reject or an undo. The same signed decision
	// again gives the same answer.
	Decide(ctx context.Context, bond BondID, verdict Verdict, decision Signed) (Outcome, error)
	// Receipts returns the bond's chain. The sender does not see a reject
	// before it takes effect.
	Receipts(ctx context.Context, bond BondID) ([]Signed, error)
	// Heartbeat says that the account's agent is alive.
	Heartbeat(ctx context.Context) error

	MoneyService
}

// Info describes an escrow.
type Info struct {
	Name          string             `json:"name"` // its domain
	Operator      string             `json:"operator"`
	LegalForm     string             `json:"legalForm"`
	Currencies    []payment.Currency `json:"currencies"`
	Beneficiaries []Beneficiary      `json:"beneficiaries"`
	Terms         Terms              `json:"terms"`
	// ReceiptKey signs quotes and receipts. Clients pin it when they open an account.
	ReceiptKey PublicKey `json:"receiptKey"`
	// TokenSender is the address that token mails come from.
	TokenSender string `json:"tokenSender"`
	// Checkouts are the names of the currencies that can be paid for by a checkout.
	Checkouts []string `json:"checkouts,omitempty"`
	// CheckoutHold is how long money that was paid by a checkout cannot be paid out.
	CheckoutHold Seconds `json:"checkoutHold,omitempty"`
	// LeastPayouts are the least amounts that are paid out; a currency without one has none.
	LeastPayouts []LeastPayout `json:"leastPayouts,omitempty"`
	Time         time.Time     `json:"time"`
	// Outages are the escrow's newest, signed; see [Outage].
	Outages []Signed `json:"outages,omitempty"`
	// Totals are the escrow's signed statements of what it did with other people's
	// money: of all time, of this month and of the one before.
	Totals []Signed `json:"totals,omitempty"`
}

// Beneficiary of forfeits: the escrow's company account, a charity of the
// operator's published list, or burned.
type Beneficiary struct {
	ID   ledger.Holder `json:"id"`
	Name string        `json:"name"`
}

// OpenAccount names the keys of a new account.
type OpenAccount struct {
	Key PublicKey `json:"key"`
	// Recovery can freeze, rotate and move the balance later. Optional.
	Recovery PublicKey `json:"recovery,omitempty"`
}

// Account is an account as its owner sees it.
type Account struct {
	ID        KeyID           `json:"id"`
	Balances  []Balance       `json:"balances"`
	Addresses []ProvenAddress `json:"addresses"`
	// Limits are told by Account and SetLimit only.
	Limits []SpendingLimit `json:"limits,omitempty"`
	// FrozenAt: since then the account buys nothing, pays nothing out and changes no
	// offer.
	FrozenAt time.Time `json:"frozenAt,omitzero"`
	// Recovery: the account has a recovery key.
	Recovery bool `json:"recovery,omitempty"`
	// Changes are those that wait for their time, and those that ended of late.
	Changes []AccountChange `json:"changes,omitempty"`
}

// Balance is an account's money in one currency.
type Balance struct {
	Currency  payment.Currency `json:"currency"`
	Available payment.Amount   `json:"available"`
	Held      payment.Amount   `json:"held"`
}

// ProvenAddress is an address of an account.
type ProvenAddress struct {
	Address  Address   `json:"address"`
	ProvenAt time.Time `json:"provenAt"`
	RenewBy  time.Time `json:"renewBy"`
}

// TopUp redeems a voucher. ID is the operation id.
type TopUp struct {
	ID      string `json:"id"`
	Voucher string `json:"voucher"`
}

// AddressClaim asks for a token mail. Nonce is made by the agent, comes back in
// the mail, and lets the agent tell its own requests from others.
type AddressClaim struct {
	Address string `json:"address"` // as typed: where the mail goes
	Nonce   string `json:"nonce"`
}

// AddressProof ends a claim.
type AddressProof struct {
	Address Address `json:"address"`
	Nonce   string  `json:"nonce"`
	Token   string  `json:"token"`
}

// QuoteRequest asks what it costs to write to Recipient. Sender is an address
// that the account proved.
type QuoteRequest struct {
	Sender    Address        `json:"sender"`
	Recipient Address        `json:"recipient"`
	Option    payment.Option `json:"option"`
}

// BuyRequest buys a quote. ID is the bond's id and the operation id.
type BuyRequest struct {
	ID    BondID `json:"id"`
	Quote Signed `json:"quote"`
	// Verification and Reply are OpenPGP certificates, binary, minimised, at
	// most MaxCertificate each. With stock tools both are the same one.
	Verification []byte `json:"verification"`
	Reply        []byte `json:"reply"`
}

// Purchase is what a buy gives: the key, and the proof that it is the recipient's.
type Purchase struct {
	Bond        BondView `json:"bond"`
	Certificate []byte   `json:"certificate"`
	Batch       Signed   `json:"batch"`
	Receipt     Signed   `json:"receipt"`
}

// Arrival is the report that a mail came.
type Arrival struct {
	Proof     ArrivalProof `json:"proof"`
	Statement Signed       `json:"statement"`
}

// Outcome is a bond after a step, and the receipt for it.
type Outcome struct {
	Bond    BondView `json:"bond"`
	Receipt Signed   `json:"receipt"`
}

// BondPage is a part of the list of bonds. Cursor is where the next begins.
type BondPage struct {
	Bonds  []BondView `json:"bonds"`
	Cursor int64      `json:"cursor"`
	// More: there are further bonds after Cursor right now.
	More bool `json:"more"`
}

// Role is a party to a bond.
type Role string

// The roles.
const (
	RoleSender    Role = "sender"
	RoleRecipient Role = "recipient"
)

// BondView is a bond as one party may see it.
type BondView struct {
	ID             BondID         `json:"id"`
	Role           Role           `json:"role"`
	State          State          `json:"state"`
	Sender         Address        `json:"sender"`
	Recipient      Address        `json:"recipient"`
	Option         payment.Option `json:"option"`
	Beneficiary    ledger.Holder  `json:"beneficiary"`
	KeyFingerprint string         `json:"keyFingerprint"`
	Quote          Signed         `json:"quote"`

	BoughtAt        time.Time `json:"boughtAt"`
	DeliverBy       time.Time `json:"deliverBy"`
	DecideBy        time.Time `json:"decideBy,omitzero"`
	FinalAt         time.Time `json:"finalAt"`
	ArrivedAt       time.Time `json:"arrivedAt,omitzero"`
	ReadAt          time.Time `json:"readAt,omitzero"`
	EffectiveAt     time.Time `json:"effectiveAt,omitzero"` // recipient only
	EndedAt         time.Time `json:"endedAt,omitzero"`
	WithdrawAskedAt time.Time `json:"withdrawAskedAt,omitzero"`
	LateAcceptedAt  time.Time `json:"lateAcceptedAt,omitzero"`
	DecisionN       int64     `json:"decisionN,omitempty"` // recipient only

	// Outages are those by which the two deadlines were moved, as the escrow has
	// signed them: with them [VerifyChain] takes a step after the quote's deadline.
	Outages []Signed `json:"outages,omitempty"`

	// Verification goes to the recipient with the sale, Reply after an accept.
	Verification []byte `json:"verification,omitempty"`
	Reply        []byte `json:"reply,omitempty"`
}

// View is the bond as that role may see it. The sender sees nothing of a reject
// that can still be undone, and times of arrival and reading by the hour.
func (b Bond) View(role Role) BondView {
	v := BondView{
		ID: b.ID, Role: role, State: b.State, Sender: b.Sender, Recipient: b.Recipient,
		Option: b.Option, Beneficiary: b.Beneficiary, KeyFingerprint: b.KeyFingerprint, Quote: b.Quote,
		BoughtAt: b.BoughtAt, DeliverBy: later(b.DeliverBy, b.DeliverMoved), FinalAt: b.FinalAt,
		ArrivedAt: b.ArrivedAt, ReadAt: b.ReadAt, EndedAt: b.EndedAt,
		DecideBy: later(b.DecideBy, b.DecideMoved), Outages: b.Outages,
		WithdrawAskedAt: b.WithdrawAskedAt, LateAcceptedAt: b.LateAcceptedAt,
	}
	if role == RoleRecipient {
		v.EffectiveAt, v.DecisionN, v.Verification = b.EffectiveAt, b.DecisionN, b.Verification
		if b.State == Accepted || !b.LateAcceptedAt.IsZero() {
			v.Reply = b.Reply
		}
		return v
	}
	if v.State == Rejecting {
		v.State = Arrived
	}
	v.ArrivedAt, v.ReadAt = byTheHour(v.ArrivedAt), byTheHour(v.ReadAt)
	if !v.DecideBy.IsZero() {
		v.DecideBy = byTheHour(v.DecideBy).Add(time.Hour)
	}
	return v
}

func byTheHour(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Truncate(time.Hour)
}
