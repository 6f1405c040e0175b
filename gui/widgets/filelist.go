package widgets

import (
	"strings"
	"unicode"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
)

// FileItem is a line of a FileList.
type FileItem struct {
	Name   string
	Folder bool
}

// FileList is names to choose from. The arrows move, Enter takes, Backspace goes
// up, a letter goes to the next name that begins with it; all else is the window's.
type FileList struct {
	widget.List
	Box     *fyne.Container
	OnMoved func(i int) // another line is chosen
	OnTaken func(i int) // Enter, or a click on a folder or on what is chosen
	OnUp    func()

	items  []FileItem
	at     int
	edge   *edge
	silent bool
}

// NewFileList makes an empty list.
func NewFileList() *FileList {
	l := &FileList{at: -1, edge: &edge{}}
	l.HideSeparators = true
	l.Length = func() int { return len(l.items) }
	l.CreateItem = func() fyne.CanvasObject {
		name := widget.NewLabel("")
		name.Truncation = fyne.TextTruncateEllipsis
		return Dock(nil, nil, NewInset(0, 0, 0, theme.Space2, widget.NewIcon(nil)), nil, name)
	}
	l.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		parts := o.(*fyne.Container).Objects
		for _, part := range parts {
			switch part := part.(type) {
			case *widget.Label:
				part.SetText(l.items[i].Name)
			case *fyne.Container:
				icon := part.Objects[0].(*widget.Icon)
				res := fynetheme.NewDisabledResource(fynetheme.FileIcon())
				if l.items[i].Folder {
					res = fynetheme.NewDisabledResource(fynetheme.FolderIcon())
				}
				icon.SetResource(res)
			}
		}
	}
	l.OnSelected = l.selected
	l.ExtendBaseWidget(l)
	l.edge.ExtendBaseWidget(l.edge)
	l.Box = &fyne.Container{Layout: Over{}, Objects: []fyne.CanvasObject{l, l.edge}}
	return l
}

// Over lays objects over each other.
type Over struct{}

// Layout gives each all of the room.
func (Over) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.NewPos(0, 0))
		o.Resize(size)
	}
}

// MinSize is what the largest needs.
func (Over) MinSize(objects []fyne.CanvasObject) (m fyne.Size) {
	for _, o := range objects {
		m = m.Max(o.MinSize())
	}
	return m
}

// Put shows other items, with the named one chosen, else the first.
func (l *FileList) Put(items []FileItem, name string) {
	l.silent = true
	l.UnselectAll()
	l.items, l.at = items, -1
	l.Refresh()
	l.ScrollToTop()
	l.silent = false
	at := 0
	for i, item := range items {
		if item.Name == name {
			at = i
		}
	}
	l.move(at)
}

// Chosen is the line that is chosen.
func (l *FileList) Chosen() (FileItem, bool) {
	if l.at < 0 || l.at >= len(l.items) {
		return FileItem{}, false
	}
	return l.items[l.at], true
}

// move chooses a line by keyboard.
func (l *FileList) move(i int) {
	if len(l.items) == 0 {
		return
	}
	i = min(max(i, 0), len(l.items)-1)
	l.silent = true
	l.Select(i)
	l.silent = false
	l.at = i
	if l.OnMoved != nil {
		l.OnMoved(i)
	}
}

// selected hears of a click.
func (l *FileList) selected(i widget.ListItemID) {
	if l.silent {
		return
	}
	l.at = i
	if l.OnMoved != nil {
		l.OnMoved(i)
	}
	if l.items[i].Folder && l.OnTaken != nil {
		l.OnTaken(i)
	}
}

// FocusGained shows the focus at the edge.
func (l *FileList) FocusGained() { l.edge.focused = true; l.edge.Refresh() }

// FocusLost hides it.
func (l *FileList) FocusLost() { l.edge.focused = false; l.edge.Refresh() }

// page is how many lines a page of the list has.
const filePage = 10

// TypedKey moves, takes and goes up.
func (l *FileList) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyDown:
		l.move(l.at + 1)
	case fyne.KeyUp:
		l.move(l.at - 1)
	case fyne.KeyPageDown:
		l.move(l.at + filePage)
	case fyne.KeyPageUp:
		l.move(l.at - filePage)
	case fyne.KeyHome:
		l.move(0)
	case fyne.KeyEnd:
		l.move(len(l.items) - 1)
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeyRight, fyne.KeySpace:
		item, ok := l.Chosen()
		if ok && l.OnTaken != nil && (e.Name != fyne.KeyRight || item.Folder) {
			l.OnTaken(l.at)
		}
	case fyne.KeyBackspace, fyne.KeyLeft:
		if l.OnUp != nil {
			l.OnUp()
		}
	default:
		passKey(l, e)
	}
}

// TypedRune goes to the next name that begins with the letter.
func (l *FileList) TypedRune(r rune) {
	if r == ' ' {
		return // it has been heard as a key
	}
	want := string(unicode.ToLower(r))
	for step := 1; step <= len(l.items); step++ {
		i := (l.at + step) % len(l.items)
		if strings.HasPrefix(strings.ToLower(l.items[i].Name), want) {
			l.move(i)
			return
		}
	}
}
