package main

import (
	"context"
	"fmt"

	"earnest/cmd/earnest-escrow/app"
)

type voucherListCommand struct {
	dataFlags `embed:""`
}

// Run lists what was made and not redeemed.
func (c *voucherListCommand) Run(ctx context.Context, s streams) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	open, known, err := app.OpenVouchers(ctx, cfg)
	if err != nil {
		return err
	}
	for _, v := range open {
		fmt.Fprintf(s.out, "%s  %s  made %s\n", v.ID(), worth(known(v.Currency), v.Amount), app.Minute(v.MadeAt))
	}
	if len(open) == 0 {
		fmt.Fprintln(s.out, "No voucher is open.")
	}
	return nil
}

type voucherRevokeCommand struct {
	dataFlags `embed:""`
	ID        string `arg:"" name:"id" help:"The voucher, as 'voucher list' and 'voucher new' name it; never its code."`
	Why       string `required:"" help:"Why; kept in the log of the books."`
}

// Run revokes.
func (c *voucherRevokeCommand) Run(ctx context.Context, s streams) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	cfg.Why = c.Why
	v, currency, err := app.RevokeVoucher(ctx, cfg, c.ID)
	if err == nil {
		fmt.Fprintf(s.out, "The voucher %s over %s is worth nothing now.\n", v.ID(), worth(currency, v.Amount))
	}
	return err
}
