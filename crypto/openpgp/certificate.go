package openpgp

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	pgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"earnest/escrow"
)

// Certificate is a public key with what is needed to use it and nothing else.
type Certificate struct {
	// Raw is binary and minimised: parsing it gives the same bytes again.
	Raw         []byte
	Fingerprint string // of the primary key, lower-case hexadecimal
	UserID      string
	// KeyIDs are of the keys that mail can be encrypted to.
	KeyIDs              []uint64
	CanSign, CanEncrypt bool

	entity *pgp.Entity
}

// ParseCertificate reads a certificate, binary or armored, and minimises it:
// other people's signatures, older self-signatures, attributes, further user ids
// and keys that neither sign nor encrypt are left out. It refuses private keys,
// revoked ones, other versions than 4, and what stays larger than
// [escrow.MaxCertificate].
//
// It does not look at a clock: a mail signed in time still opens after the
// certificate expired. [Certificate.Usable] does.
func ParseCertificate(raw []byte) (Certificate, error) {
	if len(raw) > maxInput {
		return Certificate{}, refuse("it is too large", nil)
	}
	entity, err := readEntity(raw)
	if err != nil {
		return Certificate{}, err
	}
	if entity.PrivateKey != nil || slices.ContainsFunc(entity.Subkeys, func(s pgp.Subkey) bool { return s.PrivateKey != nil }) {
		return Certificate{}, refuse("it is a private key; export the public one, and keep this one secret", nil)
	}
	if entity.PrimaryKey.Version != 4 {
		return Certificate{}, refuse("only version 4 keys can be used", nil)
	}
	// go-crypto takes a revocation for not yet made when it is asked without a date.
	for _, revocation := range entity.Revocations {
		if entity.PrimaryKey.VerifyRevocationSignature(revocation.Packet) == nil {
			return Certificate{}, refuse("it is revoked", nil)
		}
	}
	if _, err := entity.VerifyPrimaryKey(time.Time{}, config(time.Time{})); err != nil {
		return Certificate{}, refuse("it has no valid self-signature", err)
	}
	return newCertificate(minimise(entity))
}

func refuse(reason string, cause error) error {
	if cause != nil {
		return fmt.Errorf("%w: %s: %v", ErrCertificate, reason, cause)
	}
	return fmt.Errorf("%w: %s", ErrCertificate, reason)
}

// readEntity reads exactly one key.
func readEntity(raw []byte) (*pgp.Entity, error) {
	var r io.Reader = bytes.NewReader(raw)
	if trimmed := bytes.TrimSpace(raw); bytes.HasPrefix(trimmed, []byte("-----BEGIN ")) {
		block, err := armor.Decode(bytes.NewReader(trimmed))
		if err != nil {
			return nil, refuse("its armor is broken", err)
		}
		if block.Type != pgp.PublicKeyType && block.Type != pgp.PrivateKeyType {
			return nil, refuse("it is no OpenPGP certificate", nil)
		}
		r = block.Body
	}
	packets := packet.NewReader(r)
	entity, err := pgp.ReadEntity(packets)
	if err != nil {
		return nil, refuse("it cannot be read", err)
	}
	if _, err := packets.Next(); !errors.Is(err, io.EOF) {
		return nil, refuse("there is more than one in it", nil)
	}
	return entity, nil
}

