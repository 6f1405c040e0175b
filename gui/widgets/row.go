package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
)

// RowData is what a row shows.
type RowData struct {
	Title, Aside, Subject, Amount, Note string
	NoteColor                           fyne.ThemeColorName
	Unread, Selected                    bool
}

// RowHeight is the height of every row.
const RowHeight float32 = 60

// Row is a line of a list: who and how much, what and how long.
type Row struct {
	widget.BaseWidget
	Data     RowData
	OnTapped func()

	hovered bool
}

var (
	_ fyne.Tappable     = (*Row)(nil)
	_ desktop.Hoverable = (*Row)(nil)
)

// NewRow makes an empty row.
func NewRow() *Row {
	r := &Row{}
	r.ExtendBaseWidget(r)
	return r
}

// Set shows other data.
func (r *Row) Set(d RowData) {
	if r.Data == d {
		return
	}
	r.Data = d
	r.Refresh()
}

// Tapped chooses the row.
func (r *Row) Tapped(*fyne.PointEvent) {
	if r.OnTapped != nil {
		r.OnTapped()
	}
}

// MouseIn shows that the row can be chosen.
func (r *Row) MouseIn(*desktop.MouseEvent) { r.hovered = true; r.Refresh() }

// MouseMoved does nothing.
func (r *Row) MouseMoved(*desktop.MouseEvent) {}

// MouseOut ends the hovering.
func (r *Row) MouseOut() { r.hovered = false; r.Refresh() }

// CreateRenderer draws the row.
func (r *Row) CreateRenderer() fyne.WidgetRenderer {
	r.ExtendBaseWidget(r)
	text := func() *canvas.Text { return canvas.NewText("", color.Black) }
	d := &rowRenderer{r: r, plane: canvas.NewRectangle(color.Transparent), mark: canvas.NewRectangle(color.Transparent),
		line: canvas.NewRectangle(color.Transparent), dot: canvas.NewCircle(color.Transparent),
		title: text(), aside: text(), subject: text(), amount: text(), note: text()}
	d.Refresh()
	return d
}

type rowRenderer struct {
	r                                   *Row
	plane, mark, line                   *canvas.Rectangle
	dot                                 *canvas.Circle
	title, aside, subject, amount, note *canvas.Text
}

func (d *rowRenderer) MinSize() fyne.Size { return fyne.NewSize(200, RowHeight) }

func (d *rowRenderer) Layout(size fyne.Size) {
	d.plane.Resize(size)
	d.mark.Resize(fyne.NewSize(3, size.Height))
	d.line.Resize(fyne.NewSize(size.Width-theme.Space4, 1))
	d.line.Move(fyne.NewPos(theme.Space4, size.Height-1))
	left, right := theme.Space4+theme.Space2, size.Width-theme.Space4
	d.dot.Resize(fyne.NewSize(6, 6))
	line1 := d.put(d.title, d.aside, d.amount, d.r.Data.Title, d.r.Data.Aside, left, right, 10)
	d.dot.Move(fyne.NewPos(theme.Space4-5, 10+line1/2-3))
	d.put(d.subject, nil, d.note, d.r.Data.Subject, "", left, right, size.Height-10-fyne.MeasureText("X", d.subject.TextSize, d.subject.TextStyle).Height)
}

// put sets one line: text, a pale text beside it, and one at the right edge.
func (d *rowRenderer) put(text, aside, end *canvas.Text, s, asideText string, left, right, y float32) float32 {
	endSize := end.MinSize()
	height := fyne.MeasureText("X", text.TextSize, text.TextStyle).Height
	end.Resize(endSize)
	end.Move(fyne.NewPos(right-endSize.Width, y+(height-endSize.Height)/2))
	room := right - left - endSize.Width - theme.Space3
	most := room
	if asideText != "" {
		most = room * 0.6 // a display name never stands without the address
	}
	text.Text = Ellipsis(s, most, text.TextSize, text.TextStyle)
	size := text.MinSize()
	text.Resize(size)
	text.Move(fyne.NewPos(left, y))
	if aside == nil {
		return height
	}
	room -= size.Width + theme.Space2
	aside.Text = ""
	if asideText != "" && room > 40 {
		aside.Text = EllipsisStart(asideText, room, aside.TextSize, aside.TextStyle)
	}
	small := aside.MinSize()
	aside.Resize(small)
	aside.Move(fyne.NewPos(left+size.Width+theme.Space2, y+(height-small.Height)/2+1))
	return height
}

func (d *rowRenderer) Refresh() {
	r, data := d.r, d.r.Data
	size, small := r.Theme().Size(theme.SizeText), r.Theme().Size(theme.SizeSmall)
	style := func(t *canvas.Text, s string, size float32, bold bool, c fyne.ThemeColorName) {
		t.Text, t.TextSize, t.TextStyle.Bold, t.Color = s, size, bold, colorOf(r, c)
	}
	note := data.NoteColor
	if note == "" {
		note = theme.Muted
	}
	style(d.title, data.Title, size, data.Unread, theme.Text)
	style(d.aside, data.Aside, small, false, theme.Muted)
	style(d.amount, data.Amount, size, false, theme.Text)
	style(d.subject, data.Subject, small, false, theme.Muted)
	if data.Unread {
		d.subject.Color = colorOf(r, theme.Text)
	}
	style(d.note, data.Note, small, false, note)
	d.plane.FillColor, d.mark.FillColor, d.dot.FillColor = color.Transparent, color.Transparent, color.Transparent
	switch {
	case data.Selected:
		d.plane.FillColor, d.mark.FillColor = colorOf(r, theme.Selection), colorOf(r, theme.Accent)
	case r.hovered:
		d.plane.FillColor = colorOf(r, theme.Hover)
	}
	if data.Unread {
		d.dot.FillColor = colorOf(r, theme.Accent)
	}
	d.line.FillColor = colorOf(r, theme.Line)
	d.Layout(r.Size())
	for _, o := range d.Objects() {
		o.Refresh()
	}
}

func (d *rowRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{d.plane, d.mark, d.line, d.dot, d.title, d.aside, d.subject, d.amount, d.note}
}
func (d *rowRenderer) Destroy() {}
