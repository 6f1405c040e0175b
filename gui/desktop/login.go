package desktop

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// entry is a file that makes a system start a program at login.
type entry struct {
	path string
	text func(program string, args []string) string
}

// On tells whether the program is started at login.
func (e entry) On() bool {
	_, err := os.Stat(e.path)
	return err == nil
}

// Set has the program started at login, or no longer.
func (e entry) Set(on bool, program string, args ...string) error {
	if !on {
		if err := os.Remove(e.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("stop starting at login: %w", err)
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(e.path), 0o700); err != nil {
		return fmt.Errorf("start at login: %w", err)
	}
	if err := os.WriteFile(e.path, []byte(e.text(program, args)), 0o600); err != nil {
		return fmt.Errorf("start at login: %w", err)
	}
	return nil
}
