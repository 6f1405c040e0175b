package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"earnest/escrowserver"
	"earnest/escrowserver/sqlstore"
	"earnest/payment"
)

// logShown is how many rows of the operator's log are shown.
const logShown = 50

// poolsNamed is how many of the pools that run low are named.
const poolsNamed = 10

// Status is what an operator watches.
type Status struct {
	Name    string
	At      time.Time
	Figures sqlstore.Figures
	Periods []PeriodTotals
	Log     []escrowserver.AuditLine // the newest first
	LogRows int
	// LowPools are the lowest, by name: the command shows them, the page does not.
	LowPools []sqlstore.LowPool
	Books    string
	Warnings []string

	currencies []payment.Currency
}

// PeriodTotals are totals and what their period is called.
type PeriodTotals struct {
	Title string
	escrowserver.Totals
}

// ReadStatus reads the books. It only reads, and works beside a running server.
func ReadStatus(ctx context.Context, cfg Config) (Status, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return Status{}, err
	}
	_, store, err := openBooks(ctx, cfg, sqlstore.OpenToRead)
	if err != nil {
		return Status{}, err
	}
	status, err := readStatus(ctx, cfg, store.Store)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrData, err)
	}
	return status, errors.Join(err, store.Close())
}

func readStatus(ctx context.Context, cfg Config, store *sqlstore.Store) (Status, error) {
	now := cfg.Now().UTC()
	s := Status{Name: cfg.Name, At: now, Books: cfg.booksName(), currencies: cfg.Currencies}
	var err error
	if s.Figures, err = store.Figures(ctx, now); err != nil {
		return s, err
	}
	if s.LowPools, err = store.LowPools(ctx, poolsNamed); err != nil {
		return s, err
	}
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	until := now.Truncate(time.Second).Add(time.Second)
	periods := []escrowserver.Period{{From: month, Until: until}, {From: month.AddDate(0, -1, 0), Until: month}, {Until: until}}
	totals, err := escrowserver.TotalsOf(ctx, store, cfg.Name, now, periods)
	if err != nil {
		return s, err
	}
	for i, title := range []string{month.Format("2006-01") + ", so far", month.AddDate(0, -1, 0).Format("2006-01"), "of all time"} {
		s.Periods = append(s.Periods, PeriodTotals{title, totals[i]})
	}
	err = store.Walk(ctx, escrowserver.Visitor{Audit: func(line escrowserver.AuditLine) error {
		s.LogRows++
		s.Log = append([]escrowserver.AuditLine{line}, s.Log...)
		s.Log = s.Log[:min(len(s.Log), logShown)]
		return nil
	}})
	s.warn()
	return s, err
}

// overdueOver is how long a deadline may have passed before it is told: the sweeper
// needs a moment.
const overdueOver = 5 * time.Minute

// warn says what needs the operator.
func (s *Status) warn() {
	f := s.Figures
	if !f.OverdueSince.IsZero() && s.At.Sub(f.OverdueSince) > overdueOver {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%d bonds are past their deadline, the oldest since %s: money stays held; see whether the escrow runs, and its log",
			f.Overdue, Minute(f.OverdueSince)))
	}
	s.Warnings = append(s.Warnings, s.waiting()...)
	if f.EmptyPools > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%d of %d addresses with a price are sold out: nobody can write to them until their agents upload keys", f.EmptyPools, f.Pools))
	}
}

// waiting are the warnings of what waits for the operator.
func (s Status) waiting() (all []string) {
	f := s.Figures
	for _, w := range []struct {
		sums sqlstore.Sums
		what string
	}{
		{f.Payouts, "payouts wait to be paid or refused: %s; see 'earnest-escrow queue'"},
		{f.Paying, "payouts are begun and not ended: %s; say of each whether it was paid: 'payout paid', or 'payout refuse'"},
		{f.Debts, "debts are open: %s; see 'earnest-escrow queue'"},
		{f.Wrong, "card payments are not what was asked for and credited to nobody: %s; refund them at the provider"},
	} {
		if text := s.Sums(w.sums); text != "none" {
			all = append(all, fmt.Sprintf(w.what, text))
		}
	}
	return all
}

// Sums are how many of something wait, and how much money they are.
func (s Status) Sums(sums sqlstore.Sums) string {
	var parts []string
	for _, currency := range slices.Sorted(maps.Keys(sums)) {
		parts = append(parts, fmt.Sprintf("%d, %s", sums[currency].N, s.Amount(currency, int64(sums[currency].Amount))))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, "; ")
}

// TopUpLine is what one kind of top-up has brought in.
type TopUpLine struct{ Title, Sums string }

// TopUps are what became money, each kind.
func (s Status) TopUps() (lines []TopUpLine) {
	titles := map[string]string{"voucher": "Vouchers redeemed", "payment": "Card payments", "operator": "Credits by the operator", "welcome": "Welcome credits"}
	for _, kind := range sqlstore.TopUpKinds() {
		lines = append(lines, TopUpLine{titles[kind], s.Sums(s.Figures.TopUps[kind])})
	}
	return lines
}

// Held is what a holder has on hold, with what of it is for payouts.
func (s Status) Held(m sqlstore.MoneyFigure) string {
	text := s.Amount(m.Currency, m.Held)
	if m.Holder != sqlstore.People {
		return text
	}
	payouts := int64(s.Figures.Payouts[m.Currency].Amount)
	return fmt.Sprintf("%s (for bonds %s, for payouts %s)", text, s.Amount(m.Currency, m.Held-payouts), s.Amount(m.Currency, payouts))
}

// Amount is an amount as people read it.
func (s Status) Amount(currency string, amount int64) string {
	for _, c := range s.currencies {
		if c.Name == currency {
			text := payment.Amount(max(amount, -amount)).Format(c.Scale)
			if amount < 0 {
				text = "-" + text
			}
			return text + " " + c.Unit
		}
	}
	return fmt.Sprintf("%d %s", amount, currency)
}

// Sum is how many bonds and how much money of a currency.
func (s Status) Sum(currency string, sum escrowserver.Sum) string {
	return fmt.Sprintf("%d, %s", sum.Bonds, s.Amount(currency, int64(sum.Amount)))
}
