// Package bearer logs in to mail servers with an OAuth 2.0 access token, by the
// SASL mechanism that the server offers: OAUTHBEARER (RFC 7628), or XOAUTH2, which
// came before it and is all that some providers have.
package bearer

import (
	"errors"
	"slices"

	"github.com/emersion/go-sasl"
)

// ErrNotOffered means that the server takes no tokens; none was sent.
var ErrNotOffered = errors.New("the mail server does not offer to log in by OAuth 2.0")

// xoauth2 is the name of the older mechanism.
const xoauth2 = "XOAUTH2"

// Client makes the SASL client for what the server offers, names in upper case.
func Client(offered []string, user, token, host string, port int) (sasl.Client, error) {
	switch {
	case slices.Contains(offered, sasl.OAuthBearer):
		return polite{sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{Username: user, Token: token, Host: host, Port: port})}, nil
	case slices.Contains(offered, xoauth2):
		return polite{xoauth2Client{user, token}}, nil
	}
	return nil, ErrNotOffered
}

// Offers says whether the server takes tokens.
func Offers(offered []string) bool {
	return slices.Contains(offered, sasl.OAuthBearer) || slices.Contains(offered, xoauth2)
}

// polite answers the server's explanation of a refusal, which both mechanisms
// send as a challenge, so that the refusal itself follows and the connection
// stays in step (RFC 7628 section 3.2.3).
type polite struct{ sasl.Client }

// Next implements [sasl.Client].
func (polite) Next([]byte) ([]byte, error) { return []byte{1}, nil }

type xoauth2Client struct{ user, token string }

// Start implements [sasl.Client].
func (c xoauth2Client) Start() (string, []byte, error) {
	return xoauth2, []byte("user=" + c.user + "\x01auth=Bearer " + c.token + "\x01\x01"), nil
}

// Next implements [sasl.Client].
func (c xoauth2Client) Next([]byte) ([]byte, error) { return nil, sasl.ErrUnexpectedServerChallenge }
