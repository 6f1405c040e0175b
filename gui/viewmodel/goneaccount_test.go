package viewmodel

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

// second adds an account beside the one of the scene.
func (s *stage) second() {
	s.Helper()
	if _, err := s.agent.AddAccount(context.Background(), agentclient.AddAccount{Address: "second@example.org", Password: "x"}); err != nil {
		s.Fatal(err)
	}
	synctest.Wait()
}

func (s *stage) removed(address string) {
	s.Helper()
	if err := s.agent.RemoveAccount(context.Background(), agentclient.RemoveAccount{Address: address, Force: true}); err != nil {
		s.Fatal(err)
	}
	synctest.Wait()
}

// What was begun under an account that was removed goes on under the one that the
// window shows: nothing else can be chosen where there is one.
func TestW_WhatWasBegunUnderARemovedAccountGoesOn(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.second()
		s.agent.AddVoucher("CODE", "1.00")
		s.Write()
		s.SetSender(1)
		s.addressed("author@example.net")
		s.SetSubject("Hello")
		s.SetTopUpAccount(1)
		s.removed("second@example.org")
		s.Send()
		synctest.Wait()
		if got := s.agent.From(); got != "recipient@example.org" {
			t.Errorf("the mail went from %q: %s", got, s.Draft().Error)
		}
		s.SetCode("CODE")
		s.TopUp()
		synctest.Wait()
		if p := s.Purse(); p.Error != "" || p.Done == "" {
			t.Errorf("topped up: %+v", p)
		}
	})
}

// The only account is removed after its form was looked at: what is shown then is
// the form of a new one, and what was typed into the old is forgotten.
func TestW_ARemovedAccountLeavesNoForm(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		decided(s)
		s.ChangeAccount("recipient@example.org")
		s.SetField(FieldPassword, "typed")
		s.LeaveSetup()
		s.AskRemoveAccount("recipient@example.org")
		s.RemoveAccount()
		synctest.Wait()
		s.RemoveAccount() // and leaves its money
		synctest.Wait()
		if f := s.Form(); s.Page() != PageAccount || f.Change != "" || f.Values[FieldPassword] != "" {
			t.Errorf("page %s shows %+v", s.Page(), f)
		}
		if n := len(s.setups.forms); n != 1 {
			t.Errorf("%d forms are kept", n)
		}
	})
}

// What an accept lets its sender write is said by the price of the address that the
// mail came to.
func TestK11_AnAcceptSaysWhatTheAddressGrantsThatItCameTo(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.second()
		if _, err := s.agent.SetPrice(context.Background(), agentclient.SetPrice{Address: "second@example.org", Options: []string{"0.25"}, FreeAfter: "3"}); err != nil {
			t.Fatal(err)
		}
		s.agent.AddMail(agentclient.Message{Mail: agentclient.Mail{ID: "theirs", To: "second@example.org", From: "ann@example.net"}})
		time.Sleep(time.Second)
		synctest.Wait()
		s.Select("theirs")
		synctest.Wait()
		s.Accept()
		synctest.Wait()
		s.has("told", s.Told().Text, "may write 3 more mails free")
	})
}

// While a change of one account is tried, the person begins a new account: the end of
// the trial takes away the form of the change, and no other.
func TestAChangeThatEndsLaterLeavesTheFormThatIsShown(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.ChangeAccount("recipient@example.org")
		s.SetField(FieldPassword, "another")
		release := s.agent.Hold("ChangeAccount")
		s.AddAccount()
		synctest.Wait()
		s.NewAccount()
		s.SetField(FieldAddress, "new@example.net")
		release()
		synctest.Wait()
		if f := s.Form(); s.Page() != PageAccount || f.Change != "" || f.Values[FieldAddress] != "new@example.net" {
			t.Errorf("page %s shows %+v", s.Page(), f)
		}
		if n := len(s.setups.forms); n != 1 {
			t.Errorf("%d forms are kept, one of them with a password", n)
		}
		s.has("settings", s.Settings().Done, "recipient@example.org")
	})
}
