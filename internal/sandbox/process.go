package sandbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// process is one of the programs, running.
type process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{}
	err  error
}

// run starts a program with its output in a log file of the sandbox.
func (s *System) run(env []string, name, program string, args ...string) (*process, error) {
	path := filepath.Join(s.Dir, name+".log")
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	defer file.Close()
	p := &process{cmd: exec.Command(filepath.Join(s.Programs, program), args...), log: path, done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = file, file
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// answers waits until the program answers, and says with its own last words why
// it does not.
func (p *process) answers(ctx context.Context, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended (%v): %s", filepath.Base(p.cmd.Path), p.err, p.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w: %s", filepath.Base(p.cmd.Path), err, p.lastWords())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *process) lastWords() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], "; ")
}

// stop asks the program to end, and ends it after ten seconds.
func (p *process) stop() error {
	if p == nil {
		return nil
	}
	select {
	case <-p.done:
		return nil
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", filepath.Base(p.cmd.Path), err)
	}
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
		return fmt.Errorf("%s did not stop when asked", filepath.Base(p.cmd.Path))
	}
	return nil
}

// Voucher has the operator's command make a voucher.
func (s *System) Voucher(ctx context.Context, amount string) (string, error) {
	out, err := s.operator(ctx, "voucher", "new", "--data", s.EscrowDir(), "--currency", EscrowName, "--amount", amount)
	return strings.TrimSpace(string(out)), err
}

// VerifyBooks has the operator's command walk the ledger and the receipts.
func (s *System) VerifyBooks(ctx context.Context) error {
	_, err := s.operator(ctx, "verify", "--data", s.EscrowDir())
	return err
}

func (s *System) operator(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(s.Programs, "earnest-escrow"), args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("earnest-escrow %s: %w: %s%s", args[0], err, errs.Bytes(), out)
	}
	return out, nil
}

// healthy asks the escrow whether it is up. Its certificate is not looked at
// here: the agents are given it, and they look.
func healthy(ctx context.Context, url string) error {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/healthz", nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("healthz: %s", answer.Status)
	}
	return nil
}
