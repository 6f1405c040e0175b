package pages

import (
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
)

const goodPhrase = "several words here"

// keyless is an agent of a machine without a keyring.
func keyless(now func() time.Time) *agenttest.Agent {
	a := knows(nil)(now)
	a.Lock(agentclient.LockedNoKeyring, "")
	return a
}

// locked is the scene whose agent was started anew.
func locked(now func() time.Time) *agenttest.Agent {
	a := agenttest.Scene(now)
	a.Lock(agentclient.LockedPassphrase, goodPhrase)
	return a
}

// tried is a set-up that has failed for want of a keyring.
func tried(s *stage) {
	s.model.SetField(viewmodel.FieldAddress, "me@example.org")
	s.settle()
	s.model.SetField(viewmodel.FieldPassword, "secret")
	s.model.AddAccount()
	s.settle()
}

func chosen(s *stage) {
	tried(s)
	s.model.ChooseKeyFile()
}

// keyFileLooks are the pages of the passphrase.
func keyFileLooks() map[string]look {
	wrong := func(s *stage) {
		s.model.SetPassphrase(viewmodel.FieldPhrase, "other words")
		s.model.Unlock()
	}
	return map[string]look{
		"first-no-keyring": {wide, keyless, tried},
		"first-keys":       {wide, keyless, chosen},
		"first-keys-faults": {fyne.NewSize(400, 700), keyless, func(s *stage) {
			chosen(s)
			s.model.SetPassphrase(viewmodel.FieldPhrase, "too short")
			s.model.SaveKeyFile()
		}},
		"locked":       {wide, locked, func(*stage) {}},
		"locked-wrong": {fyne.NewSize(400, 700), locked, wrong},
	}
}

// TestAKeyFileIsChosenByTheKeyboardAlone, and the set-up goes on by itself.
func TestAKeyFileIsChosenByTheKeyboardAlone(t *testing.T) {
	s := newStage(t, theme.Light, wide, keyless)
	s.typeText("me@example.org")
	s.press(fyne.KeyTab)
	s.typeText("secret")
	release := s.agent.Hold("AddAccount")
	s.model.AddAccount()
	s.draw() // the test is seen
	release()
	s.settle()
	page := s.shell.shown.(*setupPage)
	lines := page.form.trial.lines
	if page.stage != viewmodel.SetupForm || !lines[0].file.Visible() || lines[1].file.Visible() || s.win.Canvas().Focused() != fyne.Focusable(lines[0].offer) {
		t.Fatalf("no file is offered beside the step that failed: %s", page.stage)
	}
	s.press(fyne.KeyReturn)
	first, again := page.keys.fields.fields[viewmodel.FieldPhrase].Entry, page.keys.fields.fields[viewmodel.FieldAgain].Entry
	if page.stage != viewmodel.SetupKeys || s.win.Canvas().Focused() != fyne.Focusable(first) || !first.Password || !again.Password {
		t.Fatalf("the choice: %s, focus %T", page.stage, s.win.Canvas().Focused())
	}
	s.typeText(goodPhrase)
	s.press(fyne.KeyReturn)
	if s.win.Canvas().Focused() != fyne.Focusable(again) {
		t.Fatalf("it is to be typed twice; focus %T", s.win.Canvas().Focused())
	}
	s.typeText(goodPhrase)
	s.press(fyne.KeyReturn)
	if page.stage != viewmodel.SetupPrice || s.agent.Passphrase() != goodPhrase || s.agent.Password("me@example.org") != "secret" {
		t.Errorf("at the end: %s, %q", page.stage, s.agent.Passphrase())
	}
	if first.Text+again.Text != "" {
		t.Error("the passphrase is still in its fields")
	}
}

func TestEscapeLeavesThePassphraseForTheAccount(t *testing.T) {
	s := newStage(t, theme.Light, wide, keyless)
	chosen(s)
	s.settle()
	s.typeText("half of")
	s.press(fyne.KeyEscape, fyne.KeyEscape)
	page := s.shell.shown.(*setupPage)
	if page.stage != viewmodel.SetupForm || page.form.fields[viewmodel.FieldPassword].Entry.Text != "secret" || s.model.KeyFile().Values[viewmodel.FieldPhrase] != "" {
		t.Errorf("after Escape: %s", page.stage)
	}
}

// TestALockedWindowIsOpenedByTheKeyboardAlone, and has no keys of its own until then.
func TestALockedWindowIsOpenedByTheKeyboardAlone(t *testing.T) {
	s := newStage(t, theme.Light, wide, locked)
	page := s.shell.shown.(*unlockPage)
	entry := page.fields.fields[viewmodel.FieldPhrase].Entry
	if s.win.Canvas().Focused() != fyne.Focusable(entry) || !s.shell.bare || !entry.Password {
		t.Fatalf("focus on %T", s.win.Canvas().Focused())
	}
	s.win.Canvas().Unfocus()
	s.win.Canvas().OnTypedRune()('w')
	s.settle()
	if s.model.Page() != viewmodel.PageUnlock {
		t.Fatalf("W turns to %s", s.model.Page())
	}
	s.win.Canvas().Focus(entry)
	s.typeText("wrong")
	s.press(fyne.KeyReturn)
	if entry.Text != "wrong" || s.model.KeyFile().Errors[viewmodel.FieldPhrase] == "" {
		t.Error("a wrong passphrase is not told beside the field")
	}
	entry.SelectAll()
	release := s.agent.Hold("Unlock")
	test.Type(entry, goodPhrase)
	s.model.Unlock()
	s.draw()
	if page.fields.button.Text != "Unlocking…" {
		t.Errorf("while it is opened the button says %q", page.fields.button.Text)
	}
	release()
	s.settle()
	if s.model.Page() != viewmodel.PageWaiting || s.shell.bare || entry.Text != "" {
		t.Errorf("unlocked: %s", s.model.Page())
	}
}
