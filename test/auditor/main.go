// Command auditor checks an escrow's export offline: signatures, chains of
// receipts, deadlines, decisions, and the totals that the escrow signed.
//
// It was written from docs/protocol alone and imports nothing of this module, so
// that a mistake in the escrow's own rules is not made twice.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program without the process: 0 all is sound, 1 there are faults, 2
// nothing could be checked.
func run(args []string, in io.Reader, out, errs io.Writer) int {
	flags := flag.NewFlagSet("auditor", flag.ContinueOnError)
	flags.SetOutput(errs)
	pinned := flags.String("key", "", "receipt keys of the escrow as pinned, base64url, separated by commas")
	most := flags.Int("most", 50, "how many faults to print")
	flags.Usage = func() {
		fmt.Fprintln(errs, "auditor [-key KEY,...] [FILE]: check an escrow's export (docs/protocol/export.md); without FILE the input")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if flags.NArg() > 1 {
		flags.Usage()
		return 2
	}
	if flags.NArg() == 1 {
		file, err := os.Open(flags.Arg(0))
		if err != nil {
			fmt.Fprintln(errs, "auditor:", err)
			return 2
		}
		defer file.Close()
		in = file
	}
	var keys []string
	if *pinned != "" {
		keys = strings.Split(*pinned, ",")
	}
	report, err := audit(in, keys)
	if err != nil {
		fmt.Fprintln(errs, "auditor:", err)
		return 2
	}
	report.print(out, *most)
	if len(report.Faults) > 0 {
		return 1
	}
	return 0
}

// print writes the report for a person.
func (r *report) print(out io.Writer, most int) {
	fmt.Fprintf(out, "escrow %s, exported %s\n", r.Escrow, r.Made.Format("2006-01-02 15:04:05 MST"))
	for _, id := range r.KeyIDs {
		fmt.Fprintln(out, "receipt key", id)
	}
	if !r.Pinned {
		fmt.Fprintln(out, "The keys are those that the export names itself: compare them with a pinned one, or give it with -key.")
	}
	fmt.Fprintf(out, "%d bonds, %d receipts, %d decisions, %d signatures\n", r.Bonds, r.Receipts, r.Decisions, r.Signatures)
	if r.Outages > 0 {
		fmt.Fprintf(out, "%d outages moved deadlines, by the escrow's word\n", r.Outages)
	}
	for _, ending := range sorted(r.Endings) {
		fmt.Fprintf(out, "  %-22s %d\n", ending, r.Endings[ending])
	}
	for _, l := range r.Added {
		fmt.Fprintf(out, "%s to %s: held %s, refunded %s, forfeited %s, open %s\n", l.Currency, l.Beneficiary,
			l.Held.in(l.Scale), l.Refunded.in(l.Scale), l.Forfeited.in(l.Scale), l.Open.in(l.Scale))
	}
	fmt.Fprintf(out, "%d signed totals compared\n", r.Compared)
	for i, f := range r.Faults {
		if i == most {
			fmt.Fprintf(out, "and %d more\n", len(r.Faults)-most)
			break
		}
		fmt.Fprintln(out, "FAULT:", f)
	}
	if len(r.Faults) == 0 {
		fmt.Fprintln(out, "Sound: every bond, and the totals that the escrow signed.")
	}
}
