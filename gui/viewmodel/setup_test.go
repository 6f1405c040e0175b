package viewmodel

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

var foundServers = agentclient.Servers{IMAP: "imaps://imap.example.org:993", SMTP: "smtps://smtp.example.org:465",
	Escrow: "https://escrow.example", Source: "autoconfig"}

func discovers(servers agentclient.Servers) func(func() time.Time) *agenttest.Agent {
	return func(now func() time.Time) *agenttest.Agent {
		a := agenttest.New(now)
		a.SetServers("example.org", servers)
		return a
	}
}

// rest lets the typing rest until the servers are looked up.
func (s *stage) rest() {
	time.Sleep(lookRest + time.Millisecond)
	synctest.Wait()
}

func TestTheFirstStartNeedsAddressAndPasswordAlone(t *testing.T) {
	play(t, discovers(foundServers), func(s *stage) {
		if s.Page() != PageAccount || !s.FirstStart() {
			t.Fatalf("page %s", s.Page())
		}
		s.Show(PageMoney)
		if s.Page() != PageAccount {
			t.Error("without an account there is another page")
		}
		for i := range "me@example.org" {
			s.SetField(FieldAddress, "me@example.org"[:i+1])
			time.Sleep(50 * time.Millisecond)
		}
		synctest.Wait()
		if n := s.count("Discover"); n != 0 {
			t.Errorf("looked up %d times while the address was typed", n)
		}
		s.rest()
		f := s.Form()
		if n := s.count("Discover"); n != 1 || f.Manual || f.AskEscrow ||
			f.Found != "imap.example.org and smtp.example.org, found by the provider’s own description" ||
			f.Escrow != "escrow.example keeps the bonds until you decide." {
			t.Errorf("looked up %d times: %+v", n, f)
		}
		s.SetField(FieldPassword, " pass word ")
		s.AddAccount()
		synctest.Wait()
		f = s.Form()
		if f.Stage != SetupPrice || s.Page() != PageAccount || !s.FirstStart() || s.agent.Password("me@example.org") != " pass word " {
			t.Fatalf("after the test: page %s, %+v", s.Page(), f)
		}
		if f.Values[FieldPassword] != "" || strings.Contains(s.Resume(), "pass word") {
			t.Error("the password is still in the window")
		}
		if f.Price.Text != "0.25" {
			t.Errorf("suggested: %q", f.Price.Text)
		}
		s.has("preview", f.Price.Preview, "me@example.org", "€0.25", "back unless")
		s.SaveSetupPrice()
		synctest.Wait()
		f = s.Form()
		if f.Stage != SetupCard {
			t.Fatalf("after the price: %+v", f)
		}
		s.has("card", f.Card.Text, "me@example.org", "€0.25", "earnest:me@example.org?escrow=escrow.example")
		s.has("card for the web", f.Card.HTML, `<a href="earnest:me@example.org?escrow=escrow.example&amp;fp=`)
		s.EndSetup()
		if s.Page() != PageWaiting || s.FirstStart() || s.Resume() != "" {
			t.Errorf("at the end: page %s, left over %q", s.Page(), s.Resume())
		}
	})
}

func TestEveryFieldOfTheFirstStartSaysWhatIsWrongBesideIt(t *testing.T) {
	play(t, agenttest.New, func(s *stage) {
		s.AddAccount()
		for _, field := range []Field{FieldAddress, FieldPassword, FieldIMAP, FieldSMTP, FieldEscrow} {
			if s.Form().Errors[field] == "" {
				t.Errorf("no fault beside the empty %s", field)
			}
		}
		bad := map[Field][]string{
			FieldAddress: {"me", "me@", "@example.org", "me@example.org, you@example.org", "me@.org", "two words@example.org"},
			FieldIMAP:    {"ftp://imap.example.org", "imaps://", "imaps://u:p@imap.example.org", "imap.example.org:99999", "a b", "imaps://imap.example.org/x"},
			FieldSMTP:    {"imaps://smtp.example.org", "smtp..example.org", "smtps://smtp.example.org:0"},
			FieldEscrow:  {"http://escrow.example", "escrow .example", "ftp://escrow.example", "https://u@escrow.example"},
		}
		for field, values := range bad {
			for _, value := range values {
				s.SetField(field, value)
				if fault := s.Form().Errors[field]; fault != "" {
					t.Errorf("%s still says %q while it is typed", field, fault)
				}
				s.rest()
				s.AddAccount()
				synctest.Wait()
				if s.Form().Errors[field] == "" || s.Form().Values[field] != value {
					t.Errorf("no fault beside %s %q, or it was changed to %q", field, value, s.Form().Values[field])
				}
			}
		}
		if s.count("AddAccount") != 0 {
			t.Error("the agent was asked with faults")
		}
	})
}

