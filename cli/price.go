package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"earnest/agentclient"
)

type priceCmd struct {
	Show        priceShowCmd         `cmd:"" help:"What it costs to write to an address; without one, to you."`
	Set         priceSetCmd          `cmd:"" help:"Set what it costs to write to you, and what becomes of the money; what is left out stays."`
	Exclusive   priceExclusiveCmd    `cmd:"" help:"Answer who writes unencrypted with how to send mail that is read for sure, or stop it."`
	Fingerprint fingerprintCmd       `cmd:"" help:"By which fingerprint you know somebody, and which one the escrow shows."`
	Accept      acceptFingerprintCmd `cmd:"" name:"accept-fingerprint" help:"Know somebody by another fingerprint from now on, which they told you by another way."`
	History     priceHistoryCmd      `cmd:"" help:"The prices that you had, newest first."`
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
	Address     string   `placeholder:"A" help:"Which address of yours; the only account where left out."`
	Beneficiary string   `placeholder:"ID" help:"Who gets the money of rejected mails; price show lists them."`
	Decide      string   `placeholder:"TIME" help:"How long you may take to decide, such as 3d or 12h: at least 1h, at most the escrow's own."`
	Free        string   `placeholder:"N" help:"How many further mails an accept lets its sender write free: a number, or always."`
	TellRead    *bool    `negatable:"" help:"Tell the sender when a mail was read, or not."`
	Public      *bool    `negatable:"" help:"Tell the price to anybody, or only to accounts of the escrow."`
	Options     []string `arg:"" optional:"" name:"option" help:"A way to pay, without a transaction id: \"ESCROW/1 escrow.example 0.25\", or short 0.25."`
}

func (c *priceSetCmd) Run(s *session) error {
	req := agentclient.SetPrice{Address: c.Address, Options: c.Options, Beneficiary: c.Beneficiary,
		FreeAfter: agentclient.Free(c.Free), TellRead: c.TellRead, Public: c.Public}
	if len(c.Options) == 0 && c.Beneficiary == "" && c.Decide == "" && c.Free == "" && c.TellRead == nil && c.Public == nil {
		failure := agentclient.Failf(agentclient.CodeUsage, "There is nothing to set.")
		failure.Means, failure.Do = "The price is as it was.", "Give an amount, such as: earnest price set 0.25"
		return failure
	}
	if c.Decide != "" {
		within, ok := seconds(c.Decide)
		if !ok {
			failure := agentclient.Failf(agentclient.CodeUsage, "%q is no time.", line(c.Decide))
			failure.Means, failure.Do = "The price is as it was.", "Write it like 3d or 12h."
			return failure
		}
		req.DecideWithin = within
	}
	price, err := s.agent.SetPrice(s.ctx, req)
	if err != nil {
		return err
	}
	return s.price(price)
}

// seconds reads a time such as 3d, 12h or 90m.
func seconds(text string) (int64, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseInt(days, 10, 32)
		return n * 24 * 60 * 60, err == nil && n > 0
	}
	d, err := time.ParseDuration(text)
	return int64(d / time.Second), err == nil && d >= time.Second
}

type priceHistoryCmd struct {
	Address string `arg:"" optional:"" name:"a" help:"Which address of yours; all where left out."`
}

func (c *priceHistoryCmd) Run(s *session) error {
	changes, err := s.agent.PriceHistory(s.ctx, c.Address)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(changes)
	}
	if len(changes) == 0 {
		s.say("No price was set yet: earnest price set 0.25\n")
		return nil
	}
	rows := [][]string{{"SINCE", "PRICE", "DECIDE", "REJECTED GOES TO", "FREE AFTER ACCEPT", "READ TOLD", "PUBLIC", "ADDRESS"}}
	for _, change := range changes {
		price := change.Price
		var options []string
		for _, option := range price.Options {
			options = append(options, option.Price.String())
		}
		rows = append(rows, []string{s.day(change.Time), strings.Join(options, " or "), durationWords(price.DecideWithin), line(price.Beneficiary),
			line(string(price.FreeAfter)), yesNo(price.TellRead), yesNo(price.Public), line(price.Address)})
	}
	s.table(rows)
	return nil
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
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
	s.ownPolicy(price)
	if price.Identity != "" {
		s.say("Identity of %s: %s\n", line(price.Address), line(price.Identity))
	}
	return nil
}

// ownPolicy says what only the owner of a price sees of it.
func (s *session) ownPolicy(price agentclient.Price) {
	if len(price.Beneficiaries) == 0 {
		return
	}
	switch n, always, ok := price.FreeAfter.Count(); {
	case always:
		s.say("Who was accepted writes to you free from then on.\n")
	case ok && n > 0:
		s.say("Who was accepted may write to you free %s.\n", times(n))
	case ok:
		s.say("Who was accepted pays for the next mail, too.\n")
	}
	if price.Public {
		s.say("The price is told to anybody.\n")
	}
	if price.Exclusive {
		s.exclusive(price)
	}
	s.say("Who can get the money of rejected mails:\n")
	rows := [][]string{}
	for _, b := range price.Beneficiaries {
		rows = append(rows, []string{"", line(b.ID), line(b.Name)})
	}
	s.table(rows)
}

func times(n int) string {
	if n == 1 {
		return "once more"
	}
	return fmt.Sprintf("%d more times", n)
}
