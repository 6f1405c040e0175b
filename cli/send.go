package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"earnest/agentclient"
)

type sendCmd struct {
	From     string   `placeholder:"A" help:"Which address of yours; the only account where left out."`
	To       []string `required:"" sep:"none" placeholder:"A" help:"A recipient; may be repeated: each gets a mail and a bond of his own."`
	Subject  string   `required:"" placeholder:"S" help:"The subject. It is encrypted."`
	BodyFile string   `required:"" placeholder:"F" help:"File with the text; - is standard input."`
	Attach   []string `sep:"none" placeholder:"F" help:"A file to attach; may be repeated."`
	Option   int      `placeholder:"N" help:"Which way to pay, as price show numbers them; the first where left out."`
	Paid     bool     `help:"Send with a bond although it could go free."`
	Yes      bool     `short:"y" help:"Do not ask before paying. Without a terminal nothing is asked."`
	Wait     string   `enum:",submitted,arrived,decided" default:"" placeholder:"STATE" help:"Wait until the mail is submitted, arrived or decided."`
	Draft    bool     `xor:"how" help:"Keep it as a draft instead of sending it."`
	DryRun   bool     `xor:"how" help:"Show what each recipient would see, and send and pay nothing."`
}

func (c *sendCmd) Run(s *session) error {
	mail, err := c.compose(s)
	switch {
	case err != nil:
		return err
	case c.Draft:
		return s.keep(mail)
	case c.DryRun:
		return s.dryRun(mail)
	}
	return s.send(mail, !c.Yes && c.BodyFile != "-", c.Wait)
}

// compose makes the mail of the flags and files.
func (c *sendCmd) compose(s *session) (agentclient.Compose, error) {
	mail := agentclient.Compose{From: c.From, To: c.To, Subject: c.Subject, Option: c.Option, Paid: c.Paid}
	body, err := s.readFile(c.BodyFile, agentclient.MaxMail)
	if err != nil {
		return mail, overfull(err, c.BodyFile)
	}
	mail.Body = string(body)
	left := int64(agentclient.MaxMail - len(body))
	for _, name := range c.Attach {
		data, err := s.readFile(name, left)
		if err != nil {
			return mail, overfull(err, name)
		}
		left -= int64(len(data))
		mail.Attachments = append(mail.Attachments, agentclient.Attachment{
			Name: filepath.Base(name), Type: kindOf(name, data), Size: int64(len(data)), Data: data})
	}
	return mail, nil
}

// send asks a person who sits there, sends, and says what came of it.
func (s *session) send(mail agentclient.Compose, ask bool, goal string) error {
	if s.streams.Interactive && ask {
		var err error
		if mail.Agreed, err = s.confirm(mail.To, mail.Option, mail.Paid); err != nil {
			return err
		}
	}
	sent, err := s.agent.Send(s.ctx, mail)
	if err != nil {
		return err
	}
	if goal != "" {
		if sent, err = s.wait(sent, goal); err != nil {
			return err
		}
	}
	failure := notSent(sent)
	if s.json {
		if err := s.printJSON(sent); err != nil || failure == nil {
			return err
		}
		return &shown{failure}
	}
	for _, m := range sent {
		s.say("%s  %s\n          %s\n", s.name(m.ID), line(m.To), s.sentWords(m))
	}
	if failure != nil {
		return failure
	}
	return nil
}

// notSent is the failure of a mail to several of which some were not sent.
func notSent(sent []agentclient.Sent) *agentclient.Failure {
	var whom, why []string
	for _, m := range sent {
		if m.State == "failed" {
			whom, why = append(whom, line(m.To)), append(why, line(m.Error))
		}
	}
	if len(whom) == 0 {
		return nil
	}
	failure := agentclient.Failf(agentclient.CodeState, "%d of %d mails were not sent: to %s. %s",
		len(whom), len(sent), strings.Join(whom, " and to "), strings.Join(why, " "))
	failure.Means = "For these nothing was paid. The others are paid and on their way."
	failure.Do = "Look at the price (earnest price show ADDRESS), then send again to these alone."
	return failure
}

// overfull names the file with which the mail became too large.
func overfull(err error, name string) error {
	failure, ok := errors.AsType[*agentclient.Failure](err)
	if !ok || failure.Code != agentclient.CodeTooLarge {
		return err
	}
	return agentclient.Failf(agentclient.CodeTooLarge, "With %s the mail has more than %d MB, the most that can be sent.",
		line(name), agentclient.MaxMail>>20)
}

func kindOf(name string, data []byte) string {
	if kind := mime.TypeByExtension(filepath.Ext(name)); kind != "" {
		return kind
	}
	return http.DetectContentType(data)
}

