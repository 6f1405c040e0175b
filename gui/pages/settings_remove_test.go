package pages

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"earnest/agentclient/agenttest"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
)

// TestW_TheQuestionWhetherToRemoveIsAnsweredByKeyboard: it starts at the answer that
// changes nothing, Escape is no, and the focus goes back to where it was asked.
func TestW_TheQuestionWhetherToRemoveIsAnsweredByKeyboard(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	s.model.Show(viewmodel.PageSettings)
	s.settle()
	part := s.shell.shown.(*settingsPage).accounts.rows[0].remove
	c := s.win.Canvas()
	for _, no := range []func(){
		func() { c.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn}) },
		func() { s.shell.shown.(*settingsPage).typedKey(&fyne.KeyEvent{Name: fyne.KeyEscape}) },
	} {
		test.Tap(part.ask)
		s.settle()
		if c.Focused() != part.keep || !part.box.Visible() {
			t.Fatalf("asked, the focus is at %T", c.Focused())
		}
		no()
		s.settle()
		if c.Focused() != part.ask || part.box.Visible() || len(s.model.Settings().Accounts) != 1 {
			t.Errorf("after no the focus is at %T", c.Focused())
		}
	}
	for _, call := range s.agent.Calls() {
		if call == "RemoveAccount" {
			t.Error("no was taken for yes")
		}
	}
}
