package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// questionPart asks whether to do what cannot be undone, below where that is.
type questionPart struct {
	box   *fyne.Container
	title *note
	text  *note
	fault *note
	keep  *widgets.Action
	yes   *widgets.Action
	ask   *widgets.Action
	shown string // the question that is asked
}

// newRemovePart asks below an account whether to remove it.
func newRemovePart(s *Shell, ask *widgets.Action) *questionPart {
	return newQuestionPart(s, ask, s.t("settings.remove.no"), s.model.KeepAccount, s.model.RemoveAccount)
}

func newQuestionPart(s *Shell, ask *widgets.Action, no string, keep, yes func()) *questionPart {
	p := &questionPart{ask: ask, title: newNote(widget.MediumImportance, theme.SizeText), text: newNote(widget.MediumImportance, theme.SizeText), fault: newNote(danger, theme.SizeText)}
	p.title.label.TextStyle.Bold = true
	p.keep = widgets.NewAction(no, "", widgets.Quiet, keep)
	p.yes = widgets.NewAction("", "", widgets.Danger, yes)
	p.box = widgets.NewInset(theme.Space2, 0, theme.Space2, 0,
		widgets.NewColumn(theme.Space2, 0, p.title.row, p.text.row, p.fault.row, widgets.NewWrap(theme.Space3, p.keep, p.yes)))
	p.box.Hide()
	return p
}

// refresh shows the question. Each one starts at the answer that changes nothing.
func (p *questionPart) refresh(s *Shell, v viewmodel.Removal, busy string) {
	widgets.Show(p.box, v.Asked)
	p.title.set(v.Title)
	p.text.set(v.Text)
	p.fault.set(v.Error)
	p.yes.Set(word(v.Busy, busy, v.Remove), !v.Busy)
	if c := s.canvas(); c != nil && v.Title != p.shown {
		switch focused := c.Focused(); {
		case v.Asked:
			// Laid out first: what has no place yet cannot be scrolled to.
			for range 2 { // wrapped texts know their height only once they have their width
				s.content.Refresh()
			}
			c.Focus(p.keep)
		case focused == p.keep || focused == p.yes:
			c.Focus(p.ask)
		}
	}
	p.shown = v.Title
}
