//go:build linux

package keyring

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	oskeyring "github.com/zalando/go-keyring"

	"earnest/test/gnomekeyring"
)

// role tells a re-executed test that it is the child. Each of these tests runs
// in a process of its own, since the session bus is chosen once per process.
const role = "EARNEST_TEST_KEYRING_ROLE"

func isChild() bool { return os.Getenv(role) != "" }

// again runs the test anew with these variables set, and fails if it fails.
func again(t *testing.T, env ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), env...)
	finish(t, cmd)
}

func finish(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.Env = append(cmd.Env, role+"=child")
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Errorf("%v\n%s", err, out)
	}
}

func inRealKeyring(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd, err := gnomekeyring.Command(ctx, t.TempDir(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	if err != nil {
		t.Fatal(err)
	}
	finish(t, cmd)
}

func TestRealGNOMEKeyring(t *testing.T) {
	if !isChild() {
		inRealKeyring(t)
		return
	}
	conformance(t, KindOS, OpenOS(t.TempDir(), 20*time.Second))
}

func TestInstallationsLiveSideBySide(t *testing.T) {
	if !isChild() {
		inRealKeyring(t)
		return
	}
	ctx, base := t.Context(), t.TempDir()
	homes := []string{filepath.Join(base, "anna"), filepath.Join(base, "ben")}
	for _, home := range homes {
		if err := os.Mkdir(home, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := OpenOS(home, 20*time.Second).PutPassword(ctx, "imap", "of "+home); err != nil {
			t.Fatal(err)
		}
	}
	moved := filepath.Join(base, "moved")
	if err := os.Rename(homes[0], moved); err != nil {
		t.Fatal(err)
	}
	for home, want := range map[string]string{moved: "of " + homes[0], homes[1]: "of " + homes[1]} {
		if got, err := OpenOS(home, 20*time.Second).Password(ctx, "imap"); err != nil || got != want {
			t.Errorf("%s: %q, %v", home, got, err)
		}
	}
	if _, err := oskeyring.Get(service, "imap"); !errors.Is(err, oskeyring.ErrNotFound) {
		t.Errorf("an item without its installation's id: %v", err)
	}
	id := filepath.Join(moved, idFile)
	if err := os.WriteFile(id, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenOS(moved, time.Second).Password(ctx, "imap"); err == nil || !strings.Contains(err.Error(), "backup") {
		t.Errorf("a damaged id: %v", err)
	}
}

// TestNoKeyring: without a keyring there is a refusal with the remedy, and
// nothing is written but the id of the installation.
func TestNoKeyring(t *testing.T) {
	if !isChild() {
		again(t, "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent")
		return
	}
	home := t.TempDir()
	ring := OpenOS(home, 10*time.Second)
	refused(t, ring.Check(t.Context()))
	refused(t, ring.PutPassword(t.Context(), "imap", "swordfish"))
	if _, err := ring.NewSigner(t.Context(), "identity"); !errors.Is(err, ErrNoKeyring) {
		t.Errorf("a signer: %v", err)
	}
	files, err := os.ReadDir(home)
	if err != nil || len(files) != 1 || files[0].Name() != idFile {
		t.Errorf("in the home: %v, %v", files, err)
	}
}

func refused(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, ErrNoKeyring) || errors.Is(err, ErrNotFound) {
		t.Fatalf("got %v", err)
	}
	for _, part := range []string{"nothing was saved", "no money moves", "gnome-keyring", "passphrase"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if strings.Contains(err.Error(), "swordfish") {
		t.Errorf("%q shows the password", err)
	}
}

// TestNoSession: without a D-Bus session none is started, as godbus would by
// dbus-launch.
func TestNoSession(t *testing.T) {
	if !isChild() {
		dir := t.TempDir()
		trap := "#!/bin/sh\ntouch " + dir + "/started\n"
		if err := os.WriteFile(filepath.Join(dir, "dbus-launch"), []byte(trap), 0o700); err != nil {
			t.Fatal(err)
		}
		again(t, "DBUS_SESSION_BUS_ADDRESS=", "PATH="+dir+":"+os.Getenv("PATH"))
		if _, err := os.Stat(filepath.Join(dir, "started")); err == nil {
			t.Error("dbus-launch was started")
		}
		return
	}
	refused(t, OpenOS(t.TempDir(), 10*time.Second).Check(t.Context()))
}

// TestASilentKeyring: a bus that takes the connection and never says a word.
func TestASilentKeyring(t *testing.T) {
	if !isChild() {
		path := filepath.Join(t.TempDir(), "bus")
		bus, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = bus.Close() }()
		again(t, "DBUS_SESSION_BUS_ADDRESS=unix:path="+path)
		return
	}
	ring, start := OpenOS(t.TempDir(), 200*time.Millisecond), time.Now()
	if err := ring.Check(t.Context()); !errors.Is(err, ErrTimeout) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("answered after %v", took)
	}
}

// TestALockedKeyring: nobody can be asked to unlock it, so there is a refusal
// or a timeout, but no waiting forever and no success.
func TestALockedKeyring(t *testing.T) {
	if !isChild() {
		inRealKeyring(t)
		return
	}
	ring := OpenOS(t.TempDir(), 3*time.Second)
	if err := ring.PutPassword(t.Context(), "imap", "swordfish"); err != nil {
		t.Fatal(err)
	}
	lock := exec.CommandContext(t.Context(), "dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.secrets",
		"/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock",
		"array:objpath:/org/freedesktop/secrets/collection/login")
	if out, err := lock.CombinedOutput(); err != nil {
		t.Fatalf("lock: %v\n%s", err, out)
	}
	got, err := ring.Password(t.Context(), "imap")
	if !errors.Is(err, ErrNoKeyring) && !errors.Is(err, ErrTimeout) {
		t.Errorf("get from a locked keyring: %q, %v", got, err)
	}
	t.Log(err)
}
