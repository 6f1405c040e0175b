package cli

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"earnest/agentclient"
)

type accountCmd struct {
	Add accountAddCmd `cmd:"" help:"Watch a mailbox, and prove its address to an escrow."`
}

type accountAddCmd struct {
	Address       string `required:"" placeholder:"A" help:"The e-mail address."`
	IMAP          string `name:"imap" required:"" placeholder:"URL" help:"imaps://HOST:PORT, or imap://HOST:PORT for STARTTLS."`
	SMTP          string `name:"smtp" required:"" placeholder:"URL" help:"smtps://HOST:PORT, or smtp://HOST:PORT for STARTTLS."`
	User          string `placeholder:"U" help:"The mail server's name for you; the address where left out."`
	PasswordStdin bool   `help:"Read the password from standard input, first line. Else it is asked for."`
	Escrow        string `required:"" placeholder:"URL" help:"https://HOST:PORT of the escrow."`
	CA            string `name:"ca" placeholder:"FILE" help:"PEM file of further certificate authorities to trust, for mail server and escrow."`
}

func (c *accountAddCmd) Run(s *session) error {
	req := agentclient.AddAccount{Address: c.Address, IMAP: c.IMAP, SMTP: c.SMTP, User: c.User, Escrow: c.Escrow}
	if req.User == "" {
		req.User = c.Address
	}
	if c.CA != "" {
		pem, err := s.readFile(c.CA, 1<<19)
		if err != nil {
			return err
		}
		req.CA = pem
	}
	password, err := s.password(c.PasswordStdin, fmt.Sprintf("Password of %s at the mail server: ", line(req.User)))
	if err != nil {
		return err
	}
	req.Password = password
	account, err := s.agent.AddAccount(s.ctx, req)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(account)
	}
	s.say("Added %s.\n", line(account.Address))
	s.account(account)
	s.say("\nGive this card to people who want to write to you:\n  %s\n", line(account.Card))
	return nil
}

// password never comes from the arguments: others can read those.
func (s *session) password(stdin bool, prompt string) (string, error) {
	if !stdin && s.streams.Interactive && s.streams.Password != nil {
		password, err := s.streams.Password(prompt)
		if s.ctx.Err() != nil {
			return "", s.ctx.Err()
		}
		if err != nil {
			return "", fmt.Errorf("ask for the password: %w", err)
		}
		return password, nil
	}
	if !stdin {
		failure := agentclient.Failf(agentclient.CodeUsage, "There is no terminal to ask for the password.")
		failure.Do = "Give it on standard input, with --password-stdin."
		return "", failure
	}
	text, err := await(s.ctx, func() (string, error) {
		return bufio.NewReader(io.LimitReader(s.streams.In, 4096)).ReadString('\n')
	})
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("read the password: %w", err)
	}
	password := strings.TrimRight(text, "\r\n")
	if password == "" {
		return "", agentclient.Failf(agentclient.CodeUsage, "The password on standard input is empty.")
	}
	return password, nil
}

// account prints one account's lines.
func (s *session) account(a agentclient.Account) {
	mailbox := a.Mailbox
	if a.MailboxError != "" {
		mailbox += ": " + line(a.MailboxError)
	}
	escrow := line(a.Escrow) + " answers"
	if !a.EscrowUp {
		escrow = line(a.Escrow) + " does not answer since " + s.moment(a.EscrowSince)
		if a.EscrowError != "" {
			escrow += ": " + line(a.EscrowError)
		}
	}
	proven := "proven to be yours"
	if !a.Proven {
		proven = "not proven yet; the agent answers the escrow's mail by itself"
	}
	s.say("  mailbox   %s\n  escrow    %s\n  address   %s\n  pool      %d one-time keys left to sell\n", mailbox, escrow, proven, a.Pool)
}

type statusCmd struct{}

func (c *statusCmd) Run(s *session) error {
	status, err := s.agent.Status(s.ctx)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(status)
	}
	s.say("Agent %s, running since %s, keys in %s.\n", line(status.Version), s.moment(status.Started), keyringWords(status.Keyring))
	for _, account := range status.Accounts {
		s.say("%s\n", line(account.Address))
		s.account(account)
	}
	if len(status.Accounts) == 0 {
		s.say("No mail account is set up yet: earnest account add\n")
	}
	s.say("%s to decide, %s in the outbox, %s for the escrow.\n",
		count(status.Waiting, "mail"), count(status.Outbox, "mail"), count(status.Queued, "message"))
	return nil
}

func keyringWords(keyring string) string {
	switch keyring {
	case "os":
		return "the system's keyring"
	case "file":
		return "a file sealed by a passphrase"
	case "memory":
		return "memory (lost at the end)"
	}
	return line(keyring)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// readFile reads a file that a person named; "-" is standard input.
func (s *session) readFile(name string, limit int64) ([]byte, error) {
	data, err := readUpTo(s.ctx, s.streams.In, name, limit)
	if s.ctx.Err() != nil {
		return nil, s.ctx.Err()
	}
	if err != nil {
		return nil, agentclient.Failf(agentclient.CodeUsage, "The file %s cannot be read: %s.", line(name), reason(err))
	}
	if int64(len(data)) > limit {
		failure := agentclient.TooMuch()
		failure.Happened = fmt.Sprintf("The file %s is larger than the %s that can be taken.", line(name), size(limit))
		failure.Do = "Name another file."
		return nil, failure
	}
	return data, nil
}
