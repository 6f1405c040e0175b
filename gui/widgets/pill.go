package widgets

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
)

// TwoLines is a short text on one line, or on two smaller ones where its place
// is narrow. It takes the height of one line either way.
type TwoLines struct {
	widget.BaseWidget
	Text  string
	Color fyne.ThemeColorName
}

// NewTwoLines makes a text.
func NewTwoLines(color fyne.ThemeColorName) *TwoLines {
	t := &TwoLines{Color: color}
	t.ExtendBaseWidget(t)
	return t
}

// Set changes the text.
func (t *TwoLines) Set(s string) {
	if t.Text != s {
		t.Text = s
		t.Refresh()
	}
}

// Full is the width of the text on one line.
func (t *TwoLines) Full() float32 {
	return fyne.MeasureText(t.Text, t.Theme().Size(theme.SizeText), fyne.TextStyle{}).Width + 1
}

// CreateRenderer draws the text.
func (t *TwoLines) CreateRenderer() fyne.WidgetRenderer {
	t.ExtendBaseWidget(t)
	return &twoRenderer{t: t, first: canvas.NewText("", colorOf(t, t.Color)), second: canvas.NewText("", colorOf(t, t.Color))}
}

type twoRenderer struct {
	t             *TwoLines
	first, second *canvas.Text
}

func (r *twoRenderer) MinSize() fyne.Size {
	small := r.t.Theme().Size(theme.SizeSmall) // and a little air above and below
	return fyne.NewSize(0, 2*fyne.MeasureText("X", small, fyne.TextStyle{}).Height+small/2)
}

func (r *twoRenderer) Layout(size fyne.Size) {
	t := r.t
	big, small := t.Theme().Size(theme.SizeText), t.Theme().Size(theme.SizeSmall)
	r.first.Text, r.second.Text, r.first.TextSize, r.second.TextSize = t.Text, "", big, small
	if t.Full() > size.Width && size.Width > 0 {
		r.first.TextSize = small
		r.first.Text, r.second.Text = split(t.Text, size.Width, small)
	}
	one, two := r.first.MinSize(), r.second.MinSize()
	y := (size.Height - one.Height) / 2
	if r.second.Text != "" {
		y = (size.Height - one.Height - two.Height) / 2
	}
	r.first.Move(fyne.NewPos(0, y))
	r.first.Resize(one)
	r.second.Move(fyne.NewPos(0, y+one.Height))
	r.second.Resize(two)
}

// split breaks a text between words; the second line ends in an ellipsis where
// that is not enough.
func split(s string, width, size float32) (first, second string) {
	words := strings.Fields(s)
	for i := range words {
		next := strings.Join(words[:i+1], " ")
		if fyne.MeasureText(next, size, fyne.TextStyle{}).Width > width {
			if i == 0 {
				return Ellipsis(s, width, size, fyne.TextStyle{}), ""
			}
			return first, Ellipsis(strings.Join(words[i:], " "), width, size, fyne.TextStyle{})
		}
		first = next
	}
	return first, ""
}

func (r *twoRenderer) Refresh() {
	r.first.Color, r.second.Color = colorOf(r.t, r.t.Color), colorOf(r.t, r.t.Color)
	r.Layout(r.t.Size())
	r.first.Refresh()
	r.second.Refresh()
}

func (r *twoRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.first, r.second} }
func (r *twoRenderer) Destroy()                     {}
