package pages

import (
	"testing"

	"fyne.io/fyne/v2"

	"earnest/agentclient/agenttest"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/words"
)

// TestW_AnotherLanguageLeavesTheSettingsWhereTheyWere: the window's content is made
// anew, and the option that was pressed stays in sight and has the focus.
func TestW_AnotherLanguageLeavesTheSettingsWhereTheyWere(t *testing.T) {
	s := newStage(t, theme.Light, fyne.NewSize(640, 400), agenttest.Scene)
	s.withPrefs()
	s.model.Show(viewmodel.PageSettings)
	s.settle()
	old := s.shell.shown.(*settingsPage)
	german := options(old.object())["Deutsch"]
	s.win.Canvas().Focus(german)
	s.draw()
	offset := old.scroll().Offset
	if offset.Y == 0 {
		t.Fatal("the language is in sight at the top: nothing could jump")
	}
	place := s.shell.Place()
	s.model.OnChange(nil)
	s.model.Speak(words.German)
	s.shell = New(s.model, s.shell.host)
	s.win.SetContent(s.shell.Content())
	s.shell.Focus()
	s.shell.GoTo(place)
	s.draw()
	now := s.shell.shown.(*settingsPage)
	if now.scroll().Offset != offset {
		t.Errorf("the settings are at %v, and were at %v", now.scroll().Offset, offset)
	}
	if got := s.win.Canvas().Focused(); got != fyne.Focusable(options(now.object())["Deutsch"]) {
		t.Errorf("the focus is at %T", got)
	}
}

// TestW_KeysAreNamedWhereTheyDoSomething: A and R do nothing to a mail that is decided.
func TestW_KeysAreNamedWhereTheyDoSomething(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	for page, want := range map[viewmodel.Page]string{viewmodel.PageWaiting: "A⇧AR⇧R", viewmodel.PageAccepted: "", viewmodel.PageRejected: "", viewmodel.PageExpired: "A⇧A"} {
		s.model.Show(page)
		s.settle()
		listed := ""
		for _, k := range s.shell.folder.keyList() {
			switch k.Key {
			case "A", "⇧A", "R", "⇧R":
				listed += k.Key
			}
		}
		hints := ""
		for _, key := range []string{"A", "R"} {
			if s.shell.folder.mail.hints[key].Visible() {
				hints += key + "⇧" + key
			}
		}
		if listed != want || hints != want {
			t.Errorf("%s lists %q and hints at %q, want %q", page, listed, hints, want)
		}
	}
}

// TestW_ReplyStandsOnce: a decided mail has it at its foot, one to decide among its links.
func TestW_ReplyStandsOnce(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	for page, id := range map[viewmodel.Page]string{viewmodel.PageWaiting: agenttest.SceneQuestion, viewmodel.PageAccepted: agenttest.SceneAccepted} {
		s.model.Show(page)
		s.model.Select(id)
		s.settle()
		mail := s.shell.folder.mail
		if top, foot := mail.reply.Visible(), mail.foot.root.Visible() && mail.foot.reply.Visible(); top == foot {
			t.Errorf("%s: reply among the links %v, at the foot %v", page, top, foot)
		}
	}
}
