package agent

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"earnest/agentclient"
	"earnest/escrow"
	"earnest/oauth"
)

// logins are the sign-ins that have begun, by id.
type logins struct {
	mu   sync.Mutex
	list map[string]*login
}

// login is a sign-in in the browser, and what came of it.
type login struct {
	address    escrow.Address
	stop       context.CancelFunc
	ended      time.Time // zero while it runs
	err        error
	credential *credential
}

// loginKept is how long a sign-in that has ended waits to be used.
const loginKept = time.Hour

// BeginLogin implements [agentclient.Agent].
func (a *Agent) BeginLogin(ctx context.Context, req agentclient.BeginLogin) (agentclient.Login, error) {
	address, err := typedAddress(req.Address)
	if err != nil {
		return agentclient.Login{}, atField("address", err)
	}
	if a.SignIn == nil {
		return agentclient.Login{}, noSignIn(agentclient.Say("login.no-settings", "This agent was started without the settings to sign in anywhere."))
	}
	provider, ready, missing := a.SignIn.Named(req.Provider)
	if !ready {
		return agentclient.Login{}, noSignIn(saidMissing(missing))
	}
	flow, err := a.SignIn.Begin(ctx, provider, req.Address)
	if err != nil {
		a.Log.Warn("a sign-in could not begin", "provider", provider, "err", err)
		return agentclient.Login{}, agentclient.Refuse(agentclient.CodeUnreachable,
			agentclient.Say("login.cannot-begin", "Signing in with {Provider} cannot begin: {Why}.", "Provider", provider, "Why", cause(err)), nothingSaved(),
			agentclient.Say("login.check", "Check the network, and what providers.toml says of {Provider}; then try again.", "Provider", provider)).At("provider")
	}
	running, stop := context.WithCancel(a.life())
	id, l := newID(), &login{address: address, stop: stop}
	a.logins.add(id, l, a.Now())
	go a.await(running, id, l, provider, flow)
	return agentclient.Login{ID: id, URL: flow.URL, Expires: flow.Expires}, nil
}

func nothingSaved() agentclient.Said {
	return agentclient.Say("login.nothing-saved", "Nothing was saved, and no mail and no money was touched.")
}

func noSignIn(hint agentclient.Said) error {
	return agentclient.Refuse(agentclient.CodeState, hint, nothingSaved(),
		agentclient.Say("login.password-or-id", "Give a password that the provider made for one program, or add the client id first.")).At("provider")
}

// life ends when the agent does.
func (a *Agent) life() context.Context {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running == nil {
		return context.Background()
	}
	return a.running
}

func (a *Agent) await(ctx context.Context, id string, l *login, provider string, flow *oauth.Flow) {
	defer l.stop()
	token, err := flow.Wait(ctx)
	c := &credential{Agent: a, address: string(l.address), provider: provider}
	if err == nil {
		c.take(token)
	} else {
		a.Log.Info("a sign-in ended without access", "provider", provider, "err", err)
	}
	a.logins.mu.Lock()
	l.ended, l.err, l.credential = a.Now(), err, c
	a.logins.mu.Unlock()
	a.tell(agentclient.EventLogin, id, either(err == nil, "done", "failed"))
}

// add begins one. An earlier one of the same address ends: there is one page to
// sign in on at a time.
func (l *logins) add(id string, begun *login, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.list == nil {
		l.list = map[string]*login{}
	}
	for known, other := range l.list {
		switch {
		case other.ended.IsZero() && other.address == begun.address:
			other.stop()
		case other.over(now):
			delete(l.list, known)
		}
	}
	l.list[id] = begun
}

// used forgets one whose access an account has now.
func (l *logins) used(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.list, id)
}

// signedIn is the access that a sign-in ended with.
func (l *logins) signedIn(id string, address escrow.Address, now time.Time) (*credential, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	code, do := agentclient.CodeState, agentclient.Say("login.again", "Sign in again.")
	var happened agentclient.Said
	one := l.list[id]
	switch {
	case one == nil || one.over(now):
		happened = agentclient.Say("login.unknown", "That sign-in is not known here, or is too long ago.")
	case one.address != address:
		happened = agentclient.Say("login.other-address", "That sign-in was for {Address}.", "Address", one.address)
	case one.ended.IsZero():
		happened, do = agentclient.Say("login.not-ended", "The sign-in in the browser has not ended yet."), agentclient.Say("login.end-first", "End it there first.")
	case errors.Is(one.err, oauth.ErrDenied):
		code, happened = agentclient.CodeLogin, agentclient.Say("login.denied", "Signing in was refused in the browser.")
	case errors.Is(one.err, oauth.ErrNoRefresh):
		code, happened = agentclient.CodeLogin, agentclient.Say("login.no-refresh", "{Provider} gave access for an hour or so and nothing to renew it with.", "Provider", one.provider())
		do = agentclient.Say("login.check-scopes", "Check the scopes and params in providers.toml: docs/OAUTH.md.")
	case errors.Is(one.err, context.Canceled):
		happened = agentclient.Say("login.replaced", "That sign-in was replaced by a later one.")
	case errors.Is(one.err, context.DeadlineExceeded):
		happened = agentclient.Say("login.too-long", "That sign-in took longer than ten minutes, and has ended.")
	case one.err != nil:
		code, happened = agentclient.CodeUnreachable, agentclient.Say("login.failed", "The sign-in did not end well: {Why}.", "Why", strings.TrimSuffix(cause(one.err), "."))
	default:
		return one.credential, nil
	}
	return nil, agentclient.Refuse(code, happened, nothingSaved(), do).At("login")
}

// over: it has ended and was not used in time.
func (l *login) over(now time.Time) bool { return !l.ended.IsZero() && now.Sub(l.ended) > loginKept }

func (l *login) provider() string { return l.credential.provider }
