//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Steps of Tab: from the mail to "Save in…", from there to the folders that the dialog
// lists, and from those to its button that takes the chosen one.
const (
	toSaveIn  = 7
	toFolders = 2
	toOpen    = 10
)

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
	tab(toFolders)
	s.key("Right", "space") // into the second folder
	tab(toOpen)
	s.key("space") // Fyne's own buttons know no Return
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
