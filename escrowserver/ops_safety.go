package escrowserver

import (
	"context"
	"encoding/json"
	"time"

	"earnest/escrow"
)

// TakeOrder does what an owner ordered about an account: the signature is checked
// within, against the keys that the account has then. It gives an [AccountRecord].
type TakeOrder struct {
	Now    time.Time
	Signed escrow.Signed
	// Promise signs a change that acts later.
	Promise Promise
	Seal    Seal
}

// ProposeChange has a change of an account act later, with notice until then. One of
// the same kind and subject that waits is replaced, unless it says the same. It
// gives the [escrow.AccountChange] that waits.
type ProposeChange struct {
	Now     time.Time
	Change  escrow.AccountChange
	Promise Promise
	Seal    Seal
}

// ApplyChange does a change whose time has come, or ends it as failed.
type ApplyChange struct {
	Now time.Time
	ID  string
	// Genuine reports whether the escrow has signed the change as it is stored.
	Genuine func(ChangeLine) bool
	Seal    Seal
}

// Promise is the escrow's signed word on a change, so that verify finds one that
// was made up or moved.
type Promise func(escrow.AccountChange) (escrow.Signed, error)

// Names of the operations.
func (TakeOrder) Name() string     { return "order" }
func (ProposeChange) Name() string { return "propose" }
func (ApplyChange) Name() string   { return "apply" }

// SafetyStore is the part of a [Store] that keeps accounts from thieves.
type SafetyStore interface {
	// Keys returns NotFound for an account that is not, or not any more.
	Keys(ctx context.Context, account escrow.KeyID) (AccountKeys, error)
	// OwnerOf is the account that the key has, or had before it was replaced; none, if
	// it never had any.
	OwnerOf(ctx context.Context, key escrow.KeyID) (account escrow.KeyID, replaced bool, err error)
	// Replaced lists keys that were taken away from their accounts, oldest first and
	// at most limit, from the one after the given number on, which NewestReplaced gives.
	Replaced(ctx context.Context, after int64, limit int) ([]ReplacedKey, error)
	NewestReplaced(ctx context.Context) (int64, error)
	// DueChanges lists at most limit changes whose time has come: the longest due first,
	// from the one after the given.
	DueChanges(ctx context.Context, now time.Time, after DueChange, limit int) ([]DueChange, error)
	// Aged counts the unsold keys of an address that are older than [escrow.KeyLife].
	Aged(ctx context.Context, address escrow.Address, now time.Time) (int, error)
	// Export returns all that is stored about the account.
	Export(ctx context.Context, account escrow.KeyID) (json.RawMessage, error)
}

// DueChange is a change and when it is due.
type DueChange struct {
	At time.Time
	ID string
}

// AccountKeys are the two keys of an account.
type AccountKeys struct {
	Key, Recovery escrow.PublicKey
	// Signed is the escrow's word on the recovery key: see [Seal.Trusted].
	Signed escrow.Signed
}

// ReplacedKey is a key that is its account's no more. Next is the one after it,
// none if the account was deleted.
type ReplacedKey struct {
	N       int64
	Key     escrow.KeyID
	Account escrow.KeyID
	Next    escrow.KeyID
}

// ChangeLine is a change as stored, with the escrow's word on it.
type ChangeLine struct {
	escrow.AccountChange
	Signed escrow.Signed
}
