package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"earnest/gui/viewmodel"
)

// keys binds the window's keys. They count where nothing is being typed.
func (s *Shell) keys() {
	c := s.canvas()
	if c == nil {
		return
	}
	c.SetOnTypedRune(s.typedRune)
	c.SetOnTypedKey(s.typedKey)
	c.AddShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyN, Modifier: fyne.KeyModifierShortcutDefault},
		func(fyne.Shortcut) { s.model.Write() })
	c.AddShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyReturn, Modifier: fyne.KeyModifierShortcutDefault},
		func(fyne.Shortcut) {
			if s.model.Page() == viewmodel.PageWrite {
				s.model.Send()
			}
		})
}

// busy tells that a dialog or a menu lies over the page: its keys are its own.
func (s *Shell) busy() bool {
	return s.canvas().Overlays().Top() != nil || s.model.FirstStart()
}

func (s *Shell) typedRune(r rune) {
	if s.busy() {
		return
	}
	switch r {
	case 'a', 'A':
		s.model.Accept()
	case 'r', 'R':
		s.model.Reject()
	case 'u', 'U':
		s.model.UndoReject()
	case 'j', 'J':
		s.model.Move(1)
	case 'k', 'K':
		s.model.Move(-1)
	case 'w', 'W':
		s.model.Write()
	case '/':
		if s.shown == page(s.folder) {
			s.canvas().Focus(s.folder.search)
		}
	}
}

func (s *Shell) typedKey(e *fyne.KeyEvent) {
	if s.busy() {
		return
	}
	switch e.Name {
	case fyne.KeyDown:
		s.model.Move(1)
	case fyne.KeyUp:
		s.model.Move(-1)
	case fyne.KeyEscape, fyne.KeyLeft:
		s.model.Back()
	case fyne.KeyPageDown, fyne.KeySpace:
		s.folder.scroll(1)
	case fyne.KeyPageUp:
		s.folder.scroll(-1)
	}
}
