//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// toSaveIn is how many steps of Tab lead from the mail to "Save in…".
const toSaveIn = 7

// TestW_AFolderIsChosenByKeyboard saves an attachment into a folder that is chosen in
// the dialog, by keyboard alone.
func TestW_AFolderIsChosenByKeyboard(t *testing.T) {
	s := newStage(t, scene(time.Now))
	s.open("--size", "1280x800", "--theme", "light")
	for range index(t, s.waiting(), letterID) + 1 {
		s.key("j")
	}
	s.until("the mail is read", func() bool { return !s.unread(letterID) })
	time.Sleep(500 * time.Millisecond)
	tab := func(steps int) {
		for range steps {
			s.key("Tab")
		}
	}
	tab(toSaveIn)
	s.key("Return")
	time.Sleep(time.Second) // the dialog lists the folder
	s.key("Return")         // into the first folder
	s.key("ctrl+Return")    // takes it
	s.until("the file is in the chosen folder", func() bool {
		found, _ := filepath.Glob(filepath.Join(os.TempDir(), "ewin*", "x", "*", "sample-first-ten-pages.pdf"))
		if len(found) != 1 {
			return false
		}
		info, err := os.Stat(found[0])
		return err == nil && info.Size() == 212_000
	})
	s.quiet()
}
