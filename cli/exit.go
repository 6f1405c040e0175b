package cli

import (
	"fmt"
	"io"
	"slices"

	"github.com/alecthomas/kong"

	"earnest/agentclient"
)

const (
	exitOK          = 0
	exitInternal    = 1
	exitInterrupted = 130
)

// exit is one row of the table of exit codes.
type exit struct {
	status  int
	meaning string
	codes   []string // of failures
}

// exits is the one table from failures to exit codes. The codes of the escrow
// are written out: this package knows the agent's client only, and a test holds
// the table complete.
func exits() []exit {
	return []exit{
		{exitOK, "done", nil},
		{exitInternal, "something failed inside", []string{agentclient.CodeInternal}},
		{2, "the command is not understood or breaks a rule", []string{agentclient.CodeUsage, "invalid"}},
		{3, "no agent is running", []string{agentclient.CodeNoAgent}},
		{4, "not set up: no account, no keyring, locked, password refused, certificate not trusted, address not proven",
			[]string{agentclient.CodeNoAccount, agentclient.CodeNoKeyring, agentclient.CodeLocked, agentclient.CodeLogin, agentclient.CodeTLS, "unproven_address"}},
		{5, "no such mail, bond or price", []string{agentclient.CodeNotFound, "no_offer"}},
		{6, "not enough money, or no such voucher", []string{"insufficient_funds", "bad_voucher"}},
		{7, "cannot be bought now: sold out, an open bond, a limit, blocked, price expired",
			[]string{"sold_out", "open_bond", "limited", "over_limit", "blocked", "quote_expired", agentclient.CodeLimit}},
		{8, "the mail's state does not allow it",
			[]string{agentclient.CodeState, "ended", "too_late", "stale_decision", "not_arrived", "conflict", "already_delivered"}},
		{9, "the escrow or the mail server does not answer", []string{agentclient.CodeUnreachable, "unavailable"}},
		{10, "a mail, a proof, a receipt or an identity cannot be trusted", []string{agentclient.CodeDamaged, agentclient.CodeIdentity, "bad_proof"}},
		{11, "the escrow refused the agent: signature, clock, not allowed",
			[]string{"unauthorized", "forbidden", "replayed", "clock_skew"}},
		{12, "too large", []string{agentclient.CodeTooLarge}},
		{13, "the doctor found something wrong", []string{codeUnwell}},
		{exitInterrupted, "interrupted", nil},
	}
}

// codeUnwell is the doctor's: checks were made, and one was not passed.
const codeUnwell = "unwell"

func exitOf(code string) int {
	for _, row := range exits() {
		if slices.Contains(row.codes, code) {
			return row.status
		}
	}
	return exitInternal
}

// help is kong's help with the exit codes below it.
func help(options kong.HelpOptions, ctx *kong.Context) error {
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(ctx.Stdout); err != nil {
		return err
	}
	return printExits(ctx.Stdout)
}

func printExits(w io.Writer) error {
	if _, err := fmt.Fprintln(w, "Exit codes:"); err != nil {
		return err
	}
	for _, row := range exits() {
		if _, err := fmt.Fprintf(w, "  %3d  %s\n", row.status, row.meaning); err != nil {
			return err
		}
	}
	return nil
}

type helpCmd struct {
	Topic []string `arg:"" optional:"" help:"A verb, or exit-codes."`
}

func (c *helpCmd) Run(s *session) error {
	if len(c.Topic) == 1 && c.Topic[0] == "exit-codes" {
		if s.json {
			return s.printJSON(exitTable())
		}
		if err := printExits(s.streams.Out); err != nil {
			return err
		}
		s.say("\nWith --json a failure is printed as {\"failure\": {code, happened, means, do}}; these codes end with:\n")
		for _, row := range exits() {
			for _, code := range row.codes {
				s.say("  %3d  %s\n", row.status, code)
			}
		}
		return nil
	}
	_, err := s.parser.Parse(append(slices.Clone(c.Topic), "--help"))
	if lost := s.lost(); lost != nil {
		return lost
	}
	if err != nil {
		return agentclient.Failf(agentclient.CodeUsage, "There is no such verb.")
	}
	return nil
}

// exitTable is the table as JSON: failure code to exit code.
func exitTable() map[string]int {
	table := map[string]int{}
	for _, row := range exits() {
		for _, code := range row.codes {
			table[code] = row.status
		}
	}
	return table
}
