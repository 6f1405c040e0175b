package widgets

import (
	"fyne.io/fyne/v2"

	"earnest/gui/theme"
)

// ReadingWidth is about 70 characters of 14 pixel text.
const ReadingWidth float32 = 620

// FormWidth is the width of pages that are filled in.
const FormWidth float32 = 520

// Column stacks objects from top to bottom with gaps, at most Width wide (0: as
// wide as its place). A wrapping text is measured at the width it gets.
type Column struct{ Gap, Width float32 }

// Grown is a width for text at the size that the person chose: a larger text has
// as many letters on a line. Widths are written for text of 14.
func Grown(width float32) float32 {
	if app := fyne.CurrentApp(); app != nil {
		return width * app.Settings().Theme().Size(theme.SizeText) / 14
	}
	return width
}

// NewColumn makes a column.
func NewColumn(gap, width float32, objects ...fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: Column{Gap: gap, Width: width}, Objects: objects}
}

// Layout places the objects.
func (c Column) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	width := size.Width
	if c.Width > 0 {
		width = min(width, Grown(c.Width))
	}
	y := float32(0)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		// Wrapped texts know their height only once they have their width.
		o.Resize(fyne.NewSize(width, o.MinSize().Height))
		height := o.MinSize().Height
		o.Resize(fyne.NewSize(width, height))
		o.Move(fyne.NewPos(0, y))
		y += height + c.Gap
	}
}

// MinSize is the sum of the heights at the present width.
func (c Column) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var all fyne.Size
	n := 0
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		all.Width = max(all.Width, m.Width)
		all.Height += m.Height
		n++
	}
	if n > 1 {
		all.Height += float32(n-1) * c.Gap
	}
	return all
}

// Line puts objects side by side, centred on one line. The object at Stretch
// takes the room that is left (-1: none does).
type Line struct {
	Gap     float32
	Stretch int
}

// NewLine makes a line.
func NewLine(gap float32, stretch int, objects ...fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: Line{Gap: gap, Stretch: stretch}, Objects: objects}
}

// Layout places the objects.
func (l Line) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	spare := size.Width - l.MinSize(objects).Width
	x := float32(0)
	for i, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		if i == l.Stretch {
			m.Width = max(0, m.Width+spare)
		}
		o.Resize(m)
		o.Move(fyne.NewPos(x, (size.Height-m.Height)/2))
		x += m.Width + l.Gap
	}
}

// MinSize is the sum of the widths.
func (l Line) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var all fyne.Size
	n := 0
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		all.Width += m.Width
		all.Height = max(all.Height, m.Height)
		n++
	}
	if n > 1 {
		all.Width += float32(n-1) * l.Gap
	}
	return all
}

// Inset is padding around one object.
type Inset struct{ Top, Right, Bottom, Left float32 }

// NewInset pads the object.
func NewInset(top, right, bottom, left float32, o fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: Inset{top, right, bottom, left}, Objects: []fyne.CanvasObject{o}}
}

// NewPad pads the object alike on all sides.
func NewPad(pad float32, o fyne.CanvasObject) *fyne.Container {
	return NewInset(pad, pad, pad, pad, o)
}

// Layout places the object.
func (p Inset) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.NewPos(p.Left, p.Top))
		o.Resize(fyne.NewSize(max(0, size.Width-p.Left-p.Right), max(0, size.Height-p.Top-p.Bottom)))
	}
}

// MinSize is the object's with the padding.
func (p Inset) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var m fyne.Size
	for _, o := range objects {
		if o.Visible() {
			m = m.Max(o.MinSize())
		}
	}
	return m.AddWidthHeight(p.Left+p.Right, p.Top+p.Bottom)
}

// Split places a list beside what is chosen in it, with a hairline between
// them. Where that is too narrow, only one of them is shown: Reading says which.
type Split struct {
	Reading *bool
	Narrow  *bool // set by the layout
	Turned  func()
}

// SplitAt is the width under which list and mail take turns: 900 less the
// navigation beside them.
const SplitAt = 900 - NavWidth

