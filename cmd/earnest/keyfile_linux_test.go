package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/internal/sandbox"
	"earnest/test/gnomekeyring"
	"earnest/test/programs"
)

const passphrase = "several words for a test"

// newcomer is somebody on a machine without a keyring, at whose side a provider and
// an escrow run.
type newcomer struct {
	t *testing.T
	*sandbox.System
	box    sandbox.Mailbox
	home   string
	client *agentclient.Client
}

func newNewcomer(t *testing.T) *newcomer {
	t.Helper()
	dir, err := os.MkdirTemp("", "ekeys")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, programs.Build(dir))
	n := &newcomer{t: t, home: filepath.Join(dir, "home")}
	n.System, err = sandbox.Start(t.Context(), sandbox.Options{Dir: filepath.Join(dir, "s"), Programs: dir, Terms: sandbox.LongTerms})
	t.Cleanup(func() { _ = n.System.Stop() })
	must(t, err)
	n.box, err = n.Provider.Mailbox("newcomer")
	must(t, err)
	n.client = agentclient.New(n.home)
	t.Cleanup(n.client.Close)
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// here is the environment of the newcomer's programs: no session, so no keyring.
func (n *newcomer) here() []string {
	return append(os.Environ(), "EARNEST_HOME="+n.home, "EARNEST_NO_DISCOVERY=1", "DBUS_SESSION_BUS_ADDRESS=unix:path="+n.home+"/no-bus")
}

// agent starts an agent as the window does, and waits until it answers. The function
// returned ends it as a power cut does.
func (n *newcomer) agent() (kill func()) {
	n.t.Helper()
	cmd := exec.Command(filepath.Join(n.Programs, "earnest"), "agent")
	cmd.Env = n.here()
	return n.start(cmd)
}

func (n *newcomer) start(cmd *exec.Cmd) (kill func()) {
	n.t.Helper()
	log, err := os.OpenFile(filepath.Join(n.Dir, "newcomer.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(n.t, err)
	defer log.Close()
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = log, log, &syscall.SysProcAttr{Setpgid: true}
	must(n.t, cmd.Start())
	ended := false
	kill = func() {
		if !ended {
			ended = true
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			_ = cmd.Wait()
		}
	}
	n.t.Cleanup(kill)
	n.until("the agent answers", func() bool {
		_, err := n.client.Status(n.t.Context())
		return err == nil
	})
	return kill
}

func (n *newcomer) until(what string, ok func() bool) {
	n.t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			log, _ := os.ReadFile(filepath.Join(n.Dir, "newcomer.log"))
			n.t.Fatalf("waited in vain until %s\n%s", what, log[max(0, len(log)-2000):])
		}
	}
}

func (n *newcomer) status() agentclient.Status {
	n.t.Helper()
	status, err := n.client.Status(n.t.Context())
	must(n.t, err)
	return status
}

func (n *newcomer) add(ctx context.Context) (agentclient.Account, error) {
	return n.client.AddAccount(ctx, agentclient.AddAccount{Address: n.box.Address, IMAP: n.Provider.Servers().IMAP, SMTP: n.Provider.Servers().SMTP,
		User: n.box.User, Password: n.box.Password, Escrow: n.EscrowURL, CA: n.CA})
}

