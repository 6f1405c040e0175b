package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxStatement is how long a statement may be (statements.md).
const maxStatement = 64 << 10

// strict is base64url without padding in which each value has one text only.
func strict() *base64.Encoding { return base64.RawURLEncoding.Strict() }

// hashOf is how statements name each other.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return strict().EncodeToString(sum[:])
}

// keyID is SHA-256 of the key's SubjectPublicKeyInfo (RFC 8410): a fixed prefix
// and the key.
func keyID(key ed25519.PublicKey) string {
	spki := append([]byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}, key...)
	sum := sha256.Sum256(spki)
	return strict().EncodeToString(sum[:])
}

func parseKey(text string) (ed25519.PublicKey, error) {
	key, err := strict().DecodeString(text)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%q is no Ed25519 key", text)
	}
	return key, nil
}

// keyring are the keys that one party may sign with, by key-id.
type keyring map[string]ed25519.PublicKey

func ringOf(key ed25519.PublicKey) keyring { return keyring{keyID(key): key} }

// open verifies a statement of the kind by one of the keys and reads its payload.
func (k keyring) open(statement, kind string, payload any) error {
	if len(statement) > maxStatement {
		return errors.New("is longer than 64 KiB")
	}
	parts := strings.Split(statement, ".")
	if len(parts) != 3 {
		return errors.New("is no compact JWS")
	}
	var raw [3][]byte
	for i, part := range parts {
		var err error
		if raw[i], err = strict().DecodeString(part); err != nil {
			return errors.New("is not base64url")
		}
	}
	for id, key := range k {
		if string(raw[0]) != `{"alg":"EdDSA","typ":"earnest-`+kind+`+jws","kid":"`+id+`"}` {
			continue
		}
		if !ed25519.Verify(key, []byte(parts[0]+"."+parts[1]), raw[2]) {
			return errors.New("has a wrong signature")
		}
		return decode(raw[1], payload)
	}
	return fmt.Errorf("is not a %s by the one who has to sign it", kind)
}

// peek reads what is not verified yet.
func peek(statement string, payload any) error {
	parts := strings.Split(statement, ".")
	if len(parts) != 3 {
		return errors.New("is no compact JWS")
	}
	raw, err := strict().DecodeString(parts[1])
	if err != nil {
		return errors.New("is not base64url")
	}
	return decode(raw, payload)
}

// decode reads one JSON object and nothing behind it.
func decode(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("does not have its form: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("has something behind its JSON")
	}
	return nil
}
