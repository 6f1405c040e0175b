package widgets

import (
	"image/color"
	"sort"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
)

// LedgerLine is a line of a ledger: a day, or an entry under it.
type LedgerLine struct {
	Day     string
	Title   string
	Address bool // Title is an address, which is cut at its beginning
	What    string
	Amount  string
	Balance string
	Color   fyne.ThemeColorName // of What's mark
}

// Ledger scrolls days with their entries. Only the lines in sight are asked for.
type Ledger struct {
	widget.BaseWidget
	days    []bool
	line    func(i int) LedgerLine
	tops    []float32
	measure [2]float32 // what tops was made with
	narrow  bool       // the balance has a line of its own
	scroll  *container.Scroll
	box     *fyne.Container
	ring    *canvas.Rectangle
	pool    []*ledgerRow
	focused bool
}

var _ fyne.Focusable = (*Ledger)(nil)

// NewLedger makes an empty ledger.
func NewLedger(line func(i int) LedgerLine) *Ledger {
	l := &Ledger{line: line, ring: canvas.NewRectangle(color.Transparent)}
	l.box = &fyne.Container{Layout: ledgerLayout{l}}
	l.scroll = container.NewVScroll(l.box)
	l.scroll.OnScrolled = func(fyne.Position) { l.fill() }
	l.ExtendBaseWidget(l)
	return l
}

// Set shows other lines: true is a day's.
func (l *Ledger) Set(days []bool) {
	l.days = days
	l.tops = nil
	l.Refresh()
}

// Top scrolls to the first line.
func (l *Ledger) Top() { l.to(0) }

// Refresh asks anew for the lines in sight.
func (l *Ledger) Refresh() {
	l.arrange()
	l.ring.StrokeColor, l.ring.StrokeWidth, l.ring.CornerRadius = color.Transparent, 0, 6
	if l.focused {
		l.ring.StrokeColor, l.ring.StrokeWidth = colorOf(l, theme.Accent), 2
	}
	l.ring.Refresh()
	l.scroll.Refresh()
	l.fill()
}

// heights are those of a day and of an entry in the present size of text.
func (l *Ledger) heights() [2]float32 {
	text := fyne.MeasureText("X", l.Theme().Size(theme.SizeText), fyne.TextStyle{}).Height
	small := fyne.MeasureText("X", l.Theme().Size(theme.SizeSmall), fyne.TextStyle{Bold: true}).Height
	entry := 2*theme.Space2 + text + 2 + small
	// Where the line is short, what happened is not cut for the balance's sake.
	if l.narrow = l.Size().Width < 32*l.Theme().Size(theme.SizeText); l.narrow {
		entry += small
	}
	return [2]float32{theme.Space4 + small + theme.Space1, entry}
}

// arrange finds where each line stands.
func (l *Ledger) arrange() {
	h := l.heights()
	if l.tops != nil && l.measure == h {
		return
	}
	l.measure = h
	l.tops = make([]float32, len(l.days)+1)
	for i, day := range l.days {
		l.tops[i+1] = l.tops[i] + h[1]
		if day {
			l.tops[i+1] = l.tops[i] + h[0]
		}
	}
}

// fill binds the lines in sight.
func (l *Ledger) fill() {
	l.arrange()
	from, to := l.scroll.Offset.Y, l.scroll.Offset.Y+l.scroll.Size().Height
	first := max(0, sort.Search(len(l.days), func(i int) bool { return l.tops[i+1] > from }))
	n := 0
	for i := first; i < len(l.days) && l.tops[i] < to; i++ {
		n++
	}
	for len(l.pool) < n {
		l.pool = append(l.pool, newLedgerRow())
	}
	if len(l.box.Objects) != n {
		l.box.Objects = make([]fyne.CanvasObject, n)
	}
	for k := range n {
		row, i := l.pool[k], first+k
		row.Move(fyne.NewPos(0, l.tops[i]))
		row.Resize(fyne.NewSize(l.scroll.Size().Width, l.tops[i+1]-l.tops[i]))
		row.set(l.line(i), l.narrow)
		l.box.Objects[k] = row
	}
	l.box.Refresh()
}

