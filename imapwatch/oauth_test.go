package imapwatch_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"earnest/imapwatch"
	"earnest/internal/bearer"
	"earnest/internal/mailtest"
)

// wallet has access tokens of an issuer, as an agent has.
type wallet struct {
	mu      sync.Mutex
	issuer  *mailtest.Issuer
	access  string
	asked   int
	refused []string
}

func (w *wallet) token(_ context.Context, refused string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	if refused != "" {
		w.refused = append(w.refused, refused)
	}
	if w.access == "" || w.access == refused {
		w.access, _ = w.issuer.Grant("reader@example.org")
	}
	return w.access, nil
}

func (w *wallet) counts() (asked, refused int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked, len(w.refused)
}

func signedIn(d *mailtest.Dovecot, w *wallet) imapwatch.Config {
	return imapwatch.Config{Addr: d.IMAPAddr, TLSConfig: d.TLSConfig(), User: "reader@example.org", Token: w.token,
		Timing: imapwatch.Timing{Command: 5 * time.Second}}
}

func TestTokensOpenARealMailbox(t *testing.T) {
	t.Parallel()
	for _, mechanisms := range []string{"xoauth2", "oauthbearer", "xoauth2 oauthbearer"} {
		t.Run(mechanisms, func(t *testing.T) {
			t.Parallel()
			issuer := mailtest.StartIssuer(t)
			d := mailtest.StartDovecotOAuth(t, issuer, mechanisms, "reader")
			w := &wallet{issuer: issuer}
			if err := imapwatch.Check(t.Context(), signedIn(d, w)); err != nil {
				t.Fatal(err)
			}
			// One that was taken back is replaced while logging in.
			issuer.RevokeAccess()
			if err := imapwatch.Check(t.Context(), signedIn(d, w)); err != nil {
				t.Fatal(err)
			}
			if asked, refused := w.counts(); asked != 3 || refused != 1 {
				t.Errorf("asked for %d tokens, %d refused", asked, refused)
			}
			// One of somebody else, and one that cannot be replaced.
			for name, token := range map[string]string{"another's": first(issuer.Grant("stranger@example.org")), "made up": "nonsense"} {
				config := signedIn(d, w)
				config.Token = func(context.Context, string) (string, error) { return token, nil }
				if err := imapwatch.Check(t.Context(), config); !errors.Is(err, imapwatch.ErrLogin) {
					t.Errorf("%s: got %v", name, err)
				}
			}
			config := signedIn(d, w)
			config.Token, config.User = nil, "reader"
			config.Password = func(context.Context) (string, error) { return mailtest.Password("reader"), nil }
			if err := imapwatch.Check(t.Context(), config); err != nil {
				t.Errorf("with a password: %v", err)
			}
		})
	}
}

func first(access, _ string) string { return access }

func TestAServerWithoutTokensGetsNone(t *testing.T) {
	t.Parallel()
	d := mailtest.StartDovecot(t, "reader")
	err := imapwatch.Check(t.Context(), signedIn(d, &wallet{issuer: mailtest.StartIssuer(t)}))
	if !errors.Is(err, bearer.ErrNotOffered) {
		t.Errorf("got %v", err)
	}
}

// The token that a connection began with ends while it waits with IDLE. When the
// connection breaks, the next one begins with a new token, and no mail is missed.
func TestATokenThatEndsWhileWaitingIsReplaced(t *testing.T) {
	t.Parallel()
	issuer := mailtest.StartIssuer(t)
	d := mailtest.StartDovecotOAuth(t, issuer, "xoauth2", "reader")
	put := func(id string) {
		t.Helper()
		if err := d.Put("reader", "INBOX", encrypted(id)); err != nil {
			t.Fatal(err)
		}
	}
	w, between, told, got := &wallet{issuer: issuer}, newWire(t, d.IMAPAddr), &states{}, &taker{}
	config := backend{addr: between.addr, tls: d.TLSConfig()}.config(told)
	config.User, config.Password, config.Token = "reader@example.org", nil, w.token
	watch(t, config, got, &memory{})
	await(t, "it watches", func() bool { return told.count(imapwatch.Watching) == 1 })
	put("<1@x>")
	got.wants(t, "<1@x>")
	issuer.RevokeAccess()
	put("<2@x>") // the open connection goes on
	got.wants(t, "<1@x>", "<2@x>")
	between.cut()
	await(t, "it watches again", func() bool { return told.count(imapwatch.Watching) == 2 })
	put("<3@x>")
	got.wants(t, "<1@x>", "<2@x>", "<3@x>")
	if asked, refused := w.counts(); asked != 3 || refused != 1 {
		t.Errorf("asked for %d tokens, %d refused", asked, refused)
	}
}
