package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// RowList scrolls rows of one height. Only those in sight exist, and only their
// data is asked for, so that ten thousand mails cost no more than ten.
type RowList struct {
	widget.BaseWidget
	OnSelected func(i int)
	OnMarked   func(i int) // nil where rows are not marked
	Lines      int         // of a row: 2 or 3

	n, chosen int
	at        func(i int) RowData
	scroll    *container.Scroll
	box       *fyne.Container
	pool      []*Row
}

// NewRowList makes an empty list.
func NewRowList(selected func(i int)) *RowList {
	l := &RowList{OnSelected: selected, Lines: 2, chosen: -1}
	l.box = &fyne.Container{Layout: &rowLayout{list: l}}
	l.scroll = container.NewVScroll(l.box)
	l.scroll.OnScrolled = func(fyne.Position) { l.fill() }
	l.ExtendBaseWidget(l)
	return l
}

// Set shows other rows.
func (l *RowList) Set(data []RowData) {
	chosen := -1
	for i, d := range data {
		if d.Selected {
			chosen = i
			break
		}
	}
	l.SetRows(len(data), chosen, func(i int) RowData { return data[i] })
}

// SetRows shows n other rows, which are asked for when they come into sight. The
// chosen one (-1: none) is scrolled into sight if it changed.
func (l *RowList) SetRows(n, chosen int, at func(i int) RowData) {
	other, fewer := chosen != l.chosen, n != l.n
	l.n, l.chosen, l.at = n, chosen, at
	if fewer {
		l.scroll.Refresh()
	}
	if chosen >= 0 && (other || fewer) {
		l.reveal(chosen)
	}
	l.fill()
}

// Height is that of a row.
func (l *RowList) Height() float32 { return rowHeight(l.Theme(), l.Lines) }

// ScrollBy scrolls down by some pixels.
func (l *RowList) ScrollBy(y float32) {
	limit := max(0, float32(l.n)*l.Height()-l.scroll.Size().Height)
	l.scroll.ScrollToOffset(fyne.NewPos(0, max(0, min(limit, l.scroll.Offset.Y+y))))
	l.fill()
}

// First is the first row in sight.
func (l *RowList) First() int { return int(l.scroll.Offset.Y / l.Height()) }

func (l *RowList) reveal(i int) {
	height := l.Height()
	top, view := float32(i)*height, l.scroll.Size().Height
	offset := l.scroll.Offset.Y
	switch {
	case view <= 0:
		return
	case top < offset:
		offset = top
	case top+height > offset+view:
		offset = top + height - view
	default:
		return
	}
	l.scroll.ScrollToOffset(fyne.NewPos(0, offset))
}

// fill binds the rows in sight.
func (l *RowList) fill() {
	height := l.Height()
	first := max(0, int(l.scroll.Offset.Y/height))
	last := min(l.n, int((l.scroll.Offset.Y+l.scroll.Size().Height)/height)+1)
	n := max(0, last-first)
	for len(l.pool) < n {
		row := NewRow()
		row.Lines = l.Lines
		l.pool = append(l.pool, row)
	}
	other := len(l.box.Objects) != n
	if other {
		l.box.Objects = make([]fyne.CanvasObject, n)
	}
	for k := range n {
		// A row in sight keeps its widget while the list scrolls.
		i := first + k
		row := l.pool[i%len(l.pool)]
		row.OnTapped = func() {
			if l.OnSelected != nil {
				l.OnSelected(i)
			}
		}
		if l.OnMarked != nil {
			row.OnMark = func() { l.OnMarked(i) }
		}
		row.Set(l.at(i))
		row.Move(fyne.NewPos(0, float32(i)*height))
		row.Resize(fyne.NewSize(l.scroll.Size().Width, height))
		l.box.Objects[k] = row
	}
	// A row that shows something else has refreshed itself, and one that moved is
	// painted anew: to refresh them all at each turn of the wheel makes it stutter.
	if other {
		l.box.Refresh()
	}
}

// Refresh refreshes the rows out of sight, too: they come back as they are.
func (l *RowList) Refresh() {
	for _, row := range l.pool {
		row.Refresh()
	}
	l.BaseWidget.Refresh()
}

// CreateRenderer draws the list.
func (l *RowList) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(l.scroll)
}

// Resize binds the rows that come into sight.
func (l *RowList) Resize(size fyne.Size) {
	l.BaseWidget.Resize(size)
	l.scroll.Resize(size)
	l.fill()
}

type rowLayout struct{ list *RowList }

func (r *rowLayout) Layout([]fyne.CanvasObject, fyne.Size) {}

func (r *rowLayout) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(200, float32(r.list.n)*r.list.Height())
}
