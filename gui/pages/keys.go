package pages

import (
	"unicode"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"earnest/gui/viewmodel"
)

// A page hears keys by having these methods. They are called for the page that
// is shown, where nothing is being typed, before the window's own keys; true
// says that the key meant something there.
type (
	hearsRunes interface{ typedRune(r rune) bool }
	hearsKeys  interface {
		typedKey(e *fyne.KeyEvent) bool
	}
	// marksAll marks every row of the page's list.
	marksAll interface{ markAll() }
	// listsKeys tells what the list of keys says of the page.
	listsKeys interface{ keyList() []keyHelp }
)

// keyHelp is a line of the list of keys.
type keyHelp struct{ Key, Does string }

// keys binds the window's keys. They count where nothing is being typed.
func (s *Shell) keys() {
	c := s.canvas()
	if c == nil {
		return
	}
	c.SetOnTypedRune(s.typedRune)
	c.SetOnTypedKey(s.typedKey)
	s.held.watch(c)
	c.AddShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyN, Modifier: fyne.KeyModifierShortcutDefault}, s.shortcut)
	c.AddShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyReturn, Modifier: fyne.KeyModifierShortcutDefault}, s.shortcut)
	c.AddShortcut(&fyne.ShortcutSelectAll{}, s.shortcut)
}

// shortcut does what keys with Ctrl mean, unless something lies over the page.
func (s *Shell) shortcut(short fyne.Shortcut) {
	if custom, ok := short.(*desktop.CustomShortcut); ok && s.picker != nil && custom.KeyName == fyne.KeyReturn {
		s.picker.take()
		return
	}
	if s.covered() {
		return
	}
	if _, ok := short.(*fyne.ShortcutSelectAll); ok {
		if p, ok := s.shown.(marksAll); ok {
			p.markAll()
		}
		return
	}
	switch custom, ok := short.(*desktop.CustomShortcut); {
	case ok && custom.KeyName == fyne.KeyN:
		s.model.Write()
	case ok && custom.KeyName == fyne.KeyReturn && s.model.Page() == viewmodel.PageWrite:
		s.model.Send()
	}
}

// busy tells that a dialog or a menu lies over the page: its keys are its own.
func (s *Shell) busy() bool {
	return s.canvas().Overlays().Top() != nil || s.model.FirstStart()
}

// covered tells that something lies over the page: its shortcuts mean nothing.
func (s *Shell) covered() bool { return s.busy() || s.help.shown() }

func (s *Shell) typedRune(r rune) {
	if s.busy() {
		return
	}
	if s.help.shown() {
		if r == '?' {
			s.help.hide()
		}
		return
	}
	if r == '?' {
		s.help.show()
		return
	}
	if p, ok := s.shown.(hearsRunes); ok && p.typedRune(r) {
		return
	}
	// What is typed next is for the page that the key shows, however fast it
	// comes: it is drawn, and has its focus, before the next key is heard.
	defer s.Refresh()
	if r >= '0' && r <= '9' {
		s.turnTo(int(r-'0'+9) % 10)
		return
	}
	switch unicode.ToLower(r) {
	case 'u':
		s.model.UndoReject()
	case 'j':
		s.model.Move(1)
	case 'k':
		s.model.Move(-1)
	case 'w':
		s.model.Write()
	}
}

// turnTo shows the n-th page of the left column, from 0: the digits 1 to 9, then 0.
func (s *Shell) turnTo(n int) {
	if items := s.model.Nav(); n < len(items) {
		s.model.Show(items[n].Page)
	}
}

func (s *Shell) typedKey(e *fyne.KeyEvent) {
	if s.picker != nil {
		s.picker.typedKey(e)
		return
	}
	if s.model.FirstStart() && s.canvas().Overlays().Top() == nil {
		// There is no other page to go to, but Escape stops a test.
		if p, ok := s.shown.(hearsKeys); ok {
			p.typedKey(e)
		}
		return
	}
	if s.busy() {
		return
	}
	if s.help.shown() {
		if e.Name == fyne.KeyEscape || e.Name == fyne.KeyReturn {
			s.help.hide()
		}
		return
	}
	if p, ok := s.shown.(hearsKeys); ok && p.typedKey(e) {
		return
	}
	switch e.Name {
	case fyne.KeyDown:
		s.model.Move(1)
	case fyne.KeyUp:
		s.model.Move(-1)
	case fyne.KeyEscape, fyne.KeyLeft:
		s.model.Back()
	}
}