func TestServersAreTakenAsPeopleTypeThem(t *testing.T) {
	for typed, want := range map[string][3]string{
		"mail.example.org":             {"imaps://mail.example.org:993", "smtps://mail.example.org:465", "https://mail.example.org"},
		" mail.example.org:143 ":       {"imap://mail.example.org:143", "smtps://mail.example.org:143", "https://mail.example.org:143"},
		"mail.example.org:587":         {"imaps://mail.example.org:587", "smtp://mail.example.org:587", "https://mail.example.org:587"},
		"imap://mail.example.org":      {"imap://mail.example.org:143", "", ""},
		"smtp://mail.example.org":      {"", "smtp://mail.example.org:587", ""},
		"https://mail.example.org:443": {"", "", "https://mail.example.org:443"},
		"imaps://[::1]:993":            {"imaps://[::1]:993", "", ""},
		"":                             {},
	} {
		for i, kind := range []serverKind{imapServer, smtpServer, escrowServer} {
			if got, ok := kind.url(typed); got != want[i] || ok != (want[i] != "") {
				t.Errorf("%s %q is %q, want %q", kind, typed, got, want[i])
			}
		}
	}
}

func TestWhereNothingIsFoundTheServersAreAskedFor(t *testing.T) {
	play(t, agenttest.New, func(s *stage) {
		s.SetField(FieldAddress, "me@example.org")
		s.rest()
		f := s.Form()
		if !f.Manual || f.CanHide || !f.AskEscrow || f.FoundTone != Waits {
			t.Errorf("form: %+v", f)
		}
		s.has("found", f.Found, "Nothing was found out about example.org")
		s.has("hint", f.Hints[FieldIMAP], "imaps://imap.example.org:993")
		s.agent.Fail("Discover", errors.New("no network"))
		s.SetField(FieldAddress, "me@example.net")
		s.rest()
		s.has("found", s.Form().Found, "could not be looked up", "No network.")
	})
}

func TestWhatWasTypedComesBackAfterTakingWhatWasFound(t *testing.T) {
	play(t, discovers(foundServers), func(s *stage) {
		s.SetField(FieldAddress, "me@example.org")
		s.rest()
		s.SetManual(true)
		if f := s.Form(); f.Values[FieldIMAP] != foundServers.IMAP || !f.Manual || !f.CanHide {
			t.Errorf("opened by hand: %+v", f)
		}
		s.SetField(FieldIMAP, "mine.example.org")
		s.SetManual(false)
		if f := s.Form(); f.Manual || f.Values[FieldIMAP] != foundServers.IMAP {
			t.Errorf("hidden: %+v", f)
		}
		s.SetManual(true)
		if f := s.Form(); f.Values[FieldIMAP] != "mine.example.org" {
			t.Errorf("shown again: %+v", f)
		}
	})
}

func TestASlowLookupNeitherOverwritesNorBlocks(t *testing.T) {
	play(t, discovers(foundServers), func(s *stage) {
		release := s.agent.Hold("Discover")
		s.SetField(FieldAddress, "me@example.org")
		s.rest()
		s.has("found", s.Form().Found, "Looking for the servers of example.org")
		s.SetField(FieldAddress, "me@example.com")
		release()
		synctest.Wait()
		if f := s.Form(); f.Values[FieldIMAP] != "" {
			t.Errorf("servers of another domain: %+v", f)
		}
		s.rest()
		if f := s.Form(); f.Values[FieldIMAP] != "" {
			t.Errorf("servers of another domain: %+v", f)
		}
		// Enter before the answer waits for it, and what was found is seen first.
		s.SetField(FieldAddress, "you@example.org")
		s.SetField(FieldPassword, "x")
		s.AddAccount()
		s.AddAccount()
		if f := s.Form(); !f.Busy {
			t.Errorf("form: %+v", f)
		}
		synctest.Wait()
		if f := s.Form(); f.Stage != SetupForm || s.count("AddAccount") != 0 || f.Escrow == "" || f.Values[FieldPassword] != "x" {
			t.Errorf("asked %d times: %+v", s.count("AddAccount"), f)
		}
		s.has("stopped", s.Form().Error, "found just now")
		s.AddAccount()
		synctest.Wait()
		if f := s.Form(); f.Stage != SetupPrice || s.count("AddAccount") != 1 {
			t.Errorf("asked %d times: %+v", s.count("AddAccount"), f)
		}
	})
}

