package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
)

// Entry is a field to type into that Escape leaves and Ctrl+Enter submits.
type Entry struct {
	widget.Entry
	Name     string // for screen readers; the placeholder where empty
	OnSubmit func() // Ctrl+Enter, and Enter in a field of one line without OnEnter
	OnEnter  func() // Enter in a field of one line
	OnErase  func() // Backspace in an empty field
	OnEscape func() // after Escape has left the field
	OnTab    func() // where Tab is to go on elsewhere than to what comes next
	OnDown   func() // the arrow down in a field of one line
}

// NewEntry makes a field; several lines where multi is set.
func NewEntry(multi bool, changed func(string)) *Entry {
	e := &Entry{}
	e.MultiLine = multi
	if multi {
		e.Wrapping = fyne.TextWrapWord
	}
	e.OnChanged = changed
	e.ExtendBaseWidget(e)
	return e
}

// FocusGained scrolls the field into sight.
func (e *Entry) FocusGained() {
	e.Entry.FocusGained()
	Reveal(e)
}

// TypedKey leaves the field by Escape.
func (e *Entry) TypedKey(k *fyne.KeyEvent) {
	switch {
	case k.Name == fyne.KeyEscape:
		if c := fyne.CurrentApp().Driver().CanvasForObject(e); c != nil {
			c.Unfocus()
		}
		if e.OnEscape != nil {
			e.OnEscape()
		}
	case k.Name == fyne.KeyTab:
		e.tab()
	case k.Name == fyne.KeyDown && !e.MultiLine && e.OnDown != nil:
		e.OnDown()
	case k.Name == fyne.KeyBackspace && e.Text == "" && e.OnErase != nil:
		e.OnErase()
	case (k.Name == fyne.KeyReturn || k.Name == fyne.KeyEnter) && !e.MultiLine && e.OnEnter != nil:
		e.OnEnter()
	case (k.Name == fyne.KeyReturn || k.Name == fyne.KeyEnter) && !e.MultiLine && e.OnSubmit != nil:
		e.OnSubmit()
	default:
		e.Entry.TypedKey(k)
	}
}

// AcceptsTab leaves Tab to the window: it goes on to what comes next, in a text
// of several lines too, unless the field says where.
func (e *Entry) AcceptsTab() bool { return e.OnTab != nil }

// tab goes on where the field says, and back as everywhere.
func (e *Entry) tab() {
	if d, ok := fyne.CurrentApp().Driver().(desktop.Driver); ok && d.CurrentKeyModifiers()&fyne.KeyModifierShift != 0 {
		if c := fyne.CurrentApp().Driver().CanvasForObject(e); c != nil {
			c.FocusPrevious()
		}
		return
	}
	if e.OnTab != nil {
		e.OnTab()
	}
}

// TypedShortcut submits by Ctrl+Enter.
func (e *Entry) TypedShortcut(s fyne.Shortcut) {
	if custom, ok := s.(*desktop.CustomShortcut); ok && e.OnSubmit != nil &&
		(custom.KeyName == fyne.KeyReturn || custom.KeyName == fyne.KeyEnter) {
		e.OnSubmit()
		return
	}
	e.Entry.TypedShortcut(s)
}

// SelectAll marks all that is typed: what is typed next takes its place.
func (e *Entry) SelectAll() { e.Entry.TypedShortcut(&fyne.ShortcutSelectAll{}) }

// Put sets the text where it differs, without moving the cursor otherwise.
func (e *Entry) Put(s string) {
	if e.Text != s {
		e.SetText(s)
	}
}

// Field is an entry with its name above it and its fault below.
type Field struct {
	Box   *fyne.Container
	Entry *Entry
	name  *Text
	fault *widget.Label
	row   *fyne.Container
}

// Rename gives the field another name.
func (f *Field) Rename(name string) {
	if f.Entry.Name != name {
		f.Entry.Name = name
		f.name.Set(name, theme.Muted)
	}
}

// NewField makes a field. Password hides what is typed.
func NewField(name string, multi, password bool, changed func(string)) *Field {
	f := &Field{Entry: NewEntry(multi, changed), fault: NewPara("", widget.DangerImportance, theme.SizeSmall)}
	f.Entry.Password, f.Entry.Name = password, name
	f.row = Flush(f.fault)
	f.row.Hide()
	f.name = NewText(name, theme.Muted, theme.SizeSmall, false)
	f.name.Cut = true
	f.Box = NewColumn(theme.Space1, 0, f.name, f.Entry, f.row)
	return f
}

// Fault says beside the field what is wrong with it.
func (f *Field) Fault(s string) {
	SetPara(f.fault, f.row, s)
}

// SetPara changes a wrapping text; an empty one takes no room.
func SetPara(l *widget.Label, row *fyne.Container, s string) {
	if l.Text != s {
		l.SetText(s)
	}
	show(row, s != "")
}

// Show shows or hides an object where that changes something.
func Show(o fyne.CanvasObject, visible bool) { show(o, visible) }
