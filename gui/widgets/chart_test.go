package widgets

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"earnest/gui/theme"
)

// TestTheBarsOfAChartStayInTheirRoom: nothing is drawn outside, no amount over
// another, and each row has a look of its own beside its colour.
func TestTheBarsOfAChartStayInTheirRoom(t *testing.T) {
	bars := func(amount string, part float32) (list []ChartBar) {
		for i := range 12 {
			list = append(list, ChartBar{Label: "28. Sept.", Amount: amount, Part: part / float32((i*5)%12+1)})
		}
		return list
	}
	for _, width := range []float32{260, 352, 640} {
		c := NewChart()
		c.Rows = []ChartRow{
			{Name: "Held", Total: "€1.00", Color: theme.Waiting, Filling: Hollow, Bars: bars("12345.00", 1)},
			{Name: "Came back", Total: "€1.00", Color: theme.Accent, Filling: Solid, Bars: bars("0.25", 0.5)},
			{Name: "Forfeited", Total: "€1.00", Color: theme.Reject, Filling: Striped, Bars: bars("", 0)},
		}
		newWindow(t, NewColumn(0, 0, c), fyne.NewSize(width, 600))
		c.Refresh()
		size := c.Size()
		type span struct{ y, from, to float32 }
		var texts []span
		var bars []fyne.CanvasObject
		for _, o := range test.WidgetRenderer(c).Objects() {
			if _, ok := o.(*canvas.Rectangle); ok && o.Size().Height > 1 {
				bars = append(bars, o)
			}
		}
		for _, o := range test.WidgetRenderer(c).Objects() {
			at, to := o.Position(), o.Position().Add(o.Size())
			if at.X < 0 || at.Y < 0 || to.X > size.Width+0.5 || to.Y > size.Height+0.5 {
				t.Errorf("%.0f wide: %T from %v to %v is outside of %v", width, o, at, to, size)
			}
			text, ok := o.(*canvas.Text)
			if !ok {
				continue
			}
			for _, other := range texts {
				if other.y == at.Y && at.X < other.to && to.X > other.from {
					t.Errorf("%.0f wide: %q is drawn over another text", width, text.Text)
				}
			}
			for _, bar := range bars {
				from, end := bar.Position(), bar.Position().Add(bar.Size())
				if at.X < end.X && to.X > from.X && at.Y < end.Y-1 && to.Y > from.Y+1 {
					t.Errorf("%.0f wide: %q is drawn over a bar", width, text.Text)
				}
			}
			texts = append(texts, span{at.Y, at.X, to.X})
		}
		if len(texts) < 9 {
			t.Errorf("%.0f wide: only %d texts", width, len(texts))
		}
	}
}

func TestEqualNamesOfAChoiceAreToldApart(t *testing.T) {
	chosen := -1
	c := NewChoice("Account", 0, func(i int) { chosen = i })
	newWindow(t, c.Box, fyne.NewSize(300, 100))
	c.Set([]string{"same", "same", "same"}, 1)
	if c.Select.SelectedIndex() != 1 || chosen != -1 {
		t.Errorf("selected %d, told %d", c.Select.SelectedIndex(), chosen)
	}
	c.Select.SetSelectedIndex(2)
	if chosen != 2 || strings.TrimSpace(c.Select.Selected) != "same" {
		t.Errorf("told %d, shown %q", chosen, c.Select.Selected)
	}
}
