package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// RowList scrolls rows of one height. Only those in sight exist, so that ten
// thousand mails cost no more than ten.
type RowList struct {
	widget.BaseWidget
	OnSelected func(i int)

	data   []RowData
	scroll *container.Scroll
	box    *fyne.Container
	pool   []*Row
}

// NewRowList makes an empty list.
func NewRowList(selected func(i int)) *RowList {
	l := &RowList{OnSelected: selected}
	l.box = &fyne.Container{Layout: &rowLayout{list: l}}
	l.scroll = container.NewVScroll(l.box)
	l.scroll.OnScrolled = func(fyne.Position) { l.fill() }
	l.ExtendBaseWidget(l)
	return l
}

// Set shows other rows. The selected one is scrolled into sight if it changed.
func (l *RowList) Set(data []RowData) {
	was, is := selected(l.data), selected(data)
	fewer := len(data) != len(l.data)
	l.data = data
	if fewer {
		l.scroll.Refresh()
	}
	if is >= 0 && (is != was || fewer) {
		l.reveal(is)
	}
	l.fill()
}

func selected(data []RowData) int {
	for i, d := range data {
		if d.Selected {
			return i
		}
	}
	return -1
}

func (l *RowList) reveal(i int) {
	top, view := float32(i)*RowHeight, l.scroll.Size().Height
	offset := l.scroll.Offset.Y
	switch {
	case view <= 0:
		return
	case top < offset:
		offset = top
	case top+RowHeight > offset+view:
		offset = top + RowHeight - view
	default:
		return
	}
	l.scroll.ScrollToOffset(fyne.NewPos(0, offset))
}

// fill binds the rows in sight.
func (l *RowList) fill() {
	first := max(0, int(l.scroll.Offset.Y/RowHeight))
	last := min(len(l.data), int((l.scroll.Offset.Y+l.scroll.Size().Height)/RowHeight)+1)
	n := max(0, last-first)
	for len(l.pool) < n {
		l.pool = append(l.pool, NewRow())
	}
	if len(l.box.Objects) != n {
		l.box.Objects = make([]fyne.CanvasObject, n)
	}
	for k := range n {
		row, i := l.pool[k], first+k
		row.OnTapped = func() {
			if l.OnSelected != nil {
				l.OnSelected(i)
			}
		}
		row.Set(l.data[i])
		row.Move(fyne.NewPos(0, float32(i)*RowHeight))
		row.Resize(fyne.NewSize(l.scroll.Size().Width, RowHeight))
		l.box.Objects[k] = row
	}
	l.box.Refresh()
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
	return fyne.NewSize(200, float32(len(r.list.data))*RowHeight)
}
