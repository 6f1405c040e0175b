package cli

import (
	"os"

	"earnest/agentclient"
)

type accountSafetyCmd struct {
	Address string `arg:"" help:"The e-mail address."`
}

func (c *accountSafetyCmd) Run(s *session) error {
	return s.order(agentclient.AccountOrder{Address: c.Address}, "")
}

type accountFreezeCmd struct {
	Address string `arg:"" help:"The e-mail address."`
}

func (c *accountFreezeCmd) Run(s *session) error {
	return s.order(agentclient.AccountOrder{Address: c.Address, Order: agentclient.OrderFreeze},
		"It buys nothing, pays nothing out and changes no price until it is unfrozen. Mails that wait can be decided.\n")
}

type accountUnfreezeCmd struct {
	Address  string `arg:"" help:"The e-mail address."`
	Recovery bool   `help:"Sign with the recovery key, which is asked for: it acts at once."`
}

func (c *accountUnfreezeCmd) Run(s *session) (err error) {
	req := agentclient.AccountOrder{Address: c.Address, Order: agentclient.OrderUnfreeze}
	if c.Recovery {
		if req.Recovery, err = s.recoveryKey("The recovery key"); err != nil {
			return err
		}
	}
	return s.order(req, "")
}

type accountReleaseCmd struct {
	Address string `arg:"" help:"The e-mail address."`
}

func (c *accountReleaseCmd) Run(s *session) error {
	return s.order(agentclient.AccountOrder{Address: c.Address, Order: agentclient.OrderRelease},
		"The address is released: nobody can buy a bond for it, and another account can prove it. What was bought before goes on; the money stays where it is.\n")
}

type accountCancelCmd struct {
	Address string `arg:"" help:"The e-mail address."`
	Change  string `arg:"" help:"The change, as earnest account safety shows it."`
}

func (c *accountCancelCmd) Run(s *session) error {
	return s.order(agentclient.AccountOrder{Address: c.Address, Order: agentclient.OrderCancel, Change: c.Change}, "The change does not act any more.\n")
}

// order gives an order and shows how the account stands.
func (s *session) order(req agentclient.AccountOrder, done string) error {
	safety, err := s.agent.OrderAccount(s.ctx, req)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(safety)
	}
	if safety.FrozenAt.IsZero() {
		s.say("%s is not frozen at %s.\n", line(safety.Address), line(safety.Escrow))
	} else {
		s.say("%s is frozen at %s since %s.\n", line(safety.Address), line(safety.Escrow), s.moment(safety.FrozenAt))
	}
	s.say("%s", done)
	switch {
	case !safety.Recovery:
		s.say("It has no recovery key. Write one down: earnest account recovery %s\n", line(safety.Address))
	case safety.RecoveryHere:
		s.say("Its recovery key was never written down: whoever has this machine has it. Write one down: earnest account recovery %s\n", line(safety.Address))
	}
	if next := safety.NextIdentity; next != nil {
		s.say("Another key is to sign for it: %s\n", line(next.Identity))
	}
	s.changes(safety.Address, safety.Changes)
	return nil
}

type accountExportCmd struct {
	Address string `arg:"" help:"The e-mail address."`
	Out     string `placeholder:"FILE" help:"Write it to a new file that only you can read, instead of the terminal."`
}

func (c *accountExportCmd) Run(s *session) error {
	all, err := s.agent.ExportAccount(s.ctx, c.Address)
	if err != nil {
		return err
	}
	if c.Out == "" {
		return s.printJSON(all)
	}
	file, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		_, err = file.Write(append(all, '\n'))
		if closed := file.Close(); err == nil {
			err = closed
		}
	}
	if err != nil {
		return agentclient.Failf(agentclient.CodeUsage, "The file %s cannot be written: %s.", line(c.Out), reason(err))
	}
	s.say("Written to %s.\n", line(c.Out))
	return nil
}

type accountDeleteCmd struct {
	Address string `arg:"" help:"The e-mail address."`
	GiveUp  bool   `help:"Give what is available to the escrow's operator. It cannot be had back."`
}

func (c *accountDeleteCmd) Run(s *session) error {
	req := agentclient.AccountOrder{Address: c.Address, Order: agentclient.OrderDelete, GiveUp: c.GiveUp}
	safety, err := s.agent.OrderAccount(s.ctx, req)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(safety)
	}
	s.say("Deleted %s at its escrow and here. The escrow keeps key ids and amounts, and the bonds that other people have receipts of.\n", line(c.Address))
	return nil
}
