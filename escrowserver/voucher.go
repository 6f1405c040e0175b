package escrowserver

import (
	"crypto/ed25519"
	"crypto/rand"
	"strings"

	"earnest/escrow"
	"earnest/payment"
)

// voucherAlphabet is Crockford's base 32: no I, L, O or U to misread.
const voucherAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// newVoucherCode makes EARN and seven groups of four: 140 bits, so that a plain
// hash of it gives nothing away.
func newVoucherCode() string {
	random := make([]byte, 28)
	rand.Read(random) // never fails (crypto/rand)
	var code strings.Builder
	code.WriteString("EARN")
	for i, b := range random {
		if i%4 == 0 {
			code.WriteByte('-')
		}
		code.WriteByte(voucherAlphabet[b&31])
	}
	return code.String()
}

// voucherHash names a voucher in the store. Case, spaces and hyphens do not
// matter, and letters that people misread are read as what was meant.
func voucherHash(code string) string {
	code = strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(code))
	return escrow.Hash([]byte("earnest voucher\x00" + code))
}

// kindVoucher is the statement that keeps a voucher as it was made: else whoever
// can write to the books could write himself money.
const kindVoucher escrow.Kind = "earnest-voucher+jws"

type voucherStatement struct {
	Hash     string         `json:"hash"`
	Currency string         `json:"currency"`
	Amount   payment.Amount `json:"amount"`
}

// genuine reports whether the receipt key has signed the voucher as it is.
func genuine(v VoucherLine, receiptKey ed25519.PublicKey) bool {
	var st voucherStatement
	err := escrow.Verify(v.Signed, kindVoucher, receiptKey, &st)
	return err == nil && st == voucherStatement{v.Hash, v.Currency, v.Amount}
}
