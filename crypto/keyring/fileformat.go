package keyring

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"golang.org/x/crypto/argon2"

	"earnest/crypto/secret"
)

// A keyring file is one line, a sealed empty text and the sealed items:
//
//	earnest-keyring-1 {"kdf":"argon2id","time":3,"memory":65536,"threads":4,"salt":"…"}
//
// The line is the associated data of what follows, so it cannot be changed.
const (
	fileMagic = "earnest-keyring-1 "
	kdfName   = "argon2id"
	saltSize  = 16
	maxHeader = 512
)

// cost is what Argon2id spends on one guess of the passphrase.
type cost struct {
	Time    uint32 `json:"time"`
	Memory  uint32 `json:"memory"` // KiB
	Threads uint8  `json:"threads"`
}

// recommended is the second choice of RFC 9106 §4: 64 MiB, three passes.
var recommended = cost{Time: 3, Memory: 64 * 1024, Threads: 4}

// bearable bounds what a file may ask of this machine: 1 GiB, 64 passes.
func (c cost) bearable() bool {
	return c.Time >= 1 && c.Time <= 64 && c.Memory >= 8 && c.Memory <= 1<<20 && c.Threads >= 1
}

type header struct {
	KDF string `json:"kdf"`
	cost
	Salt string `json:"salt"`
}

func newHeader(c cost) header {
	salt := secret.NewKey().Reveal()[:saltSize]
	return header{KDF: kdfName, cost: c, Salt: base64.RawStdEncoding.EncodeToString(salt)}
}

// line is the first line of the file, newline included.
func (h header) line() string {
	text, err := json.Marshal(h)
	if err != nil {
		return "" // a struct of numbers and strings always encodes
	}
	return fileMagic + string(text) + "\n"
}

func (h header) sealer(phrase []byte) (*secret.Sealer, error) {
	salt, err := base64.RawStdEncoding.DecodeString(h.Salt)
	if err != nil || len(salt) != saltSize {
		return nil, ErrFileDamaged
	}
	key := argon2.IDKey(phrase, salt, h.Time, h.Memory, h.Threads, secret.KeySize)
	debug.FreeOSMemory() // an agent that idles for days does not keep these 64 MiB
	return secret.NewSealer(secret.New(key))
}

func parseFile(all []byte) (header, []byte, error) {
	end := bytes.IndexByte(all, '\n')
	if end < 0 || end > maxHeader {
		return header{}, nil, ErrFileDamaged
	}
	line, body := string(all[:end+1]), all[end+1:]
	text, ok := strings.CutPrefix(line, fileMagic)
	var h header
	if !ok || json.Unmarshal([]byte(text), &h) != nil {
		return header{}, nil, ErrFileDamaged
	}
	if h.line() != line || h.KDF != kdfName || !h.bearable() || len(body) < 2*secret.Overhead {
		return header{}, nil, ErrFileDamaged
	}
	return h, body, nil
}

// seal makes the file's content. The empty text sealed first tells a wrong
// passphrase from damaged items.
func (h header) seal(sealer *secret.Sealer, plain []byte) []byte {
	line := h.line()
	out := append([]byte(line), sealer.Seal(nil, line+"passphrase")...)
	return append(out, sealer.Seal(plain, line+"items")...)
}

func (h header) open(sealer *secret.Sealer, body []byte) ([]byte, error) {
	line := h.line()
	if _, err := sealer.Open(body[:secret.Overhead], line+"passphrase"); err != nil {
		return nil, ErrPassphrase
	}
	plain, err := sealer.Open(body[secret.Overhead:], line+"items")
	if err != nil {
		return nil, ErrFileDamaged
	}
	return plain, nil
}

// replaceFile puts content at path so that path holds the old content or the
// new at every instant, and the new for certain once it returns nil. One caller
// at a time.
func replaceFile(path string, content []byte) error {
	draft := path + ".new"
	if err := os.Remove(draft); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a killed process
		return err
	}
	file, err := os.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(draft, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(draft))
	}
	return syncDir(filepath.Dir(path))
}
