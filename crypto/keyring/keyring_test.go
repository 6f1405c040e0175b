package keyring

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"earnest/crypto/secret"
)

// cheap makes keyring files quick to open in tests.
var cheap = cost{Time: 1, Memory: 64, Threads: 1}

func phrase(p string) PassphraseFunc {
	return func(context.Context) ([]byte, error) { return []byte(p), nil }
}

func fileRing(t *testing.T, path, p string) *Ring {
	t.Helper()
	ring, err := openFile(path, phrase(p), cheap)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestMemoryRing(t *testing.T) {
	conformance(t, KindMemory, OpenMemory())
}

func TestFileRing(t *testing.T) {
	conformance(t, KindFile, fileRing(t, filepath.Join(t.TempDir(), "keys"), "four words of mine"))
}

// conformance holds what every kind of ring does.
func conformance(t *testing.T, kind string, ring *Ring) {
	t.Run("items", func(t *testing.T) { items(t, ring) })
	t.Run("refusals", func(t *testing.T) { refusals(t, ring) })
	t.Run("signer", func(t *testing.T) { signers(t, ring) })
	t.Run("sealer", func(t *testing.T) { sealers(t, ring) })
	t.Run("concurrent", func(t *testing.T) { concurrent(t, ring) })
	t.Run("check", func(t *testing.T) {
		if ring.Kind() != kind {
			t.Errorf("kind %q, want %q", ring.Kind(), kind)
		}
		if err := ring.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := ring.Get(t.Context(), probe); !errors.Is(err, ErrNotFound) {
			t.Errorf("the probe stayed behind: %v", err)
		}
	})
}

func items(t *testing.T, ring *Ring) {
	ctx := t.Context()
	binary := make([]byte, MaxSecret)
	for i := range binary {
		binary[i] = byte(i)
	}
	for name, want := range map[string][]byte{
		"text": []byte("pass word"), "empty": {}, "zero byte": {0}, "newlines": []byte("\n\r\n "),
		"largest binary": binary, "key/österreich@example 'quoted' $HOME": []byte("x"),
	} {
		if err := ring.Put(ctx, name, secret.New(want)); err != nil {
			t.Fatal(err)
		}
		got, err := ring.Get(ctx, name)
		if err != nil || !bytes.Equal(got.Reveal(), want) {
			t.Errorf("%s: %d bytes came back as %d, %v", name, len(want), len(got.Reveal()), err)
		}
	}
	if err := ring.Put(ctx, "text", secret.New([]byte("second"))); err != nil {
		t.Fatal(err)
	}
	if got, err := ring.Password(ctx, "text"); err != nil || got != "second" {
		t.Errorf("replaced: got %q, %v", got, err)
	}
	for range 2 { // the second time it is missing, which is fine
		if err := ring.Delete(ctx, "text"); err != nil {
			t.Error(err)
		}
	}
	if _, err := ring.Get(ctx, "text"); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
	if err := ring.PutPassword(ctx, "imap", "pässword"); err != nil {
		t.Error(err)
	}
	if got, err := ring.Password(ctx, "imap"); err != nil || got != "pässword" {
		t.Errorf("password %q, %v", got, err)
	}
}

func refusals(t *testing.T, ring *Ring) {
	ctx := t.Context()
	if err := ring.Put(ctx, "big", secret.New(make([]byte, MaxSecret+1))); !errors.Is(err, ErrTooLarge) {
		t.Errorf("one byte too many: %v", err)
	}
	if _, err := ring.Get(ctx, "big"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a refused item is there: %v", err)
	}
	for _, name := range []string{"", "a\nb", "a\x00", "\xff", strings.Repeat("n", maxName+1)} {
		if err := ring.Put(ctx, name, secret.New(nil)); !errors.Is(err, ErrName) {
			t.Errorf("name %q: %v", name, err)
		}
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if err := ring.Put(gone, "late", secret.New(nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func signers(t *testing.T, ring *Ring) {
	ctx := t.Context()
	made, err := ring.NewSigner(ctx, "identity")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ring.NewSigner(ctx, "identity"); !errors.Is(err, ErrExists) {
		t.Errorf("a second key under the same name: %v", err)
	}
	loaded, err := ring.Signer(ctx, "identity")
	if err != nil {
		t.Fatal(err)
	}
	sig, err := loaded.Sign(nil, []byte("offer"), crypto.Hash(0))
	if err != nil || !ed25519.Verify(made.Public().(ed25519.PublicKey), []byte("offer"), sig) {
		t.Errorf("the loaded key signs another way: %v", err)
	}
	if _, err := ring.Signer(ctx, "nobody"); !errors.Is(err, ErrNotFound) {
		t.Errorf("missing: %v", err)
	}
	if err := ring.PutPassword(ctx, "not a key", "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Signer(ctx, "not a key"); !errors.Is(err, ErrDamaged) {
		t.Errorf("a password as a key: %v", err)
	}
	seed, err := ring.Get(ctx, "identity")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{loaded, ring, struct{ s crypto.Signer }{loaded}} {
		out := fmt.Sprintf("%v %+v %#v %x %s %d", v, v, v, v, v, v)
		for _, trace := range []string{
			fmt.Sprintf("%x", seed.Reveal()), strings.Trim(fmt.Sprint(seed.Reveal()), "[]"), encode(seed),
		} {
			if strings.Contains(out, trace) {
				t.Errorf("%T shows its key: %s", v, out)
			}
		}
	}
}

func sealers(t *testing.T, ring *Ring) {
	ctx := t.Context()
	made, err := ring.NewSealer(ctx, "archive")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ring.NewSealer(ctx, "archive"); !errors.Is(err, ErrExists) {
		t.Errorf("a second key under the same name: %v", err)
	}
	loaded, err := ring.Sealer(ctx, "archive")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := loaded.Open(made.Seal([]byte("subject"), "mail 1"), "mail 1")
	if err != nil || string(plain) != "subject" {
		t.Errorf("the loaded key opens %q, %v", plain, err)
	}
	if _, err := ring.Sealer(ctx, "nothing"); !errors.Is(err, ErrNotFound) {
		t.Errorf("missing: %v", err)
	}
}

func concurrent(t *testing.T, ring *Ring) {
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			name, want := fmt.Sprintf("key %d", i), fmt.Sprintf("value %d", i)
			if err := ring.PutPassword(t.Context(), name, want); err != nil {
				t.Error(err)
			}
			if got, err := ring.Password(t.Context(), name); err != nil || got != want {
				t.Errorf("%s: %q, %v", name, got, err)
			}
			if err := ring.Delete(t.Context(), name); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
