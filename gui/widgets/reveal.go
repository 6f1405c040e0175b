package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"earnest/gui/theme"
)

// Reveal scrolls an object into sight. Fyne moves the focus by Tab to what
// cannot be seen and leaves it there; who works by keys would not know where.
func Reveal(o fyne.CanvasObject) {
	driver := fyne.CurrentApp().Driver()
	c := driver.CanvasForObject(o)
	if c == nil || c.Overlays().Top() != nil {
		return
	}
	scrolls := holding(c.Content(), o, nil)
	for i := len(scrolls) - 1; i >= 0; i-- {
		s := scrolls[i]
		y := driver.AbsolutePositionForObject(o).Y - driver.AbsolutePositionForObject(s).Y
		offset := s.Offset
		switch bottom := y + o.Size().Height; {
		case s.Size().Height <= 0:
			continue // not laid out yet
		case y < 0:
			offset.Y += y - theme.Space5
		case bottom > s.Size().Height:
			// Its top is not lost where it is taller than the place.
			offset.Y += min(bottom+theme.Space5-s.Size().Height, y-theme.Space5)
		default:
			continue
		}
		s.ScrollToOffset(fyne.NewPos(offset.X, max(0, offset.Y)))
	}
}

// holding lists the scrolls that the object lies in, the outermost first.
func holding(at, o fyne.CanvasObject, in []*container.Scroll) []*container.Scroll {
	if at == nil || !at.Visible() {
		return nil
	}
	var below []fyne.CanvasObject
	switch at := at.(type) {
	case *container.Scroll:
		in, below = append(in[:len(in):len(in)], at), []fyne.CanvasObject{at.Content}
	case *fyne.Container:
		below = at.Objects
	case *container.ThemeOverride:
		below = []fyne.CanvasObject{at.Content}
	}
	for _, b := range below {
		if b == o {
			return in
		}
		if found := holding(b, o, in); found != nil {
			return found
		}
	}
	return nil
}
