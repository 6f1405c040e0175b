package pages

import (
	"errors"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"earnest/agentclient/agenttest"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
	"earnest/gui/words"
)

// withPrefs makes the window anew over choices in memory.
func (s *stage) withPrefs() *prefs {
	p := newPrefs()
	host := s.shell.host
	host.Prefs = p
	s.shell = New(s.model, host)
	s.win.SetContent(s.shell.Content())
	s.draw()
	return p
}

// options lists what can be chosen in a part of a page, by title.
func options(o fyne.CanvasObject) map[string]*widgets.Option {
	all := map[string]*widgets.Option{}
	var walk func(fyne.CanvasObject)
	walk = func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *widgets.Option:
			all[o.Title] = o
		case *fyne.Container:
			for _, below := range o.Objects {
				walk(below)
			}
		case *container.Scroll:
			walk(o.Content)
		}
	}
	walk(o)
	return all
}

func TestTheProgramsChoicesAreSetAndAFailureLeavesThemAsTheyWere(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	p := s.withPrefs()
	s.model.Show(viewmodel.PageSettings)
	s.settle()
	all := options(s.shell.shown.object())
	for _, title := range []string{"Start when I log in", "Start hidden", "Stay in the tray when the window is closed", "Deutsch", "Say nothing"} {
		if all[title] == nil {
			t.Fatalf("there is no %q", title)
		}
		test.Tap(all[title])
		if !all[title].On {
			t.Errorf("%q is not shown as chosen", title)
		}
	}
	if !p.login || !p.hidden || !p.tray || p.language != words.German || p.notify != NotifyNone {
		t.Errorf("kept: %+v", p)
	}
	test.Tap(all["Start hidden"])
	if p.hidden || all["Start hidden"].On {
		t.Error("a switch cannot be turned off")
	}
	p.fail = errors.New("the disk is full")
	for _, title := range []string{"Start when I log in", "Start hidden", "English", "Say who, what about and how much"} {
		before := all[title].On
		test.Tap(all[title])
		if all[title].On != before {
			t.Errorf("%q changed although it was not kept", title)
		}
	}
	if !said(s.shell.shown.object(), "This was not saved and stays as it was. The disk is full.") {
		t.Error("nothing says that it was not kept")
	}
}

// said tells that a visible label says the text.
func said(o fyne.CanvasObject, text string) bool {
	if !o.Visible() {
		return false
	}
	switch o := o.(type) {
	case *widget.Label:
		return o.Text == text
	case *fyne.Container:
		for _, below := range o.Objects {
			if said(below, text) {
				return true
			}
		}
	case *container.Scroll:
		return said(o.Content, text)
	}
	return false
}

func TestTheTextsSizeStaysWithinItsBounds(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	p := s.withPrefs()
	part := newSizePart(s.shell)
	var smaller, larger *widgets.Action
	for _, o := range part.Objects[0].(*fyne.Container).Objects[0].(*fyne.Container).Objects {
		if a, ok := o.(*widgets.Action); ok {
			if smaller == nil {
				smaller = a
			}
			larger = a
		}
	}
	for range 20 {
		test.Tap(larger)
	}
	if p.size != MaxTextSize {
		t.Errorf("largest %d", p.size)
	}
	for range 20 {
		test.Tap(smaller)
	}
	if p.size != MinTextSize || p.changed != 22 {
		t.Errorf("smallest %d after %d changes", p.size, p.changed)
	}
}

func TestTheModelIsChosenByTheKeyboard(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	s.model.Show(viewmodel.PageSettings)
	s.settle()
	all := options(s.shell.shown.object())
	s.win.Canvas().Focus(all["Full control"])
	s.press(fyne.KeyDown, fyne.KeyDown, fyne.KeySpace)
	if !all["Automatic"].On || all["Full control"].On {
		t.Error("the arrows and Space chose nothing")
	}
}

func TestThePagesBehindTheSettingsOpenAndEscapeLeavesThem(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	s.model.Show(viewmodel.PageSettings)
	s.settle()
	page := s.shell.shown.(*settingsPage)
	for i, name := range []string{"doctor", "log", "report", "keys"} {
		test.Tap(page.links[i])
		s.settle()
		if !page.behind[name].root.Visible() || page.main.Visible() || s.win.Canvas().Focused() != page.behind[name].first {
			t.Errorf("%s is not shown, or has no focus", name)
		}
		s.press(fyne.KeyEscape)
		if !page.main.Visible() || s.win.Canvas().Focused() != fyne.Focusable(page.links[i]) {
			t.Errorf("%s: Escape does not lead back to where it was opened", name)
		}
	}
}
