package cli

import (
	"fmt"
	"time"

	"earnest/agentclient"
)

// cardPause is how long to wait before asking again whether a payment came.
const cardPause = 2 * time.Second

// payByCard shows the page where it is paid, and waits until it is.
func (c *topupCmd) payByCard(s *session) error {
	p, err := s.agent.PayByCard(s.ctx, agentclient.PayByCard{Account: c.Account, Amount: c.Card})
	if err != nil {
		return err
	}
	shown := ""
	for p.State == agentclient.CardOpen || p.State == agentclient.CardAsked {
		switch {
		case s.json || p.URL+p.Error == shown:
		case p.URL == "":
			s.say("%s\n", line(p.Error))
		default:
			s.say("Pay %s in your browser at\n\n  %s\n\nWaiting until it is paid; stop with Ctrl-C, and it is credited all the same.\n", p.Amount, line(p.URL))
		}
		shown = p.URL + p.Error
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-time.After(cardPause):
		}
		if p, err = s.agent.CardPayment(s.ctx, p.Account, p.ID); err != nil {
			return err
		}
	}
	if s.json {
		return s.printJSON(p)
	}
	switch p.State {
	case agentclient.CardPaid:
		s.say("Topped up.\n")
		return nil
	case agentclient.CardFailed:
		return fmt.Errorf("%s", line(p.Error))
	case agentclient.CardOver:
		return fmt.Errorf("the page can be paid no longer; nothing was paid; begin again with: earnest topup --card %s", c.Card)
	}
	return fmt.Errorf("other money came than was asked for, and nothing was credited; write to the escrow's operator")
}

// payOut asks for money in the world outside.
func (c *withdrawCmd) payOut(s *session) error {
	p, err := s.agent.PayOut(s.ctx, agentclient.PayOut{Account: c.Account, Amount: c.ID, To: c.To})
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(p)
	}
	if p.State == agentclient.PayoutUnsure {
		s.say("%s\n", line(p.Error))
		return nil
	}
	s.say("%s is on hold to be paid to: %s\nThe escrow's operator pays by hand, not before %s. See: earnest payouts\n",
		p.Amount, line(p.To), p.NotBefore.Local().Format("2006-01-02 15:04"))
	return nil
}

type payoutsCmd struct {
	Account string `placeholder:"A" help:"Which address of yours; the only account where left out."`
}

// Run lists payouts.
func (c *payoutsCmd) Run(s *session) error {
	list, err := s.agent.Payouts(s.ctx, c.Account)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(list)
	}
	for _, p := range list {
		s.say("%s  %s  %s  to: %s  %s\n", p.AskedAt.Local().Format("2006-01-02 15:04"), p.Amount, p.State, line(p.To), line(p.Note+p.Error))
	}
	if len(list) == 0 {
		s.say("Nothing was asked for.\n")
	}
	return nil
}
