package widgets

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
)

// MoneyLine is an amount with its state beside it: €0.25 held · what comes next.
type MoneyLine struct {
	Box   *fyne.Container
	rich  *widget.RichText
	shown string
}

// NewMoneyLine makes an empty line.
func NewMoneyLine() *MoneyLine {
	m := &MoneyLine{rich: widget.NewRichText()}
	m.rich.Wrapping = fyne.TextWrapWord
	m.Box = Flush(m.rich)
	return m
}

// Set shows the amount, its state in the tone's colour, and the rest plain.
func (m *MoneyLine) Set(amount, words string, tone fyne.ThemeColorName) {
	if key := amount + "\x00" + words + string(tone); key != m.shown {
		m.shown = key
	} else {
		return
	}
	state, rest, more := strings.Cut(words, " · ")
	if more {
		rest = "  ·  " + strings.ReplaceAll(rest, " · ", "  ·  ")
	}
	segment := func(s string, bold bool, color fyne.ThemeColorName) widget.RichTextSegment {
		return &widget.TextSegment{Text: s, Style: widget.RichTextStyle{Inline: true, ColorName: color,
			SizeName: theme.SizeText, TextStyle: fyne.TextStyle{Bold: bold}}}
	}
	m.rich.Segments = []widget.RichTextSegment{
		segment(amount+" ", true, theme.Text), segment(state, true, tone), segment(rest, false, theme.Text)}
	m.rich.Refresh()
}
