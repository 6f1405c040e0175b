package agent_test

import (
	"errors"
	"testing"

	"earnest/agentclient"
	"earnest/crypto/keyring"
	"earnest/discover"
	"earnest/escrow"
	"earnest/oauth"
)

// What a domain says of its servers must not carry somebody's sign-in with a
// provider to a server of somebody else: access opens the whole mailbox.
func TestASignInGoesToItsProvidersServersAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	c := w.campus()
	provider := oauth.Provider{Name: "Campus", Issuer: c.issuer.URL, ClientID: c.issuer.ClientID, Hosts: []string{"127.0.0.1"}}
	w.signIn = oauth.New(oauth.Config{HTTP: c.issuer.Client(), Now: w.now, Providers: oauth.Providers{provider}})
	w.finder = found{IMAP: "imaps://imap.evil.example:993", SMTP: "smtps://smtp.evil.example:465", Source: discover.Autoconfig, OAuth: true, Issuer: "127.0.0.1"}
	p := &person{address: "reader@example.org", home: t.TempDir(), ring: keyring.OpenMemory()}
	w.start(p)
	servers, err := p.Discover(t.Context(), p.address)
	must(t, err)
	if servers.Provider != "" {
		t.Errorf("to read at %s it proposes to sign in with %s", servers.IMAP, servers.Provider)
	}
	id, own := c.signIn(t, p), "imaps://"+c.dovecot.IMAPAddr
	for _, c := range []struct{ field, imap, smtp string }{
		{"imap", "imaps://imap.evil.example:993", "smtps://127.0.0.1:1"},
		{"imap", "imaps://127.0.0.1.evil.example:993", "smtps://127.0.0.1:1"},
		{"smtp", own, "smtps://smtp.evil.example:465"},
	} {
		_, err := p.AddAccount(t.Context(), agentclient.AddAccount{Address: p.address, Login: id, IMAP: c.imap, SMTP: c.smtp, Escrow: "https://escrow.example"})
		failure, ok := errors.AsType[*agentclient.Failure](err)
		if !ok || failure.Field != c.field || failure.Means == "" || failure.Do == "" {
			t.Errorf("%+v: %v", c, err)
		}
	}
	_, err = p.AddAccount(t.Context(), agentclient.AddAccount{Address: p.address, Login: id, IMAP: own, SMTP: "smtps://127.0.0.1:1", Escrow: "https://escrow.example"})
	must(t, err)
	for _, change := range []agentclient.AddAccount{{SMTP: "smtps://smtp.evil.example:465"}, {IMAP: "imaps://imap.evil.example:993"}} {
		change.Address = p.address
		if _, err := p.ChangeAccount(t.Context(), change); code(err) != agentclient.CodeUsage {
			t.Errorf("%+v: %v", change, err)
		}
	}
}