// ListWidth is the list's share.
func ListWidth(total float32) float32 { return min(Grown(360), max(Grown(280), total*0.34)) }

// Layout places list, hairline and mail.
func (s Split) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	list, line, mail := objects[0], objects[1], objects[2]
	narrow := size.Width < Grown(SplitAt)
	if narrow != *s.Narrow {
		*s.Narrow = narrow
		if s.Turned != nil {
			s.Turned()
		}
	}
	showList, showMail := !narrow || !*s.Reading, !narrow || *s.Reading
	show(list, showList)
	show(line, !narrow)
	show(mail, showMail)
	if narrow {
		list.Move(fyne.Position{})
		list.Resize(size)
		mail.Move(fyne.Position{})
		mail.Resize(size)
		return
	}
	width := ListWidth(size.Width)
	list.Move(fyne.Position{})
	list.Resize(fyne.NewSize(width, size.Height))
	line.Move(fyne.NewPos(width, 0))
	line.Resize(fyne.NewSize(1, size.Height))
	mail.Move(fyne.NewPos(width+1, 0))
	mail.Resize(fyne.NewSize(size.Width-width-1, size.Height))
}

// MinSize lets the window shrink to one of them.
func (s Split) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(280, 200) }

func show(o fyne.CanvasObject, visible bool) {
	if visible && !o.Visible() {
		o.Show()
	}
	if !visible && o.Visible() {
		o.Hide()
	}
}

// NavWidth is the width of the left column.
const NavWidth float32 = 176

// MenuAt is the window's width under which the left column becomes a menu.
const MenuAt float32 = 600

// Shell places the navigation, a hairline and the page; under MenuAt only the
// page, and Menu is told.
type Shell struct {
	Small *bool
	Bare  *bool // no navigation at all: there is nowhere to go
	Menu  func(small bool)
}

// Layout places the parts.
func (s Shell) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	nav, line, page := objects[0], objects[1], objects[2]
	small := size.Width < Grown(MenuAt)
	if small != *s.Small {
		*s.Small = small
		s.Menu(small)
	}
	column := !small && !*s.Bare
	show(nav, column)
	show(line, column)
	x := float32(0)
	if column {
		width := Grown(NavWidth)
		nav.Resize(fyne.NewSize(width, size.Height))
		nav.Move(fyne.Position{})
		line.Resize(fyne.NewSize(1, size.Height))
		line.Move(fyne.NewPos(width, 0))
		x = width + 1
	}
	page.Move(fyne.NewPos(x, 0))
	page.Resize(fyne.NewSize(size.Width-x, size.Height))
}

// MinSize lets the window become small.
func (s Shell) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(320, 360) }

// Middle centres one object, no wider than its place less a margin.
type Middle struct{}

// Layout places the object.
func (Middle) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		m := o.MinSize()
		width := min(m.Width, size.Width-2*theme.Space4)
		o.Resize(fyne.NewSize(width, m.Height))
		o.Move(fyne.NewPos((size.Width-width)/2, (size.Height-m.Height)/2))
	}
}

// MinSize is the object's height: it shrinks with its place.
func (Middle) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var m fyne.Size
	for _, o := range objects {
		if o.Visible() {
			m = m.Max(o.MinSize())
		}
	}
	return fyne.NewSize(0, m.Height)
}

// Dock places an object with others at its edges, without gaps. Any may be nil
// but the middle.
func Dock(top, bottom, left, right, middle fyne.CanvasObject) *fyne.Container {
	d := dock{top: top, bottom: bottom, left: left, right: right, middle: middle}
	c := &fyne.Container{Layout: d}
	for _, o := range []fyne.CanvasObject{middle, top, bottom, left, right} {
		if o != nil {
			c.Objects = append(c.Objects, o)
		}
	}
	return c
}

type dock struct{ top, bottom, left, right, middle fyne.CanvasObject }

