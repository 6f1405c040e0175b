package cli

import (
	"errors"
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
	s.say("%s is on hold to be paid to: %s\nThe escrow's operator pays by hand, not before %s. See how far it is, or take it back: earnest payouts\n",
		p.Amount, line(p.To), p.NotBefore.Local().Format("2006-01-02 15:04"))
	return nil
}

type payoutsCmd struct {
	List   payoutsListCmd   `cmd:"" default:"withargs" help:"What you asked for, the newest first."`
	Cancel payoutsCancelCmd `cmd:"" help:"Take back a payout that the operator has not begun to pay: its money is available again."`
}

type payoutsListCmd struct {
	Account string `placeholder:"A" help:"Which address of yours; the only account where left out."`
}

// Run lists payouts.
func (c *payoutsListCmd) Run(s *session) error {
	list, err := s.agent.Payouts(s.ctx, c.Account)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(list)
	}
	waits := false
	for i, id := range shorten(payoutIDs(list)) {
		p := list[i]
		waits = waits || p.State == agentclient.PayoutAsked || p.State == agentclient.PayoutUnsure
		s.say("%s  %s  %s  %s  to: %s  %s\n", id, p.AskedAt.Local().Format("2006-01-02 15:04"), p.Amount, p.State, line(p.To), line(p.Note+p.Error))
	}
	switch {
	case len(list) == 0:
		s.say("Nothing was asked for.\n")
	case waits:
		s.say("Take one back that the operator has not begun to pay with: earnest payouts cancel ID\n")
	}
	return nil
}

func payoutIDs(list []agentclient.Payout) []string {
	ids := []string{}
	for _, p := range list {
		ids = append(ids, p.ID)
	}
	return ids
}

type payoutsCancelCmd struct {
	ID      string `arg:"" name:"id" help:"The payout, or the beginning of its id."`
	Account string `placeholder:"A" help:"Which address of yours; the only account where left out."`
}

// Run takes a payout back.
func (c *payoutsCancelCmd) Run(s *session) error {
	id, err := s.payout(c.Account, c.ID)
	if err != nil {
		return err
	}
	p, err := s.agent.CancelPayout(s.ctx, c.Account, id)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(p)
	}
	switch p.State {
	case agentclient.PayoutCancelled:
		s.say("Taken back. %s is available again, and nothing is paid to: %s\nIf you ask for a payout there again, it waits 48 hours like one to a new destination.\n", p.Amount, line(p.To))
	case agentclient.PayoutRefused:
		if p.SayNote != nil { // not by the operator
			s.say("%s\n", line(p.Note))
			break
		}
		s.say("The operator had refused it already. %s is available again. %s\n", p.Amount, line(p.Note))
	default:
		s.say("%s\n", line(p.Error))
	}
	return nil
}

// payout finds the payout that a person means.
func (s *session) payout(account, typed string) (string, error) {
	list, err := s.agent.Payouts(s.ctx, account)
	if err != nil {
		return "", err
	}
	id, err := resolve(typed, payoutIDs(list))
	if failure, ok := errors.AsType[*agentclient.Failure](err); ok {
		happened := agentclient.Verbatim("There is no payout with that id.")
		if failure.Code != agentclient.CodeNotFound {
			happened = agentclient.Verbatim("Several payouts have an id that begins so.")
		}
		return "", failure.Saying(happened, agentclient.Verbatim("Nothing was changed and no money moved."), agentclient.Verbatim("See what you asked for with: earnest payouts"))
	}
	return id, meant(typed, id)
}
