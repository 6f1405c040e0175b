package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"earnest/internal/localsock"
)

// startTimeout is how long an agent may take until its socket answers: opening
// the keyring may ask the person for a password.
const startTimeout = 60 * time.Second

// starter starts "earnest agent" apart from the window: it goes on when the
// window is closed.
type starter struct {
	home, socket string
	find         func() (string, error) // the program earnest
}

// start starts the agent and returns when it answers, or with why it does not.
func (s starter) start(ctx context.Context) error {
	program, err := s.find()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.home, 0o700); err != nil {
		return fmt.Errorf("its folder cannot be made: %w", err)
	}
	// What it logs carries no content of mails and no secrets.
	logFile, err := os.OpenFile(filepath.Join(s.home, "agent.log"), os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("its log cannot be written: %w", err)
	}
	defer logFile.Close()
	// Not CommandContext: the agent outlives the window.
	cmd := exec.Command(program, "agent")
	cmd.Env = append(os.Environ(), "EARNEST_HOME="+s.home)
	cmd.Dir = s.home
	cmd.Stdout, cmd.Stderr = logFile, logFile
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s does not start: %w", program, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return s.await(ctx, ended, logFile.Name())
}

func (s starter) await(ctx context.Context, ended <-chan error, log string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("it was started, but does not answer; see %s", log)
		case err := <-ended:
			return endedEarly(err, log)
		case <-tick.C:
		}
		if conn, err := localsock.Dial(ctx, s.socket); err == nil {
			return conn.Close()
		}
	}
}

// endedEarly says why an agent ended at once, by the last that it said.
func endedEarly(err error, log string) error {
	data, readErr := os.ReadFile(log)
	if last := lastWords(string(data)); readErr == nil && last != "" {
		return errors.New(last)
	}
	if err == nil {
		err = errors.New("it gave no reason")
	}
	return fmt.Errorf("it ended at once: %w", err)
}

// lastWords is the last thing said: a line, of which the first sentence is
// kept, and the indented ones below it, which say what it means and what to do.
func lastWords(said string) string {
	lines := strings.Split(strings.TrimRight(said, "\n "), "\n")
	first := len(lines) - 1
	for first > 0 && strings.HasPrefix(lines[first], " ") {
		first--
	}
	happened, _, more := strings.Cut(strings.TrimPrefix(lines[first], "earnest: "), ". ")
	if more {
		happened += "."
	}
	words := []string{happened}
	for _, line := range lines[first+1:] {
		words = append(words, strings.TrimSpace(line))
	}
	// The window says that before it.
	said = strings.ReplaceAll(strings.Join(words, " "), "The agent did not start. ", "")
	return strings.TrimSpace(strings.TrimSuffix(said, "The agent did not start."))
}

// findAgent looks beside the window's own program first, so that both are of
// one version, then on PATH.
func findAgent(executable func() (string, error), lookPath func(string) (string, error)) (string, error) {
	name := "earnest"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if own, err := executable(); err == nil {
		if real, err := filepath.EvalSymlinks(own); err == nil {
			own = real
		}
		beside := filepath.Join(filepath.Dir(own), name)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	path, err := lookPath("earnest")
	if err != nil {
		return "", errors.New("the program earnest was found neither beside this window's program nor on PATH; install it, or start it yourself")
	}
	return path, nil
}
