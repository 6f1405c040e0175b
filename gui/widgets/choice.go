package widgets

import (
	"image/color"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
)

// Choice is one of several, under its name, with its fault below.
type Choice struct {
	Box      *fyne.Container
	Select   *Select
	OnChosen func(i int)

	fault *widget.Label
	row   *fyne.Container
}

// Select is Fyne's, with the edge that a field has, that lets go of the keys that
// are not its own.
type Select struct {
	widget.Select
	Name string // for screen readers
	edge *edge
}

// edge is the border of a field, in the accent where it has the focus.
type edge struct {
	widget.BaseWidget
	focused bool
}

// CreateRenderer draws the border.
func (e *edge) CreateRenderer() fyne.WidgetRenderer {
	r := &edgeRenderer{e: e, box: canvas.NewRectangle(color.Transparent)}
	r.box.CornerRadius = 6
	r.Refresh()
	return r
}

type edgeRenderer struct {
	e   *edge
	box *canvas.Rectangle
}

func (r *edgeRenderer) MinSize() fyne.Size           { return fyne.Size{} }
func (r *edgeRenderer) Layout(size fyne.Size)        { r.box.Resize(size) }
func (r *edgeRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.box} }
func (r *edgeRenderer) Destroy()                     {}
func (r *edgeRenderer) Refresh() {
	r.box.StrokeColor, r.box.StrokeWidth = colorOf(r.e, theme.Border), 1
	if r.e.focused {
		r.box.StrokeColor, r.box.StrokeWidth = colorOf(r.e, theme.Accent), 2
	}
	r.box.Refresh()
}

// FocusGained shows the focus at the edge.
func (s *Select) FocusGained() {
	s.Select.FocusGained()
	s.edge.focused = true
	s.edge.Refresh()
	Reveal(s)
}

// FocusLost hides it.
func (s *Select) FocusLost() {
	s.Select.FocusLost()
	s.edge.focused = false
	s.edge.Refresh()
}

// NewChoice makes a choice of that width; 0 takes the width there is.
func NewChoice(name string, width float32, chosen func(i int)) *Choice {
	c := &Choice{OnChosen: chosen, Select: &Select{Name: name}, fault: NewPara("", widget.DangerImportance, theme.SizeSmall)}
	c.Select.OnChanged = func(string) {
		if i := c.Select.SelectedIndex(); i >= 0 {
			c.OnChosen(i)
		}
	}
	c.Select.PlaceHolder = " " // Fyne's own is in English
	c.Select.ExtendBaseWidget(c.Select)
	c.row = Flush(c.fault)
	c.row.Hide()
	c.Select.edge = &edge{}
	c.Select.edge.ExtendBaseWidget(c.Select.edge)
	sized := &fyne.Container{Layout: Fixed{Width: width}, Objects: []fyne.CanvasObject{c.Select, c.Select.edge}}
	c.Box = NewColumn(theme.Space1, 0, Flush(NewPara(name, widget.LowImportance, theme.SizeSmall)), sized, c.row)
	return c
}

// Set shows what there is to choose, and what is chosen. It tells nobody.
func (c *Choice) Set(options []string, at int) {
	s := c.Select
	options = distinct(options)
	chosen := ""
	if at >= 0 && at < len(options) {
		chosen = options[at]
	}
	if slices.Equal(s.Options, options) && s.Selected == chosen {
		return
	}
	s.Options, s.Selected = options, chosen
	s.Refresh()
}

// distinct tells equal names apart: Fyne knows what was chosen by its text.
func distinct(options []string) []string {
	seen := map[string]bool{}
	list := slices.Clone(options)
	for i, o := range list {
		for seen[o] {
			o += "\u2009"
		}
		seen[o], list[i] = true, o
	}
	return list
}

// Fault says beside the choice what is wrong with it.
func (c *Choice) Fault(s string) { SetPara(c.fault, c.row, s) }

// TypedKey leaves Escape to the window.
func (s *Select) TypedKey(e *fyne.KeyEvent) {
	if e.Name == fyne.KeyEscape {
		passKey(s, e)
		return
	}
	s.Select.TypedKey(e)
}

// TypedRune hands the window's keys on.
func (s *Select) TypedRune(r rune) {
	if r != ' ' {
		passRune(s, r)
	}
}
