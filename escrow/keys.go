package escrow

import (
	"crypto/ed25519"
	"time"
)

// Limits of certificates and pools.
const (
	MaxCertificate = 8 << 10 // bytes, binary
	PoolSize       = 100
	PoolRefill     = 60
)

// KeyBatch lists one-time keys that belong to an address, signed by the
// identity, so that an escrow cannot slip in a key of its own.
type KeyBatch struct {
	ID      string     `json:"id"` // operation id, made by the agent
	Address Address    `json:"address"`
	Keys    []KeyBrief `json:"keys"`
	Made    time.Time  `json:"made"`
	// Epoch is the pool's, as the escrow told it: see [Pool].
	Epoch int64 `json:"epoch,omitempty"`
}

// KeyBrief names one certificate of a batch.
type KeyBrief struct {
	// Fingerprint of the OpenPGP certificate, lower-case hexadecimal.
	Fingerprint string `json:"fingerprint"`
	// Hash is [Hash] of the certificate's bytes: it binds the subkeys too.
	Hash string `json:"hash"`
}

// KeyUpload is a batch and its certificates, binary and in the batch's order.
type KeyUpload struct {
	Batch        Signed   `json:"batch"`
	Certificates [][]byte `json:"certificates"`
}

// Pool is how many one-time keys of an address are unsold.
type Pool struct {
	Address Address `json:"address"`
	Free    int     `json:"free"`
	// Epoch is another after the escrow was restored from a backup: all unsold keys
	// of before are withdrawn, since nobody knows which of them were sold meanwhile.
	Epoch int64 `json:"epoch,omitempty"`
	// Aged of the free ones are older than [KeyLife]: the next upload replaces them.
	Aged int `json:"aged,omitempty"`
}

// VerifyBatch checks that the identity signed the batch and that it lists the
// certificates in order.
func VerifyBatch(s Signed, identity ed25519.PublicKey, certificates [][]byte) (KeyBatch, error) {
	var batch KeyBatch
	if err := Verify(s, KindKeys, identity, &batch); err != nil {
		return KeyBatch{}, err
	}
	if batch.ID == "" || len(batch.Keys) == 0 || len(batch.Keys) > PoolSize || len(certificates) != len(batch.Keys) {
		return KeyBatch{}, Errorf(Invalid, "a batch has 1 to %d keys and as many certificates", PoolSize)
	}
	for i, brief := range batch.Keys {
		if len(certificates[i]) > MaxCertificate || Hash(certificates[i]) != brief.Hash {
			return KeyBatch{}, Errorf(Invalid, "certificate %d is not the one that the batch lists", i+1)
		}
	}
	return batch, nil
}

// CheckSoldKey is the buyer's check: the sold certificate is in a batch for that
// address that the identity of the offer signed.
func CheckSoldKey(s Signed, offer Offer, certificate []byte) (KeyBrief, error) {
	var batch KeyBatch
	if err := Verify(s, KindKeys, ed25519.PublicKey(offer.Identity), &batch); err != nil {
		return KeyBrief{}, err
	}
	if batch.Address != offer.Address {
		return KeyBrief{}, Errorf(Invalid, "the key belongs to another address")
	}
	hash := Hash(certificate)
	for _, brief := range batch.Keys {
		if brief.Hash == hash {
			return brief, nil
		}
	}
	return KeyBrief{}, Errorf(Invalid, "the escrow sold a key that the recipient did not sign")
}
