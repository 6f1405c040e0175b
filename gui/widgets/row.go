package widgets

import (
	"image/color"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	fynetheme "fyne.io/fyne/v2/theme"

	"earnest/gui/theme"
)

// RowData is what a row shows.
type RowData struct {
	Title, Aside, Subject, Amount, Note string
	NoteColor                           fyne.ThemeColorName
	// Warning and Marks stand in a third line, where the list has one.
	Warning, Marks   string
	Unread, Selected bool
	// Marking shows the box of a mark; Cursor is where marks grow from.
	Marking, Marked, Cursor bool
	// Clip: a paperclip stands behind the subject.
	Clip bool
	// Tail: the title is an address, of which the end is never cut.
	Tail bool
}

// Room in a row.
const (
	rowPad    float32 = 10
	rowGap    float32 = 2
	rowGutter         = theme.Space4 + theme.Space2
	boxSize   float32 = 14
	clipSize  float32 = 14
)

// rowHeight is that of every row of a list, of two lines or three.
func rowHeight(th fyne.Theme, lines int) float32 {
	height := func(size fyne.ThemeSizeName) float32 {
		return fyne.MeasureText("X", th.Size(size), fyne.TextStyle{}).Height
	}
	// Whole pixels: a row never lies over a part of another.
	return float32(math.Ceil(float64(2*rowPad + height(theme.SizeText) + float32(lines-1)*(height(theme.SizeSmall)+rowGap))))
}

// Row is a line of a list: who and how much, what and how long.
type Row struct {
	hover
	Data     RowData
	Lines    int // 2 or 3
	OnTapped func()
	OnMark   func() // nil where rows are not marked
}

var (
	_ fyne.Tappable          = (*Row)(nil)
	_ fyne.SecondaryTappable = (*Row)(nil)
	_ desktop.Hoverable      = (*Row)(nil)
)

