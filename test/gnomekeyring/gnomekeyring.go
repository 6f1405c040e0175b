//go:build unix

// Package gnomekeyring runs a command beside a real, unlocked GNOME keyring in
// a D-Bus session of its own, apart from the keyring of whoever runs it. Tests
// and benchmarks use it.
package gnomekeyring

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// script unlocks the keyring and then becomes the command.
const script = `printf pw | gnome-keyring-daemon --unlock --components=secrets --daemonize >/dev/null && exec "$@"`

// Command returns a command that runs name with args in a session whose keyring
// lives in dir, a folder that exists and can be thrown away. It is an error if
// a program is missing; `scripts/install-deps test` installs them.
func Command(ctx context.Context, dir, name string, args ...string) (*exec.Cmd, error) {
	for _, program := range []string{"dbus-run-session", "gnome-keyring-daemon"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("%s is missing: run scripts/install-deps test (%w)", program, err)
		}
	}
	// Its own XDG_RUNTIME_DIR, else two sessions race for one control socket.
	run := filepath.Join(dir, "run")
	if err := os.MkdirAll(run, 0o700); err != nil {
		return nil, err
	}
	line := append([]string{"--", "sh", "-c", script, "sh", name}, args...)
	cmd := exec.CommandContext(ctx, "dbus-run-session", line...)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), overridden),
		"HOME="+dir, "XDG_RUNTIME_DIR="+run, "XDG_DATA_HOME="+filepath.Join(dir, "data"))
	// The whole session ends with the command, the daemon too.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd, nil
}

func overridden(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	return slices.Contains([]string{"HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "DBUS_SESSION_BUS_ADDRESS"}, name)
}
