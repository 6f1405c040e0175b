package keyring

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"

	"earnest/crypto/secret"
)

// signer signs with an Ed25519 key that it does not show. The key sits behind a
// closure, out of the reach of printers that walk through structs.
type signer struct {
	secret.Hidden
	public ed25519.PublicKey
	sign   func(random io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error)
}

func newSigner(seed []byte) *signer {
	key := ed25519.NewKeyFromSeed(seed)
	return &signer{public: key.Public().(ed25519.PublicKey), sign: key.Sign}
}

// Public returns an ed25519.PublicKey.
func (s *signer) Public() crypto.PublicKey { return s.public }

// Sign signs the message itself, as Ed25519 wants it (opts is crypto.Hash(0)).
func (s *signer) Sign(random io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.sign(random, message, opts)
}

// NewSigner makes an Ed25519 key, stores its seed under name and returns the
// signer. An existing item is kept: [ErrExists]; Signer loads it.
func (r *Ring) NewSigner(ctx context.Context, name string) (crypto.Signer, error) {
	seed := make([]byte, ed25519.SeedSize)
	_, _ = rand.Read(seed) // never fails: crypto/rand ends the program instead
	if err := r.putNew(ctx, name, secret.New(seed)); err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	return newSigner(seed), nil
}

// Signer loads the Ed25519 key that NewSigner stored under name.
func (r *Ring) Signer(ctx context.Context, name string) (crypto.Signer, error) {
	s, err := r.Get(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("load a signing key: %w", err)
	}
	seed := s.Reveal()
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("load the signing key %q: %w", name, ErrDamaged)
	}
	return newSigner(seed), nil
}

// NewSealer makes an archive key, stores it under name and returns the sealer.
// An existing item is kept: [ErrExists]; Sealer loads it.
func (r *Ring) NewSealer(ctx context.Context, name string) (*secret.Sealer, error) {
	key := secret.NewKey()
	if err := r.putNew(ctx, name, key); err != nil {
		return nil, fmt.Errorf("make an archive key: %w", err)
	}
	return secret.NewSealer(key)
}

// Sealer loads the archive key that NewSealer stored under name.
func (r *Ring) Sealer(ctx context.Context, name string) (*secret.Sealer, error) {
	key, err := r.Get(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("load an archive key: %w", err)
	}
	sealer, err := secret.NewSealer(key)
	if err != nil {
		return nil, fmt.Errorf("load the archive key %q: %w", name, ErrDamaged)
	}
	return sealer, nil
}

// PutPassword stores a password under name, in place of the one before.
func (r *Ring) PutPassword(ctx context.Context, name, password string) error {
	return r.Put(ctx, name, secret.New([]byte(password)))
}

// Password returns the password under name, or [ErrNotFound].
func (r *Ring) Password(ctx context.Context, name string) (string, error) {
	s, err := r.Get(ctx, name)
	if err != nil {
		return "", err
	}
	return string(s.Reveal()), nil
}
