package theme

import (
	"image/color"
	"math"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	fynetheme "fyne.io/fyne/v2/theme"
)

// luminance is that of WCAG 2.2.
func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	part := func(v uint32) float64 {
		x := float64(v) / 0xFFFF
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*part(r) + 0.7152*part(g) + 0.0722*part(b)
}

func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	if x < y {
		x, y = y, x
	}
	return (x + 0.05) / (y + 0.05)
}

// TestTextsAreLegible: WCAG AA wants 4.5:1 for text; the table promises 5:1.
func TestTextsAreLegible(t *testing.T) {
	if got := contrast(color.Black, color.White); math.Abs(got-21) > 0.01 {
		t.Fatalf("black on white is %.2f:1", got)
	}
	for _, choice := range []Choice{Light, Dark} {
		th := New(choice)
		of := func(name fyne.ThemeColorName) color.Color { return th.Color(name, fynetheme.VariantLight) }
		for _, pair := range []struct {
			text, plane fyne.ThemeColorName
			min         float64
		}{
			{Text, Background, 5}, {Text, Surface, 5}, {Text, Selection, 5}, {Text, Hover, 5},
			{Muted, Background, 5}, {Muted, Surface, 5}, {Muted, Selection, 5}, {Muted, Hover, 5},
			{Accent, Background, 5}, {Accent, Surface, 5}, {OnAccent, Accent, 5},
			{Reject, Background, 5}, {Reject, Surface, 5}, {Reject, Selection, 5},
			{Waiting, Background, 5}, {Waiting, Surface, 5}, {Waiting, Selection, 4.5}, {Waiting, Hover, 4.5},
			{Background, Text, 5}, // the undo bar
			// What Fyne fills with the colour of the focus: a list to choose from.
			{Text, fynetheme.ColorNameFocus, 5}, {Muted, fynetheme.ColorNameFocus, 5}, {Accent, Surface, 3},
			{Muted, Line, 4.5},                                // a button that cannot be pressed
			{Border, Surface, 2.9}, {Border, Background, 2.9}, // not text: WCAG 1.4.11
		} {
			if got := contrast(of(pair.text), of(pair.plane)); got < pair.min {
				t.Errorf("%s: %s on %s is %.2f:1, want %.1f:1", choice, pair.text, pair.plane, got, pair.min)
			}
		}
	}
}

func TestTheChoiceOverridesTheSystem(t *testing.T) {
	light := New(Light).Color(Background, fynetheme.VariantDark)
	dark := New(Dark).Color(Background, fynetheme.VariantLight)
	if light == dark {
		t.Fatal("light and dark are the same")
	}
	if New(System).Color(Background, fynetheme.VariantDark) != dark || New(System).Color(Background, fynetheme.VariantLight) != light {
		t.Error("the system's choice is not followed")
	}
}

// TestFiguresHaveOneWidth: amounts under each other line up only then.
func TestFiguresHaveOneWidth(t *testing.T) {
	app := test.NewTempApp(t)
	app.Settings().SetTheme(New(Light))
	for _, bold := range []bool{false, true} {
		want := fyne.MeasureText("0", 14, fyne.TextStyle{Bold: bold}).Width
		for _, digit := range "123456789" {
			if got := fyne.MeasureText(string(digit), 14, fyne.TextStyle{Bold: bold}).Width; got != want {
				t.Errorf("%c is %.2f wide, 0 is %.2f", digit, got, want)
			}
		}
	}
}
