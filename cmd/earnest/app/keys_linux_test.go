package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/crypto/keyring"
)

// noSession: there is no keyring in this process.
func noSession(t *testing.T) {
	t.Helper()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+t.TempDir()+"/no-bus")
}

// running is an agent that answers.
func running(t *testing.T, config Config) *agentclient.Client {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	config.Log, config.Ready = slog.New(slog.DiscardHandler), func() { close(ready) }
	go func() { ended <- Run(ctx, config) }()
	select {
	case <-ready:
	case err := <-ended:
		stop()
		t.Fatal(err)
	}
	client := agentclient.New(config.Home)
	t.Cleanup(func() {
		client.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return client
}

// begun is a home with a key file and a database under it.
func begun(t *testing.T) (home, phrase string) {
	t.Helper()
	noSession(t)
	home, phrase = newHome(t)
	if err := start(t, home, phrase); err != nil {
		t.Fatal(err)
	}
	return home, phrase
}

func TestAKeyFileIsOpenedByAPassphraseFileAlone(t *testing.T) {
	home, phrase := begun(t)
	client := running(t, Config{Home: home, Passphrase: passphrase(phrase)})
	if status, err := client.Status(t.Context()); err != nil || status.Locked != "" || status.Keyring != "file" {
		t.Errorf("%+v, %v", status, err)
	}
}

func TestALockedAgentSaysInItsLogWhatItWaitsFor(t *testing.T) {
	home, _ := begun(t)
	client := running(t, Config{Home: home})
	checks, err := client.Doctor(t.Context())
	if err != nil || len(checks) != 1 || checks[0].OK || checks[0].Name != "keyring (file)" || !strings.Contains(checks[0].Remedy, "earnest unlock") {
		t.Errorf("doctor: %+v, %v", checks, err)
	}
	log, err := client.LogLines(t.Context())
	if err != nil || !strings.Contains(log[len(log)-1].Text, "earnest unlock") {
		t.Errorf("logged %+v, %v", log, err)
	}
}

// A key file that went away is not made anew under what was typed, and one that is
// damaged is not touched.
func TestAKeyFileThatIsGoneOrDamagedStaysSo(t *testing.T) {
	home, _ := begun(t)
	client := running(t, Config{Home: home})
	file := filepath.Join(home, "keys.sealed")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	unlock := func() error {
		_, err := client.Unlock(t.Context(), agentclient.Passphrase{Passphrase: "several words here"})
		return err
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	refused(t, unlock(), agentclient.CodeLocked, "key file is gone")
	if _, err := os.Stat(file); err == nil {
		t.Error("there is a new key file")
	}
	broken := append(bytes.Clone(whole[:len(whole)-1]), whole[len(whole)-1]^1)
	if err := os.WriteFile(file, broken, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, unlock(), agentclient.CodeLocked, "is damaged")
	if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, broken) {
		t.Errorf("it was touched, %v", err)
	}
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unlock(); err != nil {
		t.Errorf("restored: %v", err)
	}
}

// What a keyring has sealed is not begun anew in a file while that keyring is away.
func TestWithoutTheKeyringThatWasUsedNoFileIsOffered(t *testing.T) {
	home, _ := begun(t)
	if err := os.Remove(filepath.Join(home, "keys.sealed")); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	err := Run(ctx, Config{Home: home, Log: slog.New(slog.DiscardHandler), Ready: stop})
	refused(t, err, agentclient.CodeNoKeyring, "no keyring here")
}

func TestAKeyFileThatCannotBeMadeLeavesNothingBehind(t *testing.T) {
	noSession(t)
	home, _ := newHome(t)
	client := running(t, Config{Home: home})
	// Where the database's log should be, there is a folder: so it stays empty.
	log := filepath.Join(home, "agent.db-wal")
	if err := os.MkdirAll(filepath.Join(log, "something"), 0o700); err != nil {
		t.Fatal(err)
	}
	choose := func() error {
		_, err := client.ChooseKeyFile(t.Context(), agentclient.Passphrase{Passphrase: "several words here"})
		return err
	}
	refused(t, choose(), agentclient.CodeDamaged, "cannot be opened")
	for _, name := range []string{"keys.sealed", "agent.db", "agent.first"} {
		if _, err := os.Stat(filepath.Join(home, name)); err == nil {
			t.Errorf("%s is left behind", name)
		}
	}
	if err := os.RemoveAll(log); err != nil {
		t.Fatal(err)
	}
	if err := choose(); err != nil {
		t.Errorf("tried again: %v", err)
	}
}

func TestAPassphraseIsGivenAwayOnce(t *testing.T) {
	ask := once([]byte("several words here"))
	if phrase, err := ask(t.Context()); err != nil || string(phrase) != "several words here" {
		t.Fatalf("%q, %v", phrase, err)
	}
	if phrase, err := ask(t.Context()); err == nil || phrase != nil {
		t.Errorf("a second time: %q", phrase)
	}
	// So a ring whose file another one takes the place of stays shut.
	path := filepath.Join(t.TempDir(), "keys")
	ring, err := keyring.OpenFile(path, once([]byte("several words here")))
	if err == nil {
		err = ring.PutPassword(t.Context(), "a", "b")
	}
	if err != nil {
		t.Fatal(err)
	}
	other, err := keyring.OpenFile(path+"-other", once([]byte("several words here")))
	if err == nil {
		err = errors.Join(other.PutPassword(t.Context(), "a", "c"), os.Rename(path+"-other", path))
	}
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ring.Password(t.Context(), "a"); err == nil {
		t.Errorf("opened by a passphrase that should be forgotten: %q", got)
	}
}

// The window goes on while a key is derived: other questions are answered.
func TestStatusIsAnsweredWhileAKeyIsDerived(t *testing.T) {
	home, _ := begun(t)
	client := running(t, Config{Home: home})
	unlocked := make(chan error, 1)
	began := time.Now()
	go func() {
		_, err := client.Unlock(t.Context(), agentclient.Passphrase{Passphrase: "several words here"})
		unlocked <- err
	}()
	asked := 0
	for {
		select {
		case err := <-unlocked:
			if err != nil || asked < 3 {
				t.Errorf("%d answers in the %v that it took, %v", asked, time.Since(began), err)
			}
			return
		default:
		}
		if _, err := client.Status(t.Context()); err != nil {
			t.Fatal(err)
		}
		asked++
	}
}
