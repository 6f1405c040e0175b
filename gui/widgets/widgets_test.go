package widgets

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"earnest/gui/theme"
)

func newWindow(t *testing.T, o fyne.CanvasObject, size fyne.Size) fyne.Window {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.New(theme.Light))
	w := test.NewTempWindow(t, o)
	w.SetPadded(false)
	w.Resize(size)
	return w
}

func TestAClickIntoTheTextDoesNotTakeTheKeys(t *testing.T) {
	text := NewReadText()
	w := newWindow(t, text, fyne.NewSize(300, 200))
	text.SetText("Some words to select.")
	var typed []rune
	var keys []fyne.KeyName
	w.Canvas().SetOnTypedRune(func(r rune) { typed = append(typed, r) })
	w.Canvas().SetOnTypedKey(func(e *fyne.KeyEvent) { keys = append(keys, e.Name) })
	var c *catcher
	for _, o := range test.WidgetRenderer(text).Objects() {
		if found, ok := o.(*catcher); ok {
			c = found
		}
	}
	c.MouseDown(&desktop.MouseEvent{Button: desktop.MouseButtonPrimary})
	c.DoubleTapped(&fyne.PointEvent{Position: fyne.NewPos(12, 12)})
	if got := text.SelectedText(); got != "Some" {
		t.Errorf("selected %q", got)
	}
	if w.Canvas().Focused() != fyne.Focusable(c) {
		t.Fatalf("focused: %T", w.Canvas().Focused())
	}
	w.Canvas().Focused().TypedRune('a')
	w.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	if string(typed) != "a" || len(keys) != 1 {
		t.Errorf("the window heard %q and %v", string(typed), keys)
	}
	c.TypedShortcut(&fyne.ShortcutCopy{Clipboard: fyne.CurrentApp().Clipboard()})
	if got := fyne.CurrentApp().Clipboard().Content(); got != "Some" {
		t.Errorf("copied %q", got)
	}
}

func TestAListOfTenThousandDrawsOnlyWhatIsInSight(t *testing.T) {
	chosen := -1
	l := NewRowList(func(i int) { chosen = i })
	w := newWindow(t, l, fyne.NewSize(300, 600))
	data := make([]RowData, 10_000)
	data[5000].Selected = true
	l.Set(data)
	w.Canvas().Content().Refresh()
	if n := len(l.box.Objects); n < 10 || n > 12 {
		t.Fatalf("%d rows exist", n)
	}
	top := l.scroll.Offset.Y
	if y := 5000 * l.Height(); y < top || y+l.Height() > top+600 {
		t.Errorf("the chosen row at %.0f is out of sight from %.0f on", y, top)
	}
	l.box.Objects[0].(*Row).Tapped(nil)
	if want := int(top / l.Height()); chosen != want {
		t.Errorf("chose %d, want %d", chosen, want)
	}
	l.Set(data[:3])
	if n := len(l.box.Objects); n != 3 {
		t.Errorf("of three rows %d exist", n)
	}
}

func TestEllipsisFits(t *testing.T) {
	test.NewTempApp(t)
	for _, s := range []string{"", "short", strings.Repeat("a very long name ", 20), "日本語の長い名前日本語の長い名前"} {
		for _, width := range []float32{10, 60, 200} {
			got := Ellipsis(s, width, 14, fyne.TextStyle{})
			if w := fyne.MeasureText(got, 14, fyne.TextStyle{}).Width; got != "…" && w > width {
				t.Errorf("%q is %.0f wide in %.0f", got, w, width)
			}
			if got != s && !strings.HasSuffix(got, "…") {
				t.Errorf("%q was cut to %q", s, got)
			}
			end := EllipsisStart(s, width, 14, fyne.TextStyle{})
			if w := fyne.MeasureText(end, 14, fyne.TextStyle{}).Width; end != "…" && w > width {
				t.Errorf("%q is %.0f wide in %.0f", end, w, width)
			}
			if !strings.HasSuffix(s, strings.TrimPrefix(end, "…")) {
				t.Errorf("%q was cut to %q", s, end)
			}
		}
	}
}

func TestAButtonIsPressedByMouseAndKeysUnlessDisabled(t *testing.T) {
	n := 0
	a := NewAction("Accept", "A", Primary, func() { n++ })
	w := newWindow(t, a, fyne.NewSize(200, 60))
	test.Tap(a)
	w.Canvas().Focus(a)
	a.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	a.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	a.Set("Accept", false)
	test.Tap(a)
	if n != 3 {
		t.Errorf("pressed %d times", n)
	}
}

func TestListAndMailTakeTurnsWhereItIsNarrow(t *testing.T) {
	reading, narrow, turned := false, false, 0
	list, line, mail := NewFill(theme.Surface), NewHairline(), NewFill(theme.Surface)
	c := &fyne.Container{Layout: Split{Reading: &reading, Narrow: &narrow, Turned: func() { turned++ }}, Objects: []fyne.CanvasObject{list, line, mail}}
	w := newWindow(t, c, fyne.NewSize(1100, 600))
	if !list.Visible() || !mail.Visible() || narrow {
		t.Error("wide: one of them is missing")
	}
	turned = 0 // a window begins at its least size
	w.Resize(fyne.NewSize(700, 600))
	if !list.Visible() || mail.Visible() || !narrow || turned != 1 {
		t.Error("narrow: not only the list is shown")
	}
	reading = true
	c.Refresh()
	if list.Visible() || !mail.Visible() || mail.Size().Width != c.Size().Width {
		t.Error("narrow: not only the mail is shown")
	}
	w.Resize(fyne.NewSize(1100, 600))
	if !list.Visible() || !mail.Visible() || turned != 2 {
		t.Error("wide again: one of them is missing")
	}
}
