// Package widgets holds what the window draws with beside Fyne's own: texts
// that sit on one line with each other, rows of a list, buttons with a key,
// and layouts that keep a readable width.
package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
)

// colorOf is the token's colour in the theme of the widget.
func colorOf(w interface{ Theme() fyne.Theme }, name fyne.ThemeColorName) color.Color {
	return w.Theme().Color(name, fyne.CurrentApp().Settings().ThemeVariant())
}

// Text is one line of text in a token's colour. Where it is wider than its
// place and Cut is set, it ends in an ellipsis.
type Text struct {
	widget.BaseWidget
	Text  string
	Color fyne.ThemeColorName
	// SizeName is SizeText where empty.
	SizeName fyne.ThemeSizeName
	Bold     bool
	Mono     bool
	Align    fyne.TextAlign
	Cut      bool
	CutStart bool // cut at its beginning: for an address
}

// NewText makes a text.
func NewText(s string, color fyne.ThemeColorName, size fyne.ThemeSizeName, bold bool) *Text {
	t := &Text{Text: s, Color: color, SizeName: size, Bold: bold}
	t.ExtendBaseWidget(t)
	return t
}

// Set changes text and colour.
func (t *Text) Set(s string, color fyne.ThemeColorName) {
	if t.Text == s && t.Color == color {
		return
	}
	t.Text, t.Color = s, color
	t.Refresh()
}

// CreateRenderer draws the text.
func (t *Text) CreateRenderer() fyne.WidgetRenderer {
	t.ExtendBaseWidget(t)
	r := &textRenderer{t: t, text: canvas.NewText("", color.Black)}
	r.apply()
	return r
}

func (t *Text) style() fyne.TextStyle { return fyne.TextStyle{Bold: t.Bold, Monospace: t.Mono} }

type textRenderer struct {
	t    *Text
	text *canvas.Text
	laid bool // it has its place
}

func (r *textRenderer) apply() {
	t := r.t
	size := t.SizeName
	if size == "" {
		size = theme.SizeText
	}
	r.text.Color = colorOf(t, t.Color)
	r.text.TextSize = t.Theme().Size(size)
	r.text.TextStyle = t.style()
	r.text.Alignment = t.Align
	r.text.Text = t.Text
	if width := t.Size().Width; t.Cut && width > 0 {
		cut := Ellipsis
		if t.CutStart {
			cut = EllipsisStart
		}
		r.text.Text = cut(t.Text, width, r.text.TextSize, r.text.TextStyle)
	} else if t.Cut && r.laid {
		r.text.Text = "" // there is no room at all
	}
}

func (r *textRenderer) MinSize() fyne.Size {
	size := r.t.SizeName
	if size == "" {
		size = theme.SizeText
	}
	min := fyne.MeasureText(r.t.Text, r.t.Theme().Size(size), r.t.style())
	if r.t.Cut {
		min.Width = 0
	}
	return min
}

func (r *textRenderer) Layout(size fyne.Size) {
	r.laid = true
	r.apply()
	r.text.Resize(size)
}

func (r *textRenderer) Refresh() {
	r.apply()
	r.text.Refresh()
}

func (r *textRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.text} }
func (r *textRenderer) Destroy()                     {}

// Ellipsis cuts the text so that it fits into the width.
func Ellipsis(s string, width, size float32, style fyne.TextStyle) string {
	if fyne.MeasureText(s, size, style).Width <= width {
		return s
	}
	runes := []rune(s)
	low, high := 0, len(runes)
	for low < high {
		mid := (low + high + 1) / 2
		if fyne.MeasureText(string(runes[:mid])+"…", size, style).Width <= width {
			low = mid
		} else {
			high = mid - 1
		}
	}
	if low == 0 {
		return "…"
	}
	return string(runes[:low]) + "…"
}

// EllipsisStart cuts the text at its beginning: the end of an address is what
// tells whose it is.
func EllipsisStart(s string, width, size float32, style fyne.TextStyle) string {
	if fyne.MeasureText(s, size, style).Width <= width {
		return s
	}
	runes := []rune(s)
	low, high := 0, len(runes)
	for low < high {
		mid := (low + high) / 2
		if fyne.MeasureText("…"+string(runes[mid:]), size, style).Width <= width {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return "…" + string(runes[low:])
}

// NewPara makes a text that wraps. It sits flush with Texts above and below;
// put it into a container by Flush.
func NewPara(s string, importance widget.Importance, size fyne.ThemeSizeName) *widget.Label {
	l := widget.NewLabel(s)
	l.Wrapping = fyne.TextWrapWord
	l.Importance = importance
	l.SizeName = size
	return l
}

// Flush takes away the padding that a Label draws around its text, so that its
// letters begin where those of a Text begin.
func Flush(o fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: flush{}, Objects: []fyne.CanvasObject{o}}
}

type flush struct{}

const labelPad = theme.Space2

func (flush) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.NewPos(-labelPad, -labelPad))
		o.Resize(size.AddWidthHeight(2*labelPad, 2*labelPad))
	}
}

func (flush) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var min fyne.Size
	for _, o := range objects {
		if o.Visible() {
			min = min.Max(o.MinSize())
		}
	}
	return fyne.NewSize(max(0, min.Width-2*labelPad), max(0, min.Height-2*labelPad))
}

// Hairline is a line of one pixel.
type Hairline struct{ widget.BaseWidget }

// NewHairline makes a hairline; it is as long as its place.
func NewHairline() *Hairline {
	h := &Hairline{}
	h.ExtendBaseWidget(h)
	return h
}

// CreateRenderer draws the line.
func (h *Hairline) CreateRenderer() fyne.WidgetRenderer {
	return newFill(h, theme.Line, 1)
}

// Fill is a plane in a token's colour.
type Fill struct {
	widget.BaseWidget
	Color  fyne.ThemeColorName
	Radius float32
}

// NewFill makes a plane.
func NewFill(color fyne.ThemeColorName) *Fill {
	f := &Fill{Color: color}
	f.ExtendBaseWidget(f)
	return f
}

// CreateRenderer draws the plane.
func (f *Fill) CreateRenderer() fyne.WidgetRenderer {
	r := newFill(f, f.Color, 0)
	r.rect.CornerRadius = f.Radius
	return r
}

type fillRenderer struct {
	w interface {
		fyne.Widget
		Theme() fyne.Theme
	}
	color fyne.ThemeColorName
	min   float32
	rect  *canvas.Rectangle
}

func newFill(w interface {
	fyne.Widget
	Theme() fyne.Theme
}, color fyne.ThemeColorName, min float32) *fillRenderer {
	return &fillRenderer{w: w, color: color, min: min, rect: canvas.NewRectangle(colorOf(w, color))}
}

func (r *fillRenderer) MinSize() fyne.Size           { return fyne.NewSize(r.min, r.min) }
func (r *fillRenderer) Layout(size fyne.Size)        { r.rect.Resize(size) }
func (r *fillRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.rect} }
func (r *fillRenderer) Destroy()                     {}
func (r *fillRenderer) Refresh() {
	r.rect.FillColor = colorOf(r.w, r.color)
	r.rect.Refresh()
}

// full is the width of the whole text.
func (t *Text) full() float32 {
	size := t.SizeName
	if size == "" {
		size = theme.SizeText
	}
	return fyne.MeasureText(t.Text, t.Theme().Size(size), t.style()).Width + 1
}
