package openpgp

import (
	"bytes"
	"context"
	"fmt"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"earnest/mail"
)

// SealRequest is a letter to seal.
type SealRequest struct {
	Letter   mail.Letter
	Stamp    Stamp // left out where its Key is empty
	To       Certificate
	SignWith string // the name of the signing key in the vault
}

// Seal makes the whole mail to submit: signed and encrypted in one (RFC 3156
// section 6.2), headers protected (RFC 9788).
func (k *Keys) Seal(ctx context.Context, r SealRequest) ([]byte, error) {
	now := k.now()
	if !r.To.CanEncrypt {
		return nil, fmt.Errorf("seal the mail: %w", refuse("mail cannot be encrypted to it", nil))
	}
	if err := r.To.Usable(now); err != nil {
		return nil, fmt.Errorf("seal the mail: %w", err)
	}
	recipient, err := r.To.parsed()
	if err != nil {
		return nil, fmt.Errorf("seal the mail: %w", err)
	}
	signer, err := k.load(ctx, r.SignWith)
	if err != nil {
		return nil, fmt.Errorf("seal the mail: %w", err)
	}
	inner, outer, err := mail.BuildProtected(r.Letter, r.Stamp.fields()...)
	if err != nil {
		return nil, fmt.Errorf("seal the mail: %w", err)
	}
	var armored bytes.Buffer
	armored.Grow(len(inner)*7/5 + 4096)
	// GnuPG 2.2 fails on armor without its checksum.
	text, err := armor.EncodeWithChecksumOption(&armored, pgp.MessageType, nil, true)
	if err != nil {
		return nil, fmt.Errorf("seal the mail: %w", err)
	}
	plain, err := pgp.EncryptWithParams(text, []*pgp.Entity{recipient}, nil, &pgp.EncryptParams{
		Signers: []*pgp.Entity{signer}, Config: config(now),
	})
	if err != nil {
		return nil, fmt.Errorf("seal the mail: %w", err)
	}
	if _, err := plain.Write(inner); err != nil {
		return nil, fmt.Errorf("seal the mail: %w", err)
	}
	if err := plain.Close(); err != nil {
		return nil, fmt.Errorf("seal the mail: %w", err)
	}
	if err := text.Close(); err != nil {
		return nil, fmt.Errorf("seal the mail: %w", err)
	}
	raw, err := mail.WrapEncrypted(outer, armored.Bytes())
	if err != nil {
		return nil, fmt.Errorf("seal the mail: %w", err)
	}
	return raw, nil
}

func (s Stamp) fields() []mail.Field {
	if s.Key == "" {
		return nil
	}
	fields := []mail.Field{{Name: fieldKey, Value: s.Key}, {Name: fieldReply, Value: s.Reply}}
	if s.Bond != "" {
		return append([]mail.Field{{Name: fieldBond, Value: s.Bond}}, fields...)
	}
	if s.Free != "" {
		fields = append(fields, mail.Field{Name: fieldFree, Value: s.Free})
	}
	return fields
}

// stampOf reads a stamp; a doubled field makes it none.
func stampOf(h mail.Header) *Stamp {
	if h.Count(fieldBond) > 1 || h.Count(fieldKey) != 1 || h.Count(fieldReply) != 1 || h.Count(fieldFree) > 1 {
		return nil
	}
	return &Stamp{Bond: h.Get(fieldBond), Key: h.Get(fieldKey), Reply: h.Get(fieldReply), Free: h.Get(fieldFree)}
}
