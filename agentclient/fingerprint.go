package agentclient

import (
	"context"
	"net/url"
	"time"
)

// FingerprintAgent is by what identity others are known.
type FingerprintAgent interface {
	// Fingerprints tells by which identity an own account knows an address, and which
	// one its escrow shows now.
	Fingerprints(ctx context.Context, account, address string) (Fingerprints, error)
	// AcceptFingerprint has the account know the address by the identity that the
	// escrow shows, if that is the one that the person gives.
	AcceptFingerprint(ctx context.Context, req AcceptFingerprint) (Fingerprints, error)
}

// Fingerprints are the identities of an address. Where Known and Shown differ nothing
// is bought there.
type Fingerprints struct {
	Account string `json:"account"` // own address
	Address string `json:"address"`
	Escrow  string `json:"escrow"` // its name
	Known   string `json:"known"`
	Shown   string `json:"shown"`
	// Seen is when the address was first looked up.
	Seen time.Time `json:"seen"`
	// AcceptedAt is when a person accepted what is known; zero if nobody did.
	AcceptedAt time.Time `json:"acceptedAt,omitzero"`
	// Before are those in whose place another was accepted by hand, the newest first.
	Before []FormerFingerprint `json:"before,omitempty"`
	// Connected: keys of before were exchanged, and mail over them asks nobody.
	Connected bool `json:"connected,omitempty"`
}

// FormerFingerprint is one that is known no more.
type FormerFingerprint struct {
	Fingerprint string    `json:"fingerprint"`
	Until       time.Time `json:"until"`
}

// AcceptFingerprint gives a fingerprint in full, or the card that carries it.
type AcceptFingerprint struct {
	Account     string `json:"account,omitempty"` // own address; the only account where empty
	Address     string `json:"address"`
	Fingerprint string `json:"fingerprint"`
}

// FieldFingerprint is the field of a [Failure] about what was given.
const FieldFingerprint = "fingerprint"

// Fingerprints implements [Agent].
func (c *Client) Fingerprints(ctx context.Context, account, address string) (Fingerprints, error) {
	return get[Fingerprints](ctx, c, "/v1/fingerprints?"+url.Values{"account": {account}, "address": {address}}.Encode())
}

// AcceptFingerprint implements [Agent].
func (c *Client) AcceptFingerprint(ctx context.Context, req AcceptFingerprint) (Fingerprints, error) {
	return post[Fingerprints](ctx, c, "/v1/fingerprints", req)
}
