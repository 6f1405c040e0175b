package openpgp

import (
	"bytes"
	"crypto"
	"fmt"
	"hash"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	pgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"earnest/escrow"
)

// VerifyArrival checks a proof of arrival: a signature over a document, made by
// a signing key of the certificate, over that digest.
//
// The digest hides the mail, and with it whatever else could have been signed:
// any other document that the same key signed passes too. So a verification
// certificate is made for one purchase and signs one mail. Who buys with a
// certificate of long standing trusts the recipient not to claim an arrival, and
// then reject, with a signature found elsewhere.
func VerifyArrival(cert []byte, proof escrow.ArrivalProof) error {
	certificate, err := ParseCertificate(cert)
	if err != nil {
		return err
	}
	return checkProof(certificate.entity, proof)
}

func checkProof(signer *pgp.Entity, proof escrow.ArrivalProof) error {
	signature, err := readSignature(proof.Signature)
	if err != nil {
		return err
	}
	if err := checkForm(signature, proof.Digest); err != nil {
		return err
	}
	key, ok := signer.SigningKeyById(signature.CreationTime, *signature.IssuerKeyId, config(signature.CreationTime))
	if !ok || key.PublicKey.KeyId != *signature.IssuerKeyId {
		return fmt.Errorf("%w: no signing key of the certificate made it", ErrProof)
	}
	if signature.CreationTime.Before(key.PublicKey.CreationTime) {
		return fmt.Errorf("%w: the signature is older than its key", ErrProof)
	}
	if err := key.PublicKey.VerifySignature(digestHash{proof.Digest}, signature); err != nil {
		return fmt.Errorf("%w: %v", ErrProof, err)
	}
	return checkNotCertificate(signer, proof.Digest)
}

// readSignature reads exactly one signature packet.
func readSignature(raw []byte) (*packet.Signature, error) {
	if len(raw) > maxSignature {
		return nil, fmt.Errorf("%w: the signature is too large", ErrProof)
	}
	r := bytes.NewReader(raw)
	p, err := packet.Read(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrProof, err)
	}
	signature, ok := p.(*packet.Signature)
	if !ok || r.Len() != 0 {
		return nil, fmt.Errorf("%w: it is not one signature packet", ErrProof)
	}
	return signature, nil
}

// checkForm refuses everything but a document's signature of version 4 with a
// modern hash.
func checkForm(s *packet.Signature, digest []byte) error {
	switch {
	case s.Version != 4 || s.IssuerKeyId == nil:
		return fmt.Errorf("%w: only version 4 signatures that name their key count", ErrProof)
	case s.SigType != packet.SigTypeBinary && s.SigType != packet.SigTypeText:
		return fmt.Errorf("%w: it does not sign a document", ErrProof)
	}
	switch s.Hash {
	case crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256, crypto.SHA3_512:
	default:
		return fmt.Errorf("%w: its hash is not safe", ErrProof)
	}
	if len(digest) != s.Hash.Size() || !bytes.Equal(digest[:2], s.HashTag[:]) {
		return fmt.Errorf("%w: the digest is not the signature's", ErrProof)
	}
	for _, notation := range s.Notations {
		if notation.IsCritical {
			return fmt.Errorf("%w: it has a condition that is not understood", ErrProof)
		}
	}
	return nil
}

// checkNotCertificate refuses the signatures that every certificate carries. The
// packet's own words (its type, its time) are covered by a digest that cannot be
// recomputed without the mail, so a recipient could dress the value of a
// self-signature up as a document's. Whatever the dress, the digest stays: one
// that a self-signature verifies is that self-signature's.
func checkNotCertificate(signer *pgp.Entity, digest []byte) error {
	keys := []*packet.PublicKey{signer.PrimaryKey}
	for _, subkey := range signer.Subkeys {
		keys = append(keys, subkey.PublicKey)
	}
	for _, signature := range selfSignatures(signer) {
		for _, key := range keys {
			if key.PubKeyAlgo == signature.PubKeyAlgo && key.VerifySignature(digestHash{digest}, signature) == nil {
				return fmt.Errorf("%w: it signs the certificate, not a mail", ErrProof)
			}
		}
	}
	return nil
}

func selfSignatures(e *pgp.Entity) []*packet.Signature {
	var all []*packet.VerifiableSignature
	all = append(all, e.DirectSignatures...)
	for _, identity := range e.Identities {
		all = append(all, identity.SelfCertifications...)
	}
	for _, subkey := range e.Subkeys {
		all = append(all, subkey.Bindings...)
	}
	var out []*packet.Signature
	for _, s := range all {
		out = append(out, s.Packet)
		if s.Packet.EmbeddedSignature != nil {
			out = append(out, s.Packet.EmbeddedSignature)
		}
	}
	return out
}

// digestHash is a hash.Hash whose result is known: what is written to it was
// hashed before, by whoever had the mail.
type digestHash struct{ digest []byte }

var _ hash.Hash = digestHash{}

func (h digestHash) Write(p []byte) (int, error) { return len(p), nil }
func (h digestHash) Sum(b []byte) []byte         { return append(b, h.digest...) }
func (h digestHash) Reset()                      {}
func (h digestHash) Size() int                   { return len(h.digest) }
func (h digestHash) BlockSize() int              { return 64 }

// Certificates checks certificates and proofs for the escrow.
type Certificates struct{ Now func() time.Time }

// Check says whether a certificate may be uploaded: minimised and valid now.
func (c Certificates) Check(cert []byte) (fingerprint string, err error) {
	certificate, err := ParseCertificate(cert)
	if err != nil {
		return "", err
	}
	if !bytes.Equal(certificate.Raw, cert) {
		return "", refuse("it is not minimised", nil)
	}
	if err := certificate.Usable(c.Now()); err != nil {
		return "", err
	}
	return certificate.Fingerprint, nil
}

// VerifyArrival is [VerifyArrival].
func (c Certificates) VerifyArrival(cert []byte, proof escrow.ArrivalProof) error {
	return VerifyArrival(cert, proof)
}