func minOf(o fyne.CanvasObject) fyne.Size {
	if o == nil || !o.Visible() {
		return fyne.Size{}
	}
	return o.MinSize()
}

// tall is the height of a wrapping object at a width.
func tall(o fyne.CanvasObject, width float32) float32 {
	if o == nil || !o.Visible() {
		return 0
	}
	o.Resize(fyne.NewSize(width, o.MinSize().Height))
	return o.MinSize().Height
}

func (d dock) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	top, bottom := tall(d.top, size.Width), tall(d.bottom, size.Width)
	left, right := minOf(d.left).Width, minOf(d.right).Width
	height := size.Height - top - bottom
	place := func(o fyne.CanvasObject, x, y, w, h float32) {
		if o != nil && o.Visible() {
			o.Move(fyne.NewPos(x, y))
			o.Resize(fyne.NewSize(max(0, w), max(0, h)))
		}
	}
	place(d.top, 0, 0, size.Width, top)
	place(d.bottom, 0, size.Height-bottom, size.Width, bottom)
	place(d.left, 0, top, left, height)
	place(d.right, size.Width-right, top, right, height)
	place(d.middle, left, top, size.Width-left-right, height)
}

func (d dock) MinSize([]fyne.CanvasObject) fyne.Size {
	top, bottom, left, right, middle := minOf(d.top), minOf(d.bottom), minOf(d.left), minOf(d.right), minOf(d.middle)
	return fyne.NewSize(max(left.Width+right.Width+middle.Width, top.Width, bottom.Width),
		top.Height+bottom.Height+max(left.Height, right.Height, middle.Height))
}

// Wide gives a text that may be cut the room it would like to have.
type Wide struct{}

// Layout gives it all there is.
func (Wide) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Resize(size)
		o.Move(fyne.Position{})
	}
}

// MinSize measures the text uncut, up to a reading width.
func (Wide) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var m fyne.Size
	for _, o := range objects {
		m = m.Max(o.MinSize())
		if t, ok := o.(*Text); ok {
			m.Width = max(m.Width, min(ReadingWidth, t.full()))
		}
	}
	return m
}

// NewTop keeps an object at the top of its place instead of stretching it.
func NewTop(o fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: Column{}, Objects: []fyne.CanvasObject{o}}
}

// Fixed gives an object a width, so that what follows stands in a column.
type Fixed struct{ Width float32 }

// Layout gives it all there is.
func (f Fixed) Layout(objects []fyne.CanvasObject, size fyne.Size) { Wide{}.Layout(objects, size) }

// MinSize is the width and the object's height.
func (f Fixed) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var m fyne.Size
	for _, o := range objects {
		m = m.Max(o.MinSize())
	}
	return fyne.NewSize(f.Width, m.Height)
}

// Sheet stacks a head, a body that takes the room left, and a foot, at most
// Width wide.
type Sheet struct{ Width, Gap float32 }

const sheetBody float32 = 160

// Layout places the three.
func (s Sheet) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	width := min(size.Width, s.Width)
	head, body, foot := objects[0], objects[1], objects[2]
	head.Resize(fyne.NewSize(width, head.MinSize().Height))
	top := head.MinSize().Height
	head.Resize(fyne.NewSize(width, top))
	foot.Resize(fyne.NewSize(width, foot.MinSize().Height))
	bottom := foot.MinSize().Height
	foot.Resize(fyne.NewSize(width, bottom))
	head.Move(fyne.Position{})
	body.Move(fyne.NewPos(0, top+s.Gap))
	height := max(sheetBody, size.Height-top-bottom-2*s.Gap)
	body.Resize(fyne.NewSize(width, height))
	foot.Move(fyne.NewPos(0, top+height+2*s.Gap))
}

// MinSize is that of the three.
func (s Sheet) MinSize(objects []fyne.CanvasObject) fyne.Size {
	head, foot := objects[0].MinSize(), objects[2].MinSize()
	return fyne.NewSize(max(head.Width, foot.Width), head.Height+foot.Height+sheetBody+2*s.Gap)
}
