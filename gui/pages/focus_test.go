package pages

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"earnest/agentclient/agenttest"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
)

// TestTabGoesFromTheAddressToTheSubject: it went to the box that puts a bond down, and
// the first space that was typed ticked it.
func TestTabGoesFromTheAddressToTheSubject(t *testing.T) {
	s := writing(t)
	s.until("it could be sent", func() bool { return s.model.Draft().Ready })
	s.draw()
	c := s.win.Canvas()
	c.Focus(s.shell.write.to.Entry)
	s.key(fyne.KeyTab)
	if c.Focused() != fyne.Focusable(s.shell.write.subject.Entry) {
		t.Fatalf("Tab goes to %T", c.Focused())
	}
	s.key(fyne.KeyTab)
	if c.Focused() != fyne.Focusable(s.shell.write.body) {
		t.Errorf("then it goes to %T", c.Focused())
	}
	c.Focus(s.shell.write.to.Entry)
	s.key(fyne.KeyDown)
	if lines := s.shell.write.recipients.lines; c.Focused() != fyne.Focusable(lines[0].options[0]) {
		t.Errorf("the arrow down goes to %T", c.Focused())
	}
}

// TestTheListOfKeysGivesTheFocusBack, and Tab does not go behind it.
func TestTheListOfKeysGivesTheFocusBack(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	c := s.win.Canvas()
	c.Focus(s.shell.folder.filter)
	test.Type(s.shell.folder.filter, "?")
	s.settle()
	for range 3 {
		s.key(fyne.KeyTab)
		if f := c.Focused(); f == fyne.Focusable(s.shell.folder.filter) || f == fyne.Focusable(s.shell.folder.search) {
			t.Fatalf("Tab goes behind the list, to %T", f)
		}
	}
	s.key(fyne.KeyEscape)
	if s.shell.help.shown() || c.Focused() != fyne.Focusable(s.shell.folder.filter) {
		t.Errorf("after it %T has the focus", c.Focused())
	}
}

// TestTheListOfKeysIsTrue: J and K stand where there is a list, and every line begins
// with a capital.
func TestTheListOfKeysIsTrue(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	for _, k := range s.shell.keysEverywhere() {
		if k.Key == "J  K" {
			t.Error("J and K are said to count everywhere")
		}
	}
	if keys := s.shell.folder.keyList(); keys[0].Key != "J  K" {
		t.Errorf("a list of mails has no J and K: %v", keys)
	}
	if got := capital("über allem"); got != "Über allem" {
		t.Errorf("a line begins %q", got)
	}
}

// TestSentSaysWhyItShowsNoText of the mail itself.
func TestSentSaysWhyItShowsNoText(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	s.model.Show(viewmodel.PageSent)
	s.settle()
	s.model.Move(1)
	s.settle()
	if pane := s.shell.shown.(*sentPage).pane; !s.model.SentMail().Show || pane.text.Visible() == s.model.SentMail().MayRedraft {
		t.Error("it does not say why the text is not shown")
	}
}
