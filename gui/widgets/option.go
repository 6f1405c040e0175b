package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
)

// Option is one of several ways to choose from, or a switch where Switch is set:
// a mark, what it is, and what it means in a text that wraps.
type Option struct {
	press
	Title, Text string
	Switch      bool
	Short       bool // its title stands on one line, for a row of options
	On          bool
	OnStep      func(step int) // an arrow key: to the next or the previous option
}

var (
	_ fyne.Tappable     = (*Option)(nil)
	_ fyne.Focusable    = (*Option)(nil)
	_ desktop.Hoverable = (*Option)(nil)
)

// NewOption makes one; an empty text takes no room.
func NewOption(title, text string, onOff bool, tapped func()) *Option {
	o := &Option{Title: title, Text: text, Switch: onOff}
	o.OnTapped = tapped
	o.become(o)
	return o
}

// Set changes whether it is chosen.
func (o *Option) Set(on bool) {
	if o.On != on {
		o.On = on
		o.Refresh()
	}
}

// TypedKey steps by the arrows, and else is pressed.
func (o *Option) TypedKey(e *fyne.KeyEvent) {
	switch {
	case o.OnStep != nil && (e.Name == fyne.KeyDown || e.Name == fyne.KeyRight):
		o.OnStep(1)
	case o.OnStep != nil && (e.Name == fyne.KeyUp || e.Name == fyne.KeyLeft):
		o.OnStep(-1)
	default:
		o.press.TypedKey(e)
	}
}

// NewOptions stands options below each other; the arrows walk through them.
func NewOptions(options ...*Option) *fyne.Container {
	all := make([]fyne.CanvasObject, len(options))
	for i, o := range options {
		all[i] = o
		o.OnStep = func(step int) {
			if next := i + step; next >= 0 && next < len(options) {
				if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil {
					c.Focus(options[next])
				}
			}
		}
	}
	return NewColumn(0, 0, all...)
}

// NewOptionRow stands options with short titles beside each other, as far as
// there is room.
func NewOptionRow(options ...*Option) *fyne.Container {
	for _, o := range options {
		o.Short = true
	}
	return &fyne.Container{Layout: Wrap{Gap: theme.Space5, width: new(float32)}, Objects: NewOptions(options...).Objects}
}

// CreateRenderer draws the option.
func (o *Option) CreateRenderer() fyne.WidgetRenderer {
	o.ExtendBaseWidget(o)
	r := &optionRenderer{o: o, plane: canvas.NewRectangle(color.Transparent), ring: canvas.NewRectangle(color.Transparent),
		dot: canvas.NewRectangle(color.Transparent), check: canvas.NewText("", color.Transparent), title: NewPara("", widget.MediumImportance, theme.SizeText),
		text: NewPara("", widget.LowImportance, theme.SizeSmall)}
	if o.Short {
		r.title.Wrapping = fyne.TextWrapOff
	}
	r.textRow = Flush(r.text)
	r.column = NewColumn(2, 0, Flush(r.title), r.textRow)
	r.Refresh()
	return r
}

type optionRenderer struct {
	o           *Option
	plane       *canvas.Rectangle
	ring, dot   *canvas.Rectangle
	check       *canvas.Text // in a switch that is on, as in a marked row
	title, text *widget.Label
	textRow     *fyne.Container
	column      *fyne.Container
}

const (
	markSize float32 = 16
	markRoom         = markSize + theme.Space3
)

func (r *optionRenderer) MinSize() fyne.Size {
	m := r.column.MinSize()
	return fyne.NewSize(m.Width+markRoom, m.Height+2*theme.Space2)
}

func (r *optionRenderer) Layout(size fyne.Size) {
	// The ring of the focus reaches out of the column that the texts stand in.
	r.plane.Move(fyne.NewPos(-theme.Space2, 0))
	r.plane.Resize(fyne.NewSize(size.Width+2*theme.Space2, size.Height))
	first := fyne.MeasureText("X", r.o.Theme().Size(theme.SizeText), fyne.TextStyle{}).Height
	y := theme.Space2 + (first-markSize)/2
	r.ring.Move(fyne.NewPos(0, y))
	r.ring.Resize(fyne.NewSize(markSize, markSize))
	r.dot.Move(fyne.NewPos(4, y+4))
	r.dot.Resize(fyne.NewSize(markSize-8, markSize-8))
	r.check.Resize(r.check.MinSize())
	r.check.Move(fyne.NewPos((markSize-r.check.MinSize().Width)/2, y+(markSize-r.check.MinSize().Height)/2))
	r.column.Move(fyne.NewPos(markRoom, theme.Space2))
	r.column.Resize(fyne.NewSize(max(0, size.Width-markRoom), max(0, size.Height-2*theme.Space2)))
}

func (r *optionRenderer) Refresh() {
	o := r.o
	for label, s := range map[*widget.Label]string{r.title: o.Title, r.text: o.Text} {
		if label.Text != s {
			label.SetText(s)
		}
	}
	show(r.textRow, o.Text != "")
	r.plane.CornerRadius, r.plane.StrokeWidth = 6, 0
	r.plane.FillColor, r.plane.StrokeColor = color.Transparent, color.Transparent
	if o.hovered {
		r.plane.FillColor = colorOf(o, theme.Hover)
	}
	if o.focused {
		r.plane.StrokeColor, r.plane.StrokeWidth = colorOf(o, theme.Accent), 2
	}
	round, inner := markSize/2, (markSize-8)/2
	if o.Switch {
		round, inner = 4, 2
	}
	r.ring.CornerRadius, r.dot.CornerRadius = round, inner
	r.ring.StrokeWidth, r.ring.StrokeColor = 1, colorOf(o, theme.Border)
	r.dot.FillColor = color.Transparent
	r.ring.FillColor, r.check.Text, r.check.TextSize = color.Transparent, "", 11
	r.check.TextStyle.Bold, r.check.Color = true, colorOf(o, theme.OnAccent)
	switch {
	case o.On && o.Switch:
		r.ring.StrokeWidth, r.ring.FillColor, r.check.Text = 0, colorOf(o, theme.Accent), "✓"
	case o.On:
		r.ring.StrokeWidth, r.ring.StrokeColor = 2, colorOf(o, theme.Accent)
		r.dot.FillColor = colorOf(o, theme.Accent)
	}
	r.Layout(o.Size())
	for _, object := range r.Objects() {
		object.Refresh()
	}
}

func (r *optionRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.plane, r.ring, r.dot, r.check, r.column}
}
func (r *optionRenderer) Destroy() {}
