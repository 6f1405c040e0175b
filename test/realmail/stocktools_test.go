package realmail

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/internal/sandbox"
)

// TestStockToolsAndCommandLine has a sender with gpg and swaks buy a key by the
// command line, and the same sender write with earnest send.
func TestStockToolsAndCommandLine(t *testing.T) {
	if !withKeyring(t) {
		return
	}
	s := system(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	if err := s.Prepare(ctx); err != nil {
		t.Fatal(err)
	}
	t.Run("gpg and swaks", func(t *testing.T) { writeWithStockTools(ctx, t, s) })
	t.Run("earnest send", func(t *testing.T) { writeWithEarnest(ctx, t, s) })
}

func writeWithStockTools(ctx context.Context, t *testing.T, s *sandbox.System) {
	gpg := newGPG(t)
	gpg.run(nil, "--quick-gen-key", s.Sender.Address, "default", "default", "never")
	certificate, keyOut := filepath.Join(gpg.home, "sender.pgp"), filepath.Join(gpg.home, "bought.asc")
	if err := os.WriteFile(certificate, gpg.run(nil, "--export", s.Sender.Address), 0o600); err != nil {
		t.Fatal(err)
	}
	var bought agentclient.Bought
	earnest(ctx, t, s, s.Sender, &bought, "buy", "--to", s.Recipient.Address, "--sender-cert", certificate, "--key-out", keyOut)
	gpg.run(nil, "--import", keyOut)
	part := []byte("Content-Type: text/plain; charset=utf-8\r\n\r\nWritten with gpg, sent with swaks: grüße.\r\n")
	sealed := gpg.run(part, "--armor", "--sign", "--encrypt", "--trust-model", "always", "-r", bought.Fingerprint)
	send(ctx, t, s, fmt.Appendf(nil, "From: %s\nTo: %s\nSubject: From stock tools\nDate: %s\nMessage-ID: <stock@example.org>\nMIME-Version: 1.0\n"+
		"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=\"b0\"\n\n"+
		"--b0\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\n--b0\nContent-Type: application/octet-stream; name=\"encrypted.asc\"\n\n%s\n--b0--\n",
		s.Sender.Address, s.Recipient.Address, time.Now().Format(time.RFC1123Z), sealed))

	mail := waiting(ctx, t, s, bought.Bond)
	var message agentclient.Message
	earnest(ctx, t, s, s.Recipient, &message, "read", mail.ID)
	if message.Text != "Written with gpg, sent with swaks: grüße." && message.Text != "Written with gpg, sent with swaks: grüße.\n" {
		t.Errorf("read as %q", message.Text)
	}
	if !message.Unprotected || message.Subject != "From stock tools" || message.From != s.Sender.Address {
		t.Errorf("headers: %+v", message.Mail)
	}
	earnest(ctx, t, s, s.Recipient, nil, "accept", mail.ID)
	ended(ctx, t, s, bought.Bond)
	t.Logf("bought %s for %s, encrypted and signed by gpg, sent by swaks, opened, counted as paid, accepted, refunded", bought.Fingerprint, bought.Price)
}

func writeWithEarnest(ctx context.Context, t *testing.T, s *sandbox.System) {
	body := filepath.Join(t.TempDir(), "body.txt")
	if err := os.WriteFile(body, []byte("Written with earnest send.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var sent []agentclient.Sent
	earnest(ctx, t, s, s.Sender, &sent, "send", "--to", s.Recipient.Address, "--subject", "By the command line", "--body-file", body)
	mail := waiting(ctx, t, s, sent[0].Bond)
	earnest(ctx, t, s, s.Recipient, nil, "accept", mail.ID)
	ended(ctx, t, s, sent[0].Bond)
}

// earnest runs the command line as one of the people, and reads its JSON.
func earnest(ctx context.Context, t *testing.T, s *sandbox.System, p *sandbox.Person, into any, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(ctx, filepath.Join(s.Programs, "earnest"), append(args, "--json")...)
	cmd.Env = append(os.Environ(), "EARNEST_HOME="+p.Home)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("earnest %v: %v: %s%s", args, err, out, errs.Bytes())
	}
	if into != nil {
		if err := json.Unmarshal(out, into); err != nil {
			t.Fatalf("earnest %v printed %s: %v", args, out, err)
		}
	}
}

func waiting(ctx context.Context, t *testing.T, s *sandbox.System, bond string) (found agentclient.Mail) {
	t.Helper()
	eventually(t, "the mail waits", func() bool {
		list, err := s.Recipient.Agent.Inbox(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list {
			if m.Bond == bond {
				found = m
			}
		}
		if found.State == "damaged" {
			t.Fatal(found.Error)
		}
		return found.State == "waiting"
	})
	return found
}

func ended(ctx context.Context, t *testing.T, s *sandbox.System, bond string) {
	t.Helper()
	eventually(t, "the bond is refunded", func() bool {
		sent, err := s.Sender.Agent.SentByID(ctx, bond)
		return err == nil && sent.State == "accepted" && sent.Money == "refunded"
	})
}

// send submits a mail with swaks, as the sender.
func send(ctx context.Context, t *testing.T, s *sandbox.System, raw []byte) {
	t.Helper()
	p := s.Provider.(Provider)
	host, port, err := net.SplitHostPort(p.Postfix.SubmissionAddr)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "mail.eml")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(ctx, "swaks", "--server", host, "--port", port, "--tls",
		"--auth", "PLAIN", "--auth-user", s.Sender.User, "--auth-password", s.Sender.Password,
		"--from", s.Sender.Address, "--to", s.Recipient.Address, "--data", "@"+file).CombinedOutput()
	if err != nil {
		t.Fatalf("swaks: %v: %s", err, out)
	}
}

// gnupg is gpg with a home of its own.
type gnupg struct {
	t    *testing.T
	home string
}

func newGPG(t *testing.T) gnupg {
	home, err := os.MkdirTemp("", "egp") // short: the agent makes sockets in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		os.RemoveAll(home)
	})
	return gnupg{t, home}
}

func (g gnupg) run(in []byte, args ...string) []byte {
	g.t.Helper()
	cmd := exec.Command("gpg", append([]string{"--homedir", g.home, "--batch", "--pinentry-mode", "loopback", "--passphrase", ""}, args...)...)
	cmd.Stdin = bytes.NewReader(in)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		g.t.Fatalf("gpg %v: %v: %s", args, err, errs.Bytes())
	}
	return out
}
