// Package paper writes a recovery key as a person keeps it on paper: 17 groups of six
// letters and digits, each with a checksum of its own, so that a typing error is found
// where it is.
package paper

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"

	"earnest/crypto/secret"
)

// Sizes in bytes.
const (
	secretSize  = 16
	accountSize = sha256.Size
	groupSize   = 3 // of a group, beside the 6 bits of its checksum
	size        = secretSize + accountSize + groupSize
)

// Groups is how many there are, and GroupLen how long each is.
const (
	Groups   = size / groupSize
	GroupLen = 6
)

// alphabet has no letter that looks like another or like a digit.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// ErrLength: what was typed is not [Groups] groups long.
var ErrLength = errors.New("a recovery key has 17 groups of six characters")

// ErrWhole: each group is right by itself, and together they are no recovery key.
var ErrWhole = errors.New("the groups do not belong together")

// A TypingError tells the first group that is mistyped, from 1.
type TypingError struct{ Group int }

func (e *TypingError) Error() string { return fmt.Sprintf("group %d is mistyped", e.Group) }

// Key is a recovery key and the account that it is of: who has lost everything else
// knows by it what to recover. It prints as nothing.
type Key struct {
	secret.Hidden
	account [accountSize]byte
	public  ed25519.PublicKey
	code    func() string
	sign    func(random io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error)
}

// New makes a recovery key for the account, whose id has 32 bytes.
func New(account []byte) (*Key, error) {
	if len(account) != accountSize {
		return nil, fmt.Errorf("make a recovery key: the account's id has %d bytes", len(account))
	}
	raw := make([]byte, secretSize)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the program instead
	return keyOf(append(raw, account...))
}

func keyOf(raw []byte) (*Key, error) {
	seed, err := hkdf.Key(sha256.New, raw[:secretSize], nil, "earnest recovery key 1", ed25519.SeedSize)
	if err != nil {
		return nil, fmt.Errorf("derive a recovery key: %w", err)
	}
	private := ed25519.NewKeyFromSeed(seed)
	k := &Key{public: private.Public().(ed25519.PublicKey), sign: private.Sign, code: func() string { return encode(raw) }}
	copy(k.account[:], raw[secretSize:])
	return k, nil
}

// Account is the id of the account.
func (k *Key) Account() []byte { return k.account[:] }

// Public returns an ed25519.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.public }

// Sign signs the message itself, as Ed25519 wants it.
func (k *Key) Sign(random io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return k.sign(random, message, opts)
}

// Code is what goes on paper: the groups with a space between.
func (k *Key) Code() string { return k.code() }

func encode(raw []byte) string {
	raw = append(bytes.Clone(raw), whole(raw)...)
	groups := make([]string, Groups)
	for i := range groups {
		groups[i] = group(i, raw[i*groupSize:(i+1)*groupSize])
	}
	return strings.Join(groups, " ")
}

// whole is the checksum over all, which no group has.
func whole(raw []byte) []byte {
	sum := sha256.Sum256(append([]byte("earnest recovery key"), raw...))
	return sum[:groupSize]
}

// group writes 24 bits and 6 of their checksum, in which their place counts: groups
// that changed places are found, too.
func group(place int, data []byte) string {
	sum := sha256.Sum256(append([]byte{'g', byte(place)}, data...))
	bits := uint32(data[0])<<22 | uint32(data[1])<<14 | uint32(data[2])<<6 | uint32(sum[0]>>2)
	text := make([]byte, GroupLen)
	for i := range text {
		text[i] = alphabet[bits>>(5*(GroupLen-1-i))&31]
	}
	return string(text)
}

// Parse reads what a person typed: small letters, other spaces and dashes, and O, I
// and L for what they look like are taken.
func Parse(typed string) (*Key, error) {
	text := strings.Map(readable, typed)
	if len(text) != Groups*GroupLen {
		return nil, ErrLength
	}
	raw := make([]byte, 0, size)
	for i := range Groups {
		data, ok := ungroup(i, text[i*GroupLen:(i+1)*GroupLen])
		if !ok {
			return nil, &TypingError{Group: i + 1}
		}
		raw = append(raw, data...)
	}
	raw, check := raw[:size-groupSize], raw[size-groupSize:]
	if !bytes.Equal(whole(raw), check) {
		return nil, ErrWhole
	}
	return keyOf(raw)
}

func readable(r rune) rune {
	switch {
	case r == ' ' || r == '-' || r == '\t' || r == '\n' || r == '\r' || r == '\u00a0':
		return -1
	case r == 'o' || r == 'O':
		return '0'
	case r == 'i' || r == 'I' || r == 'l' || r == 'L':
		return '1'
	case r >= 'a' && r <= 'z':
		return r - 'a' + 'A'
	case r > '~':
		return '?' // one byte, and in no group
	}
	return r
}

func ungroup(place int, text string) ([]byte, bool) {
	var bits uint32
	for i := range len(text) {
		value := strings.IndexByte(alphabet, text[i])
		if value < 0 {
			return nil, false
		}
		bits = bits<<5 | uint32(value)
	}
	data := []byte{byte(bits >> 22), byte(bits >> 14), byte(bits >> 6)}
	return data, group(place, data) == text
}
