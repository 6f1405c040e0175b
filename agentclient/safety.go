package agentclient

import (
	"context"
	"encoding/json"
	"net/url"
	"time"
)

// SafetyAgent is what a client can order about an account at its escrow.
type SafetyAgent interface {
	// OrderAccount carries out an order at once, or has it act after its notice.
	// Without an action it only looks.
	OrderAccount(ctx context.Context, req AccountOrder) (AccountSafety, error)
	// ExportAccount returns all that the escrow stores about the account.
	ExportAccount(ctx context.Context, address string) (json.RawMessage, error)
}

// What can be ordered about an account.
const (
	// OrderFreeze stops purchases, payouts and changes of the price; decisions go on.
	OrderFreeze   = "freeze"
	OrderUnfreeze = "unfreeze"
	// OrderRelease gives the address up at the escrow; the account stays here.
	OrderRelease = "release"
	// OrderCancel stops a change that waits.
	OrderCancel = "cancel"
	// OrderDelete deletes the account at the escrow and here.
	OrderDelete = "delete"
)

// AccountOrder is ordered about an account.
type AccountOrder struct {
	Address string `json:"address"`
	Order   string `json:"order,omitempty"`
	Change  string `json:"change,omitempty"` // with cancel
	// GiveUp, with delete: what is available goes to the escrow's operator.
	GiveUp bool `json:"giveUp,omitempty"`
	// Recovery is the recovery key as it was written down. What it signs acts at once.
	Recovery string `json:"recovery,omitempty"`
	// NewRecovery, with recovery, is the code of a [RecoveryKey].
	NewRecovery string `json:"newRecovery,omitempty"`
}

// AccountSafety is how an account stands at its escrow.
type AccountSafety struct {
	Address  string    `json:"address"`
	Escrow   string    `json:"escrow"`
	FrozenAt time.Time `json:"frozenAt,omitzero"`
	Recovery bool      `json:"recovery"` // it has a recovery key
	// RecoveryHere: that key was never written down; whoever has this machine has it.
	RecoveryHere bool `json:"recoveryHere,omitempty"`
	// Identity is the fingerprint that the card carries, and NextIdentity what is to
	// replace it.
	Identity     string          `json:"identity"`
	NextIdentity *KeyChange      `json:"nextIdentity,omitempty"`
	Changes      []AccountChange `json:"changes"` // that wait
}

// AccountChange is a change that acts later, and can be cancelled until then.
type AccountChange struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	Subject string `json:"subject,omitempty"`
	Ours    bool   `json:"ours"` // this account asked for it; else another wants its address
	// Foreign: it was not ordered here. If no other machine of its owner did, a thief
	// has the account's key.
	Foreign bool      `json:"foreign,omitempty"`
	AskedAt time.Time `json:"askedAt"`
	DueAt   time.Time `json:"dueAt"`
}

// OrderAccount implements [Agent].
func (c *Client) OrderAccount(ctx context.Context, req AccountOrder) (AccountSafety, error) {
	return post[AccountSafety](ctx, c, "/v1/accounts/order", req)
}

// ExportAccount implements [Agent].
func (c *Client) ExportAccount(ctx context.Context, address string) (json.RawMessage, error) {
	return get[json.RawMessage](ctx, c, "/v1/accounts/export?"+url.Values{"address": {address}}.Encode())
}
