package escrow

import (
	"crypto/ed25519"
	"strings"
	"time"

	"earnest/payment"
)

// KindOrder is what an owner orders about an account; KindNewKey is signed by the
// key that is to take an account over.
const (
	KindOrder  Kind = "earnest-order+jws"
	KindNewKey Kind = "earnest-newkey+jws"
)

// Action is what is ordered about an account.
type Action string

// The actions. What would let a thief with the account's key keep what was stolen
// (unfreeze, rotate, recovery) acts at once if the recovery key signed it, else
// after [ChangeNotice].
const (
	// ActionFreeze stops purchases, withdrawals, keys and changes of offers, at
	// once. Decisions go on.
	ActionFreeze Action = "freeze"
	// ActionUnfreeze ends that.
	ActionUnfreeze Action = "unfreeze"
	// ActionRelease gives an address up: its offer and its unsold keys are deleted.
	ActionRelease Action = "release"
	// ActionRotate gives the account to another key.
	ActionRotate Action = "rotate"
	// ActionRecovery names another recovery key.
	ActionRecovery Action = "recovery"
	// ActionCancel stops a change that has not acted yet.
	ActionCancel Action = "cancel"
	// ActionDelete deletes the account. What is left of its balance is given up.
	ActionDelete Action = "delete"
)

// Times of notice.
const (
	ChangeNotice = 48 * time.Hour
	RebindNotice = 14 * 24 * time.Hour
	// OrderSkew is how far from the escrow's clock an order may be signed.
	OrderSkew = 5 * time.Minute
	// BlockLife is how long a block of a [Decision] lasts.
	BlockLife = 365 * 24 * time.Hour
	// KeyLife is how long a one-time key stays for sale before it is replaced.
	KeyLife = 180 * 24 * time.Hour
)

// What is taken of a new order at most, in bytes: it is kept. One in an offer may be of
// before.
const (
	MaxOrder   = 4 << 10
	MaxOrderID = 64
)

// Order is signed by the account's key or by its recovery key. It needs no signed
// request, since who orders may have lost the account's key.
type Order struct {
	ID      string `json:"id"`
	Account KeyID  `json:"account"`
	Action  Action `json:"action"`
	// Address, with release.
	Address Address `json:"address,omitempty"`
	// Change, with cancel, is the id of an [AccountChange].
	Change string `json:"change,omitempty"`
	// Key, with rotate, is the new key, and Accepted a [NewKey] signed by it.
	Key      PublicKey `json:"key,omitempty"`
	Accepted Signed    `json:"accepted,omitempty"`
	// Recovery is the new recovery key, with recovery; with rotate it may be.
	Recovery PublicKey `json:"recovery,omitempty"`
	// GiveUp, with delete, names all money that is given up: the whole balance.
	GiveUp []GivenUp `json:"giveUp,omitempty"`
	Time   time.Time `json:"time"`
}

// GivenUp is money left behind by a deletion. It goes to the escrow's operator.
type GivenUp struct {
	Currency string         `json:"currency"`
	Amount   payment.Amount `json:"amount"`
}

// NewKey says that the key takes the account over.
type NewKey struct {
	Account KeyID     `json:"account"`
	Key     PublicKey `json:"key"`
}

// AccountChange is a change of an account that acts later, shown to those whom it
// concerns: either of them may cancel it until then.
type AccountChange struct {
	ID string `json:"id"`
	// Account asked for it.
	Account KeyID `json:"account"`
	// Holder, where an address changes hands, is who holds it now.
	Holder KeyID `json:"holder,omitempty"`
	// Kind says what changes: unfreeze, rotate, recovery or address.
	Kind string `json:"kind"`
	// Subject is what of it changes: an address; or nothing.
	Subject string    `json:"subject,omitempty"`
	Value   string    `json:"value,omitempty"`
	AskedAt time.Time `json:"askedAt"`
	DueAt   time.Time `json:"dueAt"`
	// Ended and Ending tell what became of it: applied, cancelled, replaced or failed.
	Ended  time.Time `json:"ended,omitzero"`
	Ending string    `json:"ending,omitempty"`
}

// VerifyOrder checks that one of the account's two keys signed the order, and that
// the order is whole. It reports whether the recovery key did.
func VerifyOrder(s Signed, key, recovery PublicKey) (order Order, byRecovery bool, err error) {
	err = Verify(s, KindOrder, ed25519.PublicKey(key), &order)
	if err != nil && len(recovery) > 0 {
		order = Order{}
		err = Verify(s, KindOrder, ed25519.PublicKey(recovery), &order)
		byRecovery = err == nil
	}
	if err != nil {
		return Order{}, false, Errorf(Unauthorized, "the order is not signed by the account's key, nor by its recovery key; nothing was changed")
	}
	return order, byRecovery, order.check()
}

func (o Order) check() error {
	whole := false
	switch o.Action {
	case ActionFreeze, ActionUnfreeze, ActionDelete:
		whole = true
	case ActionRelease:
		whole = o.Address.Valid()
	case ActionCancel:
		whole = o.Change != ""
	case ActionRecovery:
		whole = CheckKey(ed25519.PublicKey(o.Recovery)) == nil
	case ActionRotate:
		var accepted NewKey
		err := Verify(o.Accepted, KindNewKey, ed25519.PublicKey(o.Key), &accepted)
		whole = err == nil && accepted.Account == o.Account && accepted.Key.ID() == o.Key.ID() &&
			CheckKey(ed25519.PublicKey(o.Key)) == nil && (len(o.Recovery) == 0 || CheckKey(ed25519.PublicKey(o.Recovery)) == nil)
	}
	if !whole || o.Account == "" || o.ID == "" || o.Time.IsZero() {
		return Errorf(Invalid, "the order is not whole, or not one that the escrow knows; nothing was changed")
	}
	return nil
}

// SignedBySame reports whether two statements of one kind name the same key.
func (s Signed) SignedBySame(other Signed) bool {
	mine, _, _ := strings.Cut(string(s), ".")
	theirs, _, ok := strings.Cut(string(other), ".")
	return ok && mine == theirs
}
