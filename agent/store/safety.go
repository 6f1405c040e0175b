package store

import (
	"time"

	"earnest/escrow"
)

// Safety is what an account's keys have gone through.
type Safety struct {
	// Account is its id at the escrow, the key-id of its first key; empty: that of the
	// identity. Item is where the identity is in the keyring; empty: the first place.
	Account escrow.KeyID
	Item    string
	// Former are the identities before, oldest first: what is said about a bond is
	// signed by the one of its quote. Follows are the rotations as the offer shows them.
	Former  []FormerKey
	Follows []escrow.Signed
	// Recovery is the recovery key that is on paper; empty: the one of the set-up is in
	// the keyring. Next is one that is to replace it.
	Recovery escrow.PublicKey `json:",omitempty"`
	Next     *Ordered
	// Rotation is a change of the identity that has not acted, as far as known here.
	Rotation *Rotation
	// Ours are hashes of the orders that were given here.
	Ours []string
	// Before, in milliseconds, is when the identity changed: unsold keys made before
	// are none any more. Zero: they are gone.
	Before int64
	// RecoveredAt is when the account was taken over from a machine that was lost.
	RecoveredAt time.Time
}

// FormerKey is an identity that was replaced.
type FormerKey struct {
	Key  escrow.PublicKey
	Item string
}

// Ordered is what was ordered about a key, stored before it is sent.
type Ordered struct {
	Key   escrow.PublicKey `json:",omitempty"`
	Order escrow.Signed
	// ByRecovery: the recovery key signed it, so it acts at once.
	ByRecovery bool
}

// Rotation is stored before its key is made under Item, and again before it is sent.
type Rotation struct {
	Ordered
	Item  string
	DueAt time.Time // once the escrow has said
}
