package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"

	"earnest/gui/theme"
)

// Kind is how loud a button is.
type Kind int

// The kinds. There is one Primary on a page at most.
const (
	Quiet   Kind = iota // a border and text
	Primary             // filled with the accent
	Danger              // the reject colour as text, never a red plane
	Link                // text in the accent
	Inverse             // text on the plane of the undo bar
)

// Action is a button that names its key.
type Action struct {
	press
	Text string
	Key  string // shown behind the text, such as "A"
	Kind Kind
}

var (
	_ fyne.Tappable     = (*Action)(nil)
	_ fyne.Focusable    = (*Action)(nil)
	_ desktop.Hoverable = (*Action)(nil)
)

// NewAction makes a button.
func NewAction(text, key string, kind Kind, tapped func()) *Action {
	a := &Action{Text: text, Key: key, Kind: kind}
	a.OnTapped = tapped
	a.become(a)
	return a
}

// Set changes the text and whether it can be used.
func (a *Action) Set(text string, enabled bool) {
	if a.Text == text && a.disabled == !enabled {
		return
	}
	a.Text, a.disabled = text, !enabled
	a.Refresh()
}

// Name changes the key that is shown.
func (a *Action) Name(key string) {
	if a.Key != key {
		a.Key = key
		a.Refresh()
	}
}

// Cursor is the pointing hand on a link.
func (a *Action) Cursor() desktop.Cursor {
	if a.Kind == Link && !a.disabled {
		return desktop.PointerCursor
	}
	return desktop.DefaultCursor
}

// CreateRenderer draws the button.
func (a *Action) CreateRenderer() fyne.WidgetRenderer {
	a.ExtendBaseWidget(a)
	r := &actionRenderer{a: a, plane: canvas.NewRectangle(color.Transparent),
		text: canvas.NewText("", color.Black), key: canvas.NewText("", color.Black)}
	r.text.TextStyle.Bold = true
	r.Refresh()
	return r
}

type actionRenderer struct {
	a         *Action
	plane     *canvas.Rectangle
	text, key *canvas.Text
}

func (r *actionRenderer) pad() float32 {
	if r.a.Kind == Link {
		return 0
	}
	return theme.Space4
}

func (r *actionRenderer) MinSize() fyne.Size {
	m := r.text.MinSize()
	if r.key.Text != "" {
		m.Width += r.key.MinSize().Width + theme.Space2
	}
	return fyne.NewSize(m.Width+2*r.pad(), m.Height+2*theme.Space2)
}

func (r *actionRenderer) Layout(size fyne.Size) {
	r.plane.Move(fyne.NewPos(0, 0))
	r.plane.Resize(size)
	if r.a.Kind == Link && r.a.focused {
		// The ring stands off the letters, which begin at the very edge.
		r.plane.Move(fyne.NewPos(-theme.Space1, 0))
		r.plane.Resize(size.AddWidthHeight(2*theme.Space1, 0))
	}
	width := r.MinSize().Width - 2*r.pad()
	x := (size.Width - width) / 2
	text := r.text.MinSize()
	r.text.Resize(text)
	r.text.Move(fyne.NewPos(x, (size.Height-text.Height)/2))
	key := r.key.MinSize()
	r.key.Resize(key)
	// On the baseline of the text, whose letters are larger.
	r.key.Move(fyne.NewPos(x+text.Width+theme.Space2, (size.Height-key.Height)/2+1))
}

func (r *actionRenderer) Refresh() {
	a := r.a
	r.text.Text, r.text.TextSize = a.Text, a.Theme().Size(theme.SizeText)
	r.key.Text, r.key.TextSize = a.Key, a.Theme().Size(theme.SizeSmall)
	fill, border, text, key := fyne.ThemeColorName(""), theme.Border, theme.Text, theme.Muted
	switch a.Kind {
	case Primary:
		fill, border, text, key = theme.Accent, theme.Accent, theme.OnAccent, theme.OnAccent
	case Danger:
		text = theme.Reject
	case Link:
		border, text = "", theme.Accent
	case Inverse:
		border, text, key = theme.Muted, theme.Background, theme.Background
	}
	switch {
	case a.disabled:
		text, key = theme.Muted, theme.Muted
		if a.Kind == Primary {
			fill, border = theme.Line, theme.Line
		}
	case a.hovered && a.Kind != Primary && a.Kind != Link && a.Kind != Inverse:
		fill = theme.Hover
	}
	r.plane.FillColor, r.plane.StrokeColor, r.plane.StrokeWidth = color.Transparent, color.Transparent, 0
	if fill != "" {
		r.plane.FillColor = colorOf(a, fill)
	}
	if border != "" {
		r.plane.StrokeColor, r.plane.StrokeWidth = colorOf(a, border), 1
	}
	if a.focused {
		ring := theme.Accent
		switch a.Kind {
		case Primary:
			ring = theme.Text
		case Inverse: // on a plane of the colour of texts
			ring = theme.Background
		}
		r.plane.StrokeColor, r.plane.StrokeWidth = colorOf(a, ring), 2
	}
	r.plane.CornerRadius = 6
	r.text.Color, r.key.Color = colorOf(a, text), colorOf(a, key)
	r.Layout(a.Size())
	r.plane.Refresh()
	r.text.Refresh()
	r.key.Refresh()
}

func (r *actionRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.plane, r.text, r.key}
}
func (r *actionRenderer) Destroy() {}
