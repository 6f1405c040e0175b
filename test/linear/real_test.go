package linear

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	pgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"earnest/crypto/keyring"
	"earnest/crypto/openpgp"
	"earnest/escrow"
)

// real are certificates and proofs as a real escrow takes them.
type real struct {
	testing.TB
	keys        *openpgp.Keys
	made        *atomic.Int64
	entity      *pgp.Entity
	certificate []byte
}

// newReal makes one certificate that signs all the mails: what each history is
// about is which bonds they take, and every proof is another one.
func newReal(t testing.TB) *real {
	t.Helper()
	r := &real{TB: t, keys: openpgp.NewKeys(keyring.OpenMemory(), time.Now), made: &atomic.Int64{}}
	var err error
	if r.entity, err = pgp.NewEntity("signs mails", "", "", r.config()); err != nil {
		t.Fatal(err)
	}
	var public bytes.Buffer
	if err := r.entity.Serialize(&public); err != nil {
		t.Fatal(err)
	}
	certificate, err := openpgp.ParseCertificate(public.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	r.certificate = certificate.Raw
	return r
}

func (*real) config() *packet.Config {
	return &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Curve: packet.Curve25519, DefaultHash: crypto.SHA512}
}

func (r *real) key() ([]byte, string) {
	c, err := r.keys.Generate(context.Background(), fmt.Sprint("key ", r.made.Add(1)), "one-time key")
	if err != nil {
		r.Error(err)
	}
	return c.Raw, c.Fingerprint
}

func (r *real) signer() ([]byte, escrow.ArrivalProof) {
	text := fmt.Appendf(nil, "mail %d", r.made.Add(1))
	var signed bytes.Buffer
	if err := pgp.DetachSign(&signed, []*pgp.Entity{r.entity}, bytes.NewReader(text), r.config()); err != nil {
		r.Error(err)
		return nil, escrow.ArrivalProof{}
	}
	read, err := packet.Read(bytes.NewReader(signed.Bytes()))
	signature, ok := read.(*packet.Signature)
	if err != nil || !ok {
		r.Errorf("the signature cannot be read: %v", err)
		return nil, escrow.ArrivalProof{}
	}
	hash := signature.Hash.New()
	hash.Write(text)
	hash.Write(signature.HashSuffix)
	return r.certificate, escrow.ArrivalProof{Signature: signed.Bytes(), Digest: hash.Sum(nil)}
}

// realCertificates are what the program reads certificates with.
func realCertificates() openpgp.Certificates { return openpgp.Certificates{Now: time.Now} }
