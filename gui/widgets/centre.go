package widgets

import "fyne.io/fyne/v2"

// Centre gives an object the width there is, and stands it at half the height.
type Centre struct{}

// Layout places the object.
func (Centre) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Resize(fyne.NewSize(size.Width, o.MinSize().Height))
		height := o.MinSize().Height // a wrapping text knows it by now
		o.Resize(fyne.NewSize(size.Width, height))
		o.Move(fyne.NewPos(0, max(0, (size.Height-height)/2)))
	}
}

// MinSize is the object's.
func (Centre) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var m fyne.Size
	for _, o := range objects {
		m = m.Max(o.MinSize())
	}
	return m
}

// Amid stands an object of a width in the middle of its place where When holds,
// else at its left.
type Amid struct {
	Width float32
	When  *bool
}

// Layout places the object.
func (a Amid) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	width, x := size.Width, float32(0)
	if *a.When {
		width = min(width, Grown(a.Width))
		x = (size.Width - width) / 2
	}
	for _, o := range objects {
		o.Resize(fyne.NewSize(width, size.Height))
		o.Move(fyne.NewPos(x, 0))
	}
}

// MinSize is the object's.
func (Amid) MinSize(objects []fyne.CanvasObject) fyne.Size { return Centre{}.MinSize(objects) }

// Apart stands an object at the right of a wrapping text where the text fits on
// one line beside it, else below it.
type Apart struct {
	Gap   float32
	Wants func() float32 // the text's width on one line
	width *float32       // that it was given last
}

// NewApart makes the container.
func NewApart(gap float32, text fyne.CanvasObject, wants func() float32, right fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: Apart{gap, wants, new(float32)}, Objects: []fyne.CanvasObject{text, right}}
}

func (a Apart) fits(right fyne.CanvasObject, width float32) bool {
	return a.Wants()+a.Gap+minOf(right).Width <= width
}

// Layout places both.
func (a Apart) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	*a.width = size.Width
	text, right := objects[0], objects[1]
	room, aside := size.Width, minOf(right)
	if a.fits(right, size.Width) {
		room -= aside.Width + a.Gap
	}
	height := tall(text, room)
	text.Resize(fyne.NewSize(room, height))
	right.Resize(aside)
	if room < size.Width || aside.Width == 0 {
		all := max(height, aside.Height)
		text.Move(fyne.NewPos(0, (all-height)/2))
		right.Move(fyne.NewPos(size.Width-aside.Width, (all-aside.Height)/2))
		return
	}
	text.Move(fyne.Position{})
	right.Move(fyne.NewPos(0, height))
}

// MinSize is the height at the present width.
func (a Apart) MinSize(objects []fyne.CanvasObject) fyne.Size {
	text, right := minOf(objects[0]), minOf(objects[1])
	width := max(text.Width, right.Width)
	if *a.width == 0 || a.fits(objects[1], *a.width) {
		return fyne.NewSize(width, max(text.Height, right.Height))
	}
	return fyne.NewSize(width, text.Height+right.Height)
}
