package widgets

import "fyne.io/fyne/v2"

// Wrap puts objects side by side and goes on below where there is no room left.
type Wrap struct {
	Gap   float32
	Under float32  // the gap between two rows
	width *float32 // that it was given last
}

// NewWrap makes a row that wraps.
func NewWrap(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: Wrap{Gap: gap, Under: gap, width: new(float32)}, Objects: objects}
}

// NewLinks makes a row of links that wraps: they have air enough above and below.
func NewLinks(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: Wrap{Gap: gap, width: new(float32)}, Objects: objects}
}

// Layout places the objects.
func (w Wrap) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	*w.width = size.Width
	w.place(objects, size.Width, func(o fyne.CanvasObject, at fyne.Position, m fyne.Size) {
		o.Resize(m)
		o.Move(at)
	})
}

// MinSize is the widest object, and the height at the present width.
func (w Wrap) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var all fyne.Size
	w.place(objects, *w.width, func(_ fyne.CanvasObject, at fyne.Position, m fyne.Size) {
		all = all.Max(fyne.NewSize(m.Width, at.Y+m.Height))
	})
	return all
}

func (w Wrap) place(objects []fyne.CanvasObject, width float32, put func(fyne.CanvasObject, fyne.Position, fyne.Size)) {
	var x, y, tallest float32
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		if x > 0 && width > 0 && x+m.Width > width {
			x, y, tallest = 0, y+tallest+w.Under, 0
		}
		put(o, fyne.NewPos(x, y), m)
		x += m.Width + w.Gap
		tallest = max(tallest, m.Height)
	}
}
