package pages

import (
	"testing"

	"fyne.io/fyne/v2"

	"earnest/agentclient/agenttest"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
)

// TestTheColumnGivesWayToWriteInALowWindow: no page's name lies over the button, and
// the page that is shown is in sight, however it was chosen.
func TestTheColumnGivesWayToWriteInALowWindow(t *testing.T) {
	for _, height := range []float32{360, 400, 430, 800} {
		s := newStage(t, theme.Light, fyne.NewSize(900, height), agenttest.Scene)
		n := s.shell.nav
		place := func(o fyne.CanvasObject) (top, bottom float32) {
			top = fyne.CurrentApp().Driver().AbsolutePositionForObject(o).Y
			return top, top + o.Size().Height
		}
		write, writeEnd := place(n.write)
		top, bottom := place(n.view)
		if bottom > write || writeEnd > height || bottom-top < 100 {
			t.Errorf("%.0f high: the column is at %.0f to %.0f, Write at %.0f to %.0f", height, top, bottom, write, writeEnd)
		}
		for _, page := range []viewmodel.Page{viewmodel.PageSettings, viewmodel.PageWaiting, viewmodel.PagePrice, viewmodel.PageSent} {
			s.model.Show(page)
			s.settle()
			if from, to := place(n.items[page]); from < top-0.5 || to > bottom+0.5 {
				t.Errorf("%.0f high: %s is at %.0f to %.0f, out of sight", height, page, from, to)
			}
		}
		if all := n.box.MinSize().Height; height == 800 && all > bottom-top {
			t.Errorf("a window of %.0f has no room for a column of %.0f", height, all)
		}
	}
}
