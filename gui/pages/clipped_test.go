package pages

import (
	"fmt"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"earnest/gui/theme"
	"earnest/gui/words"
)

// clipped lists the texts that go on beyond the right edge of their window.
func clipped(o fyne.CanvasObject, at fyne.Position, width float32) (list []string) {
	if !o.Visible() {
		return nil
	}
	at = at.Add(o.Position())
	if text, ok := o.(*canvas.Text); ok && text.Text != "" && text.Alignment == fyne.TextAlignLeading {
		if right := at.X + text.MinSize().Width; right > width+1 {
			list = append(list, fmt.Sprintf("%q by %.0f", text.Text, right-width))
		}
	}
	switch o := o.(type) {
	case *fyne.Container:
		for _, child := range o.Objects {
			list = append(list, clipped(child, at, width)...)
		}
	case *container.Scroll:
		if o.Direction == container.ScrollHorizontalOnly || o.Direction == container.ScrollBoth {
			return nil // it can be moved into sight
		}
		list = append(list, clipped(o.Content, at, width)...)
	case fyne.Widget:
		for _, child := range test.WidgetRenderer(o).Objects() {
			list = append(list, clipped(child, at, width)...)
		}
	}
	return list
}

// TestNothingIsClippedInGermanInTheSmallestWindow, on any page: it is that of a text
// twice as large in a window of 640, too.
func TestNothingIsClippedInGermanInTheSmallestWindow(t *testing.T) {
	for name, look := range looks() {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, theme.Light, fyne.NewSize(320, 700), look.agent)
			s.speak(words.German)
			s.settle()
			look.act(s)
			s.settle()
			for _, text := range clipped(s.shell.Content(), fyne.Position{}, 320) {
				t.Error(text)
			}
		})
	}
}
