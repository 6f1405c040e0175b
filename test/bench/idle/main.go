// Command idle measures what an agent costs that has nothing to do: its memory
// and its share of a core, while it watches a mailbox on Dovecot with IDLE and
// follows the escrow.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"earnest/internal/mailtest"
	"earnest/internal/sandbox"
	"earnest/test/programs"
	"earnest/test/realmail"
)

func main() {
	span := flag.Duration("for", 90*time.Second, "how long to watch")
	flag.Parse()
	err := mailtest.InProgram(func(t mailtest.T) error { return run(context.Background(), t, *span) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "idle:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, t mailtest.T, span time.Duration) error {
	dir, err := os.MkdirTemp("", "eib")
	if err != nil {
		return err
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := programs.Build(dir); err != nil {
		return err
	}
	system, err := sandbox.Start(ctx, sandbox.Options{Dir: dir, Programs: dir, Terms: sandbox.LongTerms,
		Provider: realmail.Start(t, "recipient", "sender")})
	t.Cleanup(func() { _ = system.Stop() })
	if err != nil {
		return err
	}
	if err := system.Prepare(ctx); err != nil {
		return err
	}
	// The pool of keys is made and uploaded: let it come to rest.
	time.Sleep(10 * time.Second)
	before, err := system.Recipient.Usage()
	if err != nil {
		return err
	}
	time.Sleep(span)
	after, err := system.Recipient.Usage()
	if err != nil {
		return err
	}
	share := float64(after.CPU-before.CPU) / float64(span)
	fmt.Printf("idle agent over %s: %.1f MB resident (goal 40), %.1f MB at most; %.3f%% of a core (goal below 0.2%%)\n",
		span, float64(after.Resident)/1e6, float64(after.Peak)/1e6, 100*share)
	return nil
}
