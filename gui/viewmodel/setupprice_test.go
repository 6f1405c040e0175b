package viewmodel

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/words"
)

func TestAFirstStartGoesOnWhereItWasAfterTheProgramEnded(t *testing.T) {
	var note string
	play(t, discovers(foundServers), func(s *stage) {
		s.SetField(FieldAddress, "me@example.org")
		s.SetField(FieldEscrow, "mine.example")
		s.SetField(FieldPassword, "secret")
		note = s.Resume()
		if strings.Contains(note, "secret") || !json.Valid([]byte(note)) {
			t.Fatalf("kept: %s", note)
		}
	})
	play(t, discovers(foundServers), func(s *stage) {
		s.GoOn(note)
		s.rest()
		f := s.Form()
		if f.Values[FieldAddress] != "me@example.org" || f.Values[FieldEscrow] != "mine.example" || f.Found == "" {
			t.Errorf("form: %+v", f)
		}
		s.SetField(FieldPassword, "x")
		s.AddAccount()
		synctest.Wait()
		s.SetSetupPrice("0,40")
		note = s.Resume()
		s.GoOn(`{"stage":"form"}`) // a new window in another language changes nothing
		if s.Form().Stage != SetupPrice {
			t.Error("the set-up was taken back")
		}
	})
	play(t, func(now func() time.Time) *agenttest.Agent {
		a := agenttest.New(now)
		if _, err := a.AddAccount(t.Context(), agentclient.AddAccount{Address: "me@example.org", Password: "x"}); err != nil {
			t.Fatal(err)
		}
		return a
	}, func(s *stage) {
		s.GoOn(note)
		if f := s.Form(); s.Page() != PageAccount || !s.FirstStart() || f.Stage != SetupPrice || f.Price.Text != "0,40" {
			t.Errorf("page %s, form %+v", s.Page(), f)
		}
		s.EndSetup()
		if s.Page() != PageWaiting {
			t.Errorf("later: page %s", s.Page())
		}
	})
	play(t, agenttest.Scene, func(s *stage) {
		s.GoOn(note) // of an account that is not there any more
		s.GoOn("rubbish")
		if s.Page() != PageWaiting {
			t.Errorf("page %s", s.Page())
		}
	})
}

func TestThePriceOfAFirstStart(t *testing.T) {
	play(t, discovers(foundServers), func(s *stage) {
		s.SetField(FieldAddress, "me@example.org")
		s.SetField(FieldPassword, "x")
		s.rest()
		s.AddAccount()
		synctest.Wait()
		for typed, at := range map[string]int{"0.05": 0, "0.25": 2, "0,30": 2, "0.45": 3, "100": 6, "0.01": 0} {
			s.SetSetupPrice(typed)
			if got := s.Form().Price.At; got != at {
				t.Errorf("%s is at %d of the slider, want %d", typed, got, at)
			}
			s.SlideSetupPrice(at)
			if got := s.Form().Price.Text; got != typed {
				t.Errorf("the slider changed the typed %s to %s", typed, got)
			}
		}
		s.SlideSetupPrice(4)
		if got := s.Form().Price.Text; got != "1.00" {
			t.Errorf("slid to %s", got)
		}
		s.SetSetupPrice("7.50")
		if s.Form().Price.Hint == "" {
			t.Error("nothing is said about a high price")
		}
		for _, bad := range []string{"", "abc", "-1", "0", "0.00", "1.2.3", "1e3"} {
			s.SetSetupPrice(bad)
			s.SaveSetupPrice()
			synctest.Wait()
			if f := s.Form(); f.Price.Error == "" || f.Price.Text != bad || f.Stage != SetupPrice {
				t.Errorf("%q: %+v", bad, f.Price)
			}
		}
		s.agent.Fail("SetPrice", errAway)
		s.SetSetupPrice("0,75")
		s.SaveSetupPrice()
		synctest.Wait()
		if f := s.Form(); f.Price.Error != "No agent answers." || f.Price.Text != "0,75" || f.Price.Busy {
			t.Errorf("failed: %+v", f.Price)
		}
		s.agent.Fail("SetPrice", nil)
		s.SaveSetupPrice()
		synctest.Wait()
		s.Speak(words.German)
		s.has("card", s.Form().Card.Text, "0,75\u00a0€", "Wir kennen uns nicht?")
	})
}

func TestAnAccountGetsAnotherPasswordOrServers(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		const own = "recipient@example.org"
		s.NewAccount()
		s.SetField(FieldAddress, "half@exa")
		s.Show(PageSettings)
		s.ChangeAccount(own)
		synctest.Wait()
		f := s.Form()
		if s.Page() != PageAccount || f.Change != own || f.Values[FieldPassword] != "" || f.AskEscrow {
			t.Fatalf("form: %+v", f)
		}
		s.AddAccount()
		if s.Form().Errors[FieldPassword] == "" || s.count("ChangeAccount") != 0 {
			t.Error("nothing new was taken for a change")
		}
		s.agent.Fail("ChangeAccount", &agentclient.Failure{Code: agentclient.CodeLogin, Field: "password", Happened: "Refused."})
		s.SetField(FieldPassword, "new")
		s.AddAccount()
		synctest.Wait()
		if f = s.Form(); f.Errors[FieldPassword] != "Refused." || f.Values[FieldPassword] != "new" || len(f.Steps) != 2 {
			t.Errorf("refused: %+v", f)
		}
		s.LeaveSetup()
		s.agent.Fail("ChangeAccount", nil)
		s.ChangeAccount(own)
		if s.Form().Values[FieldPassword] != "new" {
			t.Error("what was typed is lost")
		}
		s.AddAccount()
		synctest.Wait()
		if s.Page() != PageSettings || s.agent.Password(own) != "new" {
			t.Errorf("page %s, password %q", s.Page(), s.agent.Password(own))
		}
		s.has("said", s.Settings().Done, own)
		s.NewAccount()
		if f = s.Form(); f.Values[FieldAddress] != "half@exa" || f.Change != "" {
			t.Errorf("the new account's form: %+v", f)
		}
	})
}

func TestAnAccountThatSignsInCanSignInAgain(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.agent.SetStatus(func(st *agentclient.Status) {
			st.Accounts[0].Provider, st.Accounts[0].Mailbox, st.Accounts[0].MailboxError = "microsoft", "failing", "The sign-in has ended."
		})
		synctest.Wait()
		s.ChangeAccount("recipient@example.org")
		synctest.Wait()
		if f := s.Form(); f.Password || f.Button != "Sign in with Microsoft" {
			t.Fatalf("form: %+v", f)
		}
		s.AddAccount()
		synctest.Wait()
		_, id, _ := strings.Cut(s.Form().SignIn.URL, "id=")
		s.agent.EndLogin(id, true)
		synctest.Wait()
		if s.Page() != PageSettings || s.count("ChangeAccount") != 1 {
			t.Errorf("page %s, changed %d times", s.Page(), s.count("ChangeAccount"))
		}
		s.ChangeAccount("recipient@example.org")
		s.SetManual(true)
		s.SetField(FieldSMTP, "smtp.example.org")
		if got := s.Form().Button; got != "Try and save" {
			t.Errorf("with another server the button says %q", got)
		}
		s.AddAccount()
		synctest.Wait()
		if s.count("ChangeAccount") != 2 || s.count("BeginLogin") != 1 {
			t.Errorf("changed %d times, signed in %d times", s.count("ChangeAccount"), s.count("BeginLogin"))
		}
	})
}
