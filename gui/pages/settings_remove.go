package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// removePart asks below an account whether to remove it.
type removePart struct {
	box   *fyne.Container
	title *note
	text  *note
	fault *note
	keep  *widgets.Action
	yes   *widgets.Action
	ask   *widgets.Action
	shown string // the question that is asked
}

func newRemovePart(s *Shell, ask *widgets.Action) *removePart {
	p := &removePart{ask: ask, title: newNote(widget.MediumImportance, theme.SizeText), text: newNote(widget.MediumImportance, theme.SizeText), fault: newNote(danger, theme.SizeText)}
	p.title.label.TextStyle.Bold = true
	p.keep = widgets.NewAction(s.t("settings.remove.no"), "", widgets.Quiet, s.model.KeepAccount)
	p.yes = widgets.NewAction("", "", widgets.Danger, s.model.RemoveAccount)
	p.box = widgets.NewInset(theme.Space2, 0, theme.Space2, 0,
		widgets.NewColumn(theme.Space2, 0, p.title.row, p.text.row, p.fault.row, widgets.NewWrap(theme.Space3, p.keep, p.yes)))
	p.box.Hide()
	return p
}

// refresh shows the question. Each one starts at the answer that changes nothing.
func (p *removePart) refresh(s *Shell, v viewmodel.Removal) {
	widgets.Show(p.box, v.Asked)
	p.title.set(v.Title)
	p.text.set(v.Text)
	p.fault.set(v.Error)
	p.yes.Set(word(v.Busy, s.t("settings.remove.busy"), v.Remove), !v.Busy)
	if c := s.canvas(); c != nil && v.Title != p.shown {
		switch focused := c.Focused(); {
		case v.Asked:
			c.Focus(p.keep)
		case focused == p.keep || focused == p.yes:
			c.Focus(p.ask)
		}
	}
	p.shown = v.Title
}
