package desktop

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "win") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestASecondWindowRaisesTheFirst(t *testing.T) {
	path := filepath.Join(socketDir(t), "window.sock")
	var raised atomic.Int32
	first, stop, err := Single(t.Context(), path, func() bool { raised.Add(1); return true })
	if err != nil || !first {
		t.Fatalf("the first window: %v, %v", first, err)
	}
	for range 2 {
		if again, _, err := Single(t.Context(), path, func() bool { t.Error("the second is raised"); return true }); err != nil || again {
			t.Fatalf("a further window: %v, %v", again, err)
		}
	}
	if raised.Load() != 2 {
		t.Errorf("the first window came forward %d times", raised.Load())
	}
	stop()
	again, stop, err := Single(t.Context(), path, func() bool { return true })
	if err != nil || !again {
		t.Fatalf("after the first was closed: %v, %v", again, err)
	}
	stop()
}

// TestAWindowThatHangsKeepsNoOtherFromBeingOpened: every later start ended without a
// word and without a window.
func TestAWindowThatHangsKeepsNoOtherFromBeingOpened(t *testing.T) {
	path := filepath.Join(socketDir(t), "window.sock")
	hung := make(chan struct{})
	for name, raise := range map[string]func() bool{
		"says that it cannot": func() bool { return false },
		"never answers":       func() bool { <-hung; return false },
	} {
		_, stop, err := Single(t.Context(), path, raise)
		if err != nil {
			t.Fatal(err)
		}
		before := time.Now()
		first, end, err := Single(t.Context(), path, func() bool { return true })
		if !first || !errors.Is(err, ErrSilent) || time.Since(before) > 3*raiseTimeout {
			t.Errorf("a window that %s: %v, %v after %v", name, first, err, time.Since(before))
		}
		end()
		stop()
	}
	close(hung)
}
