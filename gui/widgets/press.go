package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// hover is what shows that the pointer is over it.
type hover struct {
	widget.BaseWidget
	hovered bool
}

// MouseIn shows that it can be pressed.
func (h *hover) MouseIn(*desktop.MouseEvent) { h.hovered = true; h.Refresh() }

// MouseMoved does nothing.
func (h *hover) MouseMoved(*desktop.MouseEvent) {}

// MouseOut ends the hovering.
func (h *hover) MouseOut() { h.hovered = false; h.Refresh() }

// press is what buttons, tabs and options have in common: they are pressed by
// the mouse, by Enter and by Space, show where pointer and focus are, and hand on
// the keys that are the window's.
type press struct {
	hover
	OnTapped func()

	self              fyne.Widget
	disabled, focused bool
}

// become tells it which widget it is a part of.
func (p *press) become(self fyne.Widget) {
	p.self = self
	p.ExtendBaseWidget(self)
}

// Tapped presses it.
func (p *press) Tapped(*fyne.PointEvent) {
	if !p.disabled && p.OnTapped != nil {
		p.OnTapped()
	}
}

// FocusGained shows the focus ring, where it can be seen.
func (p *press) FocusGained() { p.focused = true; p.Refresh(); Reveal(p.self) }

// FocusLost hides it.
func (p *press) FocusLost() { p.focused = false; p.Refresh() }

// TypedRune hands the window's keys on, so that they work with it focused.
func (p *press) TypedRune(r rune) {
	if r != ' ' {
		passRune(p.self, r)
	}
}

// TypedKey presses it by Enter and Space.
func (p *press) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		p.Tapped(nil)
	default:
		passKey(p.self, e)
	}
}

func passRune(o fyne.CanvasObject, r rune) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil && c.OnTypedRune() != nil {
		c.OnTypedRune()(r)
	}
}

func passKey(o fyne.CanvasObject, e *fyne.KeyEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil && c.OnTypedKey() != nil {
		c.OnTypedKey()(e)
	}
}
