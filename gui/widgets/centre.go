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
