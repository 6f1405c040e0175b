package recovery

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"earnest/agentclient"
	"earnest/internal/sandbox"
	"earnest/test/programs"
)

// TestK_TheProgramsRecoverAnAccount: a recovery key is made, the machine is lost,
// another recovers the account, and rotates it; the escrow's books verify.
func TestK_TheProgramsRecoverAnAccount(t *testing.T) {
	dir, err := os.MkdirTemp("", "erk") // short: sockets are made in it
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	built := filepath.Join(dir, "bin")
	must(t, programs.Build(built))
	s, err := sandbox.Start(t.Context(), sandbox.Options{Dir: dir, Programs: built, Terms: sandbox.LongTerms})
	must(t, err)
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	must(t, s.Prepare(t.Context()))
	p := s.Recipient
	ca := filepath.Join(dir, "ca.pem")
	must(t, os.WriteFile(ca, s.CA, 0o600))
	earnest := func(typed string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), filepath.Join(built, "earnest"), args...)
		cmd.Env = append(os.Environ(), "EARNEST_HOME="+p.Home)
		cmd.Stdin = strings.NewReader(typed)
		out, err := cmd.CombinedOutput()
		t.Logf("$ earnest %s\n%s", strings.Join(args, " "), out)
		must(t, err)
		return string(out)
	}
	var made struct{ Key agentclient.RecoveryKey }
	must(t, json.Unmarshal([]byte(earnest("", "account", "recovery", p.Address, "--json")), &made))
	before, err := p.Agent.Status(t.Context())
	must(t, err)
	must(t, s.StopAgent(p))
	p.Home = filepath.Join(dir, "new")
	p.Agent = agentclient.New(p.Home)
	must(t, s.StartAgent(t.Context(), p))
	out := earnest(made.Key.Code+"\n"+p.Password+"\n", "account", "recover", p.Address, "--imap", s.Provider.Servers().IMAP, "--smtp", s.Provider.Servers().SMTP, "--user", p.User,
		"--escrow", s.EscrowURL, "--ca", ca, "--password-stdin")
	if !strings.Contains(out, "Recovered "+p.Address) || strings.Contains(out, before.Accounts[0].Identity) {
		t.Error("it was not recovered")
	}
	out = earnest(made.Key.Code+"\n", "account", "rotate", p.Address, "--recovery")
	if !strings.Contains(out, "Another key signs for "+p.Address+" now.") {
		t.Error("it was not rotated")
	}
	earnest("", "account", "freeze", p.Address)
	if out = earnest(strings.ReplaceAll(made.Key.Code, " ", "\n")+"\n", "account", "unfreeze", p.Address, "--recovery"); !strings.Contains(out, "is not frozen") {
		t.Error("it was not unfrozen")
	}
	earnest("", "account", "rotate", p.Address)
	earnest("", "account", "safety", p.Address)
	earnest("", "price", "set", "0.40")
	must(t, s.VerifyBooks(t.Context()))
	must(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || !info.Mode().IsRegular() || strings.HasPrefix(path, built) {
			return err
		}
		content, err := os.ReadFile(path)
		for _, group := range strings.Fields(made.Key.Code) {
			if strings.Contains(string(content), group) {
				t.Errorf("%s has a group of the recovery key", path)
			}
		}
		return err
	}))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
