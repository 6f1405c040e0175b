package openpgp

import (
	"fmt"
	"strings"

	"earnest/mail"
)

// Dry is what [Keys.Seal] would make of a letter, before anything is encrypted.
type Dry struct {
	Inner   []byte   // what is encrypted, byte for byte but for boundaries and ids
	Outside []string // the header fields that stay readable, unfolded
	Size    int64    // of the whole mail in bytes, estimated
}

// DryRun builds a letter as [Keys.Seal] does and encrypts nothing: it takes no
// key.
func DryRun(l mail.Letter, stamp Stamp) (Dry, error) {
	inner, outer, err := mail.BuildProtected(l, stamp.fields()...)
	if err != nil {
		return Dry{}, fmt.Errorf("dry run of a mail: %w", err)
	}
	shell, err := mail.WrapEncrypted(outer, nil)
	if err != nil {
		return Dry{}, fmt.Errorf("dry run of a mail: %w", err)
	}
	header, _, _ := strings.Cut(string(shell), "\r\n\r\n")
	header = strings.NewReplacer("\r\n ", " ", "\r\n\t", " ").Replace(header)
	return Dry{Inner: inner, Outside: strings.Split(header, "\r\n"), Size: int64(len(shell)) + armoredSize(int64(len(inner)))}, nil
}

// What an armored message has beside its content.
const (
	// packets are those around the text: session key, one-pass signature, literal
	// data, signature, integrity protection.
	packets   = 378
	perLine   = 48 // bytes that become 64 characters
	armorEnds = 66 // first and last line, an empty one, checksum
)

// armoredSize estimates the length of an armored message that has a text of n bytes.
func armoredSize(n int64) int64 {
	n += packets
	return (n+2)/3*4 + (n+perLine-1)/perLine*2 + armorEnds
}
