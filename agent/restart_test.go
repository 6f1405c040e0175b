package agent_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"earnest/agentclient"
	"earnest/escrow"
	"earnest/internal/mailhost"
)

// A mailbox that is numbered anew is read again from its first mail: nothing is
// shown, reported or decided a second time, in whatever state it is.
func TestNewUIDValidityRepeatsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shortTerms(3600, 1))
	recipient, sender := w.join("recipient", "5.00"), w.join("sender", "5.00")
	w.price(recipient, "0.25")
	accepted := w.write(sender, recipient, "Accepted")
	_, err := recipient.Accept(t.Context(), accepted.ID, agentclient.Accept{})
	must(t, err)
	w.sentIs(sender, accepted.Bond, "accepted", "refunded")
	rejected := w.write(sender, recipient, "Rejected")
	_, err = recipient.Reject(t.Context(), rejected.ID, agentclient.Reject{})
	must(t, err)
	w.sentIs(sender, rejected.Bond, "rejected", "forfeited")
	waiting := w.write(w.join("other", "1.00"), recipient, "Waiting")
	// A third bond of the same sender is open, whose mail does not come.
	w.mail.SetFault(mailhost.RefuseForNow, 0)
	open, err := sender.Send(t.Context(), agentclient.Compose{To: []string{recipient.address}, Subject: "Held", Body: "b", Paid: true})
	must(t, err)
	w.keyOf(recipient, open[0].Bond)
	before, err := recipient.Inbox(t.Context())
	must(t, err)
	var arrivals atomic.Int64
	w.between(func(s escrow.Service) escrow.Service { return countingArrivals{s, &arrivals} })

	must(t, w.mail.Renumber(t.Context(), recipient.address, "INBOX"))
	must(t, w.mail.Deliver(recipient.address, foreign(t, sender.address, recipient.address)))
	eventually(t, "the last mail of the new numbering was looked at", func() bool {
		inbox, err := recipient.Inbox(t.Context())
		must(t, err)
		return len(inbox) > len(before)
	})
	after, err := recipient.Inbox(t.Context())
	must(t, err)
	byID := map[string]agentclient.Mail{}
	for _, m := range after {
		byID[m.ID] = m
	}
	for _, m := range before {
		if got := byID[m.ID]; got.State != m.State || got.Error != m.Error || got.Subject != m.Subject {
			t.Errorf("%s is now %+v", m.Subject, got)
		}
	}
	if len(after) != len(before)+1 || byID[waiting.ID].State != "waiting" {
		t.Errorf("the list is now %+v", after)
	}
	if n := arrivals.Load(); n != 0 {
		t.Errorf("%d arrivals were reported again", n)
	}
}

type countingArrivals struct {
	escrow.Service
	n *atomic.Int64
}

func (c countingArrivals) Arrive(ctx context.Context, id escrow.BondID, req escrow.Arrival) (escrow.Outcome, error) {
	c.n.Add(1)
	return c.Service.Arrive(ctx, id, req)
}

