package viewmodel

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Laying out a text costs half a millisecond a line, so a mail of a hundred
// thousand lines would freeze the window. It begins with these, and goes on,
// doubled each time, when the person asks for more.
const (
	firstBytes = 30_000
	firstLines = 600
	mostMore   = 3
)

const (
	maxLine  = 400 // of a one-line text, in runes
	maxMarks = 4   // combining marks on one letter; more of them climb over other lines
)

// line makes a one-line text from outside harmless: whatever could turn the
// direction of writing, hide letters or break the line is replaced by a visible
// mark (Unicode TR36 and TR9: bidi controls in addresses and subjects).
func line(s string) string {
	s = strings.Join(strings.Fields(neutral(s, false)), " ")
	if utf8.RuneCountInString(s) > maxLine {
		s = string([]rune(s)[:maxLine-1]) + "…"
	}
	return s
}

// shaped keeps the shape of what was set in columns, and ends lines in one way.
func shaped(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\t", "    ")
}

// text makes the text of a mail harmless and keeps its lines. The second result
// tells that the text was longer than what is shown.
func text(s string, more int) (string, bool) {
	bytes, lines := firstBytes<<more, firstLines<<more
	long := len(s) > bytes
	if long {
		for bytes > 0 && !utf8.RuneStart(s[bytes]) {
			bytes--
		}
		s = s[:bytes]
	}
	s = strings.TrimRight(neutral(shaped(s), true), " \n")
	for i := range len(s) {
		if s[i] != '\n' {
			continue
		}
		if lines--; lines == 0 {
			return s[:i], true
		}
	}
	return s, long
}

func neutral(s string, lines bool) string {
	var b strings.Builder
	b.Grow(len(s))
	marks := 0
	for _, r := range s {
		if unicode.In(r, unicode.Mn, unicode.Me) {
			if marks++; marks > maxMarks {
				continue
			}
		} else {
			marks = 0
		}
		b.WriteRune(neutralRune(r, lines))
	}
	return b.String()
}

func neutralRune(r rune, lines bool) rune {
	switch {
	case r == '\n' && lines:
		return r
	case r == '\t' || r == '\n' || r == '\r':
		return ' '
	case r == '\u2028' || r == '\u2029' || r == '\u0085':
		if lines {
			return '\n'
		}
		return ' '
	case r == '\u200d' || r == '\u200c': // joiners: emoji and Persian need them
		return r
	case r == '\u00ad' && lines: // soft hyphen: harmless in running text
		return r
	case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r):
		return utf8.RuneError
	case r == '\u115f' || r == '\u1160' || r == '\u3164' || r == '\uffa0' || r == '\u2800': // letters that look like nothing
		return utf8.RuneError
	}
	return r
}
