package badinput

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"

	"earnest/agentclient"
	"earnest/internal/mailhost"
	"earnest/internal/sandbox"
	"earnest/test/programs"
)

// bin is where the real programs are.
var bin = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "earnest-badinput-")
	if err != nil {
		return "", err
	}
	return dir, programs.Build(dir)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := bin(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// provider is a mail provider in this process whose submission can be slow.
type provider struct {
	*mailhost.Host
	smtp string
}

func (p provider) Servers() sandbox.Servers {
	return sandbox.Servers{IMAP: "imaps://" + p.IMAPAddr, SMTP: "smtps://" + p.smtp, Relay: "smtp://" + p.RelayAddr, CA: p.CAPEM}
}

func (p provider) Mailbox(name string) (sandbox.Mailbox, error) {
	m := sandbox.Mailbox{Address: name + "@mail.example", User: name + "@mail.example", Password: name + "'s password"}
	return m, p.AddUser(m.User, m.Password, m.Address)
}

func (p provider) Deliver(_ context.Context, to sandbox.Mailbox, raw []byte) error {
	return p.Host.Deliver(to.Address, raw)
}

func (p provider) Inbox(ctx context.Context, of sandbox.Mailbox) ([][]byte, error) {
	return p.Messages(ctx, of.User, mailhost.Inbox)
}

// system is a running sandbox that is used from the command line.
type system struct {
	*sandbox.System
	t    *testing.T
	host *mailhost.Host
	dir  string
}

func start(t *testing.T, terms string, slow time.Duration) *system {
	t.Helper()
	programs, err := bin()
	must(t, err)
	host, err := mailhost.Start(mailhost.Options{})
	must(t, err)
	// Sockets have short names: the test's own folder is too deep.
	dir, err := os.MkdirTemp("/tmp", "bad-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := provider{host, host.SubmissionsAddr}
	if slow > 0 {
		p.smtp = delayed(t, host.SubmissionsAddr, slow)
	}
	s, err := sandbox.Start(t.Context(), sandbox.Options{Dir: dir, Programs: programs, Provider: p, Terms: terms})
	must(t, err)
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return &system{s, t, host, dir}
}

// delayed passes connections on, each so much later.
func delayed(t *testing.T, to string, d time.Duration) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				time.Sleep(d)
				server, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer server.Close()
				go func() { _, _ = io.Copy(server, client); server.Close() }()
				_, _ = io.Copy(client, server)
			}()
		}
	}()
	return listener.Addr().String()
}

// answer is what the command line said.
type answer struct {
	code     int
	out, err string
}

// earnest runs the command line as the person.
func (s *system) earnest(p *sandbox.Person, stdin string, args ...string) answer {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), filepath.Join(s.Programs, "earnest"), args...)
	cmd.Env = append(os.Environ(), "EARNEST_HOME="+p.Home)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		s.t.Fatal(err)
	}
	got := answer{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
	s.t.Logf("$ earnest %s\n%s%s(exit code %d)", strings.Join(args, " "), got.out, got.err, got.code)
	return got
}

// fails runs a command that must fail with the exit code, in three parts: what
// happened, what it means for mail and money, what to do.
func (s *system) fails(p *sandbox.Person, code int, happened, means, do, stdin string, args ...string) {
	s.t.Helper()
	got := s.earnest(p, stdin, args...)
	if got.code != code {
		s.t.Errorf("exit code %d, want %d", got.code, code)
	}
	parts := strings.Split(strings.TrimRight(got.err, "\n"), "\n")
	if len(parts) != 3 {
		s.t.Errorf("it says %d things, not three: what happened, what it means, what to do", len(parts))
		return
	}
	for i, want := range []string{happened, means, do} {
		begin := "         "
		if i == 0 {
			begin = "earnest: "
		}
		if !strings.HasPrefix(parts[i], begin) || !strings.Contains(parts[i], want) {
			s.t.Errorf("it says %q, want %q", parts[i], want)
		}
	}
}

