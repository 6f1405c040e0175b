package agentclient

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"

	"github.com/adrg/xdg"
)

// Home is the folder of the agent: EARNEST_HOME, else "earnest" in the user's
// data folder. Several agents run on one machine with several homes.
func Home(env func(string) string) string {
	home := env("EARNEST_HOME")
	if home == "" {
		home = filepath.Join(xdg.DataHome, "earnest")
	}
	if abs, err := filepath.Abs(home); err == nil {
		return abs
	}
	return home
}

// maxSocketPath is what every system takes: sun_path is 104 bytes on macOS and
// the BSDs with the closing NUL, 108 on Linux.
const maxSocketPath = 103

// SocketPath is where the agent of that home listens: in the home itself, or,
// where that would be too long for a socket, under a name derived from it in a
// folder of the user's own. The folder is 0700; who listens makes it, and who
// dials refuses it if it is somebody else's.
func SocketPath(home string) string { return socketPath(home, "agent.sock", "earnest-") }

// WindowSocketPath is where the window of that home listens for a second one.
func WindowSocketPath(home string) string { return socketPath(home, "window.sock", "earnest-window-") }

func socketPath(home, name, folder string) string {
	path := filepath.Join(home, name)
	if len(path) <= maxSocketPath {
		return path
	}
	sum := sha256.Sum256([]byte(home))
	// Not XDG_RUNTIME_DIR: a command run by cron or over ssh -T does not have
	// it, and would look for the agent elsewhere than where it listens.
	return filepath.Join(shortDir(), folder+strconv.Itoa(os.Getuid()), hex.EncodeToString(sum[:12])+".sock")
}

// shortDir is a folder with a short name. TMPDIR is not used: it is long on
// macOS and differs between sessions.
func shortDir() string {
	if os.PathSeparator == '/' {
		return "/tmp"
	}
	return os.TempDir()
}
