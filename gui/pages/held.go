package pages

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// heldKeys tells a key that is held down from one that is pressed anew: a key
// that was forgotten under a book must not reject a list of mails.
type heldKeys struct {
	heard   bool // presses are told here at all
	pressed bool // since the last letter
	last    rune
	at      time.Time
}

// repeatsWithin is how fast a held key repeats; nobody decides that fast.
const repeatsWithin = 80 * time.Millisecond

// watch listens to the presses, where the driver tells them.
func (h *heldKeys) watch(c fyne.Canvas) {
	if d, ok := c.(desktop.Canvas); ok {
		d.SetOnKeyDown(func(*fyne.KeyEvent) { h.heard, h.pressed = true, true })
	}
}

// repeats tells whether the letter comes from a key that is held. The driver
// tells presses only while nothing has the focus; else their pace must do.
func (h *heldKeys) repeats(r rune, focused bool, now time.Time) bool {
	pressed, soon := h.pressed, r == h.last && now.Sub(h.at) < repeatsWithin
	h.pressed, h.last, h.at = false, r, now
	if h.heard && !focused {
		return !pressed
	}
	return h.heard && soon
}
