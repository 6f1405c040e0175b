package main

import (
	"context"
	"fmt"
	"strings"

	"earnest/cmd/earnest-escrow/app"
)

type accountGroup struct {
	TakeStock takeStockCommand `cmd:"" help:"List what an account has of value; with --reason, sign that list anew if it is not what the escrow wrote last."`
}

type takeStockCommand struct {
	dataFlags `embed:""`
	Account   string `arg:"" name:"key-id" help:"The account, as 'verify' names it."`
	Reason    string `help:"Why the list is right as it is; the log of the books keeps it. Without it nothing is changed."`
}

// Run lists what the account has, and takes stock of it for a reason.
func (c *takeStockCommand) Run(ctx context.Context, s streams) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	reason := strings.TrimSpace(c.Reason)
	stock, err := app.Stock(ctx, cfg, c.Account)
	if err == nil && reason != "" {
		stock, err = app.TakeStock(ctx, cfg, c.Account, reason)
	}
	if err != nil {
		return err
	}
	for _, row := range stock.Rows {
		fmt.Fprintf(s.out, "%-9s %s %s %s\n", row.Kind, app.Printable(row.Name), app.StateText(row), app.SignedText(row))
	}
	switch {
	case stock.Right:
		fmt.Fprintln(s.out, "That is what the escrow wrote last. Nothing was changed.")
	case reason == "":
		fmt.Fprintln(s.out, "That is not what the escrow wrote last: a row was deleted, or an old one put back. Nothing was changed. Ask the owner whether it is all; what is right as it is, is signed anew with --reason.")
	default:
		fmt.Fprintln(s.out, "That list is signed now. Run verify, and make a backup: older ones are refused.")
	}
	return nil
}
