package main

import (
	"context"
	"fmt"
	"time"

	"earnest/cmd/earnest-escrow/app"
	"earnest/payment"
)

type creditCommand struct {
	dataFlags `embed:""`
	Account   string `xor:"who" required:"" help:"The account, by its key-id."`
	Address   string `xor:"who" required:"" help:"The account that has proven this address."`
	Currency  string `required:"" help:"Name of the currency, or its unit where only one has it."`
	Amount    string `required:"" help:"Amount, such as 5.00."`
	Reason    string `required:"" help:"Why; the account sees it, and the log of the books keeps it."`
	ID        string `name:"id" help:"An id of your own, so that saying the same again credits once."`
}

// Run credits.
func (c *creditCommand) Run(ctx context.Context, s streams) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	line, currency, err := app.Grant(ctx, cfg, app.GrantRequest{ID: c.ID, Account: c.Account, Address: c.Address,
		Currency: c.Currency, Amount: c.Amount, Reason: c.Reason})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Credited %s to account %s as %s.\n", worth(currency, line.Amount), line.Account, line.ID)
	return nil
}

func worth(currency payment.Currency, amount payment.Amount) string {
	name := currency.Unit
	if name == "" {
		name = currency.Name
	}
	return amount.Format(currency.Scale) + " " + name
}

type queueCommand struct {
	dataFlags `embed:""`
}

// Run lists what waits for the operator.
func (c *queueCommand) Run(ctx context.Context, s streams) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	q, known, err := app.ReadQueue(ctx, cfg)
	if err != nil {
		return err
	}
	at := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }
	for _, p := range q.Payouts {
		fmt.Fprintf(s.out, "payout   %s  %s  account %s  not before %s  to: %s\n", p.ID, worth(known(p.Currency), p.Amount), p.Account, at(p.NotBefore), p.To)
	}
	for _, d := range q.Debts {
		fmt.Fprintf(s.out, "debt     %s %s  %s  account %s  %s of %s\n", d.Provider, d.ID, worth(known(d.Currency), d.Amount), d.Account, d.Kind, at(d.MadeAt))
	}
	for _, w := range q.Wrong {
		fmt.Fprintf(s.out, "wrong    %s %s  %s was asked for, other money came and is credited to nobody; account %s\n", w.Provider, w.Session, worth(known(w.Currency), w.Amount), w.Account)
	}
	for _, e := range q.Events {
		fmt.Fprintf(s.out, "event    %s %s  waits since %s\n", e.Provider, e.Event.ID, at(e.ReceivedAt))
	}
	if len(q.Payouts)+len(q.Debts)+len(q.Wrong)+len(q.Events) == 0 {
		fmt.Fprintln(s.out, "Nothing waits.")
	}
	return nil
}

type payoutGroup struct {
	Paid   payoutPaidCommand   `cmd:"" help:"Say that a payout was paid by hand."`
	Refuse payoutRefuseCommand `cmd:"" help:"Give a payout's money back to its account."`
}

type payoutPaidCommand struct {
	dataFlags `embed:""`
	ID        string `arg:"" name:"id" help:"The payout, as 'queue' lists it."`
	Reference string `required:"" help:"Your bank's reference; the account sees it."`
}

// Run posts a payout.
func (c *payoutPaidCommand) Run(ctx context.Context, s streams) error {
	return endPayout(ctx, s, c.dataFlags, c.ID, true, c.Reference)
}

type payoutRefuseCommand struct {
	dataFlags `embed:""`
	ID        string `arg:"" name:"id" help:"The payout, as 'queue' lists it."`
	Reason    string `required:"" help:"Why; the account sees it."`
}

// Run voids a payout.
func (c *payoutRefuseCommand) Run(ctx context.Context, s streams) error {
	return endPayout(ctx, s, c.dataFlags, c.ID, false, c.Reason)
}

func endPayout(ctx context.Context, s streams, d dataFlags, id string, paid bool, note string) error {
	cfg, err := d.config()
	if err != nil {
		return err
	}
	p, err := app.EndPayout(ctx, cfg, id, paid, note)
	if err == nil {
		fmt.Fprintf(s.out, "The payout is %s.\n", p.State)
	}
	return err
}

type debtGroup struct {
	Settle debtSettleCommand `cmd:"" help:"Say that a debt was paid, or is let go."`
}

type debtSettleCommand struct {
	dataFlags `embed:""`
	Provider  string `arg:"" help:"The provider, as 'queue' lists it."`
	ID        string `arg:"" name:"id" help:"The debt's id there."`
	Note      string `required:"" help:"How it was dealt with."`
}

// Run settles a debt.
func (c *debtSettleCommand) Run(ctx context.Context, s streams) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	if err := app.SettleDebt(ctx, cfg, c.Provider, c.ID, c.Note); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "The debt is settled.")
	return nil
}
