package cli

import (
	"earnest/agentclient"
)

type accountRemoveCmd struct {
	Address string `arg:"" help:"The e-mail address."`
	Force   bool   `help:"Leave behind what is available at the escrow: nobody can use it again."`
}

func (c *accountRemoveCmd) Run(s *session) error {
	if err := s.agent.RemoveAccount(s.ctx, agentclient.RemoveAccount{Address: c.Address, Force: c.Force}); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(agentclient.RemoveAccount{Address: c.Address})
	}
	s.say("Removed %s. Its keys, its password and its mails here are deleted; your mail at the provider is as it was.\n%s\n", line(c.Address), released(c.Force))
	return nil
}

// released is what becomes of the address at the escrow. A forced removal waits for
// no escrow, so it can promise less.
func released(forced bool) string {
	if forced {
		return "If its escrow answered, the address is released there and can be set up again; if not, it stays bound until its proof lapses, or its mailbox proves it to another account."
	}
	return "At its escrow the address is released: it can be set up there again."
}
