package widgets

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"earnest/gui/theme"
)

// TestAChoiceWithTheFocusIsInSight: in a low window Tab went to one that could not be
// seen.
func TestAChoiceWithTheFocusIsInSight(t *testing.T) {
	test.NewTempApp(t).Settings().SetTheme(theme.New(theme.Light))
	choice := NewChoice("One of two", 0, func(int) {})
	choice.Set([]string{"one", "two"}, 0)
	var before []fyne.CanvasObject
	for range 20 {
		before = append(before, NewText("a line", theme.Text, theme.SizeText, false))
	}
	scroll := container.NewVScroll(NewColumn(theme.Space4, 0, append(before, choice.Box)...))
	w := test.NewTempWindow(t, scroll)
	w.SetPadded(false)
	w.Resize(fyne.NewSize(400, 200))
	w.Canvas().Focus(choice.Select)
	y := fyne.CurrentApp().Driver().AbsolutePositionForObject(choice.Select).Y
	if y < 0 || y+choice.Select.Size().Height > 200 {
		t.Errorf("it stands at %.0f of 200", y)
	}
}

// TestTheRingOfTheUndoIsSeen on its plane, which has the colour of texts.
func TestTheRingOfTheUndoIsSeen(t *testing.T) {
	test.NewTempApp(t).Settings().SetTheme(theme.New(theme.Light))
	a := NewAction("Undo", "U", Inverse, func() {})
	test.NewTempWindow(t, a).Canvas().Focus(a)
	r := test.WidgetRenderer(a).(*actionRenderer)
	if r.plane.StrokeColor != colorOf(a, theme.Background) || r.plane.StrokeWidth < 2 {
		t.Errorf("its ring is %v, %.0f wide", r.plane.StrokeColor, r.plane.StrokeWidth)
	}
}

// TestTheRingOfTheStatementCutsNoLetters: it stands around the lines, not over them.
func TestTheRingOfTheStatementCutsNoLetters(t *testing.T) {
	test.NewTempApp(t).Settings().SetTheme(theme.New(theme.Light))
	l := NewLedger(func(int) LedgerLine { return LedgerLine{} })
	l.Resize(fyne.NewSize(400, 300))
	if x := l.ring.Position().X; x > -theme.Space2 || l.ring.Size().Width < 400+2*theme.Space2 || l.scroll.Size().Width != 400 {
		t.Errorf("the ring begins at %.0f and is %.0f wide, around %.0f", x, l.ring.Size().Width, l.scroll.Size().Width)
	}
}
