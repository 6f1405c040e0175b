package escrow

import (
	"context"
	"time"

	"earnest/payment"
)

// MoneyService is how value comes in beside vouchers, and how it goes out.
type MoneyService interface {
	// StartCheckout asks for a page where the amount can be paid, by card for
	// example. What is paid there is credited once, whenever the provider says so.
	StartCheckout(ctx context.Context, req CheckoutRequest) (Checkout, error)
	// Checkout tells how far it is.
	Checkout(ctx context.Context, id string) (Checkout, error)
	// AskPayout puts an amount on hold until the operator has paid it out by hand,
	// or has refused to.
	AskPayout(ctx context.Context, req PayoutRequest) (Payout, error)
	// CancelPayout takes back what the operator has not begun to pay. The same again
	// gives the same.
	CancelPayout(ctx context.Context, id string) (Payout, error)
	// Payouts lists the account's payouts, the newest first.
	Payouts(ctx context.Context) ([]Payout, error)
}

// CheckoutRequest asks to pay an amount. ID is the operation id.
type CheckoutRequest struct {
	ID       string         `json:"id"`
	Currency string         `json:"currency"` // its name at the escrow
	Amount   payment.Amount `json:"amount"`
}

// CheckoutState says how far a checkout is.
type CheckoutState string

// The states of a checkout.
const (
	CheckoutAsked CheckoutState = "asked" // the provider has not answered yet
	CheckoutOpen  CheckoutState = "open"  // it can be paid at its URL
	CheckoutPaid  CheckoutState = "paid"  // paid and credited
	// CheckoutOver: it can be paid no longer. Money that comes all the same is
	// credited, and then it is paid.
	CheckoutOver CheckoutState = "over"
	// CheckoutWrong: other money came than was asked for, or its account is deleted.
	// Nothing is credited; the operator has to see to it.
	CheckoutWrong CheckoutState = "wrong"
)

// Checkout is a page of a payment provider where an amount can be paid.
type Checkout struct {
	ID       string           `json:"id"`
	Provider string           `json:"provider"`
	State    CheckoutState    `json:"state"`
	Currency payment.Currency `json:"currency"`
	Amount   payment.Amount   `json:"amount"`
	URL      string           `json:"url,omitempty"`
	MadeAt   time.Time        `json:"madeAt"`
}

// PayoutRequest asks for an amount in real money. ID is the operation id.
type PayoutRequest struct {
	ID       string         `json:"id"`
	Currency string         `json:"currency"`
	Amount   payment.Amount `json:"amount"`
	// To says where it shall go, in words that the operator of the escrow can act on.
	To string `json:"to"`
}

// LeastPayout is the least amount that an escrow pays out: for each of them somebody
// goes to the bank.
type LeastPayout struct {
	Currency string         `json:"currency"`
	Amount   payment.Amount `json:"amount"`
}

// MaxPayoutTo is how long a payout's destination is at most, in bytes.
const MaxPayoutTo = 500

// PayoutWait is how long a new destination waits before anything is paid there, so
// that who stole a key is noticed first.
const PayoutWait = 48 * time.Hour

// CancelledByOwner is the note of a payout that its owner took back.
const CancelledByOwner = "cancelled by the account's owner"

// EndedByRecovery is the note of a payout that was asked for by a key that its
// recovery key has replaced since.
const EndedByRecovery = "ended by the recovery key, with all that the account's old key had asked for; if it was yours, ask for it again"

// PayoutState says how far a payout is.
type PayoutState string

// The states of a payout.
const (
	PayoutAsked   PayoutState = "asked"   // on hold
	PayoutPaying  PayoutState = "paying"  // on hold, and the operator is paying it: nobody takes it back
	PayoutPaid    PayoutState = "paid"    // the operator has paid it
	PayoutRefused PayoutState = "refused" // the money is available again
)

// Payout is money on its way out.
type Payout struct {
	ID       string           `json:"id"`
	State    PayoutState      `json:"state"`
	Currency payment.Currency `json:"currency"`
	Amount   payment.Amount   `json:"amount"`
	To       string           `json:"to"`
	AskedAt  time.Time        `json:"askedAt"`
	// NotBefore is when it can be paid at the earliest.
	NotBefore time.Time `json:"notBefore"`
	EndedAt   time.Time `json:"endedAt,omitzero"`
	// Note is the operator's reference of the payment, or the reason of the refusal.
	Note string `json:"note,omitempty"`
}