func TestTheLiveTestGoesStepByStepAndAFailureStandsBesideItsField(t *testing.T) {
	play(t, discovers(foundServers), func(s *stage) {
		s.SetField(FieldAddress, "me@example.org")
		s.SetField(FieldPassword, "wrong")
		s.rest()
		s.agent.Fail("AddAccount", &agentclient.Failure{Code: agentclient.CodeLogin, Field: "password",
			Happened: "The mail server refused the password.", Means: "Nothing was saved.", Do: "Type it again."})
		release := s.agent.Hold("AddAccount")
		s.AddAccount()
		synctest.Wait()
		s.agent.Emit(agentclient.Event{Type: agentclient.EventSetup, ID: agentclient.StepKeyring, State: "ok"})
		s.agent.Emit(agentclient.Event{Type: agentclient.EventSetup, ID: agentclient.StepIMAP, State: "trying"})
		synctest.Wait()
		f := s.Form()
		states := ""
		for _, step := range f.Steps {
			states += step.State + " "
		}
		if f.Stage != SetupTrial || states != "ok trying waiting waiting waiting waiting " || f.Steps[1].Name != "Incoming mail at imap.example.org" {
			t.Errorf("while it is tried: %+v", f)
		}
		release()
		synctest.Wait()
		f = s.Form()
		if f.Stage != SetupForm || f.Steps[0].State != "ok" || f.Steps[1].State != "failed" || f.Steps[2].State != "waiting" ||
			f.Errors[FieldPassword] != "The mail server refused the password. Nothing was saved. Type it again." {
			t.Errorf("after the failure: %+v", f)
		}
	})
	for field, step := range map[Field]string{FieldPassword: agentclient.StepIMAP, FieldUser: agentclient.StepIMAP, FieldIMAP: agentclient.StepIMAP,
		FieldSMTP: agentclient.StepSMTP, FieldEscrow: agentclient.StepEscrow} {
		play(t, discovers(foundServers), func(s *stage) {
			s.SetField(FieldAddress, "me@example.org")
			s.SetField(FieldPassword, "wrong")
			s.rest()
			s.agent.Fail("AddAccount", &agentclient.Failure{Code: agentclient.CodeUsage, Field: string(field), Happened: "It is wrong."})
			s.AddAccount()
			synctest.Wait()
			f := s.Form()
			if f.Stage != SetupForm || f.Errors[field] != "It is wrong." || f.Values[FieldPassword] != "wrong" || f.Busy || f.Button != "Try again" {
				t.Errorf("%s: %+v", field, f)
			}
			if manual := field == FieldUser || field == FieldIMAP || field == FieldSMTP; f.Manual != manual {
				t.Errorf("%s: servers shown: %v", field, f.Manual)
			}
			failed := 0
			for i, st := range f.Steps {
				if st.State == "failed" {
					failed++
					if setupSteps(false)[i] != step || st.Fault == "" {
						t.Errorf("%s: failed at %+v", field, st)
					}
				}
			}
			if failed != 1 {
				t.Errorf("%s: %d steps failed", field, failed)
			}
			s.agent.Fail("AddAccount", nil)
			s.AddAccount()
			synctest.Wait()
			if s.Form().Stage != SetupPrice {
				t.Errorf("%s: again: %+v", field, s.Form())
			}
		})
	}
}

func TestWithoutAKeyringNothingIsSavedAndItSaysSo(t *testing.T) {
	play(t, discovers(foundServers), func(s *stage) {
		s.SetField(FieldAddress, "me@example.org")
		s.SetField(FieldPassword, "x")
		s.rest()
		s.agent.Fail("AddAccount", agentclient.Fail(agentclient.CodeNoKeyring))
		s.AddAccount()
		synctest.Wait()
		f := s.Form()
		s.has("fault", f.Error, "There is no keyring to keep your keys in. Nothing was saved", "passphrase")
		if f.Steps[0].State != "failed" || f.Values[FieldPassword] != "x" {
			t.Errorf("form: %+v", f)
		}
	})
}

