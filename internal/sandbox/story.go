package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"earnest/agentclient"
)

// Step is one step of the story: what happened and where the money is.
type Step struct {
	Name   string `json:"step"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	// Balances are after the step, by person.
	Balances map[string]Money `json:"balances,omitempty"`
}

// Money is a person's balance at the escrow.
type Money struct {
	Available string `json:"available"`
	Held      string `json:"held"`
}

// price is what the recipient of the story asks.
const price = "0.25"

// Play plays the story and tells every step. It ends at the first that does not
// hold, with its error.
func (s *System) Play(ctx context.Context, tell func(Step)) error {
	return s.play(ctx, append(s.beginning(), []step{
		{"accept", s.playAccept},
		{"reject", s.playReject},
		{"silence", s.playSilence},
		{"unencrypted", s.playUnencrypted},
		{"foreign", s.playForeign},
		{"verify", s.playVerify},
	}...), tell)
}

// Prepare plays the beginning: accounts, money and a price.
func (s *System) Prepare(ctx context.Context) error {
	return s.play(ctx, s.beginning(), func(Step) {})
}

type step struct {
	name string
	play func(context.Context) (string, error)
}

func (s *System) beginning() []step {
	return []step{
		{"accounts", s.playAccounts},
		{"top-up", s.playTopUp},
		{"price", s.playPrice},
	}
}

func (s *System) play(ctx context.Context, steps []step, tell func(Step)) error {
	for _, step := range steps {
		detail, err := step.play(ctx)
		told := Step{Name: step.name, OK: err == nil, Detail: detail, Balances: s.balances(ctx)}
		if err != nil {
			told.Detail = err.Error()
		}
		tell(told)
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

func (s *System) playAccounts(ctx context.Context) (string, error) {
	for _, p := range []*Person{s.Recipient, s.Sender} {
		if err := s.addAccount(ctx, p); err != nil {
			return "", err
		}
	}
	return "Two people, two mailboxes, two agents. Each agent found the escrow's token mail and proved its address by itself.", nil
}

// addAccount sets up the mailbox with the person's agent, and waits until the
// escrow has proof of the address.
func (s *System) addAccount(ctx context.Context, p *Person) error {
	_, err := p.Agent.AddAccount(ctx, agentclient.AddAccount{
		Address: p.Address, IMAP: s.Provider.Servers().IMAP, SMTP: s.Provider.Servers().SMTP, User: p.User, Password: p.Password,
		Escrow: s.EscrowURL, CA: s.CA,
	})
	if err != nil {
		return err
	}
	return until(ctx, "the address is proven", func() (bool, error) {
		status, err := p.Agent.Status(ctx)
		return err == nil && len(status.Accounts) == 1 && status.Accounts[0].Proven, err
	})
}

func (s *System) playTopUp(ctx context.Context) (string, error) {
	for _, p := range []*Person{s.Recipient, s.Sender} {
		if err := s.topUp(ctx, p, "5.00"); err != nil {
			return "", err
		}
	}
	return "Both redeemed a voucher of €5.00.", nil
}

func (s *System) topUp(ctx context.Context, p *Person, amount string) error {
	voucher, err := s.Voucher(ctx, amount)
	if err != nil {
		return err
	}
	_, err = p.Agent.TopUp(ctx, agentclient.Redeem{Voucher: voucher})
	return err
}

func (s *System) playPrice(ctx context.Context) (string, error) {
	if _, err := s.Recipient.Agent.SetPrice(ctx, agentclient.SetPrice{Options: []string{price}}); err != nil {
		return "", err
	}
	err := until(ctx, "one-time keys are for sale", func() (bool, error) {
		status, err := s.Recipient.Agent.Status(ctx)
		return err == nil && status.Accounts[0].Pool > 0, err
	})
	if err != nil {
		return "", err
	}
	seen, err := s.Sender.Agent.Price(ctx, s.Recipient.Address)
	if err != nil {
		return "", err
	}
	if len(seen.Options) != 1 || seen.Options[0].Price.Amount != price {
		return "", fmt.Errorf("the sender does not see the price: %v", seen.Options)
	}
	return fmt.Sprintf("%s asks %s of strangers; a reject would go to %s. The sender sees it before writing.",
		s.Recipient.Address, seen.Options[0].Price, seen.Beneficiary), nil
}

func (s *System) playAccept(ctx context.Context) (string, error) {
	before := s.money(ctx, s.Sender)
	mail, err := s.deliver(ctx, "A question about your compiler paper", "Dear reader,\n\nwhy is the pass pure?\n")
	if err != nil {
		return "", err
	}
	message, err := s.Recipient.Agent.Message(ctx, mail.ID)
	if err != nil {
		return "", err
	}
	if message.Subject != "A question about your compiler paper" || message.From != s.Sender.Address {
		return "", fmt.Errorf("the mail was not opened as it was written: %q from %s", message.Subject, message.From)
	}
	if _, err := s.Recipient.Agent.Accept(ctx, mail.ID, agentclient.Accept{}); err != nil {
		return "", err
	}
	if err := s.ends(ctx, mail, "accepted", "refunded"); err != nil {
		return "", err
	}
	if after := s.money(ctx, s.Sender); after != before {
		return "", fmt.Errorf("the sender had %v and has %v", before, after)
	}
	return "Paid, encrypted, delivered, opened, accepted: every cent came back to the sender.", nil
}

func (s *System) playReject(ctx context.Context) (string, error) {
	mail, err := s.deliver(ctx, "You have won", "Click here.\n")
	if err != nil {
		return "", err
	}
	if _, err := s.Recipient.Agent.Reject(ctx, mail.ID, agentclient.Reject{}); err != nil {
		return "", err
	}
	if _, err := s.Recipient.Agent.Undo(ctx, mail.ID); err != nil {
		return "", fmt.Errorf("undo: %w", err)
	}
	if _, err := s.Recipient.Agent.Reject(ctx, mail.ID, agentclient.Reject{}); err != nil {
		return "", fmt.Errorf("reject after undo: %w", err)
	}
	if err := s.ends(ctx, mail, "rejected", "forfeited"); err != nil {
		return "", err
	}
	if after := s.money(ctx, s.Sender); after.Available != "4.75" || after.Held != "0.00" {
		return "", fmt.Errorf("the sender should have 4.75 and has %v", after)
	}
	return "Rejected, undone, rejected again; once the time to undo was over, €" + price + " went to " + mail.Beneficiary + ".", nil
}

func (s *System) playSilence(ctx context.Context) (string, error) {
	before := s.money(ctx, s.Sender)
	mail, err := s.deliver(ctx, "Still waiting", "Take your time.\n")
	if err != nil {
		return "", err
	}
	if err := s.ends(ctx, mail, "expired", "refunded"); err != nil {
		return "", err
	}
	if after := s.money(ctx, s.Sender); after != before {
		return "", fmt.Errorf("the sender had %v and has %v", before, after)
	}
	return "Nobody decided: at the deadline every cent came back. Silence never costs the sender.", nil
}

func (s *System) playUnencrypted(ctx context.Context) (string, error) {
	raw := fmt.Appendf(nil, "From: friend@%s\r\nTo: %s\r\nSubject: Lunch?\r\nDate: Mon, 02 Nov 2026 10:00:00 +0000\r\n\r\nAt noon?\r\n",
		domain, s.Recipient.Address)
	return "An ordinary mail passed by untouched, byte for byte.", s.passes(ctx, raw)
}

func (s *System) playForeign(ctx context.Context) (string, error) {
	raw, err := foreignMail(ctx, s.Recipient.Address)
	if err != nil {
		return "", err
	}
	return "An encrypted mail to another key passed by untouched, byte for byte.", s.passes(ctx, raw)
}

func (s *System) playVerify(ctx context.Context) (string, error) {
	sent, err := s.Sender.Agent.Sent(ctx)
	if err != nil {
		return "", err
	}
	for _, one := range sent {
		receipts, err := s.Sender.Agent.Receipts(ctx, one.ID)
		if err != nil {
			return "", err
		}
		if !receipts.Verified {
			return "", fmt.Errorf("the receipts of %s do not verify: %s", one.ID, receipts.Fault)
		}
	}
	if err := s.VerifyBooks(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("The receipts of %d bonds verify offline, and the escrow's books are sound.", len(sent)), nil
}

// deliver sends a mail to the recipient and waits until it waits for a decision.
func (s *System) deliver(ctx context.Context, subject, body string, attachments ...agentclient.Attachment) (agentclient.Mail, error) {
	sent, err := s.Sender.Agent.Send(ctx, agentclient.Compose{To: []string{s.Recipient.Address}, Subject: subject, Body: body,
		Attachments: attachments, Paid: true})
	if err != nil {
		return agentclient.Mail{}, err
	}
	var found agentclient.Mail
	err = until(ctx, "the mail arrives", func() (bool, error) {
		list, err := s.Recipient.Agent.Inbox(ctx)
		for _, mail := range list {
			if mail.Bond == sent[0].Bond && mail.State == "waiting" {
				found = mail
			}
		}
		return found.ID != "", err
	})
	return found, err
}

// ends waits until both sides say that the mail's bond has ended so.
func (s *System) ends(ctx context.Context, mail agentclient.Mail, state, money string) error {
	return until(ctx, "the bond is "+state, func() (bool, error) {
		sent, err := s.Sender.Agent.SentByID(ctx, mail.Bond)
		if err != nil {
			return false, err
		}
		list, err := s.Recipient.Agent.Inbox(ctx)
		for _, m := range list {
			if m.ID == mail.ID {
				return m.State == state && sent.State == state && sent.Money == money && sent.Error == "", nil
			}
		}
		return false, err
	})
}

// passes delivers a mail that is not for Earnest and shows that it stays as it
// is. A paid mail sent after it proves that the agent has seen and passed it.
func (s *System) passes(ctx context.Context, raw []byte) error {
	before, err := s.Recipient.Agent.Inbox(ctx)
	if err != nil {
		return err
	}
	if err := s.Provider.Deliver(ctx, s.Recipient.Mailbox, raw); err != nil {
		return err
	}
	after, err := s.deliver(ctx, "May I quote your talk?", "I write about it, and would like to quote two sentences.\n")
	if err != nil {
		return err
	}
	if _, err := s.Recipient.Agent.Accept(ctx, after.ID, agentclient.Accept{}); err != nil {
		return err
	}
	if err := s.ends(ctx, after, "accepted", "refunded"); err != nil {
		return err
	}
	list, err := s.Recipient.Agent.Inbox(ctx)
	if err != nil {
		return err
	}
	if len(list) != len(before)+1 {
		return fmt.Errorf("the agent took a mail that is not its own")
	}
	all, err := s.Provider.Inbox(ctx, s.Recipient.Mailbox)
	if err != nil {
		return err
	}
	for _, mail := range all {
		// A delivering server puts its own header fields on top.
		if bytes.HasSuffix(mail, raw) {
			return nil
		}
	}
	return fmt.Errorf("the mail is not in the mailbox as it was delivered")
}

func (s *System) balances(ctx context.Context) map[string]Money {
	return map[string]Money{"sender": s.money(ctx, s.Sender), "recipient": s.money(ctx, s.Recipient)}
}

func (s *System) money(ctx context.Context, p *Person) Money {
	balances, err := p.Agent.Balances(ctx)
	if err != nil || len(balances) == 0 {
		return Money{Available: "0.00", Held: "0.00"}
	}
	return Money{Available: balances[0].Available.Amount, Held: balances[0].Held.Amount}
}

// patience is how long a step may take. The longest waits for a deadline.
const patience = 60 * time.Second

// until asks again and again until the answer is yes.
func until(ctx context.Context, what string, ask func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var last error
	for {
		yes, err := ask()
		if yes {
			return nil
		}
		if err != nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain until %s (last error: %v)", what, last)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Letter is a mail of a stranger.
type Letter struct {
	Name        string // of the mailbox
	Subject     string
	Body        string
	Attachments []agentclient.Attachment
}

// Letters are mails of several kinds.
func Letters() []Letter {
	return []Letter{
		{Name: "mara.lindqvist", Subject: "A question about your compiler paper", Body: "Dear author,\n\nI read your paper on pure passes twice and still cannot see why the second one terminates. " +
			"Section 4 says that every rewrite shrinks the term, but the rule for let seems to copy its argument.\n\n" +
			"Am I missing a side condition, or is it hidden in the occurrence analysis?\n\nWith thanks,\nMara Lindqvist\n"},
		{Name: "jobs", Subject: "An exciting opportunity", Body: "Hello!\n\nYour profile is a perfect match. Click https://jobs.example/apply?candidate=you to learn more.\n"},
		{Name: "noor", Subject: "Bug report: the parser hangs on an empty file", Body: "Steps:\n\n1. touch empty.txt\n2. run the parser on it\n\nIt never returns. Version 1.4.2 on Linux.\n\nNoor\n"},
	}
}

// FillInbox sends mails of several kinds, from several strangers, that wait for a
// decision.
func (s *System) FillInbox(ctx context.Context) error {
	for _, letter := range Letters() {
		if _, err := s.Stranger(ctx, letter); err != nil {
			return err
		}
	}
	return nil
}

// Stranger has somebody new write one mail. Their agent goes again: a bond needs
// no sender that stays.
func (s *System) Stranger(ctx context.Context, letter Letter) (agentclient.Mail, error) {
	p, err := s.join(ctx, letter.Name)
	if err != nil {
		return agentclient.Mail{}, err
	}
	defer s.StopAgent(p)
	writer := *s
	writer.Sender = p
	if err := errors.Join(s.addAccount(ctx, p), s.topUp(ctx, p, "1.00")); err != nil {
		return agentclient.Mail{}, err
	}
	return writer.deliver(ctx, letter.Subject, letter.Body, letter.Attachments...)
}
