package agent

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"earnest/agentclient"
	"earnest/imapwatch"
	"earnest/internal/bearer"
	"earnest/oauth"
)

// SignIn is where people sign in to mail providers by OAuth 2.0; [oauth.Broker]
// is it.
type SignIn interface {
	Provider(host string) (name string, ready bool, missing oauth.Missing)
	Named(name string) (known string, ready bool, missing oauth.Missing)
	Serves(provider, host string) bool
	Begin(ctx context.Context, provider, address string) (*oauth.Flow, error)
	Refresh(ctx context.Context, provider, refresh string) (oauth.Token, error)
}

// credential is what an account shows to its mail servers: a password, or access
// that a provider renews. The password or what renews rests in the keyring;
// access itself is in memory alone.
type credential struct {
	*Agent
	address  string
	provider string // empty for a password

	mu sync.Mutex
	// item is the name in the keyring; empty as long as nothing is kept, and then
	// secret is it.
	item   string
	secret string
	access oauth.Token
	life   time.Duration // of access, when it was given
	// ended: the provider renews no more, and is not asked again.
	ended error
}

// server is one of the account's servers with this credential.
func (c *credential) server(url, user string, ca []byte) Server {
	s := Server{URL: url, User: user, CA: ca, Password: c.password}
	if c.provider != "" {
		s.Token = c.token
	}
	return s
}

// mayGoTo refuses to show access to a server that is not its provider's: what a
// domain says of its servers must not carry somebody's mailbox to another's.
func (c *credential) mayGoTo(field, server string) error {
	at, err := url.Parse(server)
	if c.provider == "" || c.SignIn == nil || err == nil && c.SignIn.Serves(c.provider, at.Hostname()) {
		return nil
	}
	return agentclient.Refuse(agentclient.CodeUsage,
		agentclient.Say("login.not-its-server", "{Host} is none of the servers of {Provider}, so it does not get your sign-in there.", "Host", hostPort(server), "Provider", c.provider), nil,
		agentclient.Say("login.its-server", "Name the server of {Provider}.", "Provider", c.provider).And(
			agentclient.Say("login.its-hosts", "If this is one, write it under hosts into providers.toml (docs/OAUTH.md) and start the agent again."))).At(field)
}

func (c *credential) password(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept(ctx)
}

// kept is the password or what renews. Callers hold mu.
func (c *credential) kept(ctx context.Context) (string, error) {
	if c.secret != "" || c.item == "" {
		return c.secret, nil
	}
	return c.Keyring.Password(ctx, c.item)
}

// keep puts it into the keyring under a name.
func (c *credential) keep(ctx context.Context, item string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	secret, err := c.kept(ctx)
	if err != nil {
		return err
	}
	if err := c.Keyring.PutPassword(ctx, item, secret); err != nil {
		return err
	}
	c.item, c.secret = item, ""
	return nil
}

// unkeep takes back what keep did, for another try.
func (c *credential) unkeep(secret string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.item, c.secret = "", secret
}

// refreshAhead is how long before its end access is renewed, and at most the last
// quarter of its life.
const refreshAhead = 5 * time.Minute

// due is when access is to be renewed; zero: when it is refused. Callers hold mu.
func (c *credential) due() time.Time {
	if c.access.Expires.IsZero() {
		return time.Time{}
	}
	return c.access.Expires.Add(-min(refreshAhead, c.life/4))
}

// token is access that is still good for a while. refused is one that a server
// did not take.
func (c *credential) token(ctx context.Context, refused string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return "", c.ended
	}
	good := c.access.Access != "" && c.access.Access != refused
	if due := c.due(); good && (due.IsZero() || c.Now().Before(due)) {
		return c.access.Access, nil
	}
	err := c.renew(ctx)
	if errors.Is(err, oauth.ErrRefused) {
		c.ended = err
		return "", err
	}
	if err != nil && good && c.Now().Before(c.access.Expires) {
		return c.access.Access, nil // it will do until the provider answers
	}
	return c.access.Access, err
}

// renew gets new access. Callers hold mu.
func (c *credential) renew(ctx context.Context) error {
	if c.SignIn == nil {
		return fmt.Errorf("sign in at %s: %w", c.provider, oauth.ErrUnknownProvider)
	}
	refresh, err := c.kept(ctx)
	if err != nil {
		return err
	}
	unsaved := c.secret != ""
	token, err := c.SignIn.Refresh(ctx, c.provider, refresh)
	if err != nil {
		return fmt.Errorf("%s: %w", c.provider, err)
	}
	c.take(token)
	if c.item == "" {
		return nil
	}
	if token.Refresh == refresh && !unsaved {
		c.secret = ""
		return nil
	}
	// The old one may be dead already: what cannot be saved now is kept here and
	// saved the next time.
	if err := c.Keyring.PutPassword(ctx, c.item, token.Refresh); err != nil {
		c.Log.Warn("the renewed sign-in could not be put into the keyring yet", "err", err)
		return nil
	}
	c.secret = ""
	return nil
}

func (c *credential) take(token oauth.Token) {
	c.access, c.secret = token, token.Refresh
	c.life = token.Expires.Sub(c.Now())
}

// keepAccess renews an account's access before its time is over, so that a
// connection that breaks can be made again at once, and tells early where it
// cannot.
func (a *account) keepAccess(ctx context.Context) error {
	for {
		c, changed := a.signedInAs(), a.signInNew
		if c.provider == "" {
			if !sleep(ctx, changed, 24*time.Hour) {
				return nil
			}
			continue
		}
		_, err := c.token(ctx, "")
		pause := accessRetry
		switch {
		case errors.Is(err, oauth.ErrRefused):
			a.mailboxState(imapwatch.State{Phase: imapwatch.Failing, Err: err})
			pause = 24 * time.Hour // until somebody has signed in again
		case err != nil && ctx.Err() == nil:
			a.Log.Info("the provider does not renew the sign-in now", "err", err, "retry_in", pause)
		default:
			pause = max(c.untilDue(), accessRetry/60)
		}
		if !sleep(ctx, changed, pause) {
			return nil
		}
	}
}

const accessRetry = time.Minute

func (c *credential) untilDue() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	due := c.due()
	if due.IsZero() {
		return 24 * time.Hour
	}
	return due.Sub(c.Now())
}

// explain says in words what is wrong with a server of the account.
func (c *credential) explain(what agentclient.Said, err error) error {
	switch {
	case errors.Is(err, oauth.ErrRefused), c.provider != "" && loginRefused(err):
		return agentclient.Refuse(agentclient.CodeLogin,
			agentclient.Say("login.ended", "{What} no longer takes your sign-in with {Provider}: it has ended, or was taken back.", "What", what, "Provider", c.provider),
			agentclient.Say("login.until-again", "Until you sign in again no mail comes in or goes out here. Nothing is lost: new mail waits at the provider, what you decided is kept, and money that is held goes back at its deadline."),
			agentclient.Say("login.again-by", "Sign in again: earnest account change {Address} --login", "Address", c.address))
	case errors.Is(err, bearer.ErrNotOffered):
		return agentclient.Refuse(agentclient.CodeLogin,
			agentclient.Say("login.password-only", "{What} takes no sign-in with {Provider}, only a password.", "What", what, "Provider", c.provider),
			agentclient.Say("server.not-sent", "Nothing was sent to it."),
			agentclient.Say("login.give-password", "Give the password of the mailbox, or check the server's name."))
	}
	return explain(what, err)
}
