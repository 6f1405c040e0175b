// Package escrow holds the words of the escrow: addresses, offers, quotes,
// bonds, decisions, receipts, their states and errors, and [Service], which the
// server implements and the client speaks over HTTP.
//
// It is pure: no SQL, HTTP or logging. Besides the standard library it imports
// only golang.org/x/net/idna and golang.org/x/text/unicode/norm, which decide
// when two addresses are the same one.
//
// Everything that one party says and another relies on later is signed: a
// compact JWS (RFC 7515) with EdDSA (RFC 8037), kept and sent as the bytes that
// were made.
package escrow

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"earnest/ledger"
)

// KeyID names an account: base64url of SHA-256 of its Ed25519 public key's
// SubjectPublicKeyInfo. For the owner of an address it is also the fingerprint
// of the identity.
type KeyID string

// Holder is the account as the ledger knows it.
func (k KeyID) Holder() ledger.Holder { return ledger.Holder(k) }

// spkiPrefix is the DER of an Ed25519 SubjectPublicKeyInfo up to the key
// (RFC 8410).
const spkiPrefix = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"

// KeyIDOf returns the key-id of an account's public key.
func KeyIDOf(key ed25519.PublicKey) KeyID {
	return KeyID(Hash(append([]byte(spkiPrefix), key...)))
}

// Hash is base64url of SHA-256, the form of every hash on our wires.
func Hash(data []byte) string {
	sum := sha256.Sum256(data)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// PublicKey is an Ed25519 public key that travels as base64url text.
type PublicKey ed25519.PublicKey

// MarshalText writes the key as base64url.
func (k PublicKey) MarshalText() ([]byte, error) {
	return []byte(base64.RawURLEncoding.EncodeToString(k)), nil
}

// UnmarshalText reads a key, and refuses what [CheckKey] does.
func (k *PublicKey) UnmarshalText(text []byte) error {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(string(text))
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return fmt.Errorf("a public key is %d bytes of base64url", ed25519.PublicKeySize)
	}
	if err := CheckKey(raw); err != nil {
		return err
	}
	*k = raw
	return nil
}

// ID is the key-id of the key.
func (k PublicKey) ID() KeyID { return KeyIDOf(ed25519.PublicKey(k)) }
