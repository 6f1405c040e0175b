package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
)

// NewSlider makes a slider, and the object to show, in which it has the colours of
// the window: Fyne draws its rail in the colour of the ground.
func NewSlider() (*widget.Slider, fyne.CanvasObject) {
	s := widget.NewSlider(0, 1)
	return s, container.NewThemeOverride(s, sliderTheme{})
}

// sliderTheme is the window's theme, whatever that is, with two colours changed.
type sliderTheme struct{}

func (sliderTheme) now() fyne.Theme { return fyne.CurrentApp().Settings().Theme() }

func (t sliderTheme) Color(name fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	switch name {
	case theme.Surface: // the rail
		name = theme.Border
	case theme.Text, fynetheme.ColorNameFocus: // the knob, the rail before it, and the ring of the focus
		name = theme.Accent
	}
	return t.now().Color(name, v)
}

func (t sliderTheme) Font(style fyne.TextStyle) fyne.Resource    { return t.now().Font(style) }
func (t sliderTheme) Icon(name fyne.ThemeIconName) fyne.Resource { return t.now().Icon(name) }
func (t sliderTheme) Size(name fyne.ThemeSizeName) float32       { return t.now().Size(name) }