// earnest runs a verb of the command line.
func (n *newcomer) earnest(stdin string, args ...string) (said string, code int) {
	n.t.Helper()
	cmd := exec.Command(filepath.Join(n.Programs, "earnest"), args...)
	cmd.Env, cmd.Stdin = n.here(), strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		n.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func (n *newcomer) refused(what string, err error, code, field string) {
	n.t.Helper()
	failure, ok := errors.AsType[*agentclient.Failure](err)
	if !ok || failure.Code != code || failure.Field != field || failure.Means == "" || failure.Do == "" || failure.Say == nil {
		n.t.Errorf("%s: %#v, want %s at %q", what, err, code, field)
	}
}

// TestAKeyFileChosenForWantOfAKeyringIsAskedForAtEachStart: from a first start with
// no keyring to an account whose keys outlive a power cut, under a passphrase that is
// written nowhere.
func TestAKeyFileChosenForWantOfAKeyringIsAskedForAtEachStart(t *testing.T) {
	n, ctx := newNewcomer(t), t.Context()
	kill := n.agent()
	if status := n.status(); status.Locked != agentclient.LockedNoKeyring || status.Keyring != "none" {
		t.Fatalf("without a keyring: %+v", status)
	}
	_, err := n.add(ctx)
	n.refused("an account without a keyring", err, agentclient.CodeNoKeyring, "")
	_, err = n.client.ChooseKeyFile(ctx, agentclient.Passphrase{Passphrase: "too short"})
	n.refused("a short passphrase", err, agentclient.CodeUsage, agentclient.FieldPassphrase)
	if _, err := os.Stat(filepath.Join(n.home, "keys.sealed")); err == nil {
		t.Error("a refused passphrase made a key file")
	}
	status, err := n.client.ChooseKeyFile(ctx, agentclient.Passphrase{Passphrase: passphrase})
	if err != nil || status.Locked != "" || status.Keyring != "file" {
		t.Fatalf("after the choice: %+v, %v", status, err)
	}
	account, err := n.add(ctx)
	must(t, err)
	kill()

	kill = n.agent()
	if status := n.status(); status.Locked != agentclient.LockedPassphrase || status.Keyring != "file" || len(status.Accounts) > 0 {
		t.Fatalf("started again: %+v", status)
	}
	_, err = n.client.Inbox(ctx)
	n.refused("the mails", err, agentclient.CodeLocked, "")
	_, err = n.add(ctx)
	n.refused("a further account", err, agentclient.CodeLocked, "")
	_, err = n.client.ChooseKeyFile(ctx, agentclient.Passphrase{Passphrase: "another one, long enough"})
	n.refused("another file", err, agentclient.CodeState, "")
	_, err = n.client.Unlock(ctx, agentclient.Passphrase{Passphrase: "several words for a mistake"})
	n.refused("a wrong passphrase", err, agentclient.CodeLocked, agentclient.FieldPassphrase)
	if said, code := n.earnest("", "status"); code != 0 || !strings.Contains(said, "It is locked") || !strings.Contains(said, "earnest unlock") {
		t.Errorf("earnest status: %d %s", code, said)
	}
	if said, code := n.earnest("wrong words\n", "unlock", "--passphrase-file", "-"); code != 4 || !strings.Contains(said, "does not open") {
		t.Errorf("earnest unlock: %d %s", code, said)
	}
	if status := n.status(); status.Locked != agentclient.LockedPassphrase {
		t.Fatalf("after wrong passphrases: %+v", status)
	}
	if said, code := n.earnest(passphrase+"\n", "unlock", "--passphrase-file", "-"); code != 0 {
		t.Fatalf("earnest unlock: %d %s", code, said)
	}
	n.works(account)
	kill()
	n.nowhere(passphrase)
}

// works: the account is watched, and its key signs for it.
func (n *newcomer) works(account agentclient.Account) {
	n.t.Helper()
	status := n.status()
	if status.Locked != "" || len(status.Accounts) != 1 || status.Accounts[0].Identity != account.Identity {
		n.t.Fatalf("unlocked: %+v, want %s", status, account.Identity)
	}
	n.until("the mailbox is watched and the address proven", func() bool {
		a := n.status().Accounts[0]
		return a.Mailbox == "watching" && a.Proven
	})
	if _, err := n.client.SetPrice(n.t.Context(), agentclient.SetPrice{Options: []string{"0.25"}}); err != nil {
		n.t.Errorf("a price that the identity signs: %v", err)
	}
}

// nowhere: no file of the home and no log has it.
func (n *newcomer) nowhere(secret string) {
	n.t.Helper()
	files := 0
	for _, root := range []string{n.home, n.Dir} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			if files++; bytes.Contains(data, []byte(secret)) {
				n.t.Errorf("%s has the passphrase", path)
			}
			return err
		})
		must(n.t, err)
	}
	if files < 5 {
		n.t.Errorf("only %d files were looked at", files)
	}
}

// TestAKeyringThatComesBackIsNotTakenInAKeyFilesPlace, on a real one.
func TestAKeyringThatComesBackIsNotTakenInAKeyFilesPlace(t *testing.T) {
	n, ctx := newNewcomer(t), t.Context()
	kill := n.agent()
	if _, err := n.client.ChooseKeyFile(ctx, agentclient.Passphrase{Passphrase: passphrase}); err != nil {
		t.Fatal(err)
	}
	account, err := n.add(ctx)
	must(t, err)
	kill()
	cmd, err := gnomekeyring.Command(ctx, t.TempDir(), filepath.Join(n.Programs, "earnest"), "agent")
	must(t, err)
	cmd.Env = append(cmd.Env, "EARNEST_HOME="+n.home, "EARNEST_NO_DISCOVERY=1")
	n.start(cmd)
	if status := n.status(); status.Locked != agentclient.LockedPassphrase {
		t.Fatalf("with a keyring: %+v", status)
	}
	if status, err := n.client.Unlock(ctx, agentclient.Passphrase{Passphrase: passphrase}); err != nil || status.Keyring != "file" {
		t.Fatalf("unlocked: %+v, %v", status, err)
	}
	n.works(account)
}

// TestAKeyringThatIsStartedLaterIsFoundWhenItIsNeeded: who chose nothing need not.
func TestAKeyringThatIsStartedLaterIsFoundWhenItIsNeeded(t *testing.T) {
	n := newNewcomer(t)
	bus := filepath.Join(t.TempDir(), "bus")
	// The session's address is known before anybody answers there.
	cmd := exec.Command(filepath.Join(n.Programs, "earnest"), "agent")
	cmd.Env = append(n.here(), "DBUS_SESSION_BUS_ADDRESS=unix:path="+bus)
	n.start(cmd)
	if status := n.status(); status.Locked != agentclient.LockedNoKeyring {
		t.Fatalf("without a keyring: %+v", status)
	}
	session, err := gnomekeyring.Command(t.Context(), t.TempDir(), "sh", "-c",
		`address=${DBUS_SESSION_BUS_ADDRESS%%,*}; ln -s "${address#unix:path=}" "$0"; exec sleep 60`, bus)
	must(t, err)
	must(t, session.Start())
	t.Cleanup(func() { _ = session.Cancel(); _ = session.Wait() })
	n.until("the keyring's session is there", func() bool { _, err := os.Stat(bus); return err == nil })
	if _, err := n.add(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status := n.status(); status.Keyring != "os" || status.Locked != "" {
		t.Errorf("with a keyring: %+v", status)
	}
	if _, err := os.Stat(filepath.Join(n.home, "keys.sealed")); err == nil {
		t.Error("there is a key file that nobody chose")
	}
}
