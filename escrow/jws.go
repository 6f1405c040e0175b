package escrow

import (
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// Kind separates what can be signed, so that a signature on one thing is never
// taken for another. It travels as the "typ" of the protected header.
type Kind string

// The kinds of signed statements.
const (
	KindOffer     Kind = "earnest-offer+jws"
	KindKeys      Kind = "earnest-keys+jws"
	KindQuote     Kind = "earnest-quote+jws"
	KindDecision  Kind = "earnest-decision+jws"
	KindStatement Kind = "earnest-statement+jws"
	KindReceipt   Kind = "earnest-receipt+jws"
	KindTotals    Kind = "earnest-totals+jws"
	KindOutage    Kind = "earnest-outage+jws"
)

// Signed is a compact JWS as it was made: header.payload.signature.
type Signed string

// Hash names the statement: base64url of SHA-256 of its bytes.
func (s Signed) Hash() string { return Hash([]byte(s)) }

// maxSigned bounds what is parsed: a key batch of 100 is the largest.
const maxSigned = 64 << 10

// header is the one protected header that we write and take: anything else, an
// "alg" of the sender's choice included, is refused.
func header(kind Kind, id KeyID) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":"EdDSA","typ":%q,"kid":%q}`, kind, id))
}

// Sign makes a signed statement. The signer holds an Ed25519 key.
func Sign(signer crypto.Signer, kind Kind, payload any) (Signed, error) {
	key, ok := signer.Public().(ed25519.PublicKey)
	if !ok {
		return "", fmt.Errorf("sign %s: the key is not Ed25519", kind)
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", kind, err)
	}
	input := header(kind, KeyIDOf(key)) + "." + base64.RawURLEncoding.EncodeToString(body)
	signature, err := signer.Sign(nil, []byte(input), crypto.Hash(0))
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", kind, err)
	}
	return Signed(input + "." + base64.RawURLEncoding.EncodeToString(signature)), nil
}

// Verify checks that the statement is of the kind and signed by the key, and
// reads its payload.
func Verify(s Signed, kind Kind, key ed25519.PublicKey, payload any) error {
	if len(s) > maxSigned {
		return Errorf(Invalid, "the signed statement is too long")
	}
	parts := strings.Split(string(s), ".")
	if len(parts) != 3 || !strong(key) {
		return Errorf(Invalid, "that is not a signed statement")
	}
	if parts[0] != header(kind, KeyIDOf(key)) {
		return Errorf(Invalid, "the statement is of another kind, or signed by another key")
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if err != nil || !ed25519.Verify(key, []byte(parts[0]+"."+parts[1]), signature) {
		return Errorf(Invalid, "the signature of the statement is wrong")
	}
	return readPayload(parts[1], payload)
}

// Peek reads the payload without checking the signature: for statements that
// were checked when they came in, and to find out by whom one claims to be.
func Peek(s Signed, payload any) error {
	parts := strings.Split(string(s), ".")
	if len(s) > maxSigned || len(parts) != 3 {
		return Errorf(Invalid, "that is not a signed statement")
	}
	return readPayload(parts[1], payload)
}

func readPayload(part string, payload any) error {
	body, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil || !PlainJSON(body) {
		return Errorf(Invalid, "the payload of the statement is malformed")
	}
	if err := json.Unmarshal(body, payload); err != nil {
		return Errorf(Invalid, "the payload of the statement is malformed")
	}
	return nil
}
