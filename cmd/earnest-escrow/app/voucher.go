package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"earnest/escrowserver"
	"earnest/escrowserver/sqlstore"
	"earnest/payment"
)

// vouchersShown bounds a list of vouchers.
const vouchersShown = 10_000

// VoucherID is what operators call the voucher with that code.
func VoucherID(code string) string { return escrowserver.VoucherID(code) }

// OpenVouchers lists the vouchers that are not redeemed. It only reads.
func OpenVouchers(ctx context.Context, cfg Config) (list []escrowserver.OpenVoucher, known func(string) payment.Currency, err error) {
	if cfg, err = cfg.complete(); err != nil {
		return nil, nil, err
	}
	_, store, err := openBooks(ctx, cfg, sqlstore.OpenToRead)
	if err != nil {
		return nil, nil, err
	}
	list, err = store.OpenVouchers(ctx, vouchersShown)
	return list, cfg.named, errors.Join(err, store.Close())
}

// RevokeVoucher makes an open voucher worth nothing. It works beside a running server.
func RevokeVoucher(ctx context.Context, cfg Config, id string) (v escrowserver.OpenVoucher, of payment.Currency, err error) {
	if cfg, err = cfg.complete(); err != nil {
		return v, of, err
	}
	if strings.HasPrefix(strings.ToUpper(id), "EARN") { // a code must not get into the log
		return v, of, fmt.Errorf("%w: that is a voucher's code; it is revoked by its id, such as %s", ErrCommand, VoucherID(id))
	}
	err = operating(ctx, cfg, "revoke voucher "+id, func(_ Config, server *escrowserver.Server, store *sqlstore.Store) (err error) {
		v, err = server.RevokeVoucher(ctx, store, id)
		return err
	})
	return v, cfg.named(v.Currency), err
}

// named is the currency, also one that the escrow deals in no longer.
func (c Config) named(name string) payment.Currency {
	for _, currency := range c.Currencies {
		if currency.Name == name {
			return currency
		}
	}
	return payment.Currency{Name: name}
}
