package app

import (
	"time"

	"fyne.io/fyne/v2"
)

// rescaled is when the driver may have taken over another scale: mostly at the first,
// on a busy machine later.
func rescaled() []time.Duration {
	return []time.Duration{150 * time.Millisecond, 500 * time.Millisecond, 1500 * time.Millisecond}
}

// sameSize draws anew in another scale and keeps the window's size in pixels. The
// driver keeps what the window shows and grows the window; a person who wants larger
// text wants it in the same window. All of it runs on the drawing goroutine.
func sameSize(window fyne.Window, draw func()) func() {
	turn := 0
	var wanted fyne.Size // in pixels, while the driver takes the scale over
	return func() {
		if c := window.Canvas(); wanted.IsZero() {
			wanted = fyne.NewSize(c.Size().Width*c.Scale(), c.Size().Height*c.Scale())
		}
		turn++
		mine := turn
		draw()
		times := rescaled()
		for i, after := range times {
			time.AfterFunc(after, func() {
				fyne.Do(func() {
					now := window.Canvas().Scale()
					if mine != turn || now <= 0 {
						return // drawn in yet another scale
					}
					// The driver rounds up to whole pixels.
					window.Resize(fyne.NewSize((wanted.Width-0.5)/now, (wanted.Height-0.5)/now))
					if i == len(times)-1 {
						wanted = fyne.Size{}
					}
				})
			})
		}
	}
}
