// Package realmail tells the whole story on the servers that people have:
// Postfix takes the mail, Dovecot keeps it, GNOME's keyring holds the keys, gpg
// and swaks are the stranger's tools.
package realmail

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"earnest/internal/mailtest"
	"earnest/internal/sandbox"
	"earnest/test/gnomekeyring"
	"earnest/test/programs"
)

// inSession is set in the process that runs inside the keyring's session.
const inSession = "EARNEST_TEST_IN_KEYRING_SESSION"

// withKeyring runs the test again inside a session with a real keyring, and
// reports whether this is that run.
func withKeyring(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inSession) != "" {
		return true
	}
	dir, err := os.MkdirTemp("", "ekr") // short: sockets are made in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	cmd, err := gnomekeyring.Command(t.Context(), dir, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v=true")
	if err != nil {
		t.Fatal(err)
	}
	root, err := programs.Root()
	if err != nil {
		t.Fatal(err)
	}
	// The session has a home of its own, but what Go has built stays usable.
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	built := filepath.Join(dir, "bin")
	if err := programs.Build(built); err != nil {
		t.Fatal(err)
	}
	cmd.Dir = filepath.Join(root, "test", "realmail")
	cmd.Env = append(cmd.Env, inSession+"="+built, "GOCACHE="+filepath.Join(cache, "go-build"))
	out, err := cmd.CombinedOutput()
	t.Logf("in the keyring's session:\n%s", out)
	if err != nil {
		t.Fatal(err)
	}
	return false
}

// provider is Postfix before Dovecot.
type provider struct {
	dovecot *mailtest.Dovecot
	postfix *mailtest.Postfix
}

func startProvider(t *testing.T, names ...string) provider {
	dovecot := mailtest.StartDovecot(t, names...)
	return provider{dovecot, mailtest.StartPostfix(t, dovecot, names...)}
}

func (p provider) Servers() sandbox.Servers {
	return sandbox.Servers{IMAP: "imaps://" + p.dovecot.IMAPAddr, SMTP: "smtp://" + p.postfix.SubmissionAddr,
		Relay: "smtp://" + p.postfix.SMTPAddr, CA: p.dovecot.CAPEM()}
}

func (p provider) Mailbox(name string) (sandbox.Mailbox, error) {
	return sandbox.Mailbox{Address: mailtest.Address(name), User: name, Password: mailtest.Password(name)}, nil
}

func (p provider) Deliver(_ context.Context, to sandbox.Mailbox, raw []byte) error {
	return p.dovecot.Deliver(to.User, raw)
}

func (p provider) Inbox(ctx context.Context, of sandbox.Mailbox) ([][]byte, error) {
	c, err := imapclient.DialTLS(p.dovecot.IMAPAddr, &imapclient.Options{TLSConfig: p.dovecot.TLSConfig()})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.Login(of.User, of.Password).Wait(); err != nil {
		return nil, err
	}
	box, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil || box.NumMessages == 0 {
		return nil, err
	}
	var all imap.SeqSet
	all.AddRange(1, box.NumMessages)
	whole := &imap.FetchItemBodySection{Peek: true}
	fetched, err := c.Fetch(all, &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{whole}}).Collect()
	var raws [][]byte
	for _, m := range fetched {
		raws = append(raws, m.FindBodySection(whole))
	}
	return raws, err
}

// Close does nothing: the test stops the servers.
func (p provider) Close() error { return nil }

// system starts the escrow and the agents on the real servers and keyring.
func system(t *testing.T) *sandbox.System {
	t.Helper()
	dir, err := os.MkdirTemp("", "erm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s, err := sandbox.Start(t.Context(), sandbox.Options{
		Dir: dir, Programs: os.Getenv(inSession), Terms: sandbox.ShortTerms, Keyring: "os",
		Provider: startProvider(t, "recipient", "sender"),
	})
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// eventually waits until yes says yes.
func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !yes(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