// does runs a command that must succeed, and returns what it printed.
func (s *system) does(p *sandbox.Person, stdin string, args ...string) string {
	s.t.Helper()
	got := s.earnest(p, stdin, args...)
	if got.code != 0 {
		s.t.Fatalf("exit code %d", got.code)
	}
	return got.out
}

// json runs a command with --json into the value.
func (s *system) json(p *sandbox.Person, into any, args ...string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), filepath.Join(s.Programs, "earnest"), append(args, "--json")...)
	cmd.Env = append(os.Environ(), "EARNEST_HOME="+p.Home)
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, into)
	}
	if err != nil {
		s.t.Fatalf("earnest %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// add sets up an account on the command line; args replace the usual ones.
func (s *system) add(p *sandbox.Person, m sandbox.Mailbox, servers sandbox.Servers) []string {
	s.t.Helper()
	ca := filepath.Join(s.dir, "ca.pem")
	must(s.t, os.WriteFile(ca, append(append([]byte{}, s.CA...), servers.CA...), 0o600))
	return []string{"account", "add", m.Address, "--imap", servers.IMAP, "--smtp", servers.SMTP,
		"--user", m.User, "--password-stdin", "--escrow", s.EscrowURL, "--ca", ca}
}

func (s *system) join(p *sandbox.Person, m sandbox.Mailbox) {
	s.t.Helper()
	s.does(p, m.Password+"\n", s.add(p, m, s.Provider.Servers())...)
	s.eventually("the address is proven", func() bool {
		status, err := p.Agent.Status(s.t.Context())
		return err == nil && status.Accounts[len(status.Accounts)-1].Proven
	})
}

func (s *system) topUp(p *sandbox.Person) {
	s.t.Helper()
	voucher, err := s.Voucher(s.t.Context(), "5.00")
	must(s.t, err)
	s.does(p, "", "topup", voucher)
}

func (s *system) keysFor(p *sandbox.Person, account int) {
	s.t.Helper()
	s.eventually("keys are for sale", func() bool {
		status, err := p.Agent.Status(s.t.Context())
		return err == nil && status.Accounts[account].Pool > 0
	})
}

// file writes a file and returns its name.
func (s *system) file(name string, data []byte) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	must(s.t, os.WriteFile(path, data, 0o600))
	return path
}

// mail is one of the list, as --json shows it.
type mail struct{ ID, Bond, State, Error string }

func (s *system) waits(p *sandbox.Person, state string) (found mail) {
	s.t.Helper()
	s.eventually("a mail is "+state, func() bool {
		var list []mail
		s.json(p, &list, "inbox")
		for _, m := range list {
			if m.State == state {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

func (s *system) eventually(what string, yes func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !yes(); time.Sleep(30 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited in vain until %s", what)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func readKeys(name string) (openpgp.EntityList, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return openpgp.ReadArmoredKeyRing(file)
}

// third is somebody else with an agent, money and a price of 0.10.
func (s *system) third(name string) *sandbox.Person {
	s.t.Helper()
	mailbox, err := s.Provider.Mailbox(name)
	must(s.t, err)
	p := &sandbox.Person{Name: name, Mailbox: mailbox, Home: filepath.Join(s.dir, name)}
	p.Agent = agentclient.New(p.Home)
	must(s.t, s.StartAgent(s.t.Context(), p))
	s.t.Cleanup(func() {
		p.Agent.Close()
		if err := s.StopAgent(p); err != nil {
			s.t.Error(err)
		}
	})
	s.join(p, mailbox)
	s.topUp(p)
	s.does(p, "", "price", "set", "0.10")
	s.keysFor(p, 0)
	return p
}

// heldIs waits until so much of the person's money is held.
func (s *system) heldIs(p *sandbox.Person, amount string) {
	s.t.Helper()
	s.eventually(amount+" is held", func() bool {
		balances, err := p.Agent.Balances(s.t.Context())
		return err == nil && balances[0].Held.Amount == amount
	})
}
