package wire

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"earnest/escrow"
)

// The profile: exactly these components, in this order, these parameters, one
// signature under this label. Nothing is negotiated, so nothing can be left out.
const (
	label = "earnest"
	tag   = "earnest"

	headerDigest    = "Content-Digest"
	headerInput     = "Signature-Input"
	headerSignature = "Signature"
	headerType      = "Content-Type"
)

func components() []string {
	return []string{"@method", "@authority", "@path", "@query", "content-digest", "content-type"}
}

// Signer signs requests for one account.
//
// It writes the signature base itself: the library that the [Verifier] uses
// takes the time of signing from the machine's clock, and a client must be able
// to follow the escrow's. That both agree is tested.
type Signer struct {
	key   crypto.Signer
	keyID string
}

// NewSigner is a signer with an account's Ed25519 key.
func NewSigner(key crypto.Signer) (*Signer, error) {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("request signer: the account's key is not Ed25519")
	}
	return &Signer{key: key, keyID: base64.RawURLEncoding.EncodeToString(public)}, nil
}

// Sign signs the request as made at now, with a nonce of its own. Body is what
// the request will send. A retry is signed anew.
func (s *Signer) Sign(req *http.Request, body []byte, now time.Time) error {
	digest := sha256.Sum256(body)
	// RFC 9530 section 2: a dictionary of byte sequences.
	req.Header.Set(headerDigest, "sha-256=:"+base64.StdEncoding.EncodeToString(digest[:])+":")
	req.Header.Set(headerType, MediaType)

	nonce := make([]byte, 18)
	if _, err := rand.Read(nonce); err != nil {
		return fmt.Errorf("sign request: %w", err)
	}
	params := fmt.Sprintf(`("%s");created=%d;nonce="%s";keyid="%s";tag="%s"`, strings.Join(components(), `" "`),
		now.Unix(), base64.RawURLEncoding.EncodeToString(nonce), s.keyID, tag)
	base := signatureBase(req, params)
	signature, err := s.key.Sign(nil, []byte(base), crypto.Hash(0))
	if err != nil {
		return fmt.Errorf("sign request: %w", err)
	}
	req.Header.Set(headerInput, label+"="+params)
	req.Header.Set(headerSignature, label+"=:"+base64.StdEncoding.EncodeToString(signature)+":")
	return nil
}

// signatureBase is what is signed (RFC 9421 section 2.5).
func signatureBase(req *http.Request, params string) string {
	host := req.Host
	if host == "" {
		host = req.URL.Host
	}
	var b strings.Builder
	for _, line := range [][2]string{
		{"@method", req.Method},
		{"@authority", Authority(host)},
		{"@path", signedPath(req.URL)},
		{"@query", "?" + req.URL.RawQuery},
		{"content-digest", req.Header.Get(headerDigest)},
		{"content-type", req.Header.Get(headerType)},
	} {
		fmt.Fprintf(&b, "\"%s\": %s\n", line[0], line[1])
	}
	b.WriteString(`"@signature-params": ` + params)
	return b.String()
}

// Authority is a host as it is signed: in lower case, without the default port
// (RFC 9421 section 2.2.3).
func Authority(host string) string {
	return strings.TrimSuffix(strings.ToLower(host), ":443")
}

// signedPath is the path as it is on the wire, percent-encoding included: the
// decoded one would make two paths out of which one could be signed and the
// other sent (RFC 9421 section 2.2.6).
func signedPath(u *url.URL) string {
	if path := u.EscapedPath(); path != "" {
		return path
	}
	return "/"
}

// parseKeyID reads the public key that a signature names.
func parseKeyID(keyID string) (escrow.PublicKey, error) {
	var key escrow.PublicKey
	err := key.UnmarshalText([]byte(keyID))
	return key, err
}
