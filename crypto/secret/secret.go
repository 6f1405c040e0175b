// Package secret carries the bytes that must never be seen: private keys,
// passwords, passphrases. A [Secret] crosses packages shut; only packages under
// crypto open it (a test in internal/repotest holds that). A [Sealer] encrypts
// what rests on disk.
package secret

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"log/slog"
)

// hidden is what every printer gets to see.
const hidden = "[secret]"

// Hidden, embedded in a type, makes fmt, slog, JSON and text encoders write
// "[secret]" in its place.
type Hidden struct{}

// String hides the value.
func (Hidden) String() string { return hidden }

// GoString hides the value from %#v.
func (Hidden) GoString() string { return hidden }

// Format hides the value from every verb, %x and %d included.
func (Hidden) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue hides the value from slog.
func (Hidden) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON hides the value from JSON.
func (Hidden) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText hides the value from text encoders, and from TOML.
func (Hidden) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Secret holds bytes that must not be printed, logged or encoded. The zero
// value is an empty secret.
type Secret struct {
	Hidden
	// A closure and not a slice: printers that walk through unexported fields
	// of a struct around this one cannot follow it.
	reveal func() []byte
}

// New copies b into a Secret.
func New(b []byte) Secret {
	own := bytes.Clone(b)
	return Secret{reveal: func() []byte { return bytes.Clone(own) }}
}

// Reveal returns a copy of the bytes. Only packages under crypto may call it.
func (s Secret) Reveal() []byte {
	if s.reveal == nil {
		return nil
	}
	return s.reveal()
}

// Empty says whether there are no bytes in it.
func (s Secret) Empty() bool { return len(s.Reveal()) == 0 }

// Equal compares two secrets in a time that does not depend on their content.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare(s.Reveal(), other.Reveal()) == 1
}
