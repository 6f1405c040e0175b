package cli

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"earnest/agentclient"
)

type accountCmd struct {
	List   accountListCmd   `cmd:"" help:"The mailboxes that are watched, and how they are."`
	Add    accountAddCmd    `cmd:"" help:"Watch a mailbox, and prove its address to an escrow."`
	Change accountChangeCmd `cmd:"" help:"Give an account another password, sign-in or server, tested before it replaces the old."`
	Remove accountRemoveCmd `cmd:"" help:"Stop watching a mailbox, and delete what is kept of it here, keys and password included. Mail at the provider stays. At its escrow the address is released."`

	Safety   accountSafetyCmd   `cmd:"" help:"Show whether an account is frozen, and which of its changes wait."`
	Freeze   accountFreezeCmd   `cmd:"" help:"Stop all purchases, payouts and changes of the price of an account, at once. Mails that wait can be decided."`
	Recovery accountRecoveryCmd `cmd:"" help:"Make a recovery key for paper: it takes the account back when this machine is lost or stolen."`
	Rotate   accountRotateCmd   `cmd:"" help:"Have another key sign for an account: at once with the recovery key, else after 48 hours."`
	Recover  accountRecoverCmd  `cmd:"" help:"Take an account over on this machine, when the one that had it is lost, with the recovery key."`
	Unfreeze accountUnfreezeCmd `cmd:"" help:"End a freeze: at once with the recovery key, else after 48 hours."`
	Release  accountReleaseCmd  `cmd:"" help:"Give an address up at its escrow: its price is withdrawn, its unsold keys are deleted, and another account can prove it."`
	Cancel   accountCancelCmd   `cmd:"" help:"Stop a change of an account that waits, or another account's claim to its address."`
	Export   accountExportCmd   `cmd:"" help:"Get all that the escrow stores about an account."`
	Delete   accountDeleteCmd   `cmd:"" help:"Delete an account at its escrow and here. What stays at the escrow: key ids and amounts, and the bonds that other people have receipts of."`
}

// accountFlags say how the mail servers are reached. What is left out is found out.
type accountFlags struct {
	IMAP          string `name:"imap" placeholder:"URL" help:"imaps://HOST:PORT, or imap://HOST:PORT for STARTTLS."`
	SMTP          string `name:"smtp" placeholder:"URL" help:"smtps://HOST:PORT, or smtp://HOST:PORT for STARTTLS."`
	User          string `placeholder:"U" help:"The mail server's name for you; often the address."`
	Login         bool   `help:"Sign in with the provider in a browser (OAuth 2.0) instead of a password."`
	Provider      string `placeholder:"P" help:"The provider to sign in with, where the servers do not tell: a name in providers.toml."`
	PasswordStdin bool   `help:"Read the password from standard input, first line. Else it is asked for."`
	CA            string `name:"ca" placeholder:"FILE" help:"PEM file of further certificate authorities to trust, for mail server and escrow."`
}

type accountAddCmd struct {
	Address string `arg:"" help:"The e-mail address."`
	accountFlags
	Escrow string `placeholder:"URL" help:"https://HOST:PORT of the escrow; where left out, the one that the address's domain or EARNEST_ESCROW names."`
}

func (c *accountAddCmd) Run(s *session) error {
	req, err := c.request(s, c.Address)
	if err != nil {
		return err
	}
	req.Escrow = c.Escrow
	if err := c.findServers(s, &req); err != nil {
		return err
	}
	if err := c.prove(s, &req); err != nil {
		return err
	}
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
	s.say("Write a recovery key down, for when this machine is lost: earnest account recovery %s\n", line(account.Address))
	return nil
}

type accountChangeCmd struct {
	Address string `arg:"" help:"The e-mail address."`
	accountFlags
}

func (c *accountChangeCmd) Run(s *session) error {
	req, err := c.request(s, c.Address)
	if err != nil {
		return err
	}
	servers := req.IMAP != "" || req.SMTP != "" || req.User != "" || len(req.CA) > 0
	if c.Login && c.Provider == "" {
		status, err := s.agent.Status(s.ctx)
		if err != nil {
			return err
		}
		for _, account := range status.Accounts {
			if strings.EqualFold(account.Address, c.Address) {
				c.Provider = account.Provider // else it is found out
			}
		}
	}
	if c.Login || c.PasswordStdin || !servers {
		if err := c.prove(s, &req); err != nil {
			return err
		}
	}
	account, err := s.agent.ChangeAccount(s.ctx, req)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(account)
	}
	s.say("Changed %s. The servers took it.\n", line(account.Address))
	s.account(account)
	return nil
}

