package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"earnest/gui/widgets"
)

// Place is where a person is on the page of settings, for the shell that another
// language makes anew.
type Place struct {
	here   bool
	offset fyne.Position
	option int // with the focus; -1: none
}

// Place is where the person is now.
func (s *Shell) Place() Place {
	p, ok := s.shown.(*settingsPage)
	if !ok || p.open != "" {
		return Place{}
	}
	at := Place{here: true, offset: p.scroll().Offset, option: -1}
	if c := s.canvas(); c != nil {
		for i, o := range optionsIn(p.scroll().Content) {
			if c.Focused() == fyne.Focusable(o) {
				at.option = i
			}
		}
	}
	return at
}

// GoTo goes there, once the content is in its window.
func (s *Shell) GoTo(at Place) {
	p, ok := s.shown.(*settingsPage)
	if !ok || !at.here {
		return
	}
	if all := optionsIn(p.scroll().Content); at.option >= 0 && at.option < len(all) && s.canvas() != nil {
		s.canvas().Focus(all[at.option])
	}
	p.scroll().ScrollToOffset(at.offset)
}

// optionsIn lists the options in sight of a person, from top to bottom.
func optionsIn(o fyne.CanvasObject) (all []*widgets.Option) {
	switch o := o.(type) {
	case *widgets.Option:
		if o.Visible() {
			all = append(all, o)
		}
	case *container.Scroll:
		return optionsIn(o.Content)
	case *fyne.Container:
		if o.Visible() {
			for _, below := range o.Objects {
				all = append(all, optionsIn(below)...)
			}
		}
	}
	return all
}
