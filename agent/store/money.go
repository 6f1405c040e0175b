package store

import (
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
	AtEscrow bool // the escrow holds to it, too
}

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
