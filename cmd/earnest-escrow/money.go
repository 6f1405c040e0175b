package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
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
	ID        string `name:"id" help:"An id of your own: under the same one it is credited once. Without one, the same said again within 10 minutes is credited once."`
	Yes       bool   `help:"Credit over 100 of the currency, too, without being asked."`
}

// unasked is the most, in whole units of a currency, that is credited without asking:
// a slip of a digit is a hundred times as much.
const unasked = 100

// confirm has a person say yes to a large credit.
func (c *creditCommand) confirm(cfg app.Config, s streams) error {
	currency, amount, err := app.WorthOf(cfg, c.Currency, c.Amount)
	if err != nil || c.Yes {
		return err
	}
	most := payment.Amount(unasked)
	for range currency.Scale {
		most *= 10
	}
	if amount <= most {
		return nil
	}
	if s.in == nil {
		return fmt.Errorf("%w: %s is much: say it again with --yes; nothing was credited", app.ErrCommand, worth(currency, amount))
	}
	fmt.Fprintf(s.errs, "Credit %s to %s%s? That is much. Type yes: ", worth(currency, amount), c.Account, c.Address)
	answer, err := bufio.NewReader(s.in).ReadString('\n')
	if strings.TrimSpace(answer) != "yes" {
		return errors.Join(fmt.Errorf("%w: you did not say yes; nothing was credited", app.ErrCommand), notEnd(err))
	}
	return nil
}

// notEnd is the error unless it is only that the input ended.
func notEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// Run credits.
func (c *creditCommand) Run(ctx context.Context, s streams) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	if err := c.confirm(cfg, s); err != nil {
		return err
	}
	begun := time.Now()
	line, currency, err := app.Grant(ctx, cfg, app.GrantRequest{ID: c.ID, Account: c.Account, Address: c.Address,
		Currency: c.Currency, Amount: c.Amount, Reason: c.Reason})
	if err != nil {
		return err
	}
	if line.MadeAt.Before(begun.Add(-time.Second)) {
		fmt.Fprintf(s.out, "Nothing was credited now: %s to account %s was already, at %s, as %s. To credit it a second time, give that an --id of its own.\n",
			worth(currency, line.Amount), line.Account, line.MadeAt.UTC().Format("2006-01-02 15:04:05 MST"), line.ID)
		return nil
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

// asked is an amount as it was written on the command line, in full.
func asked(currency payment.Currency, text string) string {
	amount, err := payment.ParseAmount(text, currency.Scale)
	if err != nil {
		return text + " " + currency.Name
	}
	return worth(currency, amount)
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
	for _, p := range q.Payouts {
		fmt.Fprintf(s.out, "payout   %s  %s  account %s  not before %s  to: %s\n", p.ID, worth(known(p.Currency), p.Amount), p.Account, app.Minute(p.NotBefore), app.Printable(p.To))
		for _, mark := range q.Marks(p, known) {
			fmt.Fprintln(s.out, "         ^", mark)
		}
	}
	if more := q.Asked - len(q.Payouts); more > 0 {
		fmt.Fprintf(s.out, "         and %d payouts more\n", more)
	}
	for _, d := range q.Debts {
		fmt.Fprintf(s.out, "debt     %s %s  %s  account %s  %s of %s\n", d.Provider, d.ID, worth(known(d.Currency), d.Amount), d.Account, d.Kind, app.Minute(d.MadeAt))
	}
	for _, w := range q.Wrong {
		fmt.Fprintf(s.out, "wrong    %s %s  %s was asked for, other money came and is credited to nobody; account %s\n", w.Provider, w.Session, worth(known(w.Currency), w.Amount), w.Account)
	}
	for _, e := range q.Events {
		fmt.Fprintf(s.out, "event    %s %s  waits since %s\n", e.Provider, e.Event.ID, app.Minute(e.ReceivedAt))
	}
	if len(q.Payouts)+len(q.Debts)+len(q.Wrong)+len(q.Events) == 0 {
		fmt.Fprintln(s.out, "Nothing waits.")
	}
	return nil
}

type payoutGroup struct {
	Begin  payoutBeginCommand  `cmd:"" help:"Say that you pay a payout now: nobody else does, and its owner cannot take it back."`
	Paid   payoutPaidCommand   `cmd:"" help:"Say that a payout that was begun was paid by hand."`
	Refuse payoutRefuseCommand `cmd:"" help:"Give a payout's money back to its account, also of one whose payment failed."`
}

type payoutBeginCommand struct {
	dataFlags `embed:""`
	ID        string `arg:"" name:"id" help:"The payout, as 'queue' lists it."`
	WasPaid   bool   `help:"It was paid before the books were restored from a backup, as your bank says."`
}

// Run takes a payout into hand.
func (c *payoutBeginCommand) Run(ctx context.Context, s streams) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	p, known, err := app.BeginPayout(ctx, cfg, c.ID, c.WasPaid)
	switch {
	case err != nil:
		return err
	case c.WasPaid:
		fmt.Fprintf(s.out, "The payout is begun. Do not pay it again, and say: earnest-escrow payout paid %s --reference ...\n", p.ID)
		return nil
	}
	fmt.Fprintf(s.out, "Pay now: %s to: %s\nThen say: earnest-escrow payout paid %s --reference ...\nIf it cannot be paid: earnest-escrow payout refuse %s --reason ...\n",
		worth(known(p.Currency), p.Amount), app.Printable(p.To), p.ID, p.ID)
	return nil
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
