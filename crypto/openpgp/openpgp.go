// Package openpgp makes keys, seals mails and opens them: PGP/MIME (RFC 3156)
// with protected headers (RFC 9788), in the forms that GnuPG, Sequoia and
// Thunderbird read: version 4 keys, EdDSA and ECDH on Curve25519 (RFC 4880 and
// RFC 9580's legacy algorithms 22 and 18), SEIPD version 1.
//
// Private halves go into a [Vault] and nowhere else.
package openpgp

import (
	"context"
	"crypto"
	"errors"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"earnest/crypto/secret"
	"earnest/mail"
)

// Vault is where private keys rest. Get of a name that was never put is an error.
type Vault interface {
	Put(ctx context.Context, name string, s secret.Secret) error
	Get(ctx context.Context, name string) (secret.Secret, error)
	Delete(ctx context.Context, name string) error
}

// Limits.
const (
	MaxSecret = 2500 // bytes of a private key in the vault
	// MaxRecipients bounds what a mail may ask to be tried.
	MaxRecipients = 64
	// maxInput is what a certificate may have before it is minimised: years of
	// other people's signatures.
	maxInput = 1 << 20
	// maxSignature bounds a signature packet that serves as proof.
	maxSignature = 8 << 10
	// clockSkew is how far a sender's clock may be ahead before a signature
	// counts as made in the future.
	clockSkew = 24 * time.Hour
)

// Why a mail was not opened. They are tested with errors.Is.
var (
	// ErrNotForKey: the mail is not encrypted to this key.
	ErrNotForKey = errors.New("the mail is not encrypted to this key")
	// ErrUnsigned: it opens, but nobody signed it. Its content is not released.
	ErrUnsigned = errors.New("the mail is not signed, so nothing shows that the buyer sent it; it was not opened and nothing was decided")
	// ErrBadSignature: it opens, but the buyer's certificate did not sign it.
	ErrBadSignature = errors.New("the mail is not signed by the buyer's certificate; it was not opened and nothing was decided")
	// ErrProof: the proof of arrival does not verify.
	ErrProof = errors.New("the proof of arrival does not verify")
	// ErrCertificate: the certificate cannot be used here.
	ErrCertificate = errors.New("the OpenPGP certificate cannot be used")
)

// Damaged says that a mail was changed on its way or was badly made. Nothing of
// its content is released.
type Damaged struct{ Reason string }

func (d *Damaged) Error() string {
	return "the mail is damaged (" + d.Reason + "); it was not opened and nothing was decided. The sender may send it again under the same bond"
}

// Stamp ties a mail to its bond, or to the keys of a connection. It travels as
// signed header fields inside.
type Stamp struct {
	Bond  string // the bond's id; empty over a connection
	Key   string // fingerprint of the key that it is encrypted to
	Reply string // fingerprint of the reply certificate; over a connection of the key that signs
	Free  string // over a connection: how much the recipient may write free; may be empty
}

// The header fields of a stamp.
const (
	fieldBond  = "Earnest-Bond"
	fieldKey   = "Earnest-Key"
	fieldReply = "Earnest-Reply"
	fieldFree  = "Earnest-Free"
)

// config is go-crypto's for the moment at.
func config(at time.Time) *packet.Config {
	decompressed := int64(mail.MaxInner + 1<<20)
	return &packet.Config{
		Time:      func() time.Time { return at },
		Algorithm: packet.PubKeyAlgoEdDSA,
		Curve:     packet.Curve25519,
		// The default is AES-128, at key generation as well.
		DefaultCipher:              packet.CipherAES256,
		DefaultHash:                crypto.SHA512,
		MaxDecompressedMessageSize: &decompressed,
	}
}