// CreateRenderer draws the ledger.
func (l *Ledger) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(&fyne.Container{Layout: ringed{}, Objects: []fyne.CanvasObject{l.scroll, l.ring}})
}

// ringed lays a ring around an object: outside of it, so that it cuts no letters.
type ringed struct{}

// Layout gives the object all the room, and the ring a little more.
func (ringed) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Move(fyne.NewPos(0, 0))
	objects[0].Resize(size)
	objects[1].Move(fyne.NewPos(-theme.Space2, -theme.Space1))
	objects[1].Resize(size.AddWidthHeight(2*theme.Space2, 2*theme.Space1))
}

// MinSize is the object's.
func (ringed) MinSize(objects []fyne.CanvasObject) fyne.Size { return objects[0].MinSize() }

// Resize binds the lines that come into sight.
func (l *Ledger) Resize(size fyne.Size) {
	l.BaseWidget.Resize(size)
	l.scroll.Resize(size)
	l.fill()
}

// MinSize leaves room for some lines.
func (l *Ledger) MinSize() fyne.Size { return fyne.NewSize(200, 120) }

// FocusGained and FocusLost show who hears the keys.
func (l *Ledger) FocusGained() { l.focused = true; l.Refresh() }

// FocusLost hides the ring.
func (l *Ledger) FocusLost() { l.focused = false; l.Refresh() }

// TypedRune hands the window's keys on.
func (l *Ledger) TypedRune(r rune) { passRune(l, r) }

// TypedKey scrolls, and hands on what does not.
func (l *Ledger) TypedKey(e *fyne.KeyEvent) {
	if !l.Scroll(e) {
		passKey(l, e)
	}
}

// Scroll scrolls by a key, and tells whether it is one for that.
func (l *Ledger) Scroll(e *fyne.KeyEvent) bool {
	page := l.scroll.Size().Height
	switch e.Name {
	case fyne.KeyDown:
		l.by(l.measure[1])
	case fyne.KeyUp:
		l.by(-l.measure[1])
	case fyne.KeyPageDown, fyne.KeySpace:
		l.by(page - l.measure[1])
	case fyne.KeyPageUp:
		l.by(l.measure[1] - page)
	case fyne.KeyHome:
		l.Top()
	case fyne.KeyEnd:
		l.by(l.tops[len(l.tops)-1])
	default:
		return false
	}
	return true
}

func (l *Ledger) by(y float32) { l.to(l.scroll.Offset.Y + y) }

func (l *Ledger) to(y float32) {
	l.arrange()
	most := max(0, l.tops[len(l.tops)-1]-l.scroll.Size().Height)
	l.scroll.ScrollToOffset(fyne.NewPos(0, min(most, max(0, y))))
	l.fill() // Fyne tells only of what the mouse scrolls
}

type ledgerLayout struct{ l *Ledger }

func (ledgerLayout) Layout([]fyne.CanvasObject, fyne.Size) {}

func (r ledgerLayout) MinSize([]fyne.CanvasObject) fyne.Size {
	r.l.arrange()
	return fyne.NewSize(200, r.l.tops[len(r.l.tops)-1])
}

// ledgerRow draws one line.
type ledgerRow struct {
	widget.BaseWidget
	data   LedgerLine
	narrow bool
}

func newLedgerRow() *ledgerRow {
	r := &ledgerRow{}
	r.ExtendBaseWidget(r)
	return r
}

func (r *ledgerRow) set(d LedgerLine, narrow bool) {
	if r.data != d || r.narrow != narrow {
		r.data, r.narrow = d, narrow
		r.Refresh()
	}
}

