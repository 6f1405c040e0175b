package wire

import (
	"context"
	"crypto/sha256"
	"encoding/binary"

	"earnest/escrow"
)

// Shared is a memory for nonces that several processes have together: what one of
// them has seen is replayed at the others, and what was seen before one of them
// started is known to it. All of it is on top of the verifier's own memory, which
// bounds what one key may send.
type Shared interface {
	// Take remembers a request and reports whether it is new. What may have been
	// seen before the memory began, or before it was lost, is not.
	Take(ctx context.Context, r SharedRequest) (bool, error)
}

// SharedRequest is what a shared memory needs to know of a request.
type SharedRequest struct {
	// ID begins with the second in which the request was signed, in 8 bytes, and
	// Account is a hash of the key that signed it.
	ID, Account []byte
	// Signed is that second since 1970, Now the escrow's clock, and before Oldest
	// requests are refused for their time.
	Signed, Now, Oldest int64
	// Opening: the key has no account and asks for one.
	Opening bool
}

// SharedSecond is what the ids of requests begin with that were signed in that
// second: they sort by it.
func SharedSecond(second int64) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(second))
}

func sharedRequest(in signatureInput, now, oldest int64, opening bool) SharedRequest {
	account := sha256.Sum256(in.key)
	id := sha256.Sum256(append(account[:], in.nonce...))
	return SharedRequest{
		ID: append(SharedSecond(in.created), id[:16]...), Account: account[:16],
		Signed: in.created, Now: now, Oldest: oldest, Opening: opening,
	}
}

// takeShared asks the memory of all processes about what is new to this one.
func (v *Verifier) takeShared(ctx context.Context, r SharedRequest) (verdict, error) {
	isNew, err := v.shared.Take(ctx, r)
	switch {
	case err != nil:
		return again, escrow.Errorf(escrow.Unavailable, "the escrow cannot tell now whether the request was seen before; nothing was done; sign it anew")
	case isNew:
		return fresh, nil
	}
	return again, nil
}
