package viewmodel

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

// agreed is what was agreed to with the last mails that were to be sent.
func (s *stage) agreed(want ...[]string) {
	s.Helper()
	all := s.agent.Agreed()
	got := all[max(0, len(all)-len(want)):]
	if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		s.Errorf("agreed to %q, want %q", got, want)
	}
}

func TestP5_WhatWasSeenIsAgreedToForEachRecipient(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.agent.AddPerson(agentclient.Person{PersonID: agentclient.PersonID{Address: "friend@example.net"}})
		s.agent.SetOffer("other@example.net", "0.10")
		s.Write()
		s.addressed("author@example.net, recipient@example.org, friend@example.net, other@example.net,")
		s.SetOption("author@example.net", 1)
		s.SetSubject("Hello")
		s.Send()
		synctest.Wait()
		if d := s.Draft(); d.Error != "" || len(d.Recipients) != 0 {
			t.Fatalf("draft: %+v", d)
		}
		s.agreed([]string{"ESCROW/1 escrow.example 1.00"}, []string{"ESCROW/1 escrow.example 0.25", "ESCROW/1 escrow.example 0.10"}, []string{""})
	})
}

// raised sends while the agent is asked, so that a price can change between the
// last look at it and the purchase.
func (s *stage) raised(change func()) Draft {
	s.Helper()
	release := s.agent.Hold("Send")
	s.Send()
	synctest.Wait()
	change()
	release()
	time.Sleep(time.Second)
	synctest.Wait()
	return s.Draft()
}

func TestP5_APriceThatWasNotSeenIsShownAndAskedForAgain(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.agent.SetOffer("author@example.net", "0.50")
		s.Write()
		s.addressed("author@example.net, recipient@example.org,")
		s.SetSubject("Hello")
		s.SetBody("The text")
		n := len(s.sent())
		d := s.raised(func() { s.agent.SetOffer("author@example.net", "0.90") })
		if len(s.sent()) != n || d.Sending || d.Subject != "Hello" || d.Body != "The text" || len(d.Recipients) != 2 {
			t.Fatalf("after the refusal: %+v", d)
		}
		one, two := d.Recipients[0], d.Recipients[1]
		if one.Cost != "€0.90" || one.Tone != Against || two.Tone == Against || d.Submit != "Send for €1.15" {
			t.Errorf("draft: %+v", d)
		}
		s.has("beside the recipient", one.Text, "You saw €0.50; the price is another now.")
		s.has("error", d.Error, "author@example.net costs €0.90", "which is not what you agreed to", "Nothing was sent; your text is kept.")
		s.Send()
		synctest.Wait()
		if len(s.sent()) != n+2 {
			t.Errorf("agreed to the new price: %+v", s.Draft())
		}
		s.agreed([]string{"ESCROW/1 escrow.example 0.50", "ESCROW/1 escrow.example 0.25"}, []string{"ESCROW/1 escrow.example 0.90", "ESCROW/1 escrow.example 0.25"})
	})
}

func TestP5_WhatIsPaidUnseenIsHeldToTheLimitsItWasCheckedWith(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		if _, err := s.agent.SetSettings(t.Context(), agentclient.Settings{Model: agentclient.ModelAutomatic}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s.Write()
		s.SetTo("recipient@example.org")
		s.SetSubject("Hello")
		n := len(s.sent())
		if d := s.raised(func() { s.agent.SetOffer("recipient@example.org", "4.00") }); len(s.sent()) != n || d.Price != "€4.00" {
			t.Errorf("draft: %+v", d)
		}
	})
}

// two is the scene with a second own address, which nobody is connected with.
func two(now func() time.Time) *agenttest.Agent {
	a := agenttest.Scene(now)
	a.SetStatus(func(status *agentclient.Status) {
		second := status.Accounts[0]
		second.Address = "work@example.org"
		status.Accounts = append(status.Accounts, second)
	})
	a.AddPerson(agentclient.Person{PersonID: agentclient.PersonID{Address: "author@example.net"}})
	a.SetOffer("author@example.net", "0.50")
	a.SetBalance("escrow.example", "EUR", "9.00", "0.00")
	return a
}

func TestP5_WhatIsFreeFromOneAddressIsNotPaidUnaskedFromTheOther(t *testing.T) {
	play(t, two, func(s *stage) {
		s.Write()
		if r := s.addressed("author@example.net,").Recipients[0]; r.Cost != "free" {
			t.Fatalf("from the connected one: %+v", r)
		}
		s.SetSender(1)
		d := s.Draft()
		if d.Recipients[0].Cost != "€0.50" || d.Submit != "Send for €0.50" || d.Recipients[0].MayPay {
			t.Errorf("from the other: %+v", d)
		}
		s.has("offer", d.Recipients[0].Text, "from work@example.org it is not free")
		s.SetSubject("Hello")
		s.Send()
		synctest.Wait()
		s.agreed([]string{"ESCROW/1 escrow.example 0.50"})
		if sent := s.sent(); sent[0].Free || sent[0].Price.Amount != "0.50" {
			t.Errorf("sent: %+v", sent[0])
		}
	})
}

// TestTheAddressShownIsTheOneSentFrom: with several the agent must be told which.
func TestTheAddressShownIsTheOneSentFrom(t *testing.T) {
	play(t, two, func(s *stage) {
		s.Write()
		d := s.addressed("author@example.net,")
		s.SetSubject("Hello")
		s.Send()
		synctest.Wait()
		if from := s.agent.From(); from != d.From[d.Sender] {
			t.Errorf("sent from %q, shown %q", from, d.From[d.Sender])
		}
	})
}

// TestP5_FreeThatIsNotIsRefusedAndShown: the window did not know of whom the
// connection is, or it ended when the mail was sent.
func TestP5_FreeThatIsNotIsRefusedAndShown(t *testing.T) {
	play(t, two, func(s *stage) {
		s.agent.Fail("People", errAway)
		s.Model.update(func() { s.Model.folk.loaded = false })
		s.Write()
		s.SetSender(1)
		s.agent.NameNoAccount()
		if r := s.addressed("author@example.net,").Recipients[0]; r.Cost != "free" {
			t.Fatalf("recipient: %+v", r)
		}
		s.SetSubject("Hello")
		n := len(s.sent())
		d := s.raised(func() { s.agent.Fail("People", nil) })
		if len(s.sent()) != n || d.Recipients[0].Cost != "€0.50" || d.Recipients[0].Tone != Against || d.Submit != "Send for €0.50" {
			t.Fatalf("after the refusal: %+v", d)
		}
		s.has("beside the recipient", d.Recipients[0].Text, "You saw that it is free; now it is not.", "from work@example.org it is not free")
		s.has("error", d.Error, "No mail goes free from work@example.org", "Nothing was sent; your text is kept.")
		s.agreed([]string{""})
		s.Send()
		synctest.Wait()
		s.agreed([]string{""}, []string{"ESCROW/1 escrow.example 0.50"})
		if sent := s.sent(); len(sent) != n+1 || sent[0].Free {
			t.Errorf("sent: %+v", sent[0])
		}
	})
}
