package logx

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

const (
	keyFile  = "log-key"
	keyBytes = 32
)

// Hasher turns addresses into names for logs: the same address has the same
// name in the logs of one installation, another one in those of every other,
// and who has a log alone cannot try addresses against it. The zero Hasher
// hides every address under one name.
type Hasher struct {
	key []byte
}

// NewHasher makes a Hasher of a key, for those who keep one already.
func NewHasher(key []byte) Hasher { return Hasher{key: bytes.Clone(key)} }

// LoadHasher reads the installation's key from its folder, and makes it the
// first time.
func LoadHasher(home string) (Hasher, error) {
	path := filepath.Join(home, keyFile)
	key, err := readKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeKey(home, path)
	}
	if err != nil {
		return Hasher{}, fmt.Errorf("key for addresses in logs: %w", err)
	}
	return Hasher{key: key}, nil
}

// Address is what a log says in place of an address.
func (h Hasher) Address(address string) slog.Value {
	if len(h.key) == 0 {
		return slog.StringValue("address")
	}
	mac := hmac.New(sha256.New, h.key)
	mac.Write([]byte(strings.ToLower(strings.TrimSpace(address))))
	return slog.StringValue("address-" + hex.EncodeToString(mac.Sum(nil)[:6]))
}

// String hides the key.
func (Hasher) String() string { return "[hasher]" }

// GoString hides the key from %#v.
func (Hasher) GoString() string { return "[hasher]" }

// LogValue hides the key from slog.
func (Hasher) LogValue() slog.Value { return slog.StringValue("[hasher]") }

func readKey(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != keyBytes {
		return nil, fmt.Errorf("%s is damaged: delete it, and addresses get new names in the log", path)
	}
	return key, nil
}

// makeKey writes a new key. A link puts it in place, since it fails where
// another process was first, and no half-written key is ever at path.
func makeKey(home, path string) ([]byte, error) {
	key := make([]byte, keyBytes)
	_, _ = rand.Read(key)                           // never fails: crypto/rand ends the program instead
	draft, err := os.CreateTemp(home, keyFile+"-*") // 0600
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(draft.Name()) }()
	_, err = draft.WriteString(hex.EncodeToString(key) + "\n")
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(draft.Name(), path); errors.Is(err, fs.ErrExist) {
		return readKey(path)
	} else if err != nil {
		return nil, err
	}
	return key, nil
}
