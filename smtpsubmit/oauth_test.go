package smtpsubmit_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"earnest/internal/bearer"
	"earnest/internal/mailhost"
	"earnest/internal/mailtest"
	"earnest/smtpsubmit"
)

func TestTokensSubmitToARealServer(t *testing.T) {
	t.Parallel()
	for _, mechanisms := range []string{"xoauth2", "oauthbearer"} {
		t.Run(mechanisms, func(t *testing.T) {
			t.Parallel()
			issuer := mailtest.StartIssuer(t)
			d := mailtest.StartDovecotOAuth(t, issuer, mechanisms, "alice", "bob")
			f := mailtest.StartPostfix(t, d, "alice", "bob")
			access, _ := issuer.Grant(alice)
			var refused []string
			config := smtpsubmit.Config{Addr: f.SubmissionsAddr, TLSConfig: f.TLSConfig(), User: alice, Timeout: 10 * time.Second,
				Token: func(_ context.Context, no string) (string, error) {
					if no != "" {
						refused = append(refused, no)
						access, _ = issuer.Grant(alice)
					}
					return access, nil
				}}
			if err := smtpsubmit.Submit(t.Context(), config, mailTo(bob), trickyMail()); err != nil {
				t.Fatal(err)
			}
			issuer.RevokeAccess()
			config.Addr, config.TLS = f.SubmissionAddr, smtpsubmit.StartTLS
			if err := smtpsubmit.Check(t.Context(), config); err != nil || len(refused) != 1 {
				t.Errorf("with a token that was taken back: %v, %d refused", err, len(refused))
			}
			config.Token = func(context.Context, string) (string, error) { return "nonsense", nil }
			if err := smtpsubmit.Check(t.Context(), config); !errors.Is(err, smtpsubmit.ErrLogin) {
				t.Errorf("with a token that is none: %v", err)
			}
		})
	}
}

func TestAServerWithoutTokensGetsNone(t *testing.T) {
	h := start(t, mailhost.Options{})
	cfg := config(h)
	cfg.Token = func(context.Context, string) (string, error) { return "secret token", nil }
	if err := smtpsubmit.Check(t.Context(), cfg); !errors.Is(err, bearer.ErrNotOffered) {
		t.Errorf("got %v", err)
	}
}
