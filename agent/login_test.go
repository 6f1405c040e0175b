package agent_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"earnest/agent"
	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/keyring"
	"earnest/discover"
	"earnest/escrow"
	"earnest/imapwatch"
	"earnest/internal/mailtest"
	"earnest/oauth"
	"earnest/smtpsubmit"
)

// campus is a provider with a real mailbox: people sign in at the issuer, and
// Dovecot asks it about their tokens.
type campus struct {
	*reached
	issuer  *mailtest.Issuer
	dovecot *mailtest.Dovecot
}

// CheckMailbox and the others trust the provider.
func (c *campus) trusted(s agent.Server) agent.Server {
	s.CA = c.dovecot.CAPEM()
	return s
}

func (c *campus) CheckMailbox(ctx context.Context, s agent.Server) error {
	return c.reached.CheckMailbox(ctx, c.trusted(s))
}

func (c *campus) Mailbox(s agent.Server, h imapwatch.Handler, m imapwatch.Memory, state func(imapwatch.State)) (agent.Mailbox, error) {
	return c.reached.Mailbox(c.trusted(s), h, m, state)
}

// CheckSubmission is what smtpsubmit does with a real server, without one.
func (c *campus) CheckSubmission(ctx context.Context, s agent.Server) error {
	access, err := s.Token(ctx, "")
	if err == nil && !c.issuer.Good(access) {
		err = smtpsubmit.ErrLogin
	}
	return err
}

func (w *world) campus() *campus {
	w.t.Helper()
	issuer := mailtest.StartIssuer(w.t)
	c := &campus{&reached{world: w}, issuer, mailtest.StartDovecotOAuth(w.t, issuer, "xoauth2 oauthbearer", "reader")}
	w.outside = c
	w.finder = found{IMAP: "imaps://" + c.dovecot.IMAPAddr, SMTP: "smtps://127.0.0.1:1", Source: discover.SRV, Escrow: "https://escrow.example",
		OAuth: true, Issuer: "127.0.0.1"}
	w.signIn = oauth.New(oauth.Config{HTTP: issuer.Client(), Now: w.now, Providers: oauth.Providers{
		{Name: "Campus", Issuer: issuer.URL, ClientID: issuer.ClientID},
		{Name: "Elsewhere", Issuer: "https://login.elsewhere.example", Register: "https://register.elsewhere.example"},
	}})
	return c
}

// signIn begins a sign-in, ends it in a browser, and returns its id.
func (c *campus) signIn(t *testing.T, p *person) string {
	t.Helper()
	told := p.listen(t, agentclient.EventLogin)
	login, err := p.BeginLogin(t.Context(), agentclient.BeginLogin{Address: p.address, Provider: "Campus"})
	must(t, err)
	if left := time.Until(login.Expires); left < 9*time.Minute || left > 10*time.Minute {
		t.Errorf("it ends in %s", left)
	}
	resp, err := c.issuer.Client().Get(login.URL)
	must(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	must(t, err)
	resp.Body.Close()
	eventually(t, "the sign-in has ended", func() bool { return slices.Contains(told(), login.ID+" done") })
	return login.ID
}

func (p *person) mailboxIs(t *testing.T, state string) agentclient.Account {
	t.Helper()
	var account agentclient.Account
	eventually(t, "the mailbox is "+state, func() bool {
		status, err := p.Status(t.Context())
		must(t, err)
		account = status.Accounts[0]
		return account.Mailbox == state
	})
	return account
}

// secretOf is what the agent has in the keyring for the account's servers.
func (w *world) secretOf(p *person) string {
	w.t.Helper()
	var account store.Account
	w.look(p, func(tx *store.Tx) error {
		all, err := store.List[store.Account](tx)
		account = all[0]
		return err
	})
	item := account.Secret
	if item == "" {
		item = account.ID + "/password"
	}
	secret, err := p.ring.Password(w.t.Context(), item)
	must(w.t, err)
	return secret
}

func TestSignedInFromTheBrowserToTheEndOfTheAccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	c := w.campus()
	c.issuer.SetLifetime(4 * time.Second)
	p := &person{address: "reader@example.org", home: t.TempDir(), ring: keyring.OpenMemory()}
	w.start(p)
	servers, err := p.Discover(t.Context(), p.address)
	must(t, err)
	if servers.Provider != "Campus" || !servers.ProviderReady || servers.ProviderHint != "" || servers.Source != "srv" {
		t.Errorf("found %+v", servers)
	}
	id := c.signIn(t, p)
	account := agentclient.AddAccount{Address: p.address, Login: id}
	_, err = p.AddAccount(t.Context(), account)
	must(t, err)
	if account := p.mailboxIs(t, "watching"); account.Provider != "Campus" {
		t.Errorf("the account signs in with %q", account.Provider)
	}
	first := w.secretOf(p)
	if !strings.HasPrefix(first, "refresh-") || len(first) > 2500 {
		t.Errorf("the keyring has %q", first)
	}

	// While the mailbox is watched, access is renewed before it ends, and the
	// keyring follows.
	eventually(t, "access was renewed twice", func() bool { return c.issuer.Refreshes() >= 2 })
	if p.mailboxIs(t, "watching"); w.secretOf(p) == first {
		t.Error("the keyring still has the first refresh token")
	}
	// A machine under load may come too late for some second; never to come in time
	// is the fault.
	if all, late := c.issuer.Refreshes(), c.issuer.Late(); late >= all {
		t.Errorf("access was renewed %d times, and %d times after its end", all, late)
	}
	p.stop()
	w.start(p)
	p.mailboxIs(t, "watching")

	// Taken back at the provider: it is said, and the provider is left alone.
	c.issuer.Revoke()
	c.issuer.SetLifetime(time.Hour)
	state := p.mailboxIs(t, "failing")
	for _, part := range []string{"no longer takes your sign-in with Campus", "no mail comes in or goes out", "Nothing is lost", "Sign in again: earnest account change reader@example.org --login"} {
		if !strings.Contains(state.MailboxError, part) {
			t.Errorf("it does not say %q: %s", part, state.MailboxError)
		}
	}
	before := c.issuer.Refreshes()
	for range 3 {
		checks, err := p.Doctor(t.Context())
		must(t, err)
		if i := slices.IndexFunc(checks, func(c agentclient.Check) bool { return strings.HasPrefix(c.Name, "mailbox") }); checks[i].OK ||
			!strings.Contains(checks[i].Detail, "no longer takes your sign-in") {
			t.Errorf("the doctor says %+v", checks[i])
		}
	}
	if after := c.issuer.Refreshes(); after != before {
		t.Errorf("the provider was asked %d more times", after-before)
	}

	// And signed in again.
	_, err = p.ChangeAccount(t.Context(), agentclient.AddAccount{Address: p.address, Login: c.signIn(t, p)})
	must(t, err)
	p.mailboxIs(t, "watching")
	if faults := c.issuer.Faults(); len(faults) > 0 {
		t.Errorf("the provider found fault: %q", faults)
	}
	_, err = p.ChangeAccount(t.Context(), agentclient.AddAccount{Address: p.address, Login: id})
	if failure, ok := errors.AsType[*agentclient.Failure](err); !ok || failure.Field != "login" {
		t.Errorf("a sign-in was used twice: %v", err)
	}
}

func TestASignInThatEndsBadlyAddsNoAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	c := w.campus()
	p := &person{address: "reader@example.org", home: t.TempDir(), ring: keyring.OpenMemory()}
	w.start(p)
	told := p.listen(t, agentclient.EventLogin)
	begin := func() agentclient.Login {
		t.Helper()
		login, err := p.BeginLogin(t.Context(), agentclient.BeginLogin{Address: p.address, Provider: "Campus"})
		must(t, err)
		return login
	}
	refused := func(id, address, says string) {
		t.Helper()
		_, err := p.AddAccount(t.Context(), agentclient.AddAccount{Address: address, Login: id})
		failure, ok := errors.AsType[*agentclient.Failure](err)
		if !ok || failure.Field != "login" || !strings.Contains(failure.Happened, says) || failure.Means == "" || failure.Do == "" {
			t.Errorf("got %v, want %q", err, says)
		}
	}
	first := begin()
	refused(first.ID, p.address, "has not ended yet")
	second := begin()
	eventually(t, "the first is replaced", func() bool { return slices.Contains(told(), first.ID+" failed") })
	refused(first.ID, p.address, "replaced by a later one")
	c.issuer.Deny()
	resp, err := c.issuer.Client().Get(second.URL)
	must(t, err)
	resp.Body.Close()
	eventually(t, "the second was refused", func() bool { return slices.Contains(told(), second.ID+" failed") })
	refused(second.ID, p.address, "refused in the browser")
	refused(second.ID, "other@example.org", "was for reader@example.org")
	w.pass(61 * time.Minute)
	refused(second.ID, p.address, "too long ago")
	for _, provider := range []string{"Elsewhere", "unheard.example"} {
		_, err := p.BeginLogin(t.Context(), agentclient.BeginLogin{Address: p.address, Provider: provider})
		failure, ok := errors.AsType[*agentclient.Failure](err)
		if !ok || failure.Field != "provider" || !strings.Contains(failure.Happened, "providers.toml") {
			t.Errorf("%s: got %v", provider, err)
		}
	}
	if names := p.kept(t); len(names) > 0 {
		t.Errorf("the keyring has %q", names)
	}
}

// A token for somebody else's mailbox is refused, and the field is the sign-in.
func TestASignInAsAnotherIsRefusedByTheMailbox(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	c := w.campus()
	p := &person{address: "stranger@example.org", home: t.TempDir(), ring: keyring.OpenMemory()}
	w.start(p)
	_, err := p.AddAccount(t.Context(), agentclient.AddAccount{Address: p.address, User: "reader@example.org", Login: c.signIn(t, p)})
	failure, ok := errors.AsType[*agentclient.Failure](err)
	if !ok || failure.Field != "login" || failure.Code != agentclient.CodeLogin || !strings.Contains(failure.Error(), "not added") {
		t.Errorf("got %v", err)
	}
	if names := p.kept(t); len(names) > 0 {
		t.Errorf("the keyring has %q", names)
	}
}