func (f *accountFlags) request(s *session, address string) (agentclient.AddAccount, error) {
	req := agentclient.AddAccount{Address: address, IMAP: f.IMAP, SMTP: f.SMTP, User: f.User}
	if f.CA != "" {
		pem, err := s.readFile(f.CA, 1<<19)
		if err != nil {
			return req, err
		}
		req.CA = pem
	}
	if f.Login && f.PasswordStdin {
		return req, agentclient.Failf(agentclient.CodeUsage, "Either sign in with --login, or give a password.")
	}
	return req, nil
}

// findServers finds out what was left out, and shows it before any password is
// asked for.
func (f *accountFlags) findServers(s *session, req *agentclient.AddAccount) error {
	if req.IMAP != "" && req.SMTP != "" && (!f.Login || f.Provider != "") {
		return nil
	}
	found, err := s.agent.Discover(s.ctx, req.Address)
	if err != nil {
		return err
	}
	if req.IMAP == "" && found.IMAP == "" || req.SMTP == "" && found.SMTP == "" {
		failure := agentclient.Failf(agentclient.CodeUsage, "The mail servers of %s could not be found out.", line(req.Address))
		failure.Do = "Name them as your provider's help pages do: --imap imaps://HOST:993 --smtp smtps://HOST:465"
		return failure
	}
	if req.User == "" && req.IMAP == "" {
		req.User = found.User
	}
	for _, part := range []struct {
		said  *string
		found string
	}{{&req.IMAP, found.IMAP}, {&req.SMTP, found.SMTP}, {&f.Provider, found.Provider}} {
		if *part.said == "" {
			*part.said = part.found
		}
	}
	byItself := req.Escrow == "" && found.Escrow != ""
	if byItself {
		req.Escrow = found.Escrow // the one that is shown, and no other
	}
	if s.json {
		return nil
	}
	s.say("Mail is read at %s and sent at %s.\n", line(req.IMAP), line(req.SMTP))
	if found.Elsewhere != "" {
		s.say("These servers are not in the address's own domain but at %s, which gets your password. Stop here if that is not your provider.\n", line(found.Elsewhere))
	}
	if byItself {
		s.say("Money is held by the escrow %s. Stop here if that is not the one you mean.\n", line(req.Escrow))
	}
	if found.Provider != "" && !f.Login {
		s.say("They want you to sign in with %s.", line(found.Provider))
		if found.ProviderReady {
			s.say(" That is: --login\n")
		} else {
			s.say(" %s\n", line(found.ProviderHint))
		}
	}
	return nil
}

// prove gets what the servers want to see: a password or a sign-in.
func (f *accountFlags) prove(s *session, req *agentclient.AddAccount) (err error) {
	if f.Login {
		req.Login, err = s.signIn(req.Address, f.Provider)
		return err
	}
	user := req.User
	if user == "" {
		user = req.Address
	}
	req.Password, err = s.password(f.PasswordStdin, fmt.Sprintf("Password of %s at the mail server: ", line(user)))
	return err
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
	if a.KeyError != "" {
		s.say("  attention: %s\n", line(a.KeyError))
	}
	if foreign := slices.DeleteFunc(slices.Clone(a.Changes), func(c agentclient.AccountChange) bool { return !c.Foreign }); len(foreign) > 0 {
		s.say("  attention: this was not ordered here\n")
		s.changes(a.Address, foreign)
	}
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
	if status.Locked != "" {
		s.locked(status.Locked)
		return nil
	}
	s.accounts(status.Accounts)
	s.say("%s to decide, %s in the outbox, %s for the escrow.\n",
		count(status.Waiting, "mail"), count(status.Outbox, "mail"), count(status.Queued, "message"))
	return nil
}

type accountListCmd struct{}

func (c *accountListCmd) Run(s *session) error {
	status, err := s.agent.Status(s.ctx)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(status.Accounts)
	}
	s.accounts(status.Accounts)
	return nil
}

func (s *session) accounts(all []agentclient.Account) {
	for _, account := range all {
		s.say("%s\n", line(account.Address))
		s.account(account)
	}
	if len(all) == 0 {
		s.say("No mail account is set up yet: earnest account add\n")
	}
}

func keyringWords(keyring string) string {
	switch keyring {
	case "os":
		return "the system's keyring"
	case "file":
		return "a file sealed by a passphrase"
	case "memory":
		return "memory (lost at the end)"
	case "none":
		return "no keyring yet"
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
		return nil, agentclient.TooMuch().Saying(
			agentclient.Verbatim(fmt.Sprintf("The file %s is larger than the %s that can be taken.", line(name), size(limit))), nil,
			agentclient.Verbatim("Name another file."))
	}
	return data, nil
}
