package escrow

import (
	"time"

	"earnest/ledger"
	"earnest/payment"
)

// MovementKind says what a movement did to an account's balance.
type MovementKind string

// The kinds of movements.
const (
	MoveTopUp    MovementKind = "top-up"   // value came in
	MoveHold     MovementKind = "hold"     // available became held
	MoveRefund   MovementKind = "refund"   // held became available again
	MoveForfeit  MovementKind = "forfeit"  // held went to the beneficiary
	MoveReceived MovementKind = "received" // somebody's forfeit or transfer came here

	MovePayout        MovementKind = "payout"         // available became held, to be paid out
	MovePayoutPaid    MovementKind = "payout-paid"    // held was paid out
	MovePayoutRefused MovementKind = "payout-refused" // held became available again
)

// Ground says why value came in.
type Ground string

// The grounds of a top-up.
const (
	GroundVoucher  Ground = "voucher"  // a voucher was redeemed
	GroundPayment  Ground = "payment"  // it was paid to a provider
	GroundOperator Ground = "operator" // the operator said so
	GroundWelcome  Ground = "welcome"  // for proving the first address
)

// MaxMovements is how many movements a page has at most.
const MaxMovements = 500

// Movement is what one step of a transfer did to the account's own balance in one
// currency. It is read off the books; there is no second account of it.
type Movement struct {
	N        int64            `json:"n"` // 1 is the account's first
	Time     time.Time        `json:"time"`
	Kind     MovementKind     `json:"kind"`
	Currency payment.Currency `json:"currency"`
	Amount   payment.Amount   `json:"amount"` // more than zero; the kind says which way
	// Available and Held are the balance after it.
	Available payment.Amount `json:"available"`
	Held      payment.Amount `json:"held"`
	// Bond is set with hold, refund and forfeit. Whose forfeit was received is
	// nobody's business.
	Bond BondID `json:"bond,omitempty"`
	// Ground is set with top-up.
	Ground Ground `json:"ground,omitempty"`
	// Reason is what the escrow or its operator said of a top-up that was no voucher,
	// or of the end of a payout.
	Reason string `json:"reason,omitempty"`
}

// MovementPage is a part of an account's movements, oldest first. Cursor is where
// the next begins.
type MovementPage struct {
	Movements []Movement `json:"movements"`
	Cursor    int64      `json:"cursor"`
	// More: there are further movements after Cursor right now.
	More bool `json:"more"`
}

// OfPayout is the kind that a movement has if its transfer is a payout.
func (k MovementKind) OfPayout() MovementKind {
	switch k {
	case MoveHold:
		return MovePayout
	case MoveForfeit:
		return MovePayoutPaid
	case MoveRefund:
		return MovePayoutRefused
	}
	return k
}

// KindOf names a step of a transfer by what it did to one holder: by how much it
// changed what is available and what is held. It is not ok for a step that the
// escrow never makes.
func KindOf(payer ledger.Holder, available, held int64) (kind MovementKind, amount payment.Amount, ok bool) {
	switch {
	case available < 0 && held == -available:
		return MoveHold, payment.Amount(held), true
	case available > 0 && held == -available:
		return MoveRefund, payment.Amount(available), true
	case available == 0 && held < 0:
		return MoveForfeit, payment.Amount(-held), true
	case available > 0 && held == 0 && payer == ledger.Issuance:
		return MoveTopUp, payment.Amount(available), true
	case available > 0 && held == 0:
		return MoveReceived, payment.Amount(available), true
	}
	return "", 0, false
}
