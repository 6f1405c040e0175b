package widgets

import (
	"fyne.io/fyne/v2"

	"earnest/gui/theme"
)

// Beside places what belongs to a form at its side where there is room, else
// below it.
type Beside struct{ width *float32 }

// BesideWidth is the width of what stands beside.
const BesideWidth float32 = 340

// NewBeside places aside at the side of form.
func NewBeside(form, aside fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: Beside{new(float32)}, Objects: []fyne.CanvasObject{form, aside}}
}

func (b Beside) fits() bool { return *b.width >= FormWidth+2*theme.Space5+BesideWidth }

// Layout places both.
func (b Beside) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	*b.width = size.Width
	form, aside := objects[0], objects[1]
	width := min(size.Width, FormWidth)
	height := tall(form, width)
	form.Resize(fyne.NewSize(width, height))
	form.Move(fyne.Position{})
	at := fyne.NewPos(0, height+theme.Space5)
	if b.fits() {
		width, at = BesideWidth, fyne.NewPos(FormWidth+2*theme.Space5, 0)
	}
	aside.Resize(fyne.NewSize(width, tall(aside, width)))
	aside.Move(at)
}

// MinSize is that of both at the present width.
func (b Beside) MinSize(objects []fyne.CanvasObject) fyne.Size {
	form, aside := objects[0].MinSize(), objects[1].MinSize()
	if b.fits() {
		return fyne.NewSize(max(form.Width, aside.Width), max(form.Height, aside.Height))
	}
	return fyne.NewSize(max(form.Width, aside.Width), form.Height+theme.Space5+aside.Height)
}

// Most gives an object the room there is, up to a width.
type Most struct{ Width float32 }

// Layout places the object at the left.
func (m Most) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Resize(fyne.NewSize(min(size.Width, m.Width), size.Height))
		o.Move(fyne.Position{})
	}
}

// MinSize is the object's.
func (m Most) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var all fyne.Size
	for _, o := range objects {
		all = all.Max(o.MinSize())
	}
	return all
}
