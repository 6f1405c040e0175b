package pages

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
)

// TestEnterGoesToTheFirstFieldWithAFault, and the page says truly where the password
// will rest.
func TestEnterGoesToTheFirstFieldWithAFault(t *testing.T) {
	s := newStage(t, theme.Light, wide, knows(nil))
	form := s.shell.shown.(*setupPage).form
	if !strings.Contains(form.where.label.Text, "memory") || s.model.StatusLine().Text == "" {
		t.Errorf("the keys of this agent rest in memory, and it says %q", form.where.label.Text)
	}
	s.win.Canvas().Focus(form.fields[viewmodel.FieldPassword].Entry)
	s.key(fyne.KeyReturn)
	if f := s.win.Canvas().Focused(); f != fyne.Focusable(form.fields[viewmodel.FieldAddress].Entry) {
		t.Errorf("Enter with empty fields goes to %T", f)
	}
}
