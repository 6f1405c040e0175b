package app

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestFilesAreWrittenWhole: never into the file that is there, and what fails
// leaves nothing behind.
func TestFilesAreWrittenWhole(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "key"), filepath.Join(dir, "link")
	if err := writeNew(file, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode: %v, %v", info, err)
	}
	if err := writeNew(file, []byte("two"), 0o600); !errors.Is(err, ErrData) {
		t.Errorf("written over: %v", err)
	}
	// Who has the old file open, or reads it while a write is cut off, has it whole.
	if err := os.Link(file, link); err != nil {
		t.Fatal(err)
	}
	if err := replace(file, []byte("three"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{file: "three", link: "one"} {
		if text, err := os.ReadFile(name); err != nil || string(text) != want {
			t.Errorf("%s: %q, %v; want %q", name, text, err, want)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "folder", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := replace(filepath.Join(dir, "folder"), []byte("x"), 0o600); !errors.Is(err, ErrData) {
		t.Errorf("a folder was replaced: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