// CreateRenderer draws the line.
func (r *ledgerRow) CreateRenderer() fyne.WidgetRenderer {
	text := func() *canvas.Text { return canvas.NewText("", color.Black) }
	d := &ledgerRenderer{r: r, line: canvas.NewRectangle(color.Transparent), mark: canvas.NewRectangle(color.Transparent),
		title: text(), what: text(), amount: text(), balance: text()}
	d.Refresh()
	return d
}

type ledgerRenderer struct {
	r                            *ledgerRow
	line, mark                   *canvas.Rectangle
	title, what, amount, balance *canvas.Text
}

func (d *ledgerRenderer) MinSize() fyne.Size { return fyne.NewSize(200, 0) }

func (d *ledgerRenderer) Layout(size fyne.Size) {
	data := d.r.data
	d.line.Resize(fyne.NewSize(size.Width, 1))
	d.line.Move(fyne.NewPos(0, size.Height-1))
	left, right := theme.Space3, size.Width-theme.Space3 // room for the scroll bar
	if data.Day != "" {
		d.what.Text = data.Day
		h := d.what.MinSize().Height
		d.what.Resize(fyne.NewSize(size.Width, h))
		d.what.Move(fyne.NewPos(0, size.Height-h-theme.Space1))
		return
	}
	d.mark.Resize(fyne.NewSize(3, size.Height-2*theme.Space2))
	d.mark.Move(fyne.NewPos(0, theme.Space2))
	first := d.pair(d.title, d.amount, data.Title, data.Amount, data.Address, left, right, theme.Space2)
	y := theme.Space2 + first + 2
	if !d.r.narrow {
		d.pair(d.what, d.balance, data.What, data.Balance, false, left, right, y)
		return
	}
	d.balance.Text = Ellipsis(data.Balance, right-left, d.balance.TextSize, d.balance.TextStyle)
	size2 := d.balance.MinSize()
	d.what.Text = Ellipsis(data.What, right-left, d.what.TextSize, d.what.TextStyle)
	d.what.Resize(d.what.MinSize())
	d.what.Move(fyne.NewPos(left, y))
	d.balance.Resize(size2)
	d.balance.Move(fyne.NewPos(left, y+size2.Height))
}

// pair sets a text and one at the right edge on one line, and returns its height.
func (d *ledgerRenderer) pair(text, end *canvas.Text, s, endText string, address bool, left, right, y float32) float32 {
	end.Text = Ellipsis(endText, right-left, end.TextSize, end.TextStyle)
	size := end.MinSize()
	end.Resize(size)
	end.Move(fyne.NewPos(right-size.Width, y))
	room := max(0, right-left-size.Width-theme.Space3)
	cut := Ellipsis
	if address {
		cut = EllipsisStart
	}
	text.Text = cut(s, room, text.TextSize, text.TextStyle)
	if room < 24 {
		text.Text = ""
	}
	text.Resize(text.MinSize())
	text.Move(fyne.NewPos(left, y))
	return size.Height
}

func (d *ledgerRenderer) Refresh() {
	r, data := d.r, d.r.data
	size, small := r.Theme().Size(theme.SizeText), r.Theme().Size(theme.SizeSmall)
	style := func(t *canvas.Text, size float32, bold bool, c fyne.ThemeColorName) {
		t.TextSize, t.TextStyle.Bold, t.Color, t.Text = size, bold, colorOf(r, c), ""
	}
	style(d.title, size, false, theme.Text)
	style(d.amount, size, true, theme.Text)
	style(d.what, small, data.Day != "", theme.Muted)
	style(d.balance, small, false, theme.Muted)
	d.mark.FillColor = color.Transparent
	if data.Color != "" && data.Day == "" {
		d.mark.FillColor = colorOf(r, data.Color)
	}
	d.mark.CornerRadius = 1
	d.line.FillColor = colorOf(r, theme.Line)
	d.Layout(r.Size())
	for _, o := range d.Objects() {
		o.Refresh()
	}
}

func (d *ledgerRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{d.line, d.mark, d.title, d.what, d.amount, d.balance}
}
func (d *ledgerRenderer) Destroy() {}
