//go:build unix

package app

import (
	"os/exec"
	"syscall"
)

// detach gives the agent a session of its own: closing the terminal that the
// window was started from does not end it.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
}
