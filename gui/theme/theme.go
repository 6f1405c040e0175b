// Package theme is how the window looks: the colours of the token table in both
// variants, the spacing, and the choice between light, dark and the system's.
package theme

import (
	"image/color"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

// The tokens, used as colour names so that pages and Fyne's widgets draw from
// one table.
const (
	Background fyne.ThemeColorName = fynetheme.ColorNameBackground
	Surface    fyne.ThemeColorName = fynetheme.ColorNameInputBackground
	Text       fyne.ThemeColorName = fynetheme.ColorNameForeground
	Muted      fyne.ThemeColorName = fynetheme.ColorNameDisabled
	Line       fyne.ThemeColorName = fynetheme.ColorNameSeparator
	Border     fyne.ThemeColorName = fynetheme.ColorNameInputBorder
	Accent     fyne.ThemeColorName = fynetheme.ColorNamePrimary
	OnAccent   fyne.ThemeColorName = fynetheme.ColorNameForegroundOnPrimary
	Selection  fyne.ThemeColorName = fynetheme.ColorNameSelection
	Reject     fyne.ThemeColorName = fynetheme.ColorNameError
	Waiting    fyne.ThemeColorName = fynetheme.ColorNameWarning
	Hover      fyne.ThemeColorName = fynetheme.ColorNameHover
)

// Spacing. Nothing else is used between things.
const (
	Space1 float32 = 4
	Space2 float32 = 8
	Space3 float32 = 12
	Space4 float32 = 16
	Space5 float32 = 24
)

// Sizes of text.
const (
	SizeSmall fyne.ThemeSizeName = fynetheme.SizeNameCaptionText
	SizeText  fyne.ThemeSizeName = fynetheme.SizeNameText
	SizeTitle fyne.ThemeSizeName = fynetheme.SizeNameHeadingText
)

// Choice is what the person wants: light, dark, or what the system says.
type Choice string

// The choices.
const (
	System Choice = "system"
	Light  Choice = "light"
	Dark   Choice = "dark"
)

// Theme is the look for a choice.
type Theme struct {
	fyne.Theme
	choice Choice
}

// New makes the theme for the choice; an unknown one follows the system.
func New(choice Choice) *Theme {
	return &Theme{Theme: fynetheme.DefaultTheme(), choice: choice}
}

// Variant is the one that is drawn, where the system says v.
func (t *Theme) Variant(v fyne.ThemeVariant) fyne.ThemeVariant {
	switch t.choice {
	case Light:
		return fynetheme.VariantLight
	case Dark:
		return fynetheme.VariantDark
	}
	return v
}

type pair struct{ light, dark uint32 }

// tokens is the table. Border is a step darker than a hairline, since a field
// must be found (WCAG 1.4.11, 3:1).
func tokens(name fyne.ThemeColorName) (pair, bool) {
	switch name {
	case Background, fynetheme.ColorNameHeaderBackground:
		return pair{0xFAF9F7, 0x171614}, true
	case Surface, fynetheme.ColorNameMenuBackground, fynetheme.ColorNameOverlayBackground, fynetheme.ColorNameButton:
		return pair{0xFFFFFF, 0x201F1C}, true
	case Text:
		return pair{0x1E1D1B, 0xEEEBE6}, true
	case Muted, fynetheme.ColorNamePlaceHolder:
		return pair{0x5F5B56, 0xA9A49C}, true
	case Line, fynetheme.ColorNameDisabledButton:
		return pair{0xE3DFD9, 0x35322E}, true
	case Border:
		return pair{0x8F8A83, 0x857F77}, true
	case Accent, fynetheme.ColorNameHyperlink, fynetheme.ColorNameSuccess:
		return pair{0x1B6B52, 0x74CDA9}, true
	case OnAccent, fynetheme.ColorNameForegroundOnSuccess:
		return pair{0xFFFFFF, 0x0E2A20}, true
	case Selection, fynetheme.ColorNameFocus: // Fyne draws texts on it; the ring at the edge is the accent
		return pair{0xE3EFEA, 0x24352E}, true
	case Reject:
		return pair{0xA8281E, 0xFF9A8F}, true
	case Waiting:
		return pair{0x855B00, 0xE5B95C}, true
	case fynetheme.ColorNameForegroundOnError, fynetheme.ColorNameForegroundOnWarning:
		return pair{0xFFFFFF, 0x171614}, true
	case Hover:
		return pair{0xF1EEEA, 0x2A2825}, true
	case fynetheme.ColorNamePressed:
		return pair{0xE3DFD9, 0x35322E}, true
	case fynetheme.ColorNameScrollBar:
		return pair{0xB5B0A9, 0x5A564F}, true
	}
	return pair{}, false
}

// Color draws from the table; what is not in it is Fyne's own.
func (t *Theme) Color(name fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	v = t.Variant(v)
	p, ok := tokens(name)
	if !ok {
		return t.Theme.Color(name, v)
	}
	rgb := p.light
	if v == fynetheme.VariantDark {
		rgb = p.dark
	}
	return color.NRGBA{R: uint8(rgb >> 16), G: uint8(rgb >> 8), B: uint8(rgb), A: 0xFF}
}

// Size is 14 for text, 12 beside it, 20 for the title of a mail.
func (t *Theme) Size(name fyne.ThemeSizeName) float32 {
	switch name {
	case fynetheme.SizeNameText:
		return 14
	case fynetheme.SizeNameCaptionText:
		return 12
	case fynetheme.SizeNameSubHeadingText:
		return 16
	case fynetheme.SizeNameHeadingText:
		return 20
	case fynetheme.SizeNamePadding:
		return Space1
	case fynetheme.SizeNameInnerPadding:
		return Space2
	case fynetheme.SizeNameSeparatorThickness, fynetheme.SizeNameInputBorder:
		return 1
	case fynetheme.SizeNameInputRadius, fynetheme.SizeNameButtonRadius:
		return 6
	case fynetheme.SizeNameScrollBar:
		return 8
	case fynetheme.SizeNameScrollBarSmall:
		return 4
	}
	return t.Theme.Size(name)
}