// NewRow makes an empty row.
func NewRow() *Row {
	r := &Row{Lines: 2}
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

// Tapped chooses the row, or marks it: by its box, or with Ctrl held.
func (r *Row) Tapped(e *fyne.PointEvent) {
	held := false
	if d, ok := fyne.CurrentApp().Driver().(desktop.Driver); ok {
		held = d.CurrentKeyModifiers()&fyne.KeyModifierShortcutDefault != 0
	}
	switch {
	case r.OnMark != nil && (held || e != nil && e.Position.X < rowGutter):
		r.OnMark()
	case r.OnTapped != nil:
		r.OnTapped()
	}
}

// TappedSecondary marks the row.
func (r *Row) TappedSecondary(*fyne.PointEvent) {
	if r.OnMark != nil {
		r.OnMark()
	}
}

// CreateRenderer draws the row.
func (r *Row) CreateRenderer() fyne.WidgetRenderer {
	r.ExtendBaseWidget(r)
	text := func() *canvas.Text { return canvas.NewText("", color.Black) }
	plane := func() *canvas.Rectangle { return canvas.NewRectangle(color.Transparent) }
	d := &rowRenderer{r: r, plane: plane(), mark: plane(), line: plane(), box: plane(), dot: canvas.NewCircle(color.Transparent),
		clip:  canvas.NewImageFromResource(fynetheme.NewDisabledResource(fynetheme.MailAttachmentIcon())),
		title: text(), aside: text(), subject: text(), amount: text(), note: text(), warning: text(), marks: text(), check: text()}
	d.Refresh()
	return d
}

type rowRenderer struct {
	r                                   *Row
	plane, mark, line, box              *canvas.Rectangle
	dot                                 *canvas.Circle
	clip                                *canvas.Image
	clipColor                           color.Color // in which it was read
	title, aside, subject, amount, note *canvas.Text
	warning, marks, check               *canvas.Text
}

func (d *rowRenderer) MinSize() fyne.Size {
	return fyne.NewSize(200, rowHeight(d.r.Theme(), d.r.Lines))
}

func (d *rowRenderer) Layout(size fyne.Size) {
	inset := float32(0)
	if d.r.Data.Cursor {
		inset = 1
	}
	d.plane.Move(fyne.NewPos(inset, inset))
	d.plane.Resize(fyne.NewSize(max(0, size.Width-2*inset), max(0, size.Height-2*inset)))
	d.mark.Resize(fyne.NewSize(3, size.Height))
	d.line.Resize(fyne.NewSize(size.Width-theme.Space4, 1))
	d.line.Move(fyne.NewPos(theme.Space4, size.Height-1))
	left, right := rowGutter, size.Width-theme.Space4
	data := d.r.Data
	y := rowPad
	first := d.put(d.title, d.aside, d.amount, data.Title, data.Aside, left, right, y)
	d.dot.Resize(fyne.NewSize(6, 6))
	d.dot.Move(fyne.NewPos(theme.Space4-5, y+first/2-3))
	d.box.Resize(fyne.NewSize(boxSize, boxSize))
	d.box.Move(fyne.NewPos(6, y+(first-boxSize)/2))
	check := d.check.MinSize()
	d.check.Resize(check)
	d.check.Move(fyne.NewPos(6+(boxSize-check.Width)/2, y+(first-check.Height)/2))
	y += first + rowGap
	y += d.put(d.subject, nil, d.note, data.Subject, "", left, right, y) + rowGap
	d.clip.Resize(fyne.NewSize(clipSize, clipSize))
	d.clip.Move(d.subject.Position().AddXY(d.subject.Size().Width+theme.Space1, (d.subject.Size().Height-clipSize)/2))
	d.warning.Text, d.marks.Text = "", ""
	if d.r.Lines > 2 {
		d.third(left, right, y)
	}
}

// third sets the line of the trust marks: what to beware of comes first, and
// whole as long as there is room.
func (d *rowRenderer) third(left, right, y float32) {
	put := func(t *canvas.Text, s string) {
		t.Text = ""
		if right-left > 24 {
			t.Text = Ellipsis(s, right-left, t.TextSize, t.TextStyle)
		}
		size := t.MinSize()
		t.Resize(size)
		t.Move(fyne.NewPos(left, y))
		if t.Text != "" {
			left += size.Width + theme.Space2
		}
	}
	put(d.warning, d.r.Data.Warning)
	put(d.marks, d.r.Data.Marks)
}

// put sets one line: text, a pale text beside it, and one at the right edge.
func (d *rowRenderer) put(text, aside, end *canvas.Text, s, asideText string, left, right, y float32) float32 {
	endSize := end.MinSize()
	height := fyne.MeasureText("X", text.TextSize, text.TextStyle).Height
	end.Resize(endSize)
	end.Move(fyne.NewPos(right-endSize.Width, y+(height-endSize.Height)/2))
	room := right - left - endSize.Width - theme.Space3
	if text == d.subject && d.r.Data.Clip {
		room -= clipSize + theme.Space1
	}
	most := room
	if asideText != "" {
		most = room * 0.6 // a display name never stands without the address
	}
	cut := Ellipsis
	if text == d.title && d.r.Data.Tail {
		cut = EllipsisStart
	}
	text.Text = cut(s, most, text.TextSize, text.TextStyle)
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
	style(d.warning, data.Warning, small, false, theme.Waiting)
	style(d.marks, data.Marks, small, false, theme.Muted)
	d.clip.Hidden = !data.Clip
	d.Layout(r.Size())
	d.refreshPlanes(data)
	for _, o := range d.Objects() {
		if o != d.clip {
			o.Refresh()
		}
	}
	// It is read anew from its SVG at each refresh: only when it looks another way.
	if c := colorOf(r, fynetheme.ColorNameDisabled); data.Clip && c != d.clipColor {
		d.clipColor = c
		d.clip.Refresh()
	}
}

func (d *rowRenderer) refreshPlanes(data RowData) {
	r := d.r
	d.plane.FillColor, d.mark.FillColor = color.Transparent, color.Transparent
	d.plane.StrokeColor, d.plane.StrokeWidth = color.Transparent, 0
	switch {
	case data.Marked && !data.Selected:
		d.plane.FillColor = colorOf(r, theme.Selection)
	case data.Selected:
		d.plane.FillColor, d.mark.FillColor = colorOf(r, theme.Selection), colorOf(r, theme.Accent)
	case r.hovered:
		d.plane.FillColor = colorOf(r, theme.Hover)
	}
	if data.Cursor {
		d.plane.StrokeColor, d.plane.StrokeWidth = colorOf(r, theme.Accent), 2
	}
	box := r.OnMark != nil && (data.Marking || data.Marked || r.hovered)
	d.dot.Hidden = !data.Unread || box
	d.dot.FillColor = colorOf(r, theme.Accent)
	d.box.FillColor, d.box.StrokeColor, d.box.StrokeWidth, d.box.CornerRadius = color.Transparent, color.Transparent, 0, 3
	d.check.Text, d.check.Color = "", colorOf(r, theme.OnAccent)
	switch {
	case data.Marked:
		d.box.FillColor = colorOf(r, theme.Accent)
		d.check.Text, d.check.TextSize = "✓", 11
		d.check.TextStyle.Bold = true
	case box:
		d.box.FillColor, d.box.StrokeColor, d.box.StrokeWidth = colorOf(r, theme.Surface), colorOf(r, theme.Border), 1
	}
	d.line.FillColor = colorOf(r, theme.Line)
}

func (d *rowRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{d.plane, d.mark, d.line, d.dot, d.box, d.check, d.title, d.aside, d.subject, d.amount, d.note, d.warning, d.marks, d.clip}
}
func (d *rowRenderer) Destroy() {}
