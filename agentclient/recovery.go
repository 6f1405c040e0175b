package agentclient

import (
	"context"
	"time"
)

// RecoveryAgent is what a client can ask about the key that is kept on paper.
type RecoveryAgent interface {
	// NewRecoveryKey makes a recovery key and changes nothing: it counts once it is
	// ordered with [OrderRecovery], by who has written it down. It is not kept.
	NewRecoveryKey(ctx context.Context, account AccountAddress) (RecoveryKey, error)
	// RecoverAccount takes an account over whose machine was lost. Doing it again
	// after a crash does it once.
	RecoverAccount(ctx context.Context, req RecoverAccount) (Recovered, error)
}

// What can be ordered about the keys of an account, beside what stops it.
const (
	// OrderRecovery names another recovery key.
	OrderRecovery = "recovery"
	// OrderRotate has the account signed for by another key, which is made here.
	OrderRotate = "rotate"
)

// AccountAddress names an account.
type AccountAddress struct {
	Address string `json:"address"`
}

// RecoveryKey is what a person writes down. It is nowhere else.
type RecoveryKey struct {
	Address string `json:"address"`
	Escrow  string `json:"escrow"` // https://host:port, to write down as well
	// Code is 17 groups of six characters; each finds its own typing errors.
	Code string `json:"code"`
	// Replaces: the account has another on paper, which goes on counting until this
	// one does. AtOnce: that is when it is ordered; else 48 hours later, unless the
	// order is signed with the one on paper.
	Replaces bool `json:"replaces"`
	AtOnce   bool `json:"atOnce"`
}

// RecoverAccount is what it takes to take an account over: the mailbox as for
// AddAccount, and the recovery key.
type RecoverAccount struct {
	AddAccount
	Recovery string `json:"recovery"`
}

// Recovered is an account that was taken over.
type Recovered struct {
	Account Account `json:"account"`
	// Open is how many mails wait at the escrow that nobody can open or decide any
	// more. Lost says it, and what else was lost with the other machine.
	Open    int      `json:"open"`
	Lost    []string `json:"lost"`
	SayLost []Said   `json:"sayLost"`
}

// KeyChange is another key that is to take the account over.
type KeyChange struct {
	// Identity is the fingerprint that the card will carry.
	Identity string `json:"identity"`
	// DueAt is when it acts; zero: the escrow has not said yet.
	DueAt time.Time `json:"dueAt,omitzero"`
}

// NewRecoveryKey implements [Agent].
func (c *Client) NewRecoveryKey(ctx context.Context, account AccountAddress) (RecoveryKey, error) {
	return post[RecoveryKey](ctx, c, "/v1/accounts/recovery", account)
}

// RecoverAccount implements [Agent].
func (c *Client) RecoverAccount(ctx context.Context, req RecoverAccount) (Recovered, error) {
	return post[Recovered](ctx, c, "/v1/accounts/recover", req)
}
