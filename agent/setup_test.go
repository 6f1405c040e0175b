package agent_test

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"earnest/agent"
	"earnest/agent/store"
	"earnest/agentclient"
	"earnest/crypto/keyring"
	"earnest/discover"
	"earnest/escrow"
	"earnest/imapwatch"
	"earnest/internal/mailhost"
	"earnest/smtpsubmit"
)

// reached are servers that are where their URLs say, with the certificates that
// an account trusts.
type reached struct {
	*world
	closed  atomic.Bool // the escrow opens no accounts
	mu      sync.Mutex
	watched []*watchedBox
}

// watchedBox notes when a mailbox is watched.
type watchedBox struct {
	agent.Mailbox
	server  agent.Server
	running chan struct{}
	ended   chan struct{}
}

func (b *watchedBox) Run(ctx context.Context) error {
	close(b.running)
	defer close(b.ended)
	return b.Mailbox.Run(ctx)
}

func (r *reached) trust(s agent.Server) (string, *tls.Config) {
	at, err := url.Parse(s.URL)
	if err != nil {
		return "", nil
	}
	roots := x509.NewCertPool()
	if len(s.CA) > 0 {
		roots.AppendCertsFromPEM(s.CA)
	} else {
		roots = r.mail.TLSConfig().RootCAs
	}
	return at.Host, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

func (r *reached) imap(s agent.Server, state func(imapwatch.State)) imapwatch.Config {
	config := r.world.imap(s, state)
	config.Addr, config.TLSConfig = r.trust(s)
	config.Token = s.Token
	config.Timing.ReconnectMin, config.Timing.ReconnectMax = 50*time.Millisecond, 200*time.Millisecond
	config.Timing.LoginRetry = 200 * time.Millisecond
	return config
}

func (r *reached) CheckMailbox(ctx context.Context, s agent.Server) error {
	return imapwatch.Check(ctx, r.imap(s, nil))
}

func (r *reached) Mailbox(s agent.Server, h imapwatch.Handler, m imapwatch.Memory, state func(imapwatch.State)) (agent.Mailbox, error) {
	box := &watchedBox{imapwatch.New(r.imap(s, state), h, m), s, make(chan struct{}), make(chan struct{})}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watched = append(r.watched, box)
	return box, nil
}

func (r *reached) smtp(s agent.Server) smtpsubmit.Config {
	config := r.world.smtp(s)
	config.Addr, config.TLSConfig = r.trust(s)
	config.Token = s.Token
	return config
}

func (r *reached) CheckSubmission(ctx context.Context, s agent.Server) error {
	return smtpsubmit.Check(ctx, r.smtp(s))
}

func (r *reached) Submit(ctx context.Context, s agent.Server, from, to string, raw []byte) error {
	return smtpsubmit.Submit(ctx, r.smtp(s), smtpsubmit.Envelope{From: from, To: []string{to}}, raw)
}

// Escrow knows one place; elsewhere nobody answers.
func (r *reached) Escrow(at string, ca []byte, signer crypto.Signer) (escrow.Service, error) {
	service, err := r.world.Escrow(at, ca, signer)
	if at != "https://escrow.example" {
		return absent{service}, nil
	}
	if r.closed.Load() {
		return closed{service}, nil
	}
	return service, err
}

type absent struct{ escrow.Service }

func (absent) Info(context.Context) (escrow.Info, error) {
	return escrow.Info{}, &escrow.Error{Code: escrow.Unavailable}
}

// found is a finder that finds that.
type found discover.Found

func (f found) Find(context.Context, string) (discover.Found, error) { return discover.Found(f), nil }

// empty is a person with a mailbox and an agent without an account.
func (w *world) empty(name string) *person {
	w.t.Helper()
	p := &person{address: name + "@mail.example", home: w.t.TempDir(), ring: keyring.OpenMemory()}
	must(w.t, w.mail.AddUser(p.address, "pw "+name, p.address))
	w.start(p)
	return p
}

func (w *world) servers() found {
	return found{IMAP: "imaps://" + w.mail.IMAPAddr, SMTP: "smtps://" + w.mail.SubmissionsAddr, Source: discover.Autoconfig, Escrow: "https://escrow.example"}
}

// noted is a keyring that tells its names.
type noted struct {
	*keyring.Ring
	names *names
}

type names struct {
	mu  sync.Mutex
	all map[string]bool
}

func (n noted) note(name string, there bool, err error) {
	n.names.mu.Lock()
	defer n.names.mu.Unlock()
	if n.names.all == nil {
		n.names.all = map[string]bool{}
	}
	if err == nil && there {
		n.names.all[name] = true
	} else if err == nil {
		delete(n.names.all, name)
	}
}

func (n noted) NewSigner(ctx context.Context, name string) (crypto.Signer, error) {
	signer, err := n.Ring.NewSigner(ctx, name)
	n.note(name, true, err)
	return signer, err
}

func (n noted) PutPassword(ctx context.Context, name, password string) error {
	err := n.Ring.PutPassword(ctx, name, password)
	n.note(name, true, err)
	return err
}

func (n noted) Delete(ctx context.Context, name string) error {
	err := n.Ring.Delete(ctx, name)
	n.note(name, false, err)
	return err
}

// kept are the names in the agent's keyring, sorted.
func (p *person) kept(t *testing.T) []string {
	t.Helper()
	p.names.mu.Lock()
	defer p.names.mu.Unlock()
	return slices.Sorted(maps.Keys(p.names.all))
}

// listen collects the events of a type, as "id state".
func (p *person) listen(t *testing.T, kind string) (told func() []string) {
	t.Helper()
	var mu sync.Mutex
	var all []string
	ready := make(chan struct{}, 1)
	go func() {
		_ = p.Events(t.Context(), func(e agentclient.Event) {
			select {
			case ready <- struct{}{}:
			default:
			}
			if e.Type == kind {
				mu.Lock()
				defer mu.Unlock()
				all = append(all, e.ID+" "+e.State)
			}
		})
	}()
	<-ready
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

func TestAnAddressAndAPasswordAreEnough(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	w.outside, w.finder = &reached{world: w}, w.servers()
	p := w.empty("reader")
	told := p.listen(t, agentclient.EventSetup)
	account, err := p.AddAccount(t.Context(), agentclient.AddAccount{Address: p.address, Password: "pw reader"})
	must(t, err)
	if account.Address != p.address || account.Escrow != "escrow.example" {
		t.Errorf("added as %+v", account)
	}
	var want []string
	for _, step := range []string{"keyring", "imap", "smtp", "escrow", "keys", "address"} {
		want = append(want, step+" trying", step+" ok")
	}
	eventually(t, "all steps are told", func() bool { return len(told()) >= len(want) })
	if got := told(); !slices.Equal(got, want) {
		t.Errorf("told %q", got)
	}
	eventually(t, "the address is proven", func() bool {
		status, err := p.Status(t.Context())
		return err == nil && status.Accounts[0].Proven && status.Accounts[0].Mailbox == "watching"
	})
}

func TestEachFaultOfASetUpNamesItsFieldAndKeepsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	w.outside = &reached{world: w}
	p := w.empty("reader")
	stranger, err := mailhost.Start(mailhost.Options{})
	must(t, err)
	t.Cleanup(func() { stranger.Close() })
	expired, err := mailhost.Start(mailhost.Options{CertNotAfter: time.Now().AddDate(0, 0, -1)})
	must(t, err)
	t.Cleanup(func() { expired.Close() })
	good := agentclient.AddAccount{Address: p.address, IMAP: "imaps://" + w.mail.IMAPAddr, SMTP: "smtps://" + w.mail.SubmissionsAddr,
		User: p.address, Password: "pw reader", Escrow: "https://escrow.example"}
	for name, c := range map[string]struct {
		change      func(*agentclient.AddAccount)
		field, code string
		says        []string
		failed      string // the step
	}{
		"no address":     {func(r *agentclient.AddAccount) { r.Address = "reader" }, "address", "usage", []string{`"reader" is not an e-mail address`}, ""},
		"no password":    {func(r *agentclient.AddAccount) { r.Password = "" }, "password", "usage", []string{"no password and no sign-in"}, ""},
		"wrong password": {func(r *agentclient.AddAccount) { r.Password = "guess" }, "password", "login", []string{"The mailbox at " + w.mail.IMAPAddr, "refused the user name or password"}, "imap"},
		"odd user":       {func(r *agentclient.AddAccount) { r.User = "a\nb" }, "user", "usage", []string{"user name"}, ""},
		"dead mailbox":   {func(r *agentclient.AddAccount) { r.IMAP = "imaps://127.0.0.1:1" }, "imap", "unreachable", []string{"The mailbox at 127.0.0.1:1 does not answer", "name and port"}, "imap"},
		"dead sender":    {func(r *agentclient.AddAccount) { r.SMTP = "smtps://127.0.0.1:1" }, "smtp", "unreachable", []string{"The server that sends your mail, 127.0.0.1:1, does not answer"}, "smtp"},
		"foreign certificate": {func(r *agentclient.AddAccount) { r.IMAP = "imaps://" + stranger.IMAPAddr }, "imap", "tls",
			[]string{stranger.IMAPAddr, "a certificate that cannot be trusted", "Nothing was sent to it"}, "imap"},
		"old certificate": {func(r *agentclient.AddAccount) {
			r.SMTP, r.CA = "smtps://"+expired.SubmissionsAddr, slices.Concat(w.mail.CAPEM, expired.CAPEM)
		}, "smtp", "tls",
			[]string{expired.SubmissionsAddr, "a certificate that has expired"}, "smtp"},
		"unknown servers": {func(r *agentclient.AddAccount) { r.IMAP = "" }, "imap", "usage", []string{"mail.example says nothing", "imaps://"}, ""},
		"no escrow":       {func(r *agentclient.AddAccount) { r.Escrow = "" }, "escrow", "usage", []string{"not known which escrow", "holds each bond", "earnest-escrow serve"}, "escrow"},
		"absent escrow":   {func(r *agentclient.AddAccount) { r.Escrow = "https://nobody.example:8443" }, "escrow", "unreachable", []string{"The escrow at nobody.example:8443 does not answer"}, "escrow"},
		"unknown sign-in": {func(r *agentclient.AddAccount) { r.Login = "x" }, "login", "wrong_state", []string{"sign-in is not known"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			told := p.listen(t, agentclient.EventSetup)
			req := good
			c.change(&req)
			_, err := p.AddAccount(t.Context(), req)
			failure, ok := errors.AsType[*agentclient.Failure](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if failure.Field != c.field || failure.Code != c.code {
				t.Errorf("field %q, code %q: %v", failure.Field, failure.Code, failure)
			}
			for _, part := range append(c.says, "othing was") {
				if !strings.Contains(failure.Error(), part) {
					t.Errorf("it does not say %q: %v", part, failure)
				}
			}
			if c.failed != "" {
				eventually(t, c.failed+" is told to have failed", func() bool { return slices.Contains(told(), c.failed+" failed") })
			}
			if steps := told(); slices.ContainsFunc(steps[:max(len(steps)-1, 0)], func(s string) bool { return strings.HasSuffix(s, "failed") }) {
				t.Errorf("after a failure it went on: %q", steps)
			}
			w.look(p, func(tx *store.Tx) error {
				all, err := store.List[store.Account](tx)
				if len(all) > 0 {
					t.Errorf("kept: %+v", all)
				}
				return err
			})
			if names := p.kept(t); len(names) > 0 {
				t.Errorf("the keyring has %q", names)
			}
		})
	}
	_, err = p.AddAccount(t.Context(), good)
	must(t, err)
	if names := p.kept(t); len(names) < 2 {
		t.Errorf("nothing is seen in the keyring: %q", names)
	}
}

// A server that goes away between the test of a mailbox and the end of the set-up.
func TestAFaultAfterTheKeysWereMadeTakesThemBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	servers := &reached{world: w}
	w.outside, w.finder = servers, w.servers()
	servers.closed.Store(true)
	p := w.empty("reader")
	req := agentclient.AddAccount{Address: p.address, Password: "pw reader"}
	_, err := p.AddAccount(t.Context(), req)
	failure, ok := errors.AsType[*agentclient.Failure](err)
	if !ok || failure.Field != "escrow" || !strings.Contains(failure.Error(), "not added") {
		t.Errorf("got %v", err)
	}
	if names := p.kept(t); len(names) > 0 {
		t.Errorf("the keyring has %q", names)
	}
	servers.closed.Store(false)
	_, err = p.AddAccount(t.Context(), req)
	must(t, err)
}

// closed opens no accounts.
type closed struct{ escrow.Service }

func (closed) OpenAccount(context.Context, escrow.OpenAccount) (escrow.Account, error) {
	return escrow.Account{}, &escrow.Error{Code: escrow.Unavailable}
}

func TestAChangedAccountIsTestedAndWatchedAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, escrow.Terms{})
	servers := &reached{world: w}
	w.outside, w.finder = servers, w.servers()
	p := w.empty("reader")
	_, err := p.AddAccount(t.Context(), agentclient.AddAccount{Address: p.address, Password: "pw reader"})
	must(t, err)
	before := p.kept(t)
	other, err := mailhost.Start(mailhost.Options{})
	must(t, err)
	t.Cleanup(func() { other.Close() })
	must(t, other.AddUser("new login", "new password", p.address))
	change := agentclient.AddAccount{Address: p.address, IMAP: "imaps://" + other.IMAPAddr, SMTP: "smtps://" + other.SubmissionsAddr,
		User: "new login", Password: "wrong", CA: other.CAPEM}

	_, err = p.ChangeAccount(t.Context(), change)
	failure, ok := errors.AsType[*agentclient.Failure](err)
	if !ok || failure.Field != "password" || !strings.Contains(failure.Means, "goes on with what it had") {
		t.Errorf("with a wrong password: %v", err)
	}
	if after := p.kept(t); !slices.Equal(after, before) {
		t.Errorf("the keyring has %q, had %q", after, before)
	}
	if n := len(servers.watched); n != 1 {
		t.Errorf("%d mailboxes were made", n)
	}

	change.Password = "new password"
	_, err = p.ChangeAccount(t.Context(), change)
	must(t, err)
	last := servers.watched[len(servers.watched)-1]
	<-last.running
	<-servers.watched[0].ended
	if last.server.URL != change.IMAP || last.server.User != "new login" {
		t.Errorf("watched is %+v", last.server)
	}
	eventually(t, "the old password is gone", func() bool {
		after := p.kept(t)
		return len(after) == len(before) && !slices.Equal(after, before)
	})
	p.stop()
	w.start(p)
	eventually(t, "the new mailbox is watched after a start", func() bool {
		status, err := p.Status(t.Context())
		return err == nil && status.Accounts[0].Mailbox == "watching"
	})

	_, err = p.ChangeAccount(t.Context(), agentclient.AddAccount{Address: p.address, Escrow: "https://other.example"})
	if failure, ok := errors.AsType[*agentclient.Failure](err); !ok || failure.Field != "escrow" {
		t.Errorf("to another escrow: %v", err)
	}
	_, err = p.ChangeAccount(t.Context(), agentclient.AddAccount{Address: "nobody@mail.example"})
	if failure, ok := errors.AsType[*agentclient.Failure](err); !ok || failure.Code != agentclient.CodeNoAccount {
		t.Errorf("of nobody: %v", err)
	}
	// A part of it: the rest stays, the password too.
	_, err = p.ChangeAccount(t.Context(), agentclient.AddAccount{Address: p.address, SMTP: "smtps://127.0.0.1:1"})
	if failure, ok := errors.AsType[*agentclient.Failure](err); !ok || failure.Field != "smtp" {
		t.Errorf("to a dead server: %v", err)
	}
	_, err = p.ChangeAccount(t.Context(), agentclient.AddAccount{Address: p.address, User: "new login"})
	must(t, err)
}
