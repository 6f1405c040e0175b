package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"earnest/cmd/earnest-escrow/app"
)

type statusCommand struct {
	dataFlags `embed:""`
}

// Run shows how the escrow is doing.
func (c *statusCommand) Run(ctx context.Context, s streams) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	status, err := app.ReadStatus(ctx, cfg)
	if err != nil {
		return err
	}
	printStatus(s.out, status)
	return nil
}

func printStatus(out io.Writer, s app.Status) {
	f := s.Figures
	fmt.Fprintf(out, "%s, %s, books in %s\n", s.Name, s.At.Format("2006-01-02 15:04:05 UTC"), s.Books)
	for _, warning := range s.Warnings {
		fmt.Fprintln(out, "ATTENTION:", warning)
	}
	fmt.Fprintf(out, "\nMoney\n")
	for _, m := range f.Money {
		fmt.Fprintf(out, "  %-14s available %s, held %s\n", m.Holder, s.Amount(m.Currency, m.Available), s.Held(m))
	}
	fmt.Fprintf(out, "\nWaiting\n  payouts        %s\n  paying         %s\n  debts          %s\n  other money    %s\n  card events    %d\n",
		s.Sums(f.Payouts), s.Sums(f.Paying), s.Sums(f.Debts), s.Sums(f.Wrong), f.Events)
	fmt.Fprintf(out, "\nTop-ups of all time\n")
	for _, l := range s.TopUps() {
		fmt.Fprintf(out, "  %-24s %s\n", l.Title, l.Sums)
	}
	for _, p := range s.Periods {
		fmt.Fprintf(out, "\nBonds %s\n", p.Title)
		if len(p.Lines) == 0 {
			fmt.Fprintln(out, "  none")
		}
		for _, l := range p.Lines {
			fmt.Fprintf(out, "  for %-10s held %s; refunded %s; forfeited %s; open %s\n", l.Beneficiary,
				s.Sum(l.Currency, l.Held), s.Sum(l.Currency, l.Refunded), s.Sum(l.Currency, l.Forfeited), s.Sum(l.Currency, l.Open))
		}
	}
	fmt.Fprintf(out, "\nBonds by state\n")
	for _, state := range slices.Sorted(maps.Keys(f.Bonds)) {
		fmt.Fprintf(out, "  %-14s %d\n", state, f.Bonds[state])
	}
	fmt.Fprintf(out, "  past deadline  %d\n", f.Overdue)
	for _, id := range f.Stuck {
		fmt.Fprintf(out, "    %s\n", id)
	}
	fmt.Fprintf(out, "\nPools            %d, running low %d, sold out %d\n", f.Pools, f.LowPools, f.EmptyPools)
	for _, p := range s.LowPools {
		fmt.Fprintf(out, "  %5d keys left  %s\n", p.Free, app.Printable(string(p.Address)))
	}
	if more := f.LowPools - int64(len(s.LowPools)); more > 0 {
		fmt.Fprintf(out, "  and %d more\n", more)
	}
	fmt.Fprintf(out, "Vouchers         not redeemed: %s\nAccounts         %d\nOutages          %d\n",
		s.Sums(f.Vouchers), f.Accounts, f.Outages)
	fmt.Fprintf(out, "\nLog of operators, the newest of %d rows\n", s.LogRows)
	for _, l := range s.Log {
		fmt.Fprintf(out, "  %s  %s: %s", app.Minute(l.Made), app.Printable(l.Who), app.Printable(l.What))
		if l.Why != "" {
			fmt.Fprintf(out, " (%s)", app.Printable(l.Why))
		}
		fmt.Fprintln(out)
	}
}

type webCommand struct {
	dataFlags `embed:""`
	Listen    string `default:"127.0.0.1:0" placeholder:"127.0.0.1:PORT" help:"Where the page is, on this machine."`
	Why       string `help:"What it is for; kept in the log of the books."`
}

// Run shows the same on a page, until it is told to stop.
func (c *webCommand) Run(ctx context.Context, s streams) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	cfg.Why = c.Why
	return app.Web(ctx, cfg, c.Listen, func(link string) {
		fmt.Fprintf(s.out, "The escrow's page for its operator, for one browser; the link works once:\n%s\n", link)
	})
}
