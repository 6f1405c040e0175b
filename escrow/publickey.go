package escrow

import (
	"crypto/ed25519"
	"math/big"
	"slices"
)

// fieldPrime is 2^255-19, over which the curve of Ed25519 lies.
func fieldPrime() *big.Int {
	p := new(big.Int).Lsh(big.NewInt(1), 255)
	return p.Sub(p, big.NewInt(19))
}

// smallOrder are the y of the points of small order: 0, 1, -1, and two more. For such
// a key anybody can make up signatures.
func smallOrder() [][]byte {
	return [][]byte{
		make([]byte, 32),
		append([]byte{1}, make([]byte, 31)...),
		[]byte("\xec\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
		[]byte("\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a"),
		[]byte("\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05"),
	}
}

// strong reports whether the key has one spelling and no small order. It costs little:
// it is asked of each signature.
func strong(key ed25519.PublicKey) bool {
	if len(key) != ed25519.PublicKeySize {
		return false
	}
	y := slices.Clone([]byte(key))
	y[31] &= 0x7f // without the sign of x
	canonical := y[0] < 0xed || y[31] != 0x7f || slices.ContainsFunc(y[1:31], func(b byte) bool { return b != 0xff })
	return canonical && !slices.ContainsFunc(smallOrder(), func(weak []byte) bool { return slices.Equal(weak, y) })
}

// CheckKey refuses what is no public key of Ed25519, and a key that anybody can sign
// for. It is the door for keys: what is signed by a key that came another way is held
// against all of it but whether the point is on the curve, for which no signature
// holds that is not.
func CheckKey(key ed25519.PublicKey) error {
	if !strong(key) || !onCurve(key) {
		return Errorf(Invalid, "that is no Ed25519 public key which one person alone can sign with")
	}
	return nil
}

// onCurve reports whether there is an x to the key's y: x² = (y²-1) / (dy²+1), which
// has a root if and only if the product of the two has.
func onCurve(key ed25519.PublicKey) bool {
	p := fieldPrime()
	le := slices.Clone([]byte(key))
	le[31] &= 0x7f
	slices.Reverse(le)
	y2 := new(big.Int).SetBytes(le)
	y2.Mul(y2, y2).Mod(y2, p)
	// d is -121665/121666: both are multiplied by 121666, which the root does not need.
	over := new(big.Int).Sub(y2, big.NewInt(1))
	under := new(big.Int).Mul(y2, big.NewInt(-121665))
	under.Add(under, big.NewInt(121666)).Mul(under, big.NewInt(121666))
	product := over.Mul(over, under)
	return big.Jacobi(product.Mod(product, p), p) >= 0
}
