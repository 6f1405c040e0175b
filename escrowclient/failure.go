package escrowclient

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"earnest/escrow"
)

// ErrFingerprint: the server shows another certificate than the pinned one.
var ErrFingerprint = errors.New("the certificate is not the pinned one")

// lostError is a failure that may pass by itself: the answer was lost, or the
// escrow is away for a moment. Told is what a person reads; cause, if any, is
// the network's own error.
type lostError struct {
	told  *escrow.Error
	cause error
}

func (e *lostError) Error() string {
	if e.cause == nil {
		return e.told.Error()
	}
	return fmt.Sprintf("%v: %v", e.told, e.cause)
}

func (e *lostError) Unwrap() []error {
	if e.cause == nil {
		return []error{e.told}
	}
	return []error{e.told, e.cause}
}

// unreachable is the error of a request without an answer. The cause stays
// recognisable with errors.As, certificates included.
func unreachable(ctx context.Context, cause error) error {
	// The text of a url.Error contains the URL, and that may contain an address.
	if wrapped, ok := errors.AsType[*url.Error](cause); ok {
		cause = wrapped.Err
	}
	if told := certificateProblem(cause); told != "" {
		return fmt.Errorf("%w: %w", escrow.Errorf(escrow.Unavailable, "%s", told), cause)
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", escrow.Errorf(escrow.Unavailable, "given up before the escrow answered"), ctx.Err())
	case errors.Is(cause, context.DeadlineExceeded):
		// Whoever waits has waited long enough: no second try.
		return fmt.Errorf("%w: %w", escrow.Errorf(escrow.Unavailable,
			"the escrow did not answer in time; no money is lost, ask again later"), cause)
	}
	return &lostError{told: escrow.Errorf(escrow.Unavailable,
		"the escrow cannot be reached; no money is lost, and nothing is decided meanwhile"), cause: cause}
}

// certificateProblem says what is wrong with a certificate, if that is it.
func certificateProblem(err error) string {
	const nothingSent = "; nothing was sent. "
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if invalid.Reason == x509.Expired {
			return "the escrow's certificate has expired or is not valid yet" + nothingSent +
				"Check this machine's clock; if it is right, the escrow's operator must renew the certificate"
		}
		return "the escrow's certificate is not valid" + nothingSent + "Ask the escrow's operator"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the escrow's certificate is signed by nobody whom this machine knows" + nothingSent +
			"If the operator gave you the certificate or its fingerprint, add it to the account"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the escrow's certificate is for another name" + nothingSent + "Check the escrow's address"
	}
	if errors.Is(err, ErrFingerprint) {
		return "the server shows another certificate than the pinned one" + nothingSent +
			"Either the operator renewed it, or somebody stands between: compare the fingerprint with the operator's"
	}
	return ""
}

// tlsConfig verifies the server by its pinned certificate, or by authorities.
func tlsConfig(fingerprint string, roots *x509.CertPool, now func() time.Time) (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots, Time: now}
	if fingerprint == "" {
		return cfg, nil
	}
	pin, err := hex.DecodeString(strings.ReplaceAll(fingerprint, ":", ""))
	if err != nil || len(pin) != sha256.Size {
		return nil, fmt.Errorf("a fingerprint is 64 hexadecimal digits, as the escrow prints them at its start")
	}
	// The pin takes the place of authorities and names, not of the dates.
	cfg.InsecureSkipVerify = true
	cfg.VerifyConnection = func(state tls.ConnectionState) error {
		leaf := state.PeerCertificates[0]
		if sum := sha256.Sum256(leaf.Raw); subtle.ConstantTimeCompare(sum[:], pin) != 1 {
			return ErrFingerprint
		}
		if at := now(); at.Before(leaf.NotBefore) || at.After(leaf.NotAfter) {
			return x509.CertificateInvalidError{Cert: leaf, Reason: x509.Expired}
		}
		return nil
	}
	return cfg, nil
}