// confirm shows what it costs and where the money may go, and asks. It returns
// what was agreed to.
func (s *session) confirm(to []string, option int, paid bool) (agreed []string, err error) {
	var prices []string
	for _, address := range to {
		price, err := s.agent.Price(s.ctx, address)
		if err != nil {
			return nil, err
		}
		if left, always, _ := price.Free.Count(); price.Connected && !paid && (always || left > 0) {
			s.warn("%s: free, over your connection.\n", line(address))
			agreed = append(agreed, "")
			continue
		}
		n := max(option, 1)
		if n > len(price.Options) {
			return nil, agentclient.Failf(agentclient.CodeUsage, "%s has no option %d.", line(address), n)
		}
		agreed = append(agreed, price.Options[n-1].Instruction)
		cost := price.Options[n-1].Price.String()
		prices = append(prices, cost)
		s.warn("%s: %s, held until decided. It comes back unless rejected; then it goes to %s.\n",
			line(address), cost, line(price.Beneficiary))
	}
	if len(prices) == 0 {
		return agreed, nil // nothing moves, so there is nothing to ask
	}
	s.warn("Pay %s and send? [y/N] ", strings.Join(prices, " and "))
	answer, _ := await(s.ctx, func() (string, error) { return bufio.NewReader(s.streams.In).ReadString('\n') })
	if s.ctx.Err() != nil {
		s.warn("\n")
		return nil, s.ctx.Err()
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		failure := agentclient.Failf(agentclient.CodeUsage, "You did not say yes.")
		failure.Means, failure.Do = "Nothing was sent and nothing was paid.", "Say yes next time, or give --yes."
		return nil, failure
	}
	return agreed, nil
}

// reached reports whether a sent mail is where it was waited for, and whether it
// will not get there any more.
func reached(m agentclient.Sent, goal string) (there, never bool) {
	order := []string{"paying", "paid", "submitted", "arrived"}
	if m.Free && goal != "paid" {
		goal = "submitted" // of a free mail nobody tells more
	}
	switch goal {
	case "decided":
		there = m.State == "accepted" || m.State == "rejected" || m.State == "expired" && !m.ArrivedAt.IsZero()
	default:
		there = slices.Index(order, m.State) >= slices.Index(order, goal) ||
			m.State == "accepted" || m.State == "rejected" || !m.ArrivedAt.IsZero()
	}
	over := m.State == "expired" || m.State == "withdrawn" || m.State == "failed"
	return there, over && !there
}

// wait listens until every mail is where it was waited for.
func (s *session) wait(sent []agentclient.Sent, goal string) ([]agentclient.Sent, error) {
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	sent = slices.Clone(sent)
	var failed error
	done := false
	err := s.agent.Events(ctx, func(event agentclient.Event) {
		if done || event.Type != agentclient.EventSent && event.Type != agentclient.EventStatus {
			return
		}
		there := 0
		for i, m := range sent {
			now, err := s.agent.SentByID(ctx, m.ID)
			if err != nil {
				failed = err
				break
			}
			sent[i] = now
			arrived, never := reached(now, goal)
			if never {
				failed = agentclient.Failf(agentclient.CodeState, "%s", s.sentWords(now)+" "+line(now.Error))
				break
			}
			if arrived {
				there++
			}
		}
		if failed != nil || there == len(sent) {
			done = true
			stop()
		}
	})
	if done {
		return sent, failed
	}
	return sent, err
}

type buyCmd struct {
	From       string `placeholder:"A" help:"Which address of yours; the only account where left out."`
	To         string `required:"" placeholder:"A" help:"Who shall read the mail."`
	Option     int    `placeholder:"N" help:"Which way to pay, as price show numbers them; the first where left out."`
	SenderCert string `placeholder:"F" help:"The OpenPGP certificate with which the mail will be signed. Without one the agent signs: the next send to that address uses the bond. Safest is one made for this purchase alone: with one that signs other public text too, a hostile recipient could claim that the mail arrived."`
	KeyOut     string `required:"" placeholder:"F" help:"Write the bought key there, armored. An existing file is never overwritten."`
}

func (c *buyCmd) Run(s *session) error {
	req := agentclient.BuyKey{From: c.From, To: c.To, Option: c.Option}
	if c.SenderCert != "" {
		certificate, err := s.readFile(c.SenderCert, 1<<19)
		if err != nil {
			return err
		}
		req.Certificate = certificate
	}
	// The file comes first: a key that is paid and cannot be written is lost money.
	file, err := os.OpenFile(c.KeyOut, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		failure := agentclient.Failf(agentclient.CodeUsage, "The file %s cannot be made: %s.", line(c.KeyOut), reason(err))
		failure.Means, failure.Do = "Nothing was bought and nothing was paid.", "Name another file."
		return failure
	}
	bought, err := s.agent.Buy(s.ctx, req)
	if err != nil {
		_ = file.Close()
		_ = os.Remove(c.KeyOut)
		return err
	}
	_, err = file.WriteString(bought.Key)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		failure := agentclient.Failf(agentclient.CodeInternal, "The key could not be written to %s: %s.", line(c.KeyOut), reason(err))
		failure.Means = fmt.Sprintf("Bond %s is paid: %s is held, and comes back at the latest %s if no mail arrives.", line(bought.Bond), bought.Price, s.moment(bought.DeliverBy))
		failure.Do = "Make room, then buy again when the money is back."
		return failure
	}
	if s.json {
		return s.printJSON(bought)
	}
	s.say("Bought a one-time key of %s for %s, now in %s.\n", line(bought.To), bought.Price, line(c.KeyOut))
	s.say("  fingerprint  %s\n  bond         %s\n", line(bought.Fingerprint), line(bought.Bond))
	s.say("Encrypt one mail to it, sign it with your certificate, and send it. If none arrives,\nthe money comes back, at the latest %s.\n", s.moment(bought.DeliverBy))
	return nil
}
