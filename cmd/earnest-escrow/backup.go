package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"earnest/cmd/earnest-escrow/app"
)

type backupCommand struct {
	dataFlags `embed:""`
	File      string `arg:"" type:"path" help:"File to write; it holds the keys of the escrow, too."`
	Why       string `help:"What it is for; kept in the log of the books."`
}

// Run backs up.
func (c *backupCommand) Run(ctx context.Context, s streams) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	cfg.Why = c.Why
	if err := app.Backup(ctx, cfg, c.File); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Backed up books, keys and configuration into %s. Whoever has it can sign as this escrow: keep it sealed, on another machine.\n", c.File)
	if _, err := os.Stat(cfg.File); err != nil {
		fmt.Fprintf(s.errs, "There is no configuration in it: %s is not there. If the escrow is served with --config FILE, say so here, too.\n", cfg.File)
	}
	if names := cfg.Elsewhere(); len(names) > 0 {
		fmt.Fprintf(s.errs, "Not in it, since they are outside of the folder: %s. Keep copies of them beside it.\n", strings.Join(names, ", "))
	}
	return nil
}

type restoreCommand struct {
	File     string `arg:"" type:"existingfile" help:"The backup."`
	Data     string `required:"" type:"path" placeholder:"DIR" help:"A new folder."`
	Database string `placeholder:"URL" env:"EARNEST_ESCROW_DATABASE" help:"An empty PostgreSQL database, if the backup is of one."`
	Why      string `help:"What it is for; kept in the log of the books."`
}

// Run restores.
func (c *restoreCommand) Run(ctx context.Context, s streams) error {
	done, err := app.Restore(ctx, app.Config{DataDir: c.Data, Database: c.Database, Why: c.Why}, c.File)
	for _, fault := range done.Report.Faults {
		fmt.Fprintln(s.out, "FAULT:", fault)
	}
	if err != nil {
		return err
	}
	for _, line := range done.Report.Lines {
		fmt.Fprintln(s.out, line)
	}
	fmt.Fprintf(s.out, "Restored the books of %s as of %s into %s. What happened after is not in them.\n"+
		"%d unsold keys are withdrawn, so that none is sold twice; agents upload new ones by themselves.\n"+
		"Before you serve them: stop the old escrow for good. Before you pay a payout that 'queue' lists: see at your bank whether it was paid since.\n",
		done.Escrow, done.Taken.UTC().Format("2006-01-02 15:04:05 UTC"), c.Data, done.Withdrawn)
	return nil
}
