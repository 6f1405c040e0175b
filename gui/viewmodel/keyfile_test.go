package viewmodel

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/words"
)

const goodPhrase = "several words here"

// keyless is an agent of a machine without a keyring.
func keyless(now func() time.Time) *agenttest.Agent {
	a := discovers(foundServers)(now)
	a.Lock(agentclient.LockedNoKeyring, "")
	return a
}

// lockedScene is the scene whose agent was started anew.
func lockedScene(now func() time.Time) *agenttest.Agent {
	a := agenttest.Scene(now)
	a.Lock(agentclient.LockedPassphrase, goodPhrase)
	return a
}

// tryAccount types an account and has it tried.
func (s *stage) tryAccount() {
	s.SetField(FieldAddress, "me@example.org")
	s.rest()
	s.SetField(FieldPassword, "secret")
	s.AddAccount()
	synctest.Wait()
}

func (s *stage) typePassphrase(phrase, again string) {
	s.SetPassphrase(FieldPhrase, phrase)
	s.SetPassphrase(FieldAgain, again)
}

func TestWithoutAKeyringAFileIsOfferedAndTheSetUpGoesOn(t *testing.T) {
	play(t, keyless, func(s *stage) {
		if s.Page() != PageAccount || !strings.Contains(s.Form().Where, "no keyring") {
			t.Errorf("at first: %s, %q", s.Page(), s.Form().Where)
		}
		s.ChooseKeyFile()
		if s.Form().Stage != SetupForm {
			t.Error("a file is chosen before the keyring was looked for")
		}
		s.tryAccount()
		f := s.Form()
		if f.Stage != SetupForm || f.Steps[0].State != "failed" || !f.Steps[0].KeyFile || f.Steps[1].KeyFile {
			t.Fatalf("after the trial: %+v", f)
		}
		s.has("fault", f.Steps[0].Fault, "There is no keyring to keep your keys in.")
		s.ChooseKeyFile()
		if f := s.Form(); f.Stage != SetupKeys || f.Values[FieldPassword] != "secret" {
			t.Fatalf("the choice: %+v", f)
		}
		if note := s.Resume(); !strings.Contains(note, `"stage":"form"`) {
			t.Errorf("the next start would go on with %s", note)
		}
		release := s.agent.Hold("ChooseKeyFile")
		s.typePassphrase(goodPhrase, goodPhrase)
		s.SaveKeyFile()
		s.SaveKeyFile() // a second press asks nothing more
		synctest.Wait()
		if v := s.KeyFile(); !v.Busy || v.Button != "Making the file…" || s.Form().Stage != SetupKeys {
			t.Errorf("while it is made: %+v", v)
		}
		s.LeaveKeyFile()
		if strings.Contains(s.Resume(), goodPhrase) {
			t.Error("the passphrase is noted for the next start")
		}
		release()
		synctest.Wait()
		if n := s.count("ChooseKeyFile"); n != 1 || s.agent.Passphrase() != goodPhrase {
			t.Errorf("asked %d times, for %q", n, s.agent.Passphrase())
		}
		if f := s.Form(); f.Stage != SetupPrice || s.agent.Password("me@example.org") != "secret" {
			t.Fatalf("the set-up stopped: %+v", f)
		}
		if v := s.KeyFile(); v.Values[FieldPhrase]+v.Values[FieldAgain] != "" || v.Busy {
			t.Errorf("the passphrase is still in the window: %+v", v)
		}
	})
}

func TestANewPassphraseSaysBesideTheFieldWhatIsWrong(t *testing.T) {
	play(t, keyless, func(s *stage) {
		s.tryAccount()
		s.ChooseKeyFile()
		for _, test := range []struct{ phrase, again, first, second string }{
			{"", "", "Type a passphrase.", ""},
			{"", goodPhrase, "Type a passphrase.", ""},
			{"x", "x", "That is 1 character; take at least 12.", ""},
			{"elf Zeichen", "elf Zeichen", "These are 11 characters; take at least 12.", ""},
			{"żółw żółw ż", "żółw żółw ż", "These are 11 characters; take at least 12.", ""},
			{goodPhrase, "", "", "Type it here a second time."},
			{goodPhrase, goodPhrase + " ", "", "This is not the same as above. Type it again."},
		} {
			s.typePassphrase(test.phrase, test.again)
			s.SaveKeyFile()
			synctest.Wait()
			v := s.KeyFile()
			if v.Errors[FieldPhrase] != test.first || v.Errors[FieldAgain] != test.second || v.Values[FieldPhrase] != test.phrase || v.Values[FieldAgain] != test.again {
				t.Errorf("%q, %q: %+v", test.phrase, test.again, v)
			}
		}
		s.SetPassphrase(FieldAgain, goodPhrase)
		if v := s.KeyFile(); v.Errors[FieldAgain] != "" {
			t.Errorf("it is still said while it is typed: %+v", v)
		}
		if s.count("ChooseKeyFile") != 0 {
			t.Error("the agent was asked with faults")
		}
		s.agent.Fail("ChooseKeyFile", agentclient.Failf(agentclient.CodeInternal, "The key file could not be made."))
		s.SaveKeyFile()
		synctest.Wait()
		v := s.KeyFile()
		s.has("error", v.Error, "could not be made")
		if v.Busy || v.Values[FieldAgain] != goodPhrase || s.Form().Stage != SetupKeys {
			t.Errorf("after a failure: %+v", v)
		}
		s.LeaveKeyFile()
		if v := s.KeyFile(); v.Values[FieldPhrase] != "" || s.Form().Stage != SetupForm || s.Form().Values[FieldPassword] != "secret" {
			t.Errorf("gone back: %+v, %+v", v, s.Form())
		}
	})
}

