package cli

import (
	"strconv"

	"earnest/agentclient"
)

type priceCmd struct {
	Show priceShowCmd `cmd:"" help:"What it costs to write to an address; without one, to you."`
	Set  priceSetCmd  `cmd:"" help:"Set what it costs to write to you."`
}

type priceShowCmd struct {
	Address string `arg:"" optional:"" name:"a" help:"The address to write to."`
}

func (c *priceShowCmd) Run(s *session) error {
	price, err := s.agent.Price(s.ctx, c.Address)
	if err != nil {
		return err
	}
	return s.price(price)
}

type priceSetCmd struct {
	Address string   `placeholder:"A" help:"Which address of yours; the only account where left out."`
	Options []string `arg:"" name:"option" help:"A way to pay, without a transaction id: \"ESCROW/1 escrow.example 0.25\", or short 0.25."`
}

func (c *priceSetCmd) Run(s *session) error {
	price, err := s.agent.SetPrice(s.ctx, agentclient.SetPrice{Address: c.Address, Options: c.Options})
	if err != nil {
		return err
	}
	return s.price(price)
}

func (s *session) price(price agentclient.Price) error {
	if s.json {
		return s.printJSON(price)
	}
	if price.Connected {
		s.say("%s", connectedWords(price))
	}
	if len(price.Options) == 0 && price.Connected {
		return nil
	}
	if len(price.Options) == 0 {
		s.say("No price is set for %s, so nobody can write to it with a bond.\nIf the address is yours, set what strangers put down, such as: earnest price set 0.25\n", line(price.Address))
		return nil
	}
	s.say("Writing to %s costs\n", line(price.Address))
	rows := [][]string{}
	for _, option := range price.Options {
		rows = append(rows, []string{"", strconv.Itoa(option.Index), option.Price.String(), line(option.Instruction)})
	}
	s.table(rows, 2)
	s.say("The money is held until the recipient decides, %s at most after the mail arrived,\nand comes back unless the mail is rejected. A mail that does not arrive within %s\nbrings it back too. A rejected mail's money goes to %s.\n",
		durationWords(price.DecideWithin), durationWords(price.DeliverWithin), line(price.Beneficiary))
	if price.TellRead {
		s.say("The sender is told when the mail was read.\n")
	}
	if price.Identity != "" {
		s.say("Identity of %s: %s\n", line(price.Address), line(price.Identity))
	}
	return nil
}