// minimise keeps the newest valid self-signature of everything that is used.
func minimise(e *pgp.Entity) *pgp.Entity {
	undated := config(time.Time{})
	out := &pgp.Entity{PrimaryKey: e.PrimaryKey, PrivateKey: e.PrivateKey, Identities: map[string]*pgp.Identity{}}
	if direct, err := e.LatestValidDirectSignature(time.Time{}, undated); err == nil {
		out.DirectSignatures = []*packet.VerifiableSignature{verified(direct)}
	}
	var best *pgp.Identity
	var bestSignature *packet.Signature
	for _, name := range slices.Sorted(maps.Keys(e.Identities)) { // the same every time
		identity := e.Identities[name]
		signature, err := identity.Verify(time.Time{}, undated)
		if err == nil && (best == nil || preferred(signature, bestSignature)) {
			best, bestSignature = identity, signature
		}
	}
	if best != nil {
		out.Identities[best.Name] = &pgp.Identity{
			Primary: out, Name: best.Name, UserId: best.UserId,
			SelfCertifications: []*packet.VerifiableSignature{verified(bestSignature)},
		}
	}
	for _, subkey := range e.Subkeys {
		binding, err := subkey.Verify(time.Time{}, undated)
		if err != nil || subkey.PublicKey.Version != 4 ||
			!binding.FlagSign && !binding.FlagEncryptCommunications && !binding.FlagEncryptStorage {
			continue
		}
		out.Subkeys = append(out.Subkeys, pgp.Subkey{
			Primary: out, PublicKey: subkey.PublicKey, PrivateKey: subkey.PrivateKey,
			Bindings: []*packet.VerifiableSignature{verified(binding)},
		})
	}
	return out
}

// verified spares checking a self-signature again that was just checked.
func verified(s *packet.Signature) *packet.VerifiableSignature {
	valid := true
	return &packet.VerifiableSignature{Valid: &valid, Packet: s}
}

// preferred: the user id marked as primary, else the newer one (RFC 4880
// section 5.2.3.19).
func preferred(a, b *packet.Signature) bool {
	aPrimary, bPrimary := a.IsPrimaryId != nil && *a.IsPrimaryId, b.IsPrimaryId != nil && *b.IsPrimaryId
	if aPrimary != bPrimary {
		return aPrimary
	}
	return a.CreationTime.After(b.CreationTime)
}

// newCertificate describes a minimised entity.
func newCertificate(e *pgp.Entity) (Certificate, error) {
	undated := config(time.Time{})
	c := Certificate{Fingerprint: hex.EncodeToString(e.PrimaryKey.Fingerprint), entity: e}
	for name := range e.Identities {
		c.UserID = name
	}
	_, c.CanSign = e.SigningKey(time.Time{}, undated)
	if _, ok := e.EncryptionKey(time.Time{}, undated); ok {
		c.CanEncrypt = true
		for _, key := range e.DecryptionKeys(0, time.Time{}, undated) {
			c.KeyIDs = append(c.KeyIDs, key.PublicKey.KeyId)
		}
	}
	if !c.CanSign && !c.CanEncrypt {
		return Certificate{}, refuse("it can neither sign nor be encrypted to, with algorithms that are safe", nil)
	}
	var raw bytes.Buffer
	if err := e.Serialize(&raw); err != nil {
		return Certificate{}, refuse("it cannot be written", err)
	}
	if raw.Len() > escrow.MaxCertificate {
		return Certificate{}, refuse(fmt.Sprintf("it has %d bytes, and may have %d", raw.Len(), escrow.MaxCertificate), nil)
	}
	c.Raw = raw.Bytes()
	return c, nil
}

// Usable checks that the certificate is valid at the moment at, for whatever it
// can do.
func (c Certificate) Usable(at time.Time) error {
	entity, err := c.parsed()
	if err != nil {
		return err
	}
	if _, err := entity.VerifyPrimaryKey(at, config(at)); err != nil {
		return refuse("it has expired or is not valid yet", err)
	}
	if _, ok := entity.SigningKey(at, config(at)); c.CanSign && !ok {
		return refuse("its signing key has expired", nil)
	}
	if _, ok := entity.EncryptionKey(at, config(at)); c.CanEncrypt && !ok {
		return refuse("its encryption key has expired", nil)
	}
	return nil
}

// parsed is the key itself, also of a Certificate that was made by hand.
func (c Certificate) parsed() (*pgp.Entity, error) {
	if c.entity != nil {
		return c.entity, nil
	}
	parsed, err := ParseCertificate(c.Raw)
	return parsed.entity, err
}

// Armor is the certificate as text, with the checksum that GnuPG 2.2 needs.
func (c Certificate) Armor() string {
	var b strings.Builder
	w, err := armor.EncodeWithChecksumOption(&b, pgp.PublicKeyType, nil, true)
	if err == nil {
		_, _ = w.Write(c.Raw) // a strings.Builder does not fail
		_ = w.Close()
	}
	return b.String() + "\n"
}
