package agent

import (
	"context"
	"net/url"

	"earnest/agentclient"
	"earnest/discover"
	"earnest/oauth"
)

// Finder finds the servers of an address; [discover.Finder] is one.
type Finder interface {
	Find(ctx context.Context, address string) (discover.Found, error)
}

// Discover implements [agentclient.Agent].
func (a *Agent) Discover(ctx context.Context, address string) (agentclient.Servers, error) {
	if _, err := typedAddress(address); err != nil {
		return agentclient.Servers{}, atField("address", err)
	}
	servers := agentclient.Servers{Address: address, User: address, Source: discover.None}
	if a.Finder != nil {
		found, err := a.Finder.Find(ctx, address)
		if ctx.Err() != nil {
			return servers, ctx.Err()
		}
		if err != nil { // a domain that no server can have
			a.Log.Debug("no servers can be found", "err", err)
			return a.withDefaults(servers), nil
		}
		servers.IMAP, servers.SMTP, servers.User, servers.Escrow = found.IMAP, found.SMTP, found.User, found.Escrow
		servers.Source, servers.Elsewhere = found.Source, found.Elsewhere
		a.signInOf(&servers, found)
	}
	return a.withDefaults(servers), nil
}

func (a *Agent) withDefaults(s agentclient.Servers) agentclient.Servers {
	if s.Escrow == "" {
		s.Escrow = a.DefaultEscrow
	}
	return s
}

// signInOf says where one signs in to the servers. Who runs them is known by
// their names; a file that wants OAuth 2.0 may name others, but no provider whose
// own servers are known and are not these.
func (a *Agent) signInOf(s *agentclient.Servers, found discover.Found) {
	if a.SignIn == nil || s.IMAP == "" {
		return
	}
	at, err := url.Parse(s.IMAP)
	if err != nil {
		return
	}
	var missing oauth.Missing
	s.Provider, s.ProviderReady, missing = a.SignIn.Provider(at.Hostname())
	s.SayHint = saidMissing(missing)
	defer func() { s.ProviderHint = s.SayHint.String() }()
	if s.Provider != "" || !found.OAuth || found.Issuer == "" {
		return
	}
	name, ready, missing := a.SignIn.Named(found.Issuer)
	if !ready || a.SignIn.Serves(name, at.Hostname()) {
		s.Provider, s.ProviderReady, s.SayHint = name, ready, saidMissing(missing)
	}
}
