package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"

	"earnest/gui/theme"
)

// Tab names a part of a page; the one that is shown is underlined.
type Tab struct {
	press
	Text     string
	Selected bool
}

var (
	_ fyne.Tappable     = (*Tab)(nil)
	_ fyne.Focusable    = (*Tab)(nil)
	_ desktop.Hoverable = (*Tab)(nil)
)

// Tabs is a line of tabs. They wrap where there is little room.
type Tabs struct {
	Box  *fyne.Container
	tabs []*Tab
}

// NewTabs makes a tab of each name; chosen is told which was chosen.
func NewTabs(chosen func(i int), names ...string) *Tabs {
	t := &Tabs{Box: NewWrap(theme.Space4)}
	for i, name := range names {
		tab := &Tab{Text: name}
		tab.OnTapped = func() { chosen(i) }
		tab.become(tab)
		t.tabs = append(t.tabs, tab)
		t.Box.Add(tab)
	}
	return t
}

// Select underlines a tab.
func (t *Tabs) Select(at int) {
	for i, tab := range t.tabs {
		if tab.Selected != (i == at) {
			tab.Selected = i == at
			tab.Refresh()
		}
	}
}

// CreateRenderer draws the tab.
func (t *Tab) CreateRenderer() fyne.WidgetRenderer {
	t.ExtendBaseWidget(t)
	r := &tabRenderer{t: t, plane: canvas.NewRectangle(color.Transparent), mark: canvas.NewRectangle(color.Transparent), text: canvas.NewText("", color.Black)}
	r.Refresh()
	return r
}

type tabRenderer struct {
	t           *Tab
	plane, mark *canvas.Rectangle
	text        *canvas.Text
}

// MinSize measures the bold text, so that nothing moves when it is chosen.
func (r *tabRenderer) MinSize() fyne.Size {
	m := fyne.MeasureText(r.t.Text, r.text.TextSize, fyne.TextStyle{Bold: true})
	return fyne.NewSize(m.Width, m.Height+2*theme.Space2)
}

func (r *tabRenderer) Layout(size fyne.Size) {
	r.plane.Resize(size.AddWidthHeight(2*theme.Space1, 0))
	r.plane.Move(fyne.NewPos(-theme.Space1, 0))
	r.text.Resize(fyne.NewSize(size.Width, size.Height-2*theme.Space2))
	r.text.Move(fyne.NewPos(0, theme.Space2))
	r.mark.Resize(fyne.NewSize(size.Width, 2))
	r.mark.Move(fyne.NewPos(0, size.Height-2))
}

func (r *tabRenderer) Refresh() {
	t := r.t
	r.text.Text, r.text.TextSize, r.text.TextStyle.Bold = t.Text, t.Theme().Size(theme.SizeText), t.Selected
	text, mark := theme.Muted, color.Color(color.Transparent)
	if t.hovered {
		text = theme.Text
	}
	if t.Selected {
		text, mark = theme.Text, colorOf(t, theme.Accent)
	}
	r.text.Color, r.mark.FillColor = colorOf(t, text), mark
	r.plane.StrokeColor, r.plane.StrokeWidth, r.plane.CornerRadius = color.Transparent, 0, 6
	if t.focused {
		r.plane.StrokeColor, r.plane.StrokeWidth = colorOf(t, theme.Accent), 2
	}
	r.Layout(t.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

func (r *tabRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.plane, r.text, r.mark}
}
func (r *tabRenderer) Destroy() {}
