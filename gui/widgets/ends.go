package widgets

import "fyne.io/fyne/v2"

// Ends is a line with a stretch in it, whose right end goes on below, still at the
// right, where both ends have no room beside each other.
type Ends struct {
	Line
	width *float32 // that it was given last
}

// NewEnds makes a line of two ends: what stands before stretch, and behind it.
func NewEnds(gap float32, stretch int, objects ...fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: Ends{Line{Gap: gap, Stretch: stretch}, new(float32)}, Objects: objects}
}

func (e Ends) fits(objects []fyne.CanvasObject) bool {
	return *e.width == 0 || e.Line.MinSize(objects).Width <= *e.width
}

// Layout places the objects.
func (e Ends) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	*e.width = size.Width
	if e.fits(objects) {
		e.Line.Layout(objects, size)
		return
	}
	left, right := objects[:e.Stretch+1], objects[e.Stretch+1:]
	first, second := e.Line.MinSize(left), e.Line.MinSize(right)
	e.Line.Layout(left, fyne.NewSize(size.Width, first.Height))
	Line{Gap: e.Gap, Stretch: -1}.Layout(right, second)
	for _, o := range right {
		o.Move(o.Position().AddXY(max(0, size.Width-second.Width), first.Height+e.under(first)))
	}
}

// under is the gap between the two rows, where there are two.
func (e Ends) under(first fyne.Size) float32 {
	if first.Height == 0 {
		return 0
	}
	return 2 * e.Gap
}

// MinSize is that of the line, or of both rows at the present width.
func (e Ends) MinSize(objects []fyne.CanvasObject) fyne.Size {
	first, second := e.Line.MinSize(objects[:e.Stretch+1]), e.Line.MinSize(objects[e.Stretch+1:])
	if e.fits(objects) {
		return fyne.NewSize(max(first.Width, second.Width), max(first.Height, second.Height))
	}
	return fyne.NewSize(max(first.Width, second.Width), first.Height+e.under(first)+second.Height)
}
