package store

import (
	"time"

	"earnest/agentclient"
	"earnest/escrow"
	"earnest/payment"
)

// Limit is what mails in a currency may cost, in its smallest units. What is nil
// has no limit.
type Limit struct {
	Currency string
	Scale    uint8
	PerMail  *payment.Amount
	PerDay   *payment.Amount
	AtEscrow bool // the escrow is to hold to it, too
	// Untold are the accounts whose escrow may still hold to a limit that was taken
	// away. The record stays, without amounts, until there is none left.
	Untold []string `json:",omitempty"`
}

// None tells that there is no limit.
func (l Limit) None() bool { return l.PerMail == nil && l.PerDay == nil }

// LimitID is the id of a currency's limit: its name says which escrow is used.
func LimitID(currency string) string { return escrow.Hash([]byte("limit " + currency)) }

func (l Limit) place() place { return place{"limit", LimitID(l.Currency), "", 0} }

// PriceChange is a price of an account as it was from a time on.
type PriceChange struct {
	ID      string
	Account string
	Number  int64 // when, in milliseconds
	Offer   escrow.Signed
	// FreeAfter is the account's as it was.
	FreeAfter string
}

func (p PriceChange) place() place { return place{"price", p.ID, p.Account, p.Number} }

// Paying is money asked for in the world outside: a page to pay by card, or a payout.
// It is stored before the escrow is asked, and asked again under the same id until
// there is an answer.
type Paying struct {
	ID       string // of the operation
	Account  string
	Number   int64 // when, in milliseconds
	Out      bool  // a payout
	State    string
	Currency payment.Currency
	Amount   payment.Amount
	To       string           // of a payout
	URL      string           // of the page
	Left     bool             // nobody waits for it
	EndedAt  time.Time        // when it was seen to have ended
	Error    agentclient.Said // why there is no answer, or which
	// Cancelled: a payout that was taken back before the escrow had answered.
	Cancelled bool
}

func (p Paying) place() place { return place{"paying", p.ID, p.State, p.Number} }
