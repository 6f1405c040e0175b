package widgets

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
)

func TestAnOptionIsChosenByMouseAndKeys(t *testing.T) {
	chosen := ""
	var options []*Option
	for _, name := range []string{"a", "b", "c"} {
		options = append(options, NewOption(name, "what it means", false, func() { chosen += name }))
	}
	w := newWindow(t, NewOptions(options...), fyne.NewSize(300, 300))
	var heard []fyne.KeyName
	w.Canvas().SetOnTypedKey(func(e *fyne.KeyEvent) { heard = append(heard, e.Name) })
	test.Tap(options[1])
	w.Canvas().Focus(options[0])
	for _, key := range []fyne.KeyName{fyne.KeyDown, fyne.KeyReturn, fyne.KeyRight, fyne.KeySpace, fyne.KeyDown, fyne.KeyUp, fyne.KeyUp, fyne.KeySpace, fyne.KeyEscape} {
		w.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: key})
	}
	if chosen != "bbca" || len(heard) != 1 || heard[0] != fyne.KeyEscape {
		t.Errorf("chosen %q; the window heard %v", chosen, heard)
	}
}

func TestAnOptionsTextWrapsAndTheOptionsBelowMakeRoom(t *testing.T) {
	long := NewOption("One way", "What it means goes on for so long that it cannot stand on one line of this little window.", false, nil)
	next := NewOption("Another way", "", false, nil)
	box := NewOptions(long, next)
	w := newWindow(t, box, fyne.NewSize(300, 300))
	for range 3 {
		w.Canvas().Content().Refresh()
	}
	if h := long.Size().Height; h < 60 || next.Position().Y < h {
		t.Errorf("the first is %.0f high, the next stands at %.0f", h, next.Position().Y)
	}
}

func TestAColumnGrowsWithItsText(t *testing.T) {
	column := NewColumn(0, FormWidth, NewFill(theme.Surface))
	newWindow(t, column, fyne.NewSize(1600, 300))
	if got := column.Objects[0].Size().Width; got != FormWidth {
		t.Errorf("%.0f wide", got)
	}
	fyne.CurrentApp().Settings().SetTheme(larger{theme.New(theme.Light)})
	column.Refresh()
	if got := column.Objects[0].Size().Width; got != 2*FormWidth {
		t.Errorf("%.0f wide with text twice as large", got)
	}
}

type larger struct{ *theme.Theme }

func (l larger) Size(name fyne.ThemeSizeName) float32 { return 2 * l.Theme.Size(name) }

func TestAWrapGoesOnBelow(t *testing.T) {
	var all []fyne.CanvasObject
	for range 5 {
		all = append(all, &fyne.Container{Layout: Fixed{Width: 100}, Objects: []fyne.CanvasObject{NewText("x", theme.Text, theme.SizeText, false)}})
	}
	wrap := NewWrap(theme.Space2, all...)
	wrap.Resize(fyne.NewSize(220, 500))
	if all[1].Position().X != 108 || all[2].Position().X != 0 || all[2].Position().Y <= 0 || all[4].Position().Y <= all[2].Position().Y {
		t.Errorf("placed at %v, %v, %v", all[1].Position(), all[2].Position(), all[4].Position())
	}
	if m := wrap.MinSize(); m.Width != 100 || m.Height < all[4].Position().Y {
		t.Errorf("wants %v", m)
	}
	all[0].Hide()
	wrap.Layout.Layout(all, fyne.NewSize(220, 500))
	if all[1].Position().X != 0 {
		t.Error("a hidden object takes room")
	}
}

func TestWhatGetsTheFocusIsScrolledIntoSight(t *testing.T) {
	column := NewColumn(theme.Space2, 0)
	var fields []*Field
	for range 20 {
		f := NewField("Field", false, false, nil)
		fields = append(fields, f)
		column.Add(f.Box)
	}
	button, option := NewAction("Do it", "", Primary, nil), NewOption("A way", "", false, nil)
	column.Add(NewLine(0, -1, button))
	column.Add(option)
	scroll := container.NewVScroll(NewPad(theme.Space5, column))
	w := newWindow(t, container.NewStack(NewFill(theme.Surface), scroll), fyne.NewSize(300, 300))
	inSight := func(o fyne.CanvasObject) bool {
		y := fyne.CurrentApp().Driver().AbsolutePositionForObject(o).Y
		return y >= 0 && y+o.Size().Height <= 300
	}
	for _, o := range []interface {
		fyne.CanvasObject
		fyne.Focusable
	}{fields[12].Entry, fields[3].Entry, button, option, fields[0].Entry} {
		w.Canvas().Focus(o)
		if !inSight(o) {
			t.Errorf("%T is out of sight, from %.0f on", o, scroll.Offset.Y)
		}
	}
	w.Canvas().Focus(fields[12].Entry)
	at := scroll.Offset
	w.Canvas().Focus(fields[11].Entry)
	if scroll.Offset != at {
		t.Error("it scrolls although the field is in sight")
	}
	lone := widget.NewEntry()
	Reveal(lone) // of no window
}
