// Command escrow measures what the escrow's books can do, side by side in one run
// with what an operator could pick instead: PostgreSQL's own pgbench on the same
// server, SQLite with a commit an operation, and SQLite that does not sync at all.
// What is compared takes turns, and of each the median counts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"earnest/internal/pgtest"
)

// bench is what the measurements share.
type bench struct {
	out     io.Writer
	dir     string
	cluster *pgtest.Cluster
	rounds  int
	buys    int // purchases of a run
	bonds   int // that expire
	verbose bool
}

const clients = 64

// children are what this program is in another run of itself.
var children = map[string]func(context.Context, []string, io.Reader, io.Writer) error{
	serveCommand: serve, unsyncedCommand: buyOn,
}

func main() {
	if len(os.Args) > 1 {
		if child := children[os.Args[1]]; child != nil {
			if err := child(context.Background(), os.Args[2:], os.Stdin, os.Stdout); err != nil {
				fmt.Fprintf(os.Stderr, "bench escrow %s: %v\n", os.Args[1], err)
				os.Exit(1)
			}
			return
		}
	}
	if err := start(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench escrow:", err)
		os.Exit(1)
	}
}

func start(ctx context.Context, out io.Writer) (err error) {
	b := &bench{out: out}
	only := flag.String("only", "", "the measurements to make, by name with commas between; all where empty")
	flag.IntVar(&b.rounds, "rounds", 5, "how often each takes its turn")
	flag.IntVar(&b.buys, "buys", 4000, "purchases of a turn")
	flag.IntVar(&b.bonds, "bonds", 100_000, "bonds that expire")
	flag.BoolVar(&b.verbose, "v", false, "print every turn, and the processors that it kept busy")
	flag.Parse()
	if b.dir, err = os.MkdirTemp("", "earnest-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if b.cluster, err = pgtest.Start(ctx, "", "shared_buffers=256MB", "max_wal_size=4GB"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.cluster.Stop()) }()
	for _, m := range []struct {
		name    string
		measure func(context.Context) error
	}{
		{"store", b.storeBesidePgbench}, {"http", b.overHTTP}, {"company", b.oneCompany}, {"sqlite", b.sqliteGroups},
		{"claims", b.claimsBesideBare}, {"expiry", b.expiry}, {"processes", b.processes},
	} {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), m.name) {
			continue
		}
		if err := m.measure(ctx); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

// turn is one contestant: each call is a turn, which gives operations a second.
type turn struct {
	name string
	run  func(ctx context.Context) (float64, error)
}

// takeTurns has them run one after another, round for round, and gives the median
// of each.
func (b *bench) takeTurns(ctx context.Context, turns ...turn) ([]float64, error) {
	rates := make([][]float64, len(turns))
	for range b.rounds {
		for i, t := range turns {
			before, err1 := b.cluster.CPU()
			own := ownCPU()
			began := time.Now()
			rate, err2 := t.run(ctx)
			took := time.Since(began)
			after, err3 := b.cluster.CPU()
			if err := errors.Join(err1, err2, err3); err != nil {
				return nil, fmt.Errorf("%s: %w", t.name, err)
			}
			if b.verbose {
				fmt.Fprintf(b.out, "  %s: %.0f a second; processors: PostgreSQL %.2f, this program %.2f\n",
					t.name, rate, (after-before).Seconds()/took.Seconds(), (ownCPU()-own).Seconds()/took.Seconds())
			}
			rates[i] = append(rates[i], rate)
		}
	}
	medians := make([]float64, len(turns))
	for i := range rates {
		medians[i] = median(rates[i])
	}
	return medians, nil
}

// ownCPU is how much time of processors this process has taken.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// say prints a ratio with its goal, and what it was made of.
func (b *bench) say(what string, ratio, goal float64, detail string, args ...any) {
	met := "met"
	if ratio < goal {
		met = "NOT met"
	}
	fmt.Fprintf(b.out, "%-52s %6.2f   goal at least %.2f: %s   (%s)\n", what, ratio, goal, met, fmt.Sprintf(detail, args...))
}
