package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"

	"earnest/gui/theme"
)

// NavItem is a line of the left column: a page, and how many wait there.
type NavItem struct {
	hover
	Title    string
	Count    string
	Selected bool
	OnTapped func()
}

var (
	_ fyne.Tappable     = (*NavItem)(nil)
	_ desktop.Hoverable = (*NavItem)(nil)
)

// NewNavItem makes an item.
func NewNavItem(title string, tapped func()) *NavItem {
	n := &NavItem{Title: title, OnTapped: tapped}
	n.ExtendBaseWidget(n)
	return n
}

// Set changes count and selection.
func (n *NavItem) Set(count string, selected bool) {
	if n.Count == count && n.Selected == selected {
		return
	}
	n.Count, n.Selected = count, selected
	n.Refresh()
}

// Tapped turns to the page.
func (n *NavItem) Tapped(*fyne.PointEvent) { n.OnTapped() }

// CreateRenderer draws the item.
func (n *NavItem) CreateRenderer() fyne.WidgetRenderer {
	n.ExtendBaseWidget(n)
	r := &navRenderer{n: n, plane: canvas.NewRectangle(color.Transparent),
		title: canvas.NewText("", color.Black), count: canvas.NewText("", color.Black)}
	r.Refresh()
	return r
}

type navRenderer struct {
	n            *NavItem
	plane        *canvas.Rectangle
	title, count *canvas.Text
}

func (r *navRenderer) MinSize() fyne.Size {
	title := r.title.MinSize()
	return fyne.NewSize(title.Width+2*theme.Space3, max(32, title.Height+theme.Space2))
}

func (r *navRenderer) Layout(size fyne.Size) {
	r.plane.Resize(size)
	title, count := r.title.MinSize(), r.count.MinSize()
	r.title.Resize(title)
	r.title.Move(fyne.NewPos(theme.Space3, (size.Height-title.Height)/2))
	r.count.Resize(count)
	r.count.Move(fyne.NewPos(size.Width-theme.Space3-count.Width, (size.Height-count.Height)/2))
}

func (r *navRenderer) Refresh() {
	n := r.n
	r.title.Text, r.title.TextSize, r.title.Color = n.Title, n.Theme().Size(theme.SizeText), colorOf(n, theme.Text)
	r.count.Text, r.count.TextSize, r.count.Color = n.Count, n.Theme().Size(theme.SizeText), colorOf(n, theme.Muted)
	r.title.TextStyle.Bold = n.Selected
	r.plane.CornerRadius = 6
	r.plane.FillColor = color.Transparent
	switch {
	case n.Selected:
		r.plane.FillColor = colorOf(n, theme.Selection)
	case n.hovered:
		r.plane.FillColor = colorOf(n, theme.Hover)
	}
	r.Layout(n.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

func (r *navRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.plane, r.title, r.count}
}
func (r *navRenderer) Destroy() {}
