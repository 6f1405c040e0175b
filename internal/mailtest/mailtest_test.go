package mailtest_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"earnest/internal/mailtest"
	"earnest/smtpsubmit"
)

func TestSubmittedMailArrivesInDovecot(t *testing.T) {
	d := mailtest.StartDovecot(t, "alice", "bob")
	f := mailtest.StartPostfix(t, d, "alice", "bob")
	body := []byte("\r\n.a dot, and a long line " + string(bytes.Repeat([]byte("x"), 900)) + "\r\n")
	raw := append([]byte("From: alice@example.org\r\nTo: bob@example.org\r\nSubject: hi\r\nMessage-ID: <1@example.org>\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n"), body...)
	cfg := smtpsubmit.Config{
		Addr: f.SubmissionsAddr, TLSConfig: f.TLSConfig(), User: "alice",
		Password: func(context.Context) (string, error) { return mailtest.Password("alice"), nil },
	}
	upgrade, relay := cfg, cfg
	upgrade.TLS, upgrade.Addr = smtpsubmit.StartTLS, f.SubmissionAddr
	relay.TLS, relay.Addr, relay.User = smtpsubmit.Plain, f.SMTPAddr, ""
	env := smtpsubmit.Envelope{From: mailtest.Address("alice"), To: []string{mailtest.Address("bob")}}
	for i, cfg := range []smtpsubmit.Config{cfg, upgrade, relay} {
		if err := smtpsubmit.Submit(t.Context(), cfg, env, raw); err != nil {
			t.Fatal(err)
		}
		if got := await(t, d.Maildir("bob"), i+1); !bytes.HasSuffix(got, bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))) {
			t.Errorf("the mail that arrived ends %q, want its body unchanged", got[max(0, len(got)-100):])
		}
	}

	wrong := cfg
	wrong.Password = func(context.Context) (string, error) { return "wrong", nil }
	if err := smtpsubmit.Check(t.Context(), wrong); !errors.Is(err, smtpsubmit.ErrLogin) {
		t.Errorf("wrong password: got %v, want a refused login", err)
	}
	env.To = []string{"nobody@example.org"}
	err := smtpsubmit.Submit(t.Context(), cfg, env, raw)
	if e, ok := errors.AsType[*smtpsubmit.Error](err); !ok || !e.Permanent || e.Stage != smtpsubmit.StageRcpt {
		t.Errorf("unknown user: got %v, want a permanent refusal", err)
	}
}

// await waits for the n-th mail and returns the last one.
func await(t *testing.T, maildir string, n int) []byte {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		files, err := filepath.Glob(filepath.Join(maildir, "new", "*"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == n {
			raw, err := os.ReadFile(files[n-1])
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}
	}
	t.Fatalf("mail %d did not arrive", n)
	return nil
}
