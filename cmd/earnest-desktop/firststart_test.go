package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/internal/sandbox"
)

// newcomer has a mailbox and an agent with no account. What the provider would
// publish of its servers stands in a file: nothing here asks the network.
func (h *house) newcomer(t *testing.T) *sandbox.Person {
	t.Helper()
	box, err := h.Provider.Mailbox("newcomer")
	if err != nil {
		t.Fatal(err)
	}
	p := &sandbox.Person{Name: "newcomer", Mailbox: box, Home: filepath.Join(h.Dir, "newcomer")}
	p.Agent = agentclient.New(p.Home)
	trusted := filepath.Join(h.Dir, "trusted.pem")
	at := h.Provider.Servers()
	servers := fmt.Sprintf("[[domain]]\nname = \"mail.example\"\nimap = %q\nsmtp = %q\n", at.IMAP, at.SMTP)
	if err := os.Mkdir(p.Home, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{trusted: string(h.CA), filepath.Join(p.Home, "servers.toml"): servers} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h.Env = append(h.Env, "SSL_CERT_FILE="+trusted, "EARNEST_ESCROW="+h.EscrowURL)
	if err := h.StartAgent(h.ctx, p); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.StopAgent(p) })
	return p
}

// TestStoryFirstStartToFirstAcceptedMail, by keyboard alone: an address and a
// password are all that is typed.
func TestStoryFirstStartToFirstAcceptedMail(t *testing.T) {
	h := newHouse(t)
	p := h.newcomer(t)
	h.sit(t, p)
	h.write(p.Address)
	time.Sleep(1500 * time.Millisecond) // the servers are found
	h.key("Tab")
	h.write(p.Password)
	h.picture(filepath.Join(pictures(t), "story-first-form.png"))
	h.key("ctrl+Return")
	h.until("the account is set up", func() bool {
		status, err := p.Agent.Status(h.ctx)
		return err == nil && len(status.Accounts) == 1
	})
	time.Sleep(1500 * time.Millisecond) // the window asks for the price
	h.picture(filepath.Join(pictures(t), "story-first-price.png"))
	h.key("ctrl+Return")
	h.until("the price is set", func() bool {
		price, err := p.Agent.Price(h.ctx, "")
		return err == nil && len(price.Options) == 1 && price.Options[0].Price.Amount == "0.25"
	})
	time.Sleep(time.Second)
	h.picture(filepath.Join(pictures(t), "story-first-card.png"))
	h.key("space") // done
	voucher, err := h.Voucher(h.ctx, "1.00")
	if err == nil {
		_, err = p.Agent.TopUp(h.ctx, agentclient.Redeem{Voucher: voucher})
	}
	if err != nil {
		t.Fatal(err)
	}
	h.until("one-time keys are for sale", func() bool {
		status, err := p.Agent.Status(h.ctx)
		return err == nil && status.Accounts[0].Pool > 0
	})
	if _, err := h.Sender.Agent.Send(h.ctx, agentclient.Compose{To: []string{p.Address}, Subject: "Welcome", Body: "Good day.\n"}); err != nil {
		t.Fatal(err)
	}
	h.until("the first mail is here", func() bool {
		mails, err := p.Agent.Inbox(h.ctx)
		return err == nil && len(mails) == 1 && mails[0].State == "waiting"
	})
	time.Sleep(time.Second)
	h.key("j")
	time.Sleep(500 * time.Millisecond)
	h.key("a")
	h.until("it is accepted", func() bool {
		mails, err := p.Agent.Inbox(h.ctx)
		return err == nil && mails[0].State == "accepted" && !mails[0].Queued
	})
	h.sentIs(h.Sender, "Welcome", "accepted", "refunded")
	h.quiet()
}
