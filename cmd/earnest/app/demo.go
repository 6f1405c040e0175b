package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"earnest/agentclient"
	"earnest/cli"
	"earnest/internal/sandbox"
)

// demo plays the story in a sandbox and, unless told to end, leaves it running.
func demo(ctx context.Context, flags cli.DemoFlags) error {
	programs, err := ownFolder()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "earnest-demo-")
	if err != nil {
		return fmt.Errorf("demo folder: %w", err)
	}
	defer os.RemoveAll(dir)
	say := io.Writer(os.Stdout)
	if flags.JSON {
		say = io.Discard
	}
	fmt.Fprintf(say, "Earnest in a sandbox: a mail provider, an escrow and two agents, all on this machine.\n"+
		"Keys are in memory, everything else is in %s; nothing of yours is touched.\n\n", dir)
	system, err := sandbox.Start(ctx, sandbox.Options{Dir: dir, Programs: programs, Terms: sandbox.ShortTerms})
	if err != nil {
		return err
	}
	tell := tellText(say)
	if flags.JSON {
		tell = tellJSON(os.Stdout)
	}
	err = system.Play(ctx, tell)
	if err == nil && !flags.Once {
		err = linger(ctx, say, system, flags)
	}
	return errors.Join(err, system.Stop())
}

func tellJSON(out io.Writer) func(sandbox.Step) {
	encoder := json.NewEncoder(out)
	return func(step sandbox.Step) { _ = encoder.Encode(step) }
}

// tellText prints a step with the money after it.
func tellText(out io.Writer) func(sandbox.Step) {
	n := 0
	return func(step sandbox.Step) {
		n++
		mark := "✓"
		if !step.OK {
			mark = "✗"
		}
		fmt.Fprintf(out, "%s %d. %s\n     %s\n", mark, n, step.Name, step.Detail)
		for _, name := range []string{"sender", "recipient"} {
			if money, ok := step.Balances[name]; ok {
				fmt.Fprintf(out, "     %-10s €%s available, €%s held\n", name, money.Available, money.Held)
			}
		}
		fmt.Fprintln(out)
	}
}

// linger leaves the sandbox running with three mails that wait, and the window
// open where there is a display.
func linger(ctx context.Context, say io.Writer, system *sandbox.System, flags cli.DemoFlags) error {
	// From here on a person decides, so the deadlines are the real ones.
	if err := system.StopEscrow(); err != nil {
		return err
	}
	if err := system.StartEscrow(ctx, sandbox.LongTerms); err != nil {
		return err
	}
	if err := system.FillInbox(ctx); err != nil {
		return err
	}
	program := filepath.Join(system.Programs, "earnest")
	fmt.Fprintf(say, "The sandbox stays up with three mails that wait for you.\n\n"+
		"To be the recipient, in another terminal (then: read, accept, reject, undo with an ID):\n\n"+
		"  export EARNEST_HOME=%s\n  %s inbox\n\n"+
		"To be a sender, in a third one:\n\n"+
		"  export EARNEST_HOME=%s\n  echo Hello | %s send --to %s --subject Hello --body-file -\n  %s sent\n\n",
		system.Recipient.Home, program, system.Sender.Home, program, system.Recipient.Address, program)
	window := openWindow(ctx, say, system, flags)
	fmt.Fprintln(say, "Ctrl-C ends it and deletes the folder.")
	<-ctx.Done()
	if window != nil {
		<-window
	}
	return nil
}

// openWindow opens the recipient's window. The channel is closed when it is gone.
func openWindow(ctx context.Context, say io.Writer, system *sandbox.System, flags cli.DemoFlags) <-chan struct{} {
	program := filepath.Join(system.Programs, "earnest-desktop")
	switch _, err := os.Stat(program); {
	case flags.NoWindow:
		return nil
	case os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "":
		fmt.Fprintf(say, "There is no display here, so the window stays closed; the commands above do the same.\n"+
			"To open it where there is one, while this runs:\n\n  EARNEST_HOME=%s %s\n\n", system.Recipient.Home, program)
		return nil
	case err != nil:
		fmt.Fprintf(say, "The window is not built: %s is missing.\n", program)
		return nil
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 3 * time.Second
	// Its settings and caches go into the sandbox's folder, too.
	cmd.Env = append(os.Environ(), "EARNEST_HOME="+system.Recipient.Home,
		"XDG_CONFIG_HOME="+filepath.Join(system.Dir, "config"), "XDG_CACHE_HOME="+filepath.Join(system.Dir, "cache"))
	if err := cmd.Start(); err != nil {
		fmt.Fprintf(say, "The window did not start: %v\n", err)
		return nil
	}
	fmt.Fprintln(say, "The recipient's window is open: A accepts, R rejects, U undoes.")
	gone := make(chan struct{})
	go func() { _ = cmd.Wait(); close(gone) }()
	return gone
}

// ownFolder is where this program lies, and the others beside it.
func ownFolder() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the programs: %w", err)
	}
	dir := filepath.Dir(path)
	if _, err := os.Stat(filepath.Join(dir, "earnest-escrow")); err != nil {
		return "", &agentclient.Failure{Code: agentclient.CodeUsage,
			Happened: "earnest-escrow is not beside this program.", Means: "The demo did not start.",
			Do: "Build all programs: make build"}
	}
	return dir, nil
}
