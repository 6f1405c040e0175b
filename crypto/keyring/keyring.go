// Package keyring keeps private keys and passwords: in the keyring of the
// operating system, in a passphrase-sealed file where a person chose one, or in
// memory for demonstrations and tests. Nothing is ever kept in the clear.
package keyring

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"earnest/crypto/secret"
)

// The kinds of ring, as the agent's status names them.
const (
	KindOS     = "os"
	KindFile   = "file"
	KindMemory = "memory"
)

// MaxItem is how long an item may be as it is stored, in characters of base64:
// the Windows credential store takes 2,560 bytes. So a secret may have
// [MaxSecret] bytes. All kinds hold to it: what works on one machine works on
// every other.
const (
	MaxItem   = 2500
	MaxSecret = MaxItem * 3 / 4
	maxName   = 255
)

// Errors of a ring, wrapped with the operation and the item's name.
var (
	ErrNotFound = errors.New("no such item in the keyring")
	ErrExists   = errors.New("the keyring holds an item of this name already, and it was kept")
	ErrTooLarge = fmt.Errorf("the item is larger than the %d bytes that every keyring takes", MaxSecret)
	ErrName     = fmt.Errorf("an item's name is 1 to %d bytes of text without control characters", maxName)
	ErrDamaged  = errors.New("the item in the keyring is damaged")
	// ErrTimeout: the keyring did not answer, mostly because it waits for a
	// person to unlock it. What was asked may still happen later.
	ErrTimeout = errors.New("the keyring did not answer in time: it may be waiting for its password. " +
		"Paid mail stays unopened in the mailbox and no money moves. Unlock the keyring, then try again")
	// ErrNoKeyring is the refusal to go on without a safe place for keys.
	ErrNoKeyring = errors.New("the keyring of this system cannot be used, and private keys and passwords are never " +
		"kept unprotected, so nothing was saved. Paid mail stays unopened in the mailbox and no money moves. " +
		"Install and unlock a keyring (on Debian: apt-get install gnome-keyring dbus, then log in again), " +
		"or keep the keys in a file under a passphrase: earnest unlock --new")
)

// store is what a kind of ring does with items of text. A ring calls it from
// one goroutine at a time. get returns ErrNotFound; removing nothing is fine.
type store interface {
	set(ctx context.Context, name, item string) error
	get(ctx context.Context, name string) (string, error)
	remove(ctx context.Context, name string) error
}

// Ring keeps secrets under names. It is safe for concurrent use; calls are made
// one after the other.
type Ring struct {
	secret.Hidden
	kind  string
	store store
	gate  *gate
}

// Kind is "os", "file" or "memory".
func (r *Ring) Kind() string { return r.kind }

// Put stores s under name, in place of what was there. Once it returns nil, the
// secret survives a crash (but not in a memory ring).
func (r *Ring) Put(ctx context.Context, name string, s secret.Secret) error {
	return r.put(ctx, name, s, false)
}

// putNew stores s unless there is an item of that name: [ErrExists].
func (r *Ring) putNew(ctx context.Context, name string, s secret.Secret) error {
	return r.put(ctx, name, s, true)
}

func (r *Ring) put(ctx context.Context, name string, s secret.Secret, onlyNew bool) error {
	item := encode(s)
	if len(item) > MaxItem {
		return fmt.Errorf("put %q into the keyring: %w", name, ErrTooLarge)
	}
	_, err := r.call(ctx, name, func(ctx context.Context) (string, error) {
		if onlyNew {
			if _, err := r.store.get(ctx, name); err == nil {
				return "", ErrExists
			} else if !errors.Is(err, ErrNotFound) {
				return "", err
			}
		}
		return "", r.store.set(ctx, name, item)
	})
	if err != nil {
		return fmt.Errorf("put %q into the keyring: %w", name, err)
	}
	return nil
}

// Get returns the secret under name, or [ErrNotFound].
func (r *Ring) Get(ctx context.Context, name string) (secret.Secret, error) {
	item, err := r.call(ctx, name, func(ctx context.Context) (string, error) { return r.store.get(ctx, name) })
	var s secret.Secret
	if err == nil {
		s, err = decode(item)
	}
	if err != nil {
		return secret.Secret{}, fmt.Errorf("get %q from the keyring: %w", name, err)
	}
	return s, nil
}

// Delete removes the secret under name. A missing one is fine.
func (r *Ring) Delete(ctx context.Context, name string) error {
	_, err := r.call(ctx, name, func(ctx context.Context) (string, error) { return "", r.store.remove(ctx, name) })
	if err != nil {
		return fmt.Errorf("delete %q from the keyring: %w", name, err)
	}
	return nil
}

func (r *Ring) call(ctx context.Context, name string, c call) (string, error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	return r.gate.do(ctx, c)
}

// probe is the name of the item that Check puts, gets and deletes.
const probe = "probe"

// Check puts, gets and deletes a probe. It returns [ErrNoKeyring] or
// [ErrTimeout] where keys cannot be kept; then nothing must be started.
func (r *Ring) Check(ctx context.Context) error {
	want := secret.NewKey()
	if err := r.Put(ctx, probe, want); err != nil {
		return err
	}
	got, err := r.Get(ctx, probe)
	if err != nil {
		return err
	}
	if !got.Equal(want) {
		return fmt.Errorf("check the keyring: it returned other bytes than were put: %w", ErrDamaged)
	}
	return r.Delete(ctx, probe)
}

func checkName(name string) error {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return ErrName
	}
	return nil
}

// encode makes text of a secret: the keyrings of Linux and macOS hold text.
func encode(s secret.Secret) string { return base64.RawStdEncoding.EncodeToString(s.Reveal()) }

func decode(item string) (secret.Secret, error) {
	b, err := base64.RawStdEncoding.Strict().DecodeString(item)
	if err != nil {
		return secret.Secret{}, ErrDamaged // err would show a part of the item
	}
	return secret.New(b), nil
}
