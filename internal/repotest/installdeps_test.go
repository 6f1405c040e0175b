package repotest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// machine is a folder of stand-ins for the programs that scripts/install-deps
// runs. They write what they were asked into a log, and change nothing.
type machine struct {
	path, log string
}

// stub writes a stand-in. Its text may use $LOG.
func (m machine) stub(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.path, name), []byte("#!/bin/bash\nLOG="+m.log+"\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
}

// newMachine is one where a user without root works, sudo lets him, and all
// packages are installed but these.
func newMachine(t *testing.T, missing ...string) machine {
	t.Helper()
	dir := t.TempDir()
	m := machine{path: filepath.Join(dir, "bin"), log: filepath.Join(dir, "log")}
	if err := os.Mkdir(m.path, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"bash", "awk", "sed", "grep", "paste", "uname", "env", "cat"} {
		real, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(real, filepath.Join(m.path, tool)); err != nil {
			t.Fatal(err)
		}
	}
	m.stub(t, "dpkg-query", `case " `+strings.Join(missing, " ")+` " in *" ${@: -1} "*) exit 1 ;; esac; printf installed`)
	m.stub(t, "id", "echo 1000")
	// It takes what is piped to it, as a real one does: else the pipe breaks.
	m.stub(t, "sudo", `echo "sudo $*" >>$LOG; cat >/dev/null`)
	m.stub(t, "apt-get", `echo "apt-get without root: $*" >>$LOG`)
	m.stub(t, "systemctl", `echo "systemctl without root: $*" >>$LOG`)
	return m
}

// run returns what the script said, what it had done, and its exit code.
func (m machine) run(t *testing.T, args ...string) (said, did string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "../../scripts/install-deps", args...)
	cmd.Env = []string{"PATH=" + m.path}
	out, err := cmd.CombinedOutput()
	if exit, failed := errors.AsType[*exec.ExitError](err); failed {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	log, _ := os.ReadFile(m.log)
	return string(out), string(log), code
}

func TestInstallDepsTouchesNothingThatIsThere(t *testing.T) {
	said, did, code := newMachine(t).run(t, "build", "window", "test")
	if said != "" || did != "" || code != 0 {
		t.Errorf("said %q, did %q, exit %d", said, did, code)
	}
}

func TestInstallDepsInstallsWhatIsMissing(t *testing.T) {
	said, did, code := newMachine(t, "postfix", "swaks", "gcc").run(t, "test")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, said)
	}
	for _, part := range []string{"(2)", "postfix          a real SMTP server", "swaks "} {
		if !strings.Contains(said, part) {
			t.Errorf("it did not say %q: %s", part, said)
		}
	}
	if strings.Contains(did, "without root") || strings.Contains(did, "gcc") || strings.Contains(did, "xvfb") {
		t.Errorf("did %s", did)
	}
	order := []string{"debconf-set-selections", "apt-get -q -y -o DPkg::Lock::Timeout=300 update",
		"install --no-install-recommends --no-remove --no-upgrade postfix swaks\n", "systemctl --quiet disable postfix"}
	rest := did
	for _, step := range order {
		_, after, found := strings.Cut(rest, step)
		if !found {
			t.Fatalf("%q did not happen, or not in this order: %s", step, did)
		}
		rest = after
	}
	if strings.Contains(did, "disable dovecot") || !strings.Contains(did, "DEBIAN_FRONTEND=noninteractive") {
		t.Errorf("did %s", did)
	}
}

func TestInstallDepsOnlyLists(t *testing.T) {
	said, did, code := newMachine(t, "gcc", "xvfb").run(t, "--list", "build", "window", "test")
	if said != "gcc\nxvfb\n" || did != "" || code != 0 {
		t.Errorf("said %q, did %q, exit %d", said, did, code)
	}
}

func TestInstallDepsWithoutRoot(t *testing.T) {
	m := newMachine(t, "gcc", "libc6-dev")
	m.stub(t, "sudo", "exit 1")
	said, did, code := m.run(t, "build")
	last := strings.TrimSpace(said[strings.LastIndex(strings.TrimSpace(said), "\n")+1:])
	const want = `This needs root: run "apt-get update && apt-get install --no-install-recommends gcc libc6-dev" as root, then try again.`
	if last != want || did != "" || code != 1 {
		t.Errorf("said %q, did %q, exit %d", last, did, code)
	}
}

func TestInstallDepsOnAnotherSystem(t *testing.T) {
	m := newMachine(t)
	if err := os.Remove(filepath.Join(m.path, "dpkg-query")); err != nil {
		t.Fatal(err)
	}
	said, did, code := m.run(t, "build")
	if !strings.HasPrefix(said, "This is not Debian") || !strings.Contains(said, "gcc libc6-dev") || did != "" || code != 0 {
		t.Errorf("said %q, did %q, exit %d", said, did, code)
	}
	if _, _, code := newMachine(t).run(t, "everything"); code != 2 {
		t.Errorf("an unknown group: exit %d", code)
	}
}
