package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
)

// Fillings of bars: each row has one, so that not only the colour tells rows apart.
type Filling int

// The fillings.
const (
	Hollow Filling = iota
	Solid
	Striped
)

// ChartBar is one amount: Part is its share of the largest of the chart.
type ChartBar struct {
	Label, Amount string
	Part          float32
}

// ChartRow is a line of bars under its name.
type ChartRow struct {
	Name, Total string
	Color       fyne.ThemeColorName
	Filling     Filling
	Bars        []ChartBar
}

// Chart draws rows of bars over one line of times, with the amounts at the bars.
type Chart struct {
	widget.BaseWidget
	Rows []ChartRow
}

// NewChart makes an empty chart.
func NewChart() *Chart {
	c := &Chart{}
	c.ExtendBaseWidget(c)
	return c
}

// Set draws other rows.
func (c *Chart) Set(rows []ChartRow) {
	c.Rows = rows
	c.Refresh()
}

const (
	barsHeight float32 = 64
	barWidth   float32 = 24
	stripe     float32 = 3
)

// CreateRenderer draws the chart.
func (c *Chart) CreateRenderer() fyne.WidgetRenderer {
	c.ExtendBaseWidget(c)
	r := &chartRenderer{c: c}
	r.Refresh()
	return r
}

type chartRenderer struct {
	c       *Chart
	objects []fyne.CanvasObject
}

func (r *chartRenderer) text(name fyne.ThemeSizeName) float32 { return r.c.Theme().Size(name) }

// heights are those of a line of text, of small text, and of a row.
func (r *chartRenderer) heights() (text, small, row float32) {
	text = fyne.MeasureText("X", r.text(theme.SizeText), fyne.TextStyle{Bold: true}).Height
	small = fyne.MeasureText("X", r.text(theme.SizeSmall), fyne.TextStyle{}).Height
	return text, small, text + theme.Space1 + small + barsHeight + 1 + theme.Space3
}

func (r *chartRenderer) MinSize() fyne.Size {
	_, small, row := r.heights()
	return fyne.NewSize(260, float32(len(r.c.Rows))*row+small)
}

func (r *chartRenderer) Layout(size fyne.Size) {
	r.objects = nil
	text, small, height := r.heights()
	for i, row := range r.c.Rows {
		r.row(row, float32(i)*height, size.Width, text, small)
	}
	if len(r.c.Rows) > 0 {
		r.labels(r.c.Rows[0].Bars, float32(len(r.c.Rows))*height-theme.Space2, size.Width)
	}
}

func (r *chartRenderer) put(o fyne.CanvasObject, x, y, w, h float32) {
	o.Move(fyne.NewPos(x, y))
	o.Resize(fyne.NewSize(w, h))
	r.objects = append(r.objects, o)
}

func (r *chartRenderer) write(s string, name fyne.ThemeColorName, size fyne.ThemeSizeName, bold bool, x, y float32) fyne.Size {
	t := canvas.NewText(s, colorOf(r.c, name))
	t.TextSize, t.TextStyle.Bold = r.text(size), bold
	m := t.MinSize()
	r.put(t, x, y, m.Width, m.Height)
	return m
}

func (r *chartRenderer) row(row ChartRow, y, width, text, small float32) {
	name := r.write(row.Name, theme.Text, theme.SizeText, true, 0, y)
	r.write(row.Total, theme.Muted, theme.SizeText, false, name.Width+theme.Space2, y)
	top := y + text + theme.Space1 + small
	base := top + barsHeight
	r.put(canvas.NewRectangle(colorOf(r.c, theme.Line)), 0, base, width, 1)
	slot := width / float32(max(1, len(row.Bars)))
	w := min(barWidth, slot*0.6)
	free := float32(0) // where the next amount may begin
	for i, b := range row.Bars {
		if b.Amount == "" {
			continue
		}
		h := max(2, b.Part*barsHeight)
		x := float32(i)*slot + (slot-w)/2
		r.bar(row, x, base-h, w, h)
		m := fyne.MeasureText(b.Amount, r.text(theme.SizeSmall), fyne.TextStyle{})
		at := max(0, min(x+w/2-m.Width/2, width-m.Width))
		if at >= free && !covers(row.Bars, i, at, at+m.Width, h, slot, w) {
			r.write(b.Amount, theme.Text, theme.SizeSmall, false, at, base-h-m.Height)
			free = at + m.Width + theme.Space1
		}
	}
}

// covers tells that an amount at a bar of that height would stand on one of the
// bars beside it.
func covers(bars []ChartBar, i int, from, to, height, slot, w float32) bool {
	for k, b := range bars {
		left := float32(k)*slot + (slot-w)/2
		if k != i && b.Part*barsHeight > height && from < left+w+2 && to > left-2 {
			return true
		}
	}
	return false
}

func (r *chartRenderer) bar(row ChartRow, x, y, w, h float32) {
	paint := colorOf(r.c, row.Color)
	switch row.Filling {
	case Solid:
		r.put(canvas.NewRectangle(paint), x, y, w, h)
	case Hollow:
		box := canvas.NewRectangle(color.Transparent)
		box.StrokeColor, box.StrokeWidth = paint, 2
		r.put(box, x, y, w, h)
	case Striped:
		for at := y + h - min(stripe, h); ; at -= 2 * stripe {
			from := max(at, y)
			r.put(canvas.NewRectangle(paint), x, from, w, min(stripe, at+stripe-from))
			if at-2*stripe+stripe <= y {
				return
			}
		}
	}
}

// labels writes as many of the times as there is room for; the last is among them.
func (r *chartRenderer) labels(bars []ChartBar, y, width float32) {
	slot := width / float32(max(1, len(bars)))
	free := width
	for i := len(bars) - 1; i >= 0; i-- {
		m := fyne.MeasureText(bars[i].Label, r.text(theme.SizeSmall), fyne.TextStyle{})
		x := max(0, min(float32(i)*slot+slot/2-m.Width/2, width-m.Width))
		if x+m.Width <= free {
			r.write(bars[i].Label, theme.Muted, theme.SizeSmall, false, x, y)
			free = x - theme.Space2
		}
	}
}

func (r *chartRenderer) Refresh() {
	r.Layout(r.c.Size())
	canvas.Refresh(r.c)
}

func (r *chartRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *chartRenderer) Destroy()                     {}
