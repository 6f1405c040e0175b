package pages

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"earnest/agentclient/agenttest"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
)

// TestEscapeClearsTheSearch: from its field, and after Enter has left the field; the
// key of the search marks the old words.
func TestEscapeClearsTheSearch(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	c := s.win.Canvas()
	for page := range 3 {
		key, field := []viewmodel.Page{viewmodel.PageWaiting, viewmodel.PageSent, viewmodel.PagePeople}[page], []interface{ SelectedText() string }{s.shell.folder.search,
			s.shell.pages[viewmodel.PageSent].(*sentPage).search, s.shell.pages[viewmodel.PagePeople].(*peoplePage).search}[page]
		s.model.Show(key)
		s.settle()
		c.Unfocus()
		text := func() string {
			return map[int]string{0: s.model.Folder().Search, 1: s.model.SentView().Search, 2: s.model.People().Search}[page]
		}
		search := func(words string) {
			test.TypeOnCanvas(c, "/")
			test.Type(c.Focused(), words)
			s.settle()
			if text() != words {
				t.Fatalf("page %s: searched for %q, not %q", key, text(), words)
			}
		}
		search("ada")
		s.key(fyne.KeyEscape)
		if text() != "" || c.Focused() != nil {
			t.Errorf("page %s: Escape in the field leaves %q", key, text())
		}
		search("ada")
		s.key(fyne.KeyReturn)
		test.TypeOnCanvas(c, "/")
		if field.SelectedText() != "ada" {
			t.Errorf("page %s: the old words are not marked, but %q", key, field.SelectedText())
		}
		s.key(fyne.KeyReturn)
		c.Unfocus()
		s.key(fyne.KeyEscape)
		if text() != "" {
			t.Errorf("page %s: Escape after Enter leaves %q", key, text())
		}
	}
}
