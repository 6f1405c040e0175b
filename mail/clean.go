package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// cleanText makes text safe to show and to print: valid UTF-8, lines that end
// with \n, no control characters (a terminal would obey them) and none that
// turn the writing direction around (they make one address look like another).
func cleanText(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		return shown(r)
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// cleanLine is cleanText for one line: every white space becomes one space.
func cleanLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			return ' '
		}
		return shown(r)
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}

// shown is the rune, or -1 if it must not be shown.
func shown(r rune) rune {
	switch {
	case unicode.IsControl(r),
		r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, // bidirectional embedding, override, isolate
		r >= 0xFFF9 && r <= 0xFFFB,   // interlinear annotation
		r >= 0xE0000 && r <= 0xE007F: // tags: invisible text
		return -1
	case r == 0x2028 || r == 0x2029:
		return '\n'
	}
	return r
}

// cleanName makes a file name of what a stranger called an attachment: the last
// element of a path, nothing hidden, nothing reserved.
func cleanName(s string) string {
	s = cleanLine(s)
	if i := strings.LastIndexAny(s, `/\`); i >= 0 {
		s = s[i+1:]
	}
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`<>:"|?*`, r) {
			return '_'
		}
		return r
	}, s)
	s = strings.Trim(s, ". ")
	for len(s) > 200 {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}
