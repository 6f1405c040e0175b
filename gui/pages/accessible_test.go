package pages

import (
	"fmt"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"earnest/agentclient/agenttest"
	"earnest/gui/theme"
)

// unnamed lists what can be used or read in a tree, and tells a screen reader
// nothing of itself. Fyne asks its own widgets itself.
func unnamed(root fyne.CanvasObject) (list []string) {
	if !root.Visible() {
		return nil
	}
	_, tapped := root.(fyne.Tappable)
	_, focused := root.(fyne.Focusable)
	_, hovered := root.(desktop.Hoverable)
	own := fmt.Sprintf("%T", root)
	if (tapped || focused && hovered) && len(own) > 9 && own[:9] == "*widgets." {
		if a, ok := root.(fyne.Accessible); !ok || a.AccessibilityLabel() == "" || a.AccessibilityRole() == "" {
			list = append(list, own)
		}
	}
	switch o := root.(type) {
	case *fyne.Container:
		for _, child := range o.Objects {
			list = append(list, unnamed(child)...)
		}
	case fyne.Widget:
		for _, child := range test.WidgetRenderer(o).Objects() {
			list = append(list, unnamed(child)...)
		}
	}
	return list
}

// TestEverythingHasANameForScreenReaders, on every page.
func TestEverythingHasANameForScreenReaders(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	for _, item := range s.model.Nav() {
		s.model.Show(item.Page)
		s.settle()
		s.model.Move(1)
		s.settle()
		for _, name := range unnamed(s.shell.Content()) {
			t.Errorf("%s: %s has no name", item.Page, name)
		}
	}
	s.model.Write()
	s.settle()
	for _, name := range unnamed(s.shell.Content()) {
		t.Errorf("write: %s has no name", name)
	}
}
