package realmail

import (
	"os"
	"path/filepath"
	"testing"
	"time"

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
		Provider: Start(t, "recipient", "sender"),
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
