package openpgp_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// gnupg is GnuPG with a home of its own. The path is short, because the agent's
// socket is in it.
type gnupg struct {
	t    testing.TB
	home string
}

func newGnuPG(t testing.TB) gnupg {
	t.Helper()
	if _, err := exec.LookPath("gpg"); err != nil {
		t.Fatal("this test needs GnuPG 2.2: apt-get install gnupg")
	}
	home, err := os.MkdirTemp("/tmp", "eg")
	if err != nil {
		t.Fatal(err)
	}
	g := gnupg{t, home}
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		_ = os.RemoveAll(home)
	})
	return g
}

// run runs gpg and returns its output and its status lines.
func (g gnupg) run(input []byte, args ...string) (output []byte, status string) {
	g.t.Helper()
	statusFile := filepath.Join(g.home, "status")
	cmd := exec.Command("gpg", append([]string{"--homedir", g.home, "--batch", "--yes", "--quiet", "--no-tty", "--disable-dirmngr", "--no-auto-key-locate",
		"--pinentry-mode", "loopback", "--passphrase", "", "--trust-model", "always", "--status-file", statusFile}, args...)...)
	cmd.Stdin = bytes.NewReader(input)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		g.t.Fatalf("gpg %v: %v\n%s", args, err, &stderr)
	}
	text, err := os.ReadFile(statusFile)
	if err != nil {
		g.t.Fatal(err)
	}
	return stdout.Bytes(), string(text)
}

// sqop runs Sequoia's stateless OpenPGP tool. Files are named by their content.
func sqop(t testing.TB, input []byte, files map[string][]byte, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath("sqop"); err != nil {
		t.Fatal("this test needs Sequoia's sqop: apt-get install sqop")
	}
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("sqop", args...)
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(input)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("sqop %v: %v\n%s", args, err, &stderr)
	}
	if verified, err := os.ReadFile(filepath.Join(dir, "verified")); err == nil {
		files["verified"] = verified
	}
	return stdout.Bytes()
}