// TestRestartInEveryState restarts both agents between any two steps of a story.
func TestRestartInEveryState(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shortTerms(3600, 2))
	recipient, sender := w.join("recipient", "5.00"), w.join("sender", "5.00")
	w.price(recipient, "0.25")
	again := func() {
		t.Helper()
		for _, p := range []*person{recipient, sender} {
			p.stop()
			w.start(p)
		}
	}
	// In the outbox: paid, and not handed over.
	w.mail.SetFault(mailhost.RefuseForNow, 1)
	sent, err := sender.Send(t.Context(), agentclient.Compose{To: []string{recipient.address}, Subject: "First", Body: "b"})
	must(t, err)
	bond := sent[0].Bond
	w.sentIs(sender, bond, "paid", "held")
	again()
	w.has(sender, "4.75", "0.25")
	mail := w.waits(recipient, bond, "waiting")
	again() // waiting
	w.waits(recipient, bond, "waiting")
	if list, err := recipient.Inbox(t.Context()); err != nil || len(list) != 1 {
		t.Fatalf("%d mails after a restart, %v", len(list), err)
	}
	_, err = recipient.Reject(t.Context(), mail.ID, agentclient.Reject{})
	must(t, err)
	again() // rejecting
	if m := w.waits(recipient, bond, "rejecting"); m.EffectiveAt.IsZero() {
		t.Error("when it takes effect is forgotten")
	}
	_, err = recipient.Undo(t.Context(), mail.ID)
	must(t, err)
	again()
	w.waits(recipient, bond, "waiting")
	w.setDown(true)
	_, err = recipient.Reject(t.Context(), mail.ID, agentclient.Reject{}) // queued
	must(t, err)
	again()
	w.setDown(false)
	w.sentIs(sender, bond, "rejected", "forfeited")
	w.waits(recipient, bond, "rejected")
	again() // ended
	w.sentIs(sender, bond, "rejected", "forfeited")
	w.has(sender, "4.75", "0.00")

	// Matched and not opened; and asked back.
	raw := w.intercept(sender, recipient, "Second")
	all, err := sender.Sent(t.Context())
	must(t, err)
	second := all[0].Bond
	w.setDown(true)
	must(t, w.mail.Deliver(recipient.address, raw))
	w.waits(recipient, second, "held")
	_, err = sender.Withdraw(t.Context(), second)
	must(t, err)
	again()
	w.waits(recipient, second, "held")
	w.setDown(false)
	accepted := w.waits(recipient, second, "waiting")
	message, err := recipient.Message(t.Context(), accepted.ID)
	must(t, err)
	if message.Text != "Body of Second" {
		t.Errorf("after restarts it reads %q", message.Text)
	}
	_, err = recipient.Accept(t.Context(), accepted.ID, agentclient.Accept{})
	must(t, err)
	again()
	w.sentIs(sender, second, "accepted", "refunded")
	w.has(sender, "4.75", "0.00")
	for _, p := range []*person{recipient, sender} {
		for _, id := range []string{bond, second} {
			if receipts, err := p.Receipts(t.Context(), id); err != nil || !receipts.Verified {
				t.Errorf("receipts of %s: %v %s", id, err, receipts.Fault)
			}
		}
	}
}

func TestManyBondsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shortTerms(3600, 1))
	recipient := w.join("recipient", "1.00")
	w.price(recipient, "0.25")
	const people = 12
	senders := make([]*person, people)
	for i := range senders {
		senders[i] = w.join(fmt.Sprint("sender", i), "1.00")
	}
	var wait sync.WaitGroup
	for i, p := range senders {
		wait.Go(func() {
			// Few of one domain may be on their way at a time: the others ask again.
			for {
				_, err := p.Send(t.Context(), agentclient.Compose{To: []string{recipient.address}, Subject: fmt.Sprint(i), Body: "b"})
				if err == nil || t.Context().Err() != nil {
					return
				}
				if !errors.Is(err, escrow.Limited) {
					t.Errorf("sender %d: %v", i, err)
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	wait.Wait()
	eventually(t, "all wait", func() bool {
		status, err := recipient.Status(t.Context())
		return err == nil && status.Waiting == people
	})
	inbox, err := recipient.Inbox(t.Context())
	must(t, err)
	bySender := map[string]string{}
	for i, m := range inbox {
		wait.Go(func() { // half of them at once, for the company
			var err error
			if i%2 == 0 {
				_, err = recipient.Reject(t.Context(), m.ID, agentclient.Reject{})
			} else {
				_, err = recipient.Accept(t.Context(), m.ID, agentclient.Accept{})
			}
			if err != nil {
				t.Errorf("decide: %v", err)
			}
		})
		bySender[m.From] = map[bool]string{true: "0.75", false: "1.00"}[i%2 == 0]
	}
	wait.Wait()
	if len(bySender) != people {
		t.Fatalf("mails of %d senders", len(bySender))
	}
	for _, p := range senders {
		eventually(t, p.address+" has what is due", func() bool {
			balances, err := p.Balances(t.Context())
			must(t, err)
			return balances[0].Held.Amount == "0.00" && balances[0].Available.Amount == bySender[p.address]
		})
	}
	w.has(recipient, "1.00", "0.00")
}