func TestAStoppedTestKeepsWhatWasTyped(t *testing.T) {
	play(t, discovers(foundServers), func(s *stage) {
		s.SetField(FieldAddress, "me@example.org")
		s.SetField(FieldPassword, "x")
		s.rest()
		release := s.agent.Hold("AddAccount")
		defer release()
		s.AddAccount()
		s.StopTrial() // before the agent is asked
		synctest.Wait()
		if f := s.Form(); f.Stage != SetupForm || f.Busy {
			t.Errorf("stopped at once: %+v", f)
		}
		s.AddAccount()
		synctest.Wait()
		s.StopTrial()
		synctest.Wait()
		f := s.Form()
		if f.Stage != SetupForm || f.Busy || f.Values[FieldPassword] != "x" || f.Steps != nil {
			t.Errorf("form: %+v", f)
		}
		s.has("said", f.Error, "Stopped")
	})
}

// TestAnAccountWhoseAnswerWasLostGoesOn: the agent made the account, and the
// connection broke before it said so.
func TestAnAccountWhoseAnswerWasLostGoesOn(t *testing.T) {
	play(t, discovers(foundServers), func(s *stage) {
		s.SetField(FieldAddress, "me@example.org")
		s.SetField(FieldPassword, "x")
		s.rest()
		s.agent.Fail("AddAccount", &agentclient.Failure{Code: agentclient.CodeNoAgent, Happened: "The connection broke."})
		s.AddAccount()
		synctest.Wait()
		s.agent.Fail("AddAccount", nil)
		if _, err := s.agent.AddAccount(t.Context(), agentclient.AddAccount{Address: "me@example.org", Password: "x"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if f := s.Form(); f.Stage != SetupPrice || !s.FirstStart() {
			t.Errorf("first %v, form: %+v", s.FirstStart(), f)
		}
	})
}

func TestAProviderWithALoginIsSignedInToInTheBrowser(t *testing.T) {
	servers := foundServers
	servers.Provider, servers.ProviderReady = "google", true
	play(t, discovers(servers), func(s *stage) {
		s.SetField(FieldAddress, "me@example.org")
		s.rest()
		f := s.Form()
		if f.Password || !f.SignIn.Show || f.Button != "Sign in with Google" {
			t.Fatalf("form: %+v", f)
		}
		s.AddAccount()
		s.AddAccount()
		synctest.Wait()
		f = s.Form()
		if !f.SignIn.Waiting || !strings.HasPrefix(f.SignIn.URL, "https://login.example/google") || s.count("BeginLogin") != 1 {
			t.Fatalf("begun %d times: %+v", s.count("BeginLogin"), f.SignIn)
		}
		s.SignInNotOpened(errors.New("no browser"))
		s.has("browser", s.Form().SignIn.Shut, "could not be opened", "No browser.")
		s.CancelSignIn()
		if f = s.Form(); f.SignIn.Waiting || f.Button != "Sign in with Google" {
			t.Errorf("cancelled: %+v", f.SignIn)
		}
		s.AddAccount()
		synctest.Wait()
		_, id, _ := strings.Cut(s.Form().SignIn.URL, "id=")
		s.agent.EndLogin(id, false)
		synctest.Wait()
		if f = s.Form(); f.SignIn.Waiting || f.SignIn.Fault == "" {
			t.Errorf("refused: %+v", f.SignIn)
		}
		s.AddAccount()
		synctest.Wait()
		time.Sleep(11 * time.Minute)
		if f = s.Form(); f.SignIn.Waiting || !strings.Contains(f.SignIn.Fault, "too long") {
			t.Errorf("expired: %+v", f.SignIn)
		}
		s.AddAccount()
		synctest.Wait()
		_, id, _ = strings.Cut(s.Form().SignIn.URL, "id=")
		s.agent.EndLogin(id, true)
		synctest.Wait()
		if f = s.Form(); f.Stage != SetupPrice {
			t.Errorf("signed in: %+v", f)
		}
	})
}

func TestAProviderThatIsNotSetUpHereSaysWhatIsMissing(t *testing.T) {
	servers := foundServers
	servers.Provider, servers.ProviderHint = "google", "Google wants a login that is not set up on this machine."
	play(t, discovers(servers), func(s *stage) {
		s.SetField(FieldAddress, "me@example.org")
		s.rest()
		if f := s.Form(); !f.Password || f.SignIn.Show || f.Hint != servers.ProviderHint {
			t.Errorf("form: %+v", f)
		}
	})
}
