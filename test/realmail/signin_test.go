package realmail

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"earnest/agentclient"
	"earnest/internal/mailtest"
	"earnest/internal/sandbox"
)

// TestSignInOnRealServers signs in with a provider on the command line, with
// nothing but the address: the real programs read and send with tokens on Dovecot
// and Postfix, and keep what renews them in gnome-keyring.
func TestSignInOnRealServers(t *testing.T) {
	if !withKeyring(t) {
		return
	}
	issuer := mailtest.StartIssuer(t)
	dovecot := mailtest.StartDovecotOAuth(t, issuer, "xoauth2 oauthbearer", "recipient", "sender")
	provider := Provider{dovecot, mailtest.StartPostfix(t, dovecot, "recipient", "sender")}
	dir, err := os.MkdirTemp("", "esi")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	trusted := filepath.Join(dir, "trusted.pem")
	write(t, trusted, string(issuer.CAPEM()))
	home := filepath.Join(dir, "recipient")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	at := provider.Servers()
	write(t, filepath.Join(home, "servers.toml"), fmt.Sprintf("[[domain]]\nname = \"example.org\"\nimap = %q\nsmtp = %q\n", at.IMAP, at.SMTP))
	write(t, filepath.Join(home, "providers.toml"), fmt.Sprintf("[[provider]]\nname = \"Campus\"\nissuer = %q\nclient_id = %q\nhosts = [\"127.0.0.1\"]\n", issuer.URL, issuer.ClientID))
	s, err := sandbox.Start(t.Context(), sandbox.Options{Dir: dir, Programs: os.Getenv(inSession), Terms: sandbox.LongTerms,
		Keyring: "os", Provider: provider, Env: []string{"SSL_CERT_FILE=" + trusted}})
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	signIn(t, s, issuer)
	ctx, p := t.Context(), s.Recipient
	eventually(t, "the address is proven", func() bool {
		status, err := p.Agent.Status(ctx)
		return err == nil && status.Accounts[0].Proven
	})

	// Somebody with a password hears from them.
	_, err = s.Sender.Agent.AddAccount(ctx, agentclient.AddAccount{Address: s.Sender.Address, IMAP: at.IMAP, SMTP: at.SMTP,
		User: s.Sender.User, Password: s.Sender.Password, Escrow: s.EscrowURL, CA: s.CA})
	if err != nil {
		t.Fatal(err)
	}
	for _, agent := range []*agentclient.Client{p.Agent, s.Sender.Agent} {
		voucher, err := s.Voucher(ctx, "5.00")
		if err == nil {
			_, err = agent.TopUp(ctx, agentclient.Redeem{Voucher: voucher})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Sender.Agent.SetPrice(ctx, agentclient.SetPrice{Options: []string{"0.25"}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "keys are for sale", func() bool {
		status, err := s.Sender.Agent.Status(ctx)
		return err == nil && status.Accounts[0].Pool > 0
	})
	issuer.RevokeAccess() // the next login needs a new token
	if _, err := p.Agent.Send(ctx, agentclient.Compose{To: []string{s.Sender.Address}, Subject: "By token", Body: "b"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the mail is there", func() bool {
		mails, err := s.Sender.Agent.Inbox(ctx)
		return err == nil && len(mails) == 1 && mails[0].Subject == "By token"
	})
	noTokenOnDisk(t, dir)
}

// noTokenOnDisk looks through all that the programs have written, their logs too.
func noTokenOnDisk(t *testing.T, dir string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		files++
		text, err := os.ReadFile(name)
		for _, kind := range []string{"access-", "refresh-"} { // as the issuer begins them
			if bytes.Contains(text, []byte(kind)) {
				t.Errorf("%s has a token", name)
			}
		}
		return err
	})
	if err != nil || files < 5 {
		t.Errorf("looked through %d files: %v", files, err)
	}
}

// signIn runs the command and is the person with the browser.
func signIn(t *testing.T, s *sandbox.System, issuer *mailtest.Issuer) {
	t.Helper()
	ca := filepath.Join(s.Dir, "ca.pem")
	write(t, ca, string(s.CA))
	cmd := exec.CommandContext(t.Context(), filepath.Join(s.Programs, "earnest"), "account", "add", s.Recipient.Address, "--login", "--escrow", s.EscrowURL, "--ca", ca)
	cmd.Env = append(os.Environ(), "EARNEST_HOME="+s.Recipient.Home)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	added := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, issuer.URL) {
			resp, err := issuer.Client().Get(line)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
		added = added || line == "Added "+s.Recipient.Address+"."
	}
	if err := cmd.Wait(); err != nil || !added {
		t.Fatalf("added: %v, %v", added, err)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
