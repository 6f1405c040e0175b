package keyring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"earnest/crypto/secret"
)

func filled(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "keys")
	if err := fileRing(t, path, "right").PutPassword(t.Context(), "imap", "swordfish"); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFileKeepsItsItems(t *testing.T) {
	path := filled(t)
	if got, err := fileRing(t, path, "right").Password(t.Context(), "imap"); err != nil || got != "swordfish" {
		t.Errorf("opened again: %q, %v", got, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestFileWithTheRealCost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	asked := 0
	ring, err := OpenFile(path, func(context.Context) ([]byte, error) { asked++; return []byte("right"), nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Check(t.Context()); err != nil || asked != 1 {
		t.Errorf("check: %v, asked %d times", err, asked)
	}
	content, err := os.ReadFile(path)
	if err != nil || !bytes.HasPrefix(content, []byte(`earnest-keyring-1 {"kdf":"argon2id","time":3,"memory":65536,"threads":4,`)) {
		t.Errorf("the file begins with %.90q, %v", content, err)
	}
}

func TestFileShowsNothing(t *testing.T) {
	path := filled(t)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"swordfish", encode(secret.New([]byte("swordfish"))), "imap", "right"} {
		if bytes.Contains(content, []byte(word)) {
			t.Errorf("the file holds %q", word)
		}
	}
}

func TestWrongPassphrase(t *testing.T) {
	path := filled(t)
	before, _ := os.ReadFile(path)
	answers := []string{"wrong", "", "right"}
	ring, err := openFile(path, func(context.Context) ([]byte, error) {
		answer := answers[0]
		answers = answers[1:]
		return []byte(answer), nil
	}, cheap)
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.PutPassword(t.Context(), "other", "x"); !errors.Is(err, ErrPassphrase) {
		t.Errorf("wrong: %v", err)
	}
	if _, err := ring.Get(t.Context(), "imap"); !errors.Is(err, ErrEmptyPassphrase) {
		t.Errorf("empty: %v", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("a wrong passphrase changed the file")
	}
	if got, err := ring.Password(t.Context(), "imap"); err != nil || got != "swordfish" {
		t.Errorf("right: %q, %v", got, err)
	}
}

func TestAPassphraseThatCannotBeAsked(t *testing.T) {
	gone := errors.New("no terminal")
	path := filepath.Join(t.TempDir(), "keys")
	ring, err := openFile(path, func(context.Context) ([]byte, error) { return nil, gone }, cheap)
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Check(t.Context()); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was made")
	}
}

// A torn or changed file is refused as a whole and never taken for an empty one.
func TestTornFile(t *testing.T) {
	whole, err := os.ReadFile(filled(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "keys")
	refused := func(what string, content []byte) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		ring, err := openFile(path, phrase("right"), cheap)
		if err == nil {
			err = ring.PutPassword(t.Context(), "other", "x")
		}
		if !errors.Is(err, ErrFileDamaged) && !errors.Is(err, ErrPassphrase) {
			t.Errorf("%s: %v", what, err)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(after, content) {
			t.Errorf("%s: the file was changed", what)
		}
	}
	for i := range whole {
		changed := bytes.Clone(whole)
		changed[i] ^= 1
		refused(fmt.Sprintf("byte %d changed", i), changed)
		refused(fmt.Sprintf("cut to %d bytes", i), whole[:i])
	}
	greedy := bytes.Replace(whole, []byte(`"memory":64`), []byte(`"memory":4000000000`), 1)
	refused("asks for 4 TB", greedy)
}

func TestDamagedItemsAreNotAWrongPassphrase(t *testing.T) {
	path := filled(t)
	content, _ := os.ReadFile(path)
	content[len(content)-1] ^= 1
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := fileRing(t, path, "right").Get(t.Context(), "imap"); !errors.Is(err, ErrFileDamaged) {
		t.Errorf("right passphrase: %v", err)
	}
	if _, err := fileRing(t, path, "wrong").Get(t.Context(), "imap"); !errors.Is(err, ErrPassphrase) {
		t.Errorf("wrong passphrase: %v", err)
	}
}

func TestFileThatOthersMayRead(t *testing.T) {
	path := filled(t)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := openFile(path, phrase("right"), cheap); !errors.Is(err, ErrFileOpen) {
		t.Errorf("got %v", err)
	}
}

func TestTwoProcessesShareAFile(t *testing.T) {
	path := filled(t)
	a, b := fileRing(t, path, "right"), fileRing(t, path, "right")
	for i := range 10 {
		writer, reader := a, b
		if i%2 == 1 {
			writer, reader = b, a
		}
		name := fmt.Sprint("item ", i)
		if err := writer.PutPassword(t.Context(), name, "x"); err != nil {
			t.Fatal(err)
		}
		if _, err := reader.Get(t.Context(), name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range 10 {
		if _, err := a.Get(t.Context(), fmt.Sprint("item ", i)); err != nil {
			t.Errorf("lost: %v", err)
		}
	}
}
