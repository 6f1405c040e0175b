package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/internal/sandbox"
	"earnest/test/programs"
)

// storyTerms let a reject take effect in seconds, and nothing else.
const storyTerms = "quote=10m,deliver=30d,decide=14d,undo=4s,final=60d"

// house is the real programs: provider, escrow, both agents; and the real window
// of one of the two on a screen of its own.
type house struct {
	*stage
	*sandbox.System
	ctx context.Context
}

// newHouse starts the programs. The keys of the agents outlive them, in files
// sealed by a passphrase, so that an agent can be killed and come back.
func newHouse(t *testing.T) *house {
	t.Helper()
	dir, err := os.MkdirTemp("", "ehouse")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	phrase := filepath.Join(dir, "passphrase")
	if err := errors.Join(programs.Build(dir), os.WriteFile(phrase, []byte("a phrase for tests\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	h := &house{ctx: t.Context()}
	h.System, err = sandbox.Start(h.ctx, sandbox.Options{Dir: filepath.Join(dir, "s"), Programs: dir, Terms: storyTerms,
		Keyring: "file", PassphraseFile: phrase})
	t.Cleanup(func() {
		if err := h.System.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err == nil {
		err = h.Prepare(h.ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// sit opens the window of one of the two, by keyboard only from here on.
func (h *house) sit(t *testing.T, p *sandbox.Person, args ...string) {
	t.Helper()
	h.stage = newStageAt(t, p.Home, "")
	h.open(append([]string{"--no-start", "--theme", "light"}, args...)...)
	time.Sleep(time.Second) // it asks its agent, and draws
}

// letter has the sender write, and returns it as it waits at the recipient.
func (h *house) letter(subject string) agentclient.Mail {
	h.stage.t.Helper()
	_, err := h.Sender.Agent.Send(h.ctx, agentclient.Compose{To: []string{h.Recipient.Address}, Subject: subject, Body: "Good day.\n", Paid: true})
	if err != nil {
		h.stage.t.Fatal(err)
	}
	return h.mailIs(subject, "waiting")
}

// mailIs waits until the recipient's mail of that subject is in a state.
func (h *house) mailIs(subject, state string) (found agentclient.Mail) {
	h.stage.t.Helper()
	h.until("the mail “"+subject+"” is "+state, func() bool {
		mails, err := h.Recipient.Agent.Inbox(h.ctx)
		for _, m := range mails {
			if err == nil && m.Subject == subject && m.State == state && !m.Queued {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// sentIs waits until what p sent under that subject is in a state, and its money too.
func (h *house) sentIs(p *sandbox.Person, subject, state, money string) {
	h.stage.t.Helper()
	h.until("the sent mail “"+subject+"” is "+state+", "+money, func() bool {
		sent, err := p.Agent.Sent(h.ctx)
		for _, s := range sent {
			if err == nil && s.Subject == subject && s.State == state && s.Money == money {
				return true
			}
		}
		return false
	})
}

// TestStoryRejectUndoRejectForfeited, by keyboard alone.
func TestStoryRejectUndoRejectForfeited(t *testing.T) {
	h := newHouse(t)
	h.sit(t, h.Recipient)
	h.letter("Buy now")
	time.Sleep(time.Second) // the window hears of it
	h.key("j")
	time.Sleep(500 * time.Millisecond)
	h.key("r")
	h.mailIs("Buy now", "rejecting")
	h.key("u")
	h.mailIs("Buy now", "waiting")
	time.Sleep(500 * time.Millisecond)
	h.key("j", "r")
	h.mailIs("Buy now", "rejecting")
	h.mailIs("Buy now", "rejected")
	h.sentIs(h.Sender, "Buy now", "rejected", "forfeited")
	h.picture(filepath.Join(pictures(t), "story-forfeited.png"))
	h.quiet()
}

// TestStoryEscrowDownAndBack: a decision is kept while the escrow is away, and
// takes effect when it is back.
func TestStoryEscrowDownAndBack(t *testing.T) {
	h := newHouse(t)
	h.sit(t, h.Recipient)
	h.letter("A question")
	time.Sleep(time.Second)
	h.key("j")
	time.Sleep(500 * time.Millisecond)
	if err := h.StopEscrow(); err != nil {
		t.Fatal(err)
	}
	h.key("a")
	h.until("the decision is kept", func() bool {
		mails, err := h.Recipient.Agent.Inbox(h.ctx)
		return err == nil && len(mails) == 1 && mails[0].State == "accepted" && mails[0].Queued
	})
	h.picture(filepath.Join(pictures(t), "story-escrow-away.png"))
	if err := h.StartEscrow(h.ctx, storyTerms); err != nil {
		t.Fatal(err)
	}
	h.mailIs("A question", "accepted")
	h.sentIs(h.Sender, "A question", "accepted", "refunded")
	h.quiet()
}

// TestStoryAgentKilledAndBack: the window says so, and goes on when it is back.
func TestStoryAgentKilledAndBack(t *testing.T) {
	h := newHouse(t)
	h.sit(t, h.Recipient)
	h.letter("Are you there?")
	time.Sleep(time.Second)
	if err := h.KillAgent(h.Recipient); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	h.picture(filepath.Join(pictures(t), "story-agent-away.png"))
	if err := h.StartAgent(h.ctx, h.Recipient); err != nil {
		t.Fatal(err)
	}
	time.Sleep(6 * time.Second) // the window tries every five
	h.key("j")
	time.Sleep(500 * time.Millisecond)
	h.key("a")
	h.mailIs("Are you there?", "accepted")
	h.sentIs(h.Sender, "Are you there?", "accepted", "refunded")
	h.quiet()
}

// TestStoryComposeToRefund: the sender writes in the window, by keyboard alone,
// and has the money back.
func TestStoryComposeToRefund(t *testing.T) {
	h := newHouse(t)
	h.sit(t, h.Sender)
	h.key("w")
	time.Sleep(500 * time.Millisecond)
	h.write(h.Recipient.Address)
	time.Sleep(1500 * time.Millisecond) // the offer is looked up
	h.key("Return", "Return")
	h.write("A remark on page 12")
	h.key("Return")
	h.write("The bound is not tight.")
	h.picture(filepath.Join(pictures(t), "story-compose.png"))
	h.key("ctrl+Return")
	mail := h.mailIs("A remark on page 12", "waiting")
	if _, err := h.Recipient.Agent.Accept(h.ctx, mail.ID, agentclient.Accept{}); err != nil {
		t.Fatal(err)
	}
	h.sentIs(h.Sender, "A remark on page 12", "accepted", "refunded")
	time.Sleep(time.Second)
	h.picture(filepath.Join(pictures(t), "story-refunded.png"))
	h.quiet()
}
