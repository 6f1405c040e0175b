package secret

import (
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// KeySize is the length of a Sealer's key in bytes.
const KeySize = chacha20poly1305.KeySize

// Overhead is how much longer a sealed text is than its plain one, in bytes.
const Overhead = 1 + chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead

// version1 is XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) with a random nonce:
// version (1), nonce (24), ciphertext, tag (16). The associated data are the
// version and the context.
const version1 = 1

// ErrOpen says that a sealed text was not made with this key and context, or
// was changed since.
var ErrOpen = errors.New("the sealed text does not open: another key, another context, or changed bytes")

// Sealer encrypts and authenticates what rests on disk. It is safe for
// concurrent use.
type Sealer struct {
	Hidden
	aead func() cipher.AEAD
}

// NewSealer makes a Sealer of a key of [KeySize] random bytes.
func NewSealer(key Secret) (*Sealer, error) {
	aead, err := chacha20poly1305.NewX(key.Reveal())
	if err != nil {
		return nil, fmt.Errorf("make a sealer: the key must have %d bytes", KeySize)
	}
	return &Sealer{aead: func() cipher.AEAD { return aead }}, nil
}

// NewKey makes a random key for a Sealer.
func NewKey() Secret {
	key := make([]byte, KeySize)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the program instead
	return New(key)
}

// Seal encrypts plain. The context says what it is ("mail 17 subject"); it is
// not stored, and Open must name the same, so that a sealed text cannot be put
// in another's place.
func (s *Sealer) Seal(plain []byte, context string) []byte {
	out := make([]byte, 1+chacha20poly1305.NonceSizeX, len(plain)+Overhead)
	out[0] = version1
	_, _ = rand.Read(out[1:]) // 192 random bits: no two nonces meet
	return s.aead().Seal(out, out[1:], plain, associated(context))
}

// Open decrypts what Seal made under the same key and context, or returns
// [ErrOpen] and nothing.
func (s *Sealer) Open(sealed []byte, context string) ([]byte, error) {
	if len(sealed) < Overhead || sealed[0] != version1 {
		return nil, ErrOpen
	}
	nonce, body := sealed[1:1+chacha20poly1305.NonceSizeX], sealed[1+chacha20poly1305.NonceSizeX:]
	plain, err := s.aead().Open(nil, nonce, body, associated(context))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

func associated(context string) []byte {
	return append([]byte{version1}, context...)
}
