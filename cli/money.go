package cli

import (
	"context"

	"earnest/agentclient"
)

func (s *session) decide(typed string, act func(context.Context, string) (agentclient.Mail, error)) error {
	id, err := s.mail(typed)
	if err == nil {
		err = meant(typed, id)
	}
	if err != nil {
		return err
	}
	m, err := act(s.ctx, id)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(m)
	}
	s.say("%s", s.decided(m))
	return nil
}

type sentCmd struct {
	ID string `arg:"" optional:"" name:"id" help:"The mail, or the beginning of its id; all where left out."`
}

func (c *sentCmd) Run(s *session) error {
	if c.ID != "" {
		return s.showSent(c.ID)
	}
	sent, err := s.agent.Sent(s.ctx)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(sent)
	}
	if len(sent) == 0 {
		s.say("Nothing was sent yet: earnest send\n")
		return nil
	}
	ids := []string{}
	for _, m := range sent {
		ids = append(ids, m.ID)
	}
	rows := [][]string{{"ID", "STATE", "BOND", "MONEY", "TO", "SUBJECT", "SENT"}}
	for i, id := range shorten(ids) {
		m := sent[i]
		bond, money := m.Price.String(), line(m.Money)
		if m.Free {
			bond, money = "free", ""
		}
		rows = append(rows, []string{id, line(m.State), bond, money, cut(line(m.To), 32), cut(line(m.Subject), 40), s.away(m.At)})
	}
	s.table(rows, 2)
	return nil
}

func (s *session) showSent(typed string) error {
	id, err := s.sentMail(typed)
	if err != nil {
		return err
	}
	m, err := s.agent.SentByID(s.ctx, id)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(m)
	}
	s.say("to        %s\nsubject   %s\nsent      %s\n", line(m.To), line(m.Subject), s.moment(m.At))
	if !m.ArrivedAt.IsZero() {
		s.say("arrived   %s\n", s.moment(m.ArrivedAt))
	}
	if !m.ReadAt.IsZero() {
		s.say("read      %s\n", s.moment(m.ReadAt))
	}
	if !m.Free {
		s.say("bond      %s\n", line(m.Bond))
	}
	s.say("\n%s\n", s.sentWords(m))
	if m.Error != "" {
		s.say("%s\n", line(m.Error))
	}
	return nil
}

type withdrawCmd struct {
	ID      string `arg:"" name:"id" help:"The sent mail, or the beginning of its id; with --to an amount."`
	To      string `placeholder:"TEXT" help:"Have this amount of the balance paid there, such as a bank account."`
	Account string `placeholder:"A" help:"With --to: which address of yours."`
}

func (c *withdrawCmd) Run(s *session) error {
	if c.To != "" {
		return c.payOut(s)
	}
	id, err := s.sentMail(c.ID)
	if err == nil {
		err = meant(c.ID, id)
	}
	if err != nil {
		return err
	}
	m, err := s.agent.Withdraw(s.ctx, id)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(m)
	}
	s.say("%s\n", s.sentWords(m))
	return nil
}

type topupCmd struct {
	Code    string `arg:"" optional:"" name:"code" help:"The voucher's code."`
	Card    string `placeholder:"AMOUNT" help:"Pay this amount by card instead, in the browser."`
	Account string `placeholder:"A" help:"Which address of yours; the only account where left out."`
}

func (c *topupCmd) Run(s *session) error {
	if (c.Card == "") == (c.Code == "") {
		return agentclient.Failf(agentclient.CodeUsage, "Give a voucher's code, or --card and an amount.")
	}
	if c.Card != "" {
		return c.payByCard(s)
	}
	balances, err := s.agent.TopUp(s.ctx, agentclient.Redeem{Account: c.Account, Voucher: c.Code})
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(balances)
	}
	s.say("Topped up.\n")
	s.balances(balances)
	return nil
}

type balanceCmd struct{}

func (c *balanceCmd) Run(s *session) error {
	balances, err := s.agent.Balances(s.ctx)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(balances)
	}
	s.balances(balances)
	return nil
}

func (s *session) balances(balances []agentclient.Balance) {
	rows := [][]string{{"ESCROW", "AVAILABLE", "HELD"}}
	for _, b := range balances {
		rows = append(rows, []string{line(b.Escrow), b.Available.String(), b.Held.String()})
	}
	s.table(rows, 1, 2)
}
