package openpgp

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	pgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"earnest/crypto/secret"
)

// Keys makes and uses private keys. It is safe for concurrent use.
type Keys struct {
	vault Vault
	now   func() time.Time
}

// NewKeys returns Keys that rest in the vault.
func NewKeys(v Vault, now func() time.Time) *Keys { return &Keys{vault: v, now: now} }

// Generate makes a key pair, puts its private half into the vault under name
// and returns the certificate. It never expires, and is dated midnight UTC of
// the day before: neither a clock that is a little wrong nor the moment of its
// making shows.
func (k *Keys) Generate(ctx context.Context, name, userID string) (Certificate, error) {
	person, address := splitUserID(userID)
	at := k.now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -1)
	entity, err := pgp.NewEntity(person, "", address, config(at))
	if err != nil {
		return Certificate{}, fmt.Errorf("make an OpenPGP key: %w", err)
	}
	var b bytes.Buffer
	w, err := armor.EncodeWithChecksumOption(&b, pgp.PrivateKeyType, nil, true)
	if err != nil {
		return Certificate{}, fmt.Errorf("make an OpenPGP key: %w", err)
	}
	if err := entity.SerializePrivateWithoutSigning(w, config(at)); err != nil {
		return Certificate{}, fmt.Errorf("make an OpenPGP key: %w", err)
	}
	if err := w.Close(); err != nil {
		return Certificate{}, fmt.Errorf("make an OpenPGP key: %w", err)
	}
	if b.Len() > MaxSecret {
		return Certificate{}, fmt.Errorf("make an OpenPGP key: %d bytes do not fit into every keyring; use a shorter user id", b.Len())
	}
	certificate, err := certificateOf(entity)
	if err != nil {
		return Certificate{}, fmt.Errorf("make an OpenPGP key: %w", err)
	}
	if err := k.vault.Put(ctx, name, secret.New(b.Bytes())); err != nil {
		return Certificate{}, fmt.Errorf("keep an OpenPGP key: %w", err)
	}
	return certificate, nil
}

// certificateOf is the public half.
func certificateOf(e *pgp.Entity) (Certificate, error) {
	var public bytes.Buffer
	if err := e.Serialize(&public); err != nil {
		return Certificate{}, err
	}
	return ParseCertificate(public.Bytes())
}

// splitUserID takes "Name <address>" apart; anything else is a name as it is.
func splitUserID(userID string) (name, address string) {
	userID = strings.TrimSpace(userID)
	open := strings.LastIndexByte(userID, '<')
	if open < 0 || !strings.HasSuffix(userID, ">") {
		return userID, ""
	}
	return strings.TrimSpace(userID[:open]), userID[open+1 : len(userID)-1]
}

// Destroy takes the private half out of the vault. What was encrypted to it is
// then lost for everybody.
func (k *Keys) Destroy(ctx context.Context, name string) error {
	if err := k.vault.Delete(ctx, name); err != nil {
		return fmt.Errorf("destroy an OpenPGP key: %w", err)
	}
	return nil
}

// load reads a private key from the vault. Its self-signatures are ours and
// never left the vault: they are not checked again.
func (k *Keys) load(ctx context.Context, name string) (*pgp.Entity, error) {
	s, err := k.vault.Get(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("get an OpenPGP key: %w", err)
	}
	entity, err := readEntity(s.Reveal())
	if err != nil || entity.PrivateKey == nil {
		return nil, fmt.Errorf("get an OpenPGP key: what the keyring holds under its name is no key")
	}
	for _, identity := range entity.Identities {
		markValid(identity.SelfCertifications)
	}
	for _, subkey := range entity.Subkeys {
		markValid(subkey.Bindings)
	}
	return entity, nil
}

func markValid(signatures []*packet.VerifiableSignature) {
	valid := true
	for _, s := range signatures {
		s.Valid = &valid
	}
}
