package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"earnest/cmd/earnest-escrow/app"
)

type moveCommand struct {
	Data   string `required:"" type:"path" placeholder:"DIR" help:"Folder of the escrow's books on SQLite."`
	Config string `type:"existingfile" placeholder:"FILE" help:"Configuration (TOML) instead of DIR/escrow.toml."`
	Why    string `help:"What it is for; kept in the log of the books."`
	To     string `required:"" placeholder:"URL" help:"An empty PostgreSQL database: postgres://USER@HOST/NAME, without the password (PGPASSFILE, PGPASSWORD)."`
}

// Run moves the books.
func (c *moveCommand) Run(ctx context.Context, s streams) error {
	cfg, err := dataFlags{Data: c.Data, Config: c.Config}.config()
	if err != nil {
		return err
	}
	cfg.Why = c.Why
	moved, err := app.Move(ctx, cfg, c.To)
	for _, fault := range moved.Report.Faults {
		fmt.Fprintln(s.out, "FAULT:", fault)
	}
	if err != nil {
		return err
	}
	file := c.Config
	if file == "" {
		file = filepath.Join(c.Data, "escrow.toml")
	}
	for _, t := range moved.Tables {
		fmt.Fprintf(s.out, "%-16s %d rows, the same on both sides\n", t.Table, t.Rows)
	}
	for _, line := range moved.Report.Lines {
		fmt.Fprintln(s.out, line)
	}
	fmt.Fprintf(s.out, "The books are in the database and sound, and %s names it. What they were in is kept: once a backup of the database is made, delete %s\n",
		file, strings.Join(moved.Kept, " "))
	return nil
}
