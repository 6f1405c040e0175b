package cli

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"time"

	"earnest/agentclient"
)

type statementCmd struct {
	Account string `placeholder:"A" help:"Which address of yours; all where left out."`
	CSV     bool   `name:"csv" help:"Print comma-separated values (RFC 4180), oldest first, with times in UTC: for a spreadsheet."`
}

func (c *statementCmd) Run(s *session) error {
	movements, err := s.agent.Movements(s.ctx, c.Account)
	if err != nil {
		return err
	}
	switch {
	case s.json:
		return s.printJSON(movements)
	case c.CSV:
		return s.printCSV(movements)
	case len(movements) == 0:
		s.say("No money has moved yet: earnest topup\n")
		return nil
	}
	several := slices.ContainsFunc(movements, func(m agentclient.Movement) bool { return m.Account != movements[0].Account })
	rows := [][]string{{"WHEN", "WHAT", "AMOUNT", "AVAILABLE", "HELD", "WITH OR BY", "SUBJECT OR REASON"}}
	if several {
		rows[0] = append(rows[0], "ACCOUNT")
	}
	for _, m := range movements {
		with, about := m.With, m.Subject
		if m.Bond == "" { // with nobody: why it came, and what the escrow's operator said
			with, about = m.Ground, m.Reason
		}
		row := []string{s.day(m.Time), line(m.Kind), m.Amount.String(), m.Available.String(), m.Held.String(), cut(line(with), 32), cut(line(about), 40)}
		if several {
			row = append(row, line(m.Account))
		}
		rows = append(rows, row)
	}
	s.table(rows, 2, 3, 4)
	return nil
}

// printCSV prints movements for a spreadsheet: amounts with a decimal point and
// without a sign, the kind says which way.
func (s *session) printCSV(movements []agentclient.Movement) error {
	w := csv.NewWriter(s.streams.Out)
	w.UseCRLF = true
	rows := [][]string{{"time", "account", "escrow", "kind", "amount", "currency", "unit", "available", "held", "with", "subject", "bond", "ground", "reason"}}
	for _, m := range slices.Backward(movements) {
		rows = append(rows, []string{m.Time.UTC().Format(time.RFC3339), cell(m.Account), cell(m.Escrow), cell(m.Kind), cell(m.Amount.Amount),
			cell(m.Amount.Currency), cell(m.Amount.Unit), cell(m.Available.Amount), cell(m.Held.Amount), cell(m.With), cell(m.Subject), cell(m.Bond), cell(m.Ground), cell(m.Reason)})
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

// cell is text that a spreadsheet shows and does not calculate: subjects are
// written by others, and one that begins as a formula does is marked as text.
func cell(text string) string {
	text = line(text)
	if strings.IndexAny(strings.TrimLeft(text, " \t"), "=+-@＝＋－＠") == 0 {
		return "'" + text
	}
	return text
}

type limitsCmd struct {
	Show limitsShowCmd `cmd:"" default:"1" help:"What your mails may cost, and what is spent."`
	Set  limitsSetCmd  `cmd:"" help:"Set what your mails may cost."`
}

type limitsShowCmd struct{}

func (c *limitsShowCmd) Run(s *session) error {
	limits, err := s.agent.Limits(s.ctx)
	if err != nil {
		return err
	}
	return s.limits(limits)
}

type limitsSetCmd struct {
	PerMail  string `placeholder:"AMOUNT" help:"What one mail may cost, such as 1.00; none takes the limit away."`
	PerDay   string `placeholder:"AMOUNT" help:"What may be held or lost within 24 hours; none takes the limit away."`
	Currency string `placeholder:"C" help:"Which currency, as statement and balance name it; the only one where left out."`
	HereOnly bool   `help:"Have only this machine hold to it; a limit that the escrow has stays as it is. Else the escrow holds to it, too, so that a stolen machine cannot empty the account: what you raise there acts after 48 hours."`
}

// noLimit takes a limit away.
const noLimit = "none"

func (c *limitsSetCmd) Run(s *session) error {
	if c.PerMail == "" && c.PerDay == "" {
		failure := agentclient.Failf(agentclient.CodeUsage, "There is no limit to set.")
		failure.Means, failure.Do = "The limits are as they were.", "Give one: earnest limits set --per-mail 1.00 --per-day 5.00"
		return failure
	}
	limits, err := s.agent.Limits(s.ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(limits, func(l agentclient.Limit) bool {
		return strings.EqualFold(l.Currency, c.Currency) || c.Currency == "" && len(limits) == 1
	})
	req := agentclient.SetLimit{Currency: c.Currency}
	if i >= 0 {
		req = agentclient.SetLimit{Currency: limits[i].Currency, PerMail: limits[i].PerMail, PerDay: limits[i].PerDay}
	} else if c.Currency == "" && len(limits) > 1 {
		failure := agentclient.Failf(agentclient.CodeUsage, "There are %d currencies.", len(limits))
		failure.Means, failure.Do = "The limits are as they were.", "Name one, such as: --currency "+line(limits[0].Currency)
		return failure
	}
	req.HereOnly = c.HereOnly
	for _, change := range []struct {
		typed string
		into  *string
	}{{c.PerMail, &req.PerMail}, {c.PerDay, &req.PerDay}} {
		switch change.typed {
		case "": // it stays
		case noLimit:
			*change.into = ""
		default:
			*change.into = change.typed
		}
	}
	if limits, err = s.agent.SetLimit(s.ctx, req); err != nil {
		return err
	}
	return s.limits(limits)
}

func (s *session) limits(limits []agentclient.Limit) error {
	if s.json {
		return s.printJSON(limits)
	}
	rows := [][]string{{"CURRENCY", "PER MAIL", "PER DAY", "HELD OR LOST IN 24 HOURS"}}
	for _, l := range limits {
		row := []string{line(l.Currency)}
		for _, amount := range []string{l.PerMail, l.PerDay, l.Spent} {
			if amount == "" {
				row = append(row, "no limit")
				continue
			}
			row = append(row, agentclient.Money{Amount: amount, Currency: l.Currency, Unit: l.Unit}.String())
		}
		rows = append(rows, row)
	}
	s.table(rows, 1, 2, 3)
	for _, l := range limits {
		if l.HereOnly() {
			s.say("Only this machine holds to the limit in %s: who takes its keys can spend more. To have your escrow hold to it, too, set it again without --here-only.\n", line(l.Currency))
		}
	}
	return nil
}
