package words

import (
	"bytes"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
	"github.com/go-text/typesetting/font"
)

// TestEveryCharacterIsInTheFont: of all texts, in both languages, and of what the
// window's code writes itself. A space after a character of the font of symbols is
// drawn in that font, which has none: a box stands there.
func TestEveryCharacterIsInTheFont(t *testing.T) {
	face := func(res fyne.Resource) *font.Face {
		f, err := font.ParseTTF(bytes.NewReader(res.Content()))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	// Not in them: what every system has drawn so far. A word stands beside each.
	const ofTheSystem = "✓▾▲−"
	symbols := face(fynetheme.DefaultSymbolFont())
	_, spaced := symbols.NominalGlyph(' ')
	for name, main := range map[string]*font.Face{
		"regular": face(fynetheme.DefaultTheme().Font(fyne.TextStyle{})),
		"bold":    face(fynetheme.DefaultTheme().Font(fyne.TextStyle{Bold: true})),
	} {
		check := func(id, text string) {
			before := false // the character before is a symbol
			for _, r := range text {
				if r == '\n' || r == '\t' || strings.ContainsRune(ofTheSystem, r) {
					continue
				}
				_, ok := main.NominalGlyph(r)
				_, symbol := symbols.NominalGlyph(r)
				switch {
				case !ok && !symbol:
					t.Errorf("%s: %q is in no font: %q (%U)", id, text, r, r)
				case before && r == ' ' && !spaced:
					t.Errorf("%s: %q: a space after a symbol has no glyph", id, text)
				}
				before = !ok && symbol
			}
		}
		for _, l := range []Language{English, German} {
			for id, forms := range texts(t, l) {
				for _, form := range forms {
					check(name+" "+string(l)+" "+id, form)
				}
			}
		}
		_, _, literals := said(t)
		for text := range literals {
			if strings.ContainsAny(text, "\x01＝") {
				continue // a separator and a spreadsheet's signs, which nobody reads
			}
			check(name+" code", text)
		}
	}
}
