package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"earnest/agentclient"
)

// start runs an agent with a key file until it answers, or says why it does not.
func start(t *testing.T, home, passphraseFile string) error {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	answered := false
	err := Run(ctx, Config{Home: home, Keyring: "file", Passphrase: passphrase(passphraseFile),
		Log: slog.New(slog.DiscardHandler), Ready: func() { answered = true; stop() }})
	if answered {
		return nil
	}
	return err
}

// refused wants a failure in three parts with that code and those words.
func refused(t *testing.T, err error, code, words string) {
	t.Helper()
	failure, ok := errors.AsType[*agentclient.Failure](err)
	if !ok || failure.Code != code || !strings.Contains(failure.Happened, words) || failure.Means == "" || failure.Do == "" ||
		strings.Contains(failure.Error(), "\n") {
		t.Errorf("%#v, want %s with %q", err, code, words)
	}
}

func newHome(t *testing.T) (home, phrase string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "earnest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	phrase = filepath.Join(dir, "phrase")
	if err := os.WriteFile(phrase, []byte("several words here\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "home"), phrase
}

func TestAStartThatIsRefusedSaysWhy(t *testing.T) {
	home, phrase := newHome(t)
	empty, wrong, open := phrase+"-empty", phrase+"-wrong", phrase+"-open"
	for name, text := range map[string]string{empty: "", wrong: "other words\n", open: "several words here\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(open, 0o640); err != nil {
		t.Fatal(err)
	}
	refused(t, start(t, home, empty), agentclient.CodeNoKeyring, "passphrase is empty")
	refused(t, start(t, home, phrase+"-none"), agentclient.CodeUsage, "there is none")
	refused(t, start(t, home, open), agentclient.CodeUsage, "Other users of this machine may read the passphrase file")
	// A first start that broke off is still the first.
	if err := start(t, home, phrase); err != nil {
		t.Fatal(err)
	}
	refused(t, start(t, home, wrong), agentclient.CodeNoKeyring, "does not open")

	// A database that is damaged, empty or gone is not begun anew in silence.
	db := filepath.Join(home, "agent.db")
	for _, suffix := range []string{"-wal", "-shm"} {
		_ = os.Remove(db + suffix)
	}
	whole, err := os.ReadFile(db)
	if err != nil || len(whole) == 0 {
		t.Fatal(len(whole), err)
	}
	write := func(data []byte) {
		if err := os.WriteFile(db, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write([]byte(strings.Repeat("no database ", 1000)))
	refused(t, start(t, home, phrase), agentclient.CodeDamaged, "cannot be opened")
	write(nil)
	refused(t, start(t, home, phrase), agentclient.CodeDamaged, "missing or empty")
	if err := os.Remove(db); err != nil {
		t.Fatal(err)
	}
	refused(t, start(t, home, phrase), agentclient.CodeDamaged, "missing or empty")
	if _, err := os.Stat(db); err == nil {
		t.Error("a refused start made a new database")
	}
	write(whole)
	if err := start(t, home, phrase); err != nil {
		t.Errorf("with its database again: %v", err)
	}
	if err := os.Remove(filepath.Join(home, "keys.sealed")); err != nil {
		t.Fatal(err)
	}
	refused(t, start(t, home, phrase), agentclient.CodeNoKeyring, "not in this keyring")
}

// A first start that ended between the key and the database may go on.
func TestAFirstStartThatBrokeOffGoesOn(t *testing.T) {
	home, phrase := newHome(t)
	if err := start(t, home, phrase); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"agent.db", "agent.db-wal", "agent.db-shm"} {
		if err := os.Remove(filepath.Join(home, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	first := filepath.Join(home, "agent.first")
	if _, err := os.Stat(first); err == nil {
		t.Error("the first start never ends")
	}
	if err := os.WriteFile(first, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := start(t, home, phrase); err != nil {
		t.Error(err)
	}
}

func TestOnlyAHomeOfOnesOwnIsTaken(t *testing.T) {
	home, phrase := newHome(t)
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o777 | os.ModeSticky, 0o770, 0o702} {
		if err := os.Chmod(home, mode); err != nil {
			t.Fatal(err)
		}
		refused(t, start(t, home, phrase), agentclient.CodeUsage, "may change files in the home folder")
		if files, err := os.ReadDir(home); err != nil || len(files) != 0 {
			t.Fatalf("%v: wrote %v, %v", mode, files, err)
		}
	}
	refused(t, start(t, phrase, phrase), agentclient.CodeUsage, "cannot be made: a part of its path is a file")
	refused(t, start(t, filepath.Join(phrase, "home"), phrase), agentclient.CodeUsage, "cannot be made: a part of its path is a file")
}

func TestAnInterruptEndsWaitingForThePassphrase(t *testing.T) {
	home, phrase := newHome(t)
	if err := syscall.Mkfifo(phrase+"-pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer interrupt()
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, Config{Home: home, Keyring: "file", Passphrase: passphrase(phrase + "-pipe"), Log: slog.New(slog.DiscardHandler)})
	}()
	select {
	case err := <-ended:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it still waits")
	}
}

// Without a session bus there is no keyring: one sentence, not a chain of errors.
func TestNoKeyringIsSaidInWords(t *testing.T) {
	home, _ := newHome(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+home+"/no-bus")
	err := Run(context.Background(), Config{Home: home, Keyring: "os", Log: slog.New(slog.DiscardHandler)})
	refused(t, err, agentclient.CodeNoKeyring, "no keyring here")
	if failure, ok := errors.AsType[*agentclient.Failure](err); ok && strings.Contains(failure.Error(), "dbus") {
		t.Errorf("said %s", failure)
	}
}
