//go:build unix

package keyring

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"earnest/crypto/secret"
)

const (
	killedFile = "EARNEST_TEST_KILLED_FILE"
	fullFile   = "EARNEST_TEST_FULL_FILE"
	ballast    = 2000 // items that make a write last a while
)

// TestKilledWhileWriting kills a process in the middle of a write, until two
// kills have left a torn draft behind. Every item that was acknowledged is there.
func TestKilledWhileWriting(t *testing.T) {
	if path := os.Getenv(killedFile); path != "" {
		writeForever(t, path)
		return
	}
	path := filepath.Join(t.TempDir(), "keys")
	fill(t, path)
	drafts, torn, kills := 0, 0, 0
	for ; torn < 2 && kills < 90; kills++ {
		whole, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		acknowledged := writeAndKill(t, path, whole.Size()*int64(kills%3)/4)
		if draft, err := os.Stat(path + ".new"); err == nil {
			drafts++
			if draft.Size() > 0 && draft.Size() < whole.Size() {
				torn++
			}
		}
		ring := fileRing(t, path, "right")
		if got, err := ring.Password(t.Context(), "ballast 0"); err != nil || got != filler {
			t.Errorf("kill %d: %d bytes, %v", kills, len(got), err)
		}
		for i := range acknowledged {
			if _, err := ring.Get(t.Context(), fmt.Sprint("item ", i)); err != nil {
				t.Errorf("kill %d: item %d of %d acknowledged: %v", kills, i, acknowledged, err)
			}
		}
		if err := ring.Check(t.Context()); err != nil {
			t.Errorf("kill %d: not writable afterwards: %v", kills, err)
		}
	}
	t.Logf("of %d kills %d left a draft, %d of them torn", kills, drafts, torn)
	if torn < 2 {
		t.Error("too few kills fell into a write: this test proves nothing")
	}
}

var filler = strings.Repeat("x", 1500)

func fill(t *testing.T, path string) {
	ring := fileRing(t, path, "right")
	store := ring.store.(*fileStore)
	err := store.change(t.Context(), func() bool {
		for i := range ballast {
			store.items[fmt.Sprint("ballast ", i)] = secret.New([]byte(encode(secret.New([]byte(filler)))))
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
}

func writeForever(t *testing.T, path string) {
	ring := fileRing(t, path, "right")
	for i := 0; ; i++ {
		if err := ring.PutPassword(t.Context(), fmt.Sprint("item ", i), "x"); err != nil {
			t.Fatal(err)
		}
		fmt.Println("acknowledged")
	}
}

// writeAndKill kills a writer when its draft is longer than part, in the next
// write after the first, and returns how many items it had acknowledged.
func writeAndKill(t *testing.T, path string, part int64) int {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledWhileWriting$")
	cmd.Env = append(os.Environ(), killedFile+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, acknowledged := bufio.NewScanner(out), 0
	for lines.Scan() {
		if lines.Text() != "acknowledged" {
			continue
		}
		if acknowledged++; acknowledged == 1 {
			for deadline := time.Now().Add(10 * time.Second); size(path+".new") <= part && time.Now().Before(deadline); {
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	_ = cmd.Wait() // "signal: killed"
	if acknowledged == 0 {
		t.Fatal("the writer ended by itself")
	}
	return acknowledged
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// size of a file, -1 where there is none.
func size(path string) int64 {
	info, err := os.Lstat(path)
	if err != nil {
		return -1
	}
	return info.Size()
}

// TestDiskFull: a file that cannot be written to its end stays as it was, and
// the draft is removed.
func TestDiskFull(t *testing.T) {
	if path := os.Getenv(fullFile); path != "" {
		writeOnAFullDisk(t, path)
		return
	}
	path := filled(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDiskFull$")
	cmd.Env = append(os.Environ(), fullFile+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if got, err := fileRing(t, path, "right").Password(t.Context(), "imap"); err != nil || got != "swordfish" {
		t.Errorf("afterwards: %q, %v", got, err)
	}
}

func writeOnAFullDisk(t *testing.T, path string) {
	ring := fileRing(t, path, "right")
	const limit = 100
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		t.Fatal(err)
	}
	if err := ring.PutPassword(t.Context(), "imap", "changed"); err == nil {
		t.Error("a write beyond the limit succeeded")
	}
	if exists(path + ".new") {
		t.Error("the draft was left behind")
	}
	if got, err := ring.Password(t.Context(), "imap"); err != nil || got != "swordfish" {
		t.Errorf("the ring goes on with %q, %v", got, err)
	}
}
