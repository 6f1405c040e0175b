package main

import (
	"context"
	"fmt"
	"time"

	"earnest/cmd/earnest-escrow/app"
)

type exportCommand struct {
	dataFlags `embed:""`
	Out       string   `required:"" type:"path" placeholder:"FILE" help:"File to write; - is the output."`
	Month     []string `placeholder:"YYYY-MM" help:"A month (UTC) to sign totals of, beside those of all time; may be repeated."`
	Why       string   `help:"What it is for; kept in the log of the books."`
}

// Run exports. Only the export itself goes to the output.
func (c *exportCommand) Run(ctx context.Context, s streams) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	cfg.Why = c.Why
	var months []time.Time
	for _, text := range c.Month {
		month, err := time.Parse("2006-01", text)
		if err != nil {
			return fmt.Errorf("%w: %q is no month; write it as 2026-11", app.ErrCommand, text)
		}
		months = append(months, month)
	}
	export := app.ExportFile
	if c.Out == "-" {
		export = func(ctx context.Context, cfg app.Config, months []time.Time, _ string) (app.Exported, error) {
			return app.Export(ctx, cfg, months, s.out)
		}
	}
	done, err := export(ctx, cfg, months, c.Out)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.errs, "Exported %d bonds and %d receipts, with signed totals. Quotes name senders and recipients: give it to an auditor alone.\n",
		done.Bonds, done.Receipts)
	return nil
}
