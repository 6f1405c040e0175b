package widgets

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"earnest/gui/theme"
)

// tall ledger: a day after every tenth entry.
func manyLines(n int) ([]bool, func(i int) LedgerLine, *int) {
	days, asked := make([]bool, n), new(int)
	for i := range days {
		days[i] = i%10 == 0
	}
	return days, func(i int) LedgerLine {
		*asked++
		if days[i] {
			return LedgerLine{Day: fmt.Sprint("Day ", i)}
		}
		return LedgerLine{Title: "author@example.net", Address: true, What: "10:12  ·  held", Amount: "−€0.25", Balance: "€4.75 available", Color: theme.Waiting}
	}, asked
}

func TestALedgerAsksOnlyForTheLinesInSight(t *testing.T) {
	days, line, asked := manyLines(10_000)
	l := NewLedger(line)
	w := newWindow(t, l, fyne.NewSize(600, 400))
	l.Set(days)
	if n := len(l.box.Objects); n < 5 || n > 12 {
		t.Fatalf("%d lines exist", n)
	}
	*asked = 0
	slowest := time.Duration(0)
	for range 30 {
		began := time.Now()
		l.TypedKey(&fyne.KeyEvent{Name: fyne.KeyPageDown})
		w.Canvas().Capture()
		slowest = max(slowest, time.Since(began))
	}
	if *asked > 30*40 {
		t.Errorf("30 pages asked for %d lines", *asked)
	}
	t.Logf("the slowest of 30 pages took %v", slowest)
	l.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEnd})
	last := l.box.Objects[len(l.box.Objects)-1].(*ledgerRow)
	if bottom := last.Position().Y + last.Size().Height; bottom != l.tops[len(days)] || last.data.Day == "Day 0" {
		t.Errorf("at the end the last line ends at %.0f of %.0f", bottom, l.tops[len(days)])
	}
	l.TypedKey(&fyne.KeyEvent{Name: fyne.KeyHome})
	if first := l.box.Objects[0].(*ledgerRow); first.data.Day != "Day 0" {
		t.Errorf("at the beginning stands %+v", first.data)
	}
}

func TestALedgerHandsOnTheKeysThatAreNotItsOwn(t *testing.T) {
	days, line, _ := manyLines(100)
	l := NewLedger(line)
	w := newWindow(t, l, fyne.NewSize(600, 400))
	l.Set(days)
	var heard []string
	w.Canvas().SetOnTypedKey(func(e *fyne.KeyEvent) { heard = append(heard, string(e.Name)) })
	w.Canvas().SetOnTypedRune(func(r rune) { heard = append(heard, string(r)) })
	w.Canvas().FocusNext()
	if w.Canvas().Focused() != fyne.Focusable(l) {
		t.Fatal("Tab does not reach it")
	}
	l.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	l.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	l.TypedRune('w')
	if l.scroll.Offset.Y == 0 || fmt.Sprint(heard) != "[Escape w]" {
		t.Errorf("scrolled to %.0f, the window heard %v", l.scroll.Offset.Y, heard)
	}
}

// TestNothingInALedgerIsDrawnOverSomethingElse: in a narrow place the kind of a
// movement still stands, and an address keeps its end.
func TestNothingInALedgerIsDrawnOverSomethingElse(t *testing.T) {
	for _, width := range []float32{220, 330, 460, 700} {
		l := NewLedger(func(int) LedgerLine {
			return LedgerLine{Title: "a.very.long.local.part@department.university.example.edu", Address: true,
				What: "10:12  ·  zurückgezahlt  ·  Ein langer Betreff, der nirgends ganz hineinpasst", Amount: "+123\u202f456,50\u00a0€",
				Balance: "4,75\u00a0€ verfügbar, 0,50\u00a0€ hinterlegt"}
		})
		newWindow(t, l, fyne.NewSize(width, 300))
		l.Set([]bool{false})
		l.Refresh()
		row := l.box.Objects[0].(*ledgerRow)
		r := test.WidgetRenderer(row).(*ledgerRenderer)
		if end := r.title.Position().X + r.title.MinSize().Width; end > r.amount.Position().X {
			t.Errorf("%.0f wide: the title ends at %.0f, the amount begins at %.0f", width, end, r.amount.Position().X)
		}
		if r.what.Position().Y == r.balance.Position().Y && r.what.Position().X+r.what.MinSize().Width > r.balance.Position().X {
			t.Errorf("%.0f wide: what happened is drawn over the balance", width)
		}
		if bottom := r.balance.Position().Y + r.balance.MinSize().Height; bottom > row.Size().Height {
			t.Errorf("%.0f wide: the balance ends at %.0f of %.0f", width, bottom, row.Size().Height)
		}
		if width > 300 {
			for text, want := range map[string]string{r.title.Text: "example.edu", r.what.Text: "zurückgezahlt"} {
				if !strings.Contains(text, want) {
					t.Errorf("%.0f wide: %q lacks %q", width, text, want)
				}
			}
		}
	}
}
