package escrowserver

import (
	"context"
	"strings"
	"time"

	"earnest/escrow"
	"earnest/payment"
)

// OpenVoucher is a voucher that was made and not redeemed.
type OpenVoucher struct {
	Hash     string
	Currency string
	Amount   payment.Amount
	MadeAt   time.Time
}

// voucherIDLength is how much of a voucher's hash names it: the code, which is worth
// the money, does not follow from it.
const voucherIDLength = 12

// ID is what operators call the voucher.
func (v OpenVoucher) ID() string { return voucherID(v.Hash) }

func voucherID(hash string) string { return "V" + hash[:min(len(hash), voucherIDLength)] }

// VoucherID is what operators call the voucher with that code.
func VoucherID(code string) string { return voucherID(voucherHash(code)) }

// RevokeVoucher makes a voucher that nobody has redeemed worth nothing.
type RevokeVoucher struct{ Hash string }

// Name of the operation.
func (RevokeVoucher) Name() string { return "revoke" }

// VoucherRedeemed refuses to revoke a voucher that has become somebody's money.
func VoucherRedeemed() error {
	return escrow.Errorf(escrow.Conflict, "the voucher was redeemed: its money is an account's now; nothing was changed")
}

// openVouchersMost bounds how many vouchers are looked through.
const openVouchersMost = 1_000_000

// VoucherBooks keep vouchers.
type VoucherBooks interface {
	OpenVouchers(ctx context.Context, limit int) ([]OpenVoucher, error)
}

// RevokeVoucher revokes the open voucher of that id.
func (s *Server) RevokeVoucher(ctx context.Context, books VoucherBooks, id string) (OpenVoucher, error) {
	open, err := books.OpenVouchers(ctx, openVouchersMost)
	if err != nil {
		return OpenVoucher{}, s.failed(ctx, "revoke", err)
	}
	var is []OpenVoucher
	for _, v := range open {
		if v.ID() == strings.TrimSpace(id) {
			is = append(is, v)
		}
	}
	if len(is) != 1 {
		return OpenVoucher{}, escrow.Errorf(escrow.NotFound, "there is no open voucher %s: it was redeemed or revoked, or the id is another; nothing was changed", id)
	}
	_, err = do[any](ctx, s, RevokeVoucher{is[0].Hash})
	return is[0], err
}

// CreditID is the id in the books of the operator's credit of that id.
func CreditID(grant string) string { return "credit:" + grant }
