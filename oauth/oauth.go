// Package oauth signs in to mail providers by OAuth 2.0: the authorization code
// flow with PKCE in the system's browser (RFC 6749, 7636, 8252), and the refresh of
// what comes out of it. Passwords and logins stay between the browser and the
// provider; this program gets tokens.
package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

var (
	// ErrRefused means that the provider does not renew the access any more: its
	// owner has to sign in again.
	ErrRefused = errors.New("the provider wants its user to sign in again")
	// ErrUnknownProvider means that nothing is known of a provider.
	ErrUnknownProvider = errors.New("unknown provider")
	// ErrNoClient means that this machine has no client id for the provider.
	ErrNoClient = errors.New("no client id for the provider")
	// ErrNoRefresh means that the provider gave access without a way to renew it.
	ErrNoRefresh = errors.New("the provider gave no refresh token")
)

// Token is access to a mailbox for a while, and what renews it.
type Token struct {
	Access  string
	Expires time.Time // zero: the provider did not say
	Refresh string
}

// Config says how providers are reached.
type Config struct {
	Providers Providers
	// HTTP reaches the providers; it follows no redirect.
	HTTP *http.Client
	Now  func() time.Time
}

// Broker signs in and renews.
type Broker struct {
	providers Providers
	http      *http.Client
	now       func() time.Time

	mu    sync.Mutex
	found map[string]metadata // by issuer
}

// New makes a broker.
func New(config Config) *Broker {
	client := http.Client{Timeout: patience}
	if config.HTTP != nil {
		client = *config.HTTP
	}
	// Codes and tokens go to the provider's own address and nowhere else.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b := &Broker{providers: config.Providers, http: &client, now: config.Now, found: map[string]metadata{}}
	if b.now == nil {
		b.now = time.Now
	}
	return b
}

// patience is how long a provider may take to answer.
const patience = 20 * time.Second

// Provider names the provider that signs in to a mail server, and says
// what is missing where it cannot be used yet. The name is empty for a server
// that is known to none.
func (b *Broker) Provider(host string) (name string, ready bool, missing Missing) {
	p, ok := b.providers.byHost(host)
	if !ok {
		return "", false, Missing{}
	}
	return p.Name, p.ready(), p.missing()
}

// Named says the same of a provider by its name or issuer.
func (b *Broker) Named(name string) (known string, ready bool, missing Missing) {
	p, ok := b.providers.named(name)
	if !ok {
		return name, false, Missing{Provider: name}
	}
	return p.Name, p.ready(), p.missing()
}

// Serves reports whether a mail server is one of the provider's, so that access to
// it may be shown there. Where it is not known which servers are the provider's it
// is left to whoever named them.
func (b *Broker) Serves(provider, host string) bool {
	p, ok := b.providers.named(provider)
	return ok && (len(p.Hosts) == 0 || matches(p.Hosts, host))
}

// Refresh renews access. An error that is [ErrRefused] ends it: asking again is
// of no use.
func (b *Broker) Refresh(ctx context.Context, provider, refresh string) (Token, error) {
	config, _, err := b.client(ctx, provider)
	if err != nil {
		return Token{}, err
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, b.http)
	// Without an access token the source has to renew at once.
	token, err := config.TokenSource(ctx, &oauth2.Token{RefreshToken: refresh}).Token()
	if err != nil {
		return Token{}, fmt.Errorf("renew access: %w", plain(err))
	}
	renewed := taken(token)
	if renewed.Refresh == "" {
		renewed.Refresh = refresh
	}
	return renewed, nil
}

func taken(t *oauth2.Token) Token {
	return Token{Access: t.AccessToken, Expires: t.Expiry, Refresh: t.RefreshToken}
}

// client is the library's form of a provider's settings.
func (b *Broker) client(ctx context.Context, name string) (*oauth2.Config, Provider, error) {
	p, ok := b.providers.named(name)
	if !ok {
		return nil, p, fmt.Errorf("%w: %s", ErrUnknownProvider, name)
	}
	if !p.ready() {
		return nil, p, fmt.Errorf("%w %s", ErrNoClient, p.Name)
	}
	auth, token := p.AuthURL, p.TokenURL
	if auth == "" || token == "" {
		found, err := b.discover(ctx, p.Issuer)
		if err != nil {
			return nil, p, err
		}
		auth, token = found.Auth, found.Token
	}
	style := oauth2.AuthStyleInParams
	if p.ClientSecret != "" {
		style = oauth2.AuthStyleAutoDetect
	}
	return &oauth2.Config{ClientID: p.ClientID, ClientSecret: p.ClientSecret, Scopes: p.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: auth, TokenURL: token, AuthStyle: style}}, p, nil
}

// plain takes the provider's answer out of an error: it is long, may repeat what
// was sent, and ends in logs.
func plain(err error) error {
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return err
	}
	code := answer.ErrorCode
	if !word(code) {
		code = ""
	}
	switch code {
	case "invalid_grant", "interaction_required", "login_required", "consent_required":
		return fmt.Errorf("%w (%s)", ErrRefused, code)
	case "":
		return fmt.Errorf("the provider answered %d", answer.Response.StatusCode)
	}
	return fmt.Errorf("the provider answered %s", code)
}

// word: safe to show, as the codes of RFC 6749 are.
func word(code string) bool {
	return len(code) <= 40 && strings.Trim(code, "abcdefghijklmnopqrstuvwxyz_") == ""
}