func TestAKeyringThatWasStartedSinceNeedsNoFile(t *testing.T) {
	play(t, keyless, func(s *stage) {
		s.tryAccount()
		s.ChooseKeyFile()
		s.SetPassphrase(FieldPhrase, "not yet")
		s.LeaveKeyFile()
		s.agent.StartKeyring()
		s.AddAccount()
		synctest.Wait()
		if f := s.Form(); f.Stage != SetupPrice {
			t.Errorf("form: %+v", f)
		}
	})
}

func TestALockedAgentAsksForItsPassphraseAndNothingElse(t *testing.T) {
	play(t, lockedScene, func(s *stage) {
		if s.Page() != PageUnlock || !s.Locked() || !s.FirstStart() || s.Banner().Show {
			t.Fatalf("page %s", s.Page())
		}
		s.Show(PageMoney)
		if s.Page() != PageUnlock {
			t.Error("another page is shown")
		}
		if line := s.StatusLine(); line.Text != "Locked: no mail is watched" || !line.Trouble {
			t.Errorf("status line: %+v", line)
		}
		asked := s.count("Inbox")
		time.Sleep(time.Hour)
		if n := s.count("Inbox") - asked; n != 0 {
			t.Errorf("the mails were asked for %d times in an hour", n)
		}
		s.Unlock()
		if v := s.KeyFile(); v.Errors[FieldPhrase] != "Type the passphrase." || s.count("Unlock") != 0 {
			t.Errorf("nothing typed: %+v", v)
		}
		s.SetPassphrase(FieldPhrase, "other words")
		s.Unlock()
		synctest.Wait()
		if v := s.KeyFile(); !strings.HasPrefix(v.Errors[FieldPhrase], "The passphrase does not open the key file.") || v.Busy || v.Values[FieldPhrase] != "other words" || s.Page() != PageUnlock {
			t.Errorf("a wrong one: %+v", v)
		}
		release := s.agent.Hold("Unlock")
		s.SetPassphrase(FieldPhrase, goodPhrase)
		s.Unlock()
		s.Unlock()
		synctest.Wait()
		if v := s.KeyFile(); !v.Busy || v.Button != "Unlocking…" || v.Errors[FieldPhrase] != "" {
			t.Errorf("while it is opened: %+v", v)
		}
		s.Speak(words.German) // the window goes on
		s.has("button", s.KeyFile().Button, "Wird entsperrt")
		release()
		synctest.Wait()
		if s.Page() != PageMoney || s.FirstStart() || s.KeyFile().Values[FieldPhrase] != "" || s.count("Unlock") != 2 {
			t.Errorf("unlocked: page %s, %d times", s.Page(), s.count("Unlock"))
		}
		s.Show(PageWaiting)
		if n := len(s.Folder().All()); n != 4 {
			t.Errorf("%d mails are listed", n)
		}
	})
}

func TestAnAgentThatIsStartedAnewLocksTheWindowAndKeepsWhatIsWritten(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.WriteTo("author@example.net", "A question", "Dear author,", "")
		synctest.Wait()
		s.agent.Lock(agentclient.LockedPassphrase, goodPhrase)
		synctest.Wait()
		if s.Page() != PageUnlock {
			t.Fatalf("page %s", s.Page())
		}
		s.SetPassphrase(FieldPhrase, "half of it")
		// On the command line.
		if _, err := s.agent.Unlock(t.Context(), agentclient.Passphrase{Passphrase: goodPhrase}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if s.Page() != PageWrite || s.Draft().Body != "Dear author," || s.KeyFile().Values[FieldPhrase] != "" {
			t.Errorf("page %s, draft %q, passphrase %q", s.Page(), s.Draft().Body, s.KeyFile().Values[FieldPhrase])
		}
		if line := s.StatusLine().Text; !strings.HasPrefix(line, "watching") {
			t.Errorf("status line: %q", line)
		}
	})
}

func TestUnlockedElsewhereTheWindowAsksForEverything(t *testing.T) {
	play(t, lockedScene, func(s *stage) {
		if _, err := s.agent.Unlock(t.Context(), agentclient.Passphrase{Passphrase: goodPhrase}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := len(s.Folder().All()); s.Page() != PageWaiting || n != 4 {
			t.Errorf("page %s, %d mails", s.Page(), n)
		}
	})
}
