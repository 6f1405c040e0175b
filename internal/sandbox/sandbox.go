// Package sandbox is the whole system on one machine: a mail provider, an
// escrow, and the agents of a recipient and a sender, on loopback, with keys in
// memory, in a folder of its own. The demo and the tests play the story in it.
//
// It starts the programs as a person would ([Programs]), so that what is shown
// is what is shipped.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"earnest/agentclient"
	"earnest/internal/mailhost"
)

// EscrowName is what the sandbox's escrow calls itself, and its currency.
const EscrowName = "escrow.example"

// Options say how a sandbox is made.
type Options struct {
	// Dir is its folder; everything is in it, and it can be deleted afterwards.
	Dir string
	// Programs is the folder with earnest and earnest-escrow.
	Programs string
	// Provider keeps the mailboxes; nil is one in this process. Stop closes it.
	Provider Provider
	// Terms of the escrow, as its flag takes them.
	Terms string
	// Keyring of the agents: memory unless set. With "file" PassphraseFile holds
	// the passphrase, and an agent can be started again on what it has.
	Keyring        string
	PassphraseFile string
	// Env is added to the agents' environment, EscrowEnv to the escrow's.
	Env       []string
	EscrowEnv []string
}

// ShortTerms let a story that waits for deadlines end in seconds.
const ShortTerms = "quote=10m,deliver=30d,decide=6s,undo=2s,final=60d"

// LongTerms are the protocol's.
const LongTerms = "quote=10m,deliver=30d,decide=14d,undo=10m,final=60d"

// Person is somebody with a mailbox and an agent.
type Person struct {
	Mailbox
	Name string
	// Home is the agent's folder: what EARNEST_HOME names.
	Home  string
	Agent *agentclient.Client
	agent *process
}

// System is a running sandbox.
type System struct {
	Options
	EscrowURL         string
	CA                []byte // of the provider and the escrow
	Recipient, Sender *Person
	escrow            *process
	listen            string
}

// Start starts everything and returns once everything answers.
func Start(ctx context.Context, options Options) (s *System, err error) {
	if options.Keyring == "" {
		options.Keyring = "memory"
	}
	s = &System{Options: options}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	if s.Provider == nil {
		host, err := mailhost.Start(mailhost.Options{})
		if err != nil {
			return s, fmt.Errorf("sandbox mail: %w", err)
		}
		s.Provider = builtIn{host}
	}
	if s.listen, err = freePort(); err != nil {
		return s, err
	}
	s.EscrowURL = "https://" + s.listen
	if err := s.StartEscrow(ctx, options.Terms); err != nil {
		return s, err
	}
	certificate, err := os.ReadFile(filepath.Join(s.EscrowDir(), "tls.crt"))
	if err != nil {
		return s, fmt.Errorf("sandbox escrow: %w", err)
	}
	s.CA = slices.Concat(s.Provider.Servers().CA, certificate)
	for _, name := range []string{"recipient", "sender"} {
		p, err := s.join(ctx, name)
		if name == "recipient" {
			s.Recipient = p // even if it failed: Stop stops what was started
		} else {
			s.Sender = p
		}
		if err != nil {
			return s, err
		}
	}
	return s, nil
}

// EscrowDir is the escrow's data folder.
func (s *System) EscrowDir() string { return filepath.Join(s.Dir, "escrow") }

// StartEscrow starts the escrow with these terms, on the data that it has.
func (s *System) StartEscrow(ctx context.Context, terms string) (err error) {
	s.escrow, err = s.run(s.EscrowEnv, "escrow", "earnest-escrow", "serve", "--data", s.EscrowDir(), "--listen", s.listen,
		"--name", EscrowName, "--currency", EscrowName+":2:EUR", "--terms", terms,
		"--smtp-relay", s.Provider.Servers().Relay, "--token-sender", "escrow@"+EscrowName)
	if err != nil {
		return err
	}
	return s.escrow.answers(ctx, func() error { return healthy(ctx, s.EscrowURL) })
}

// StopEscrow stops the escrow and keeps its data.
func (s *System) StopEscrow() error { return s.escrow.stop() }

// EscrowEnded is closed once the escrow's process is gone, however it ended.
func (s *System) EscrowEnded() <-chan struct{} { return s.escrow.done }

// join gives somebody a mailbox and starts an agent.
func (s *System) join(ctx context.Context, name string) (*Person, error) {
	mailbox, err := s.Provider.Mailbox(name)
	if err != nil {
		return nil, fmt.Errorf("sandbox mailbox: %w", err)
	}
	p := &Person{Name: name, Mailbox: mailbox, Home: filepath.Join(s.Dir, name)}
	p.Agent = agentclient.New(p.Home)
	return p, s.StartAgent(ctx, p)
}

// StartAgent starts the person's agent on what its home remembers.
func (s *System) StartAgent(ctx context.Context, p *Person) (err error) {
	args := []string{"agent", "--keyring", s.Keyring}
	if s.PassphraseFile != "" {
		args = append(args, "--passphrase-file", s.PassphraseFile)
	}
	p.agent, err = s.run(append([]string{"EARNEST_HOME=" + p.Home, "EARNEST_NO_DISCOVERY=1"}, s.Env...), p.Name, "earnest", args...)
	if err != nil {
		return err
	}
	return p.agent.answers(ctx, func() error {
		_, err := p.Agent.Status(ctx)
		return err
	})
}

// StopAgent stops the person's agent.
func (s *System) StopAgent(p *Person) error { return p.agent.stop() }

// KillAgent ends the person's agent as a power cut does.
func (s *System) KillAgent(p *Person) error {
	err := p.agent.cmd.Process.Kill()
	<-p.agent.done
	return err
}

// AgentEnded is closed once the process of the person's agent is gone, however
// it ended.
func (s *System) AgentEnded(p *Person) <-chan struct{} { return p.agent.done }

// Stop stops everything. Nothing is left running.
func (s *System) Stop() error {
	var errs []error
	for _, p := range []*Person{s.Recipient, s.Sender} {
		if p != nil {
			p.Agent.Close()
			errs = append(errs, p.agent.stop())
		}
	}
	errs = append(errs, s.escrow.stop())
	if s.Provider != nil {
		errs = append(errs, s.Provider.Close())
	}
	return errors.Join(errs...)
}

// freePort finds a loopback port that nobody listens on.
func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

// startPatience is how long a program may take until it answers.
const startPatience = 20 * time.Second
