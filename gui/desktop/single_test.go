package desktop

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
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
	first, stop, err := Single(t.Context(), path, func() { raised.Add(1) })
	if err != nil || !first {
		t.Fatalf("the first window: %v, %v", first, err)
	}
	for range 2 {
		if again, _, err := Single(t.Context(), path, func() { t.Error("the second is raised") }); err != nil || again {
			t.Fatalf("a further window: %v, %v", again, err)
		}
	}
	if raised.Load() != 2 {
		t.Errorf("the first window came forward %d times", raised.Load())
	}
	stop()
	again, stop, err := Single(t.Context(), path, func() {})
	if err != nil || !again {
		t.Fatalf("after the first was closed: %v, %v", again, err)
	}
	stop()
}
