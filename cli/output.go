package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// say prints for a person. Whatever is in it, from whomever, cannot steer the
// terminal: that is seen to here, once.
func (s *session) say(format string, args ...any) {
	_, _ = fmt.Fprint(s.streams.Out, safe(fmt.Sprintf(format, args...)))
}

// warn prints for a person beside the verb's own output.
func (s *session) warn(format string, args ...any) {
	_, _ = fmt.Fprint(s.streams.Err, safe(fmt.Sprintf(format, args...)))
}

// printJSON prints one JSON value on one line.
func (s *session) printJSON(value any) error {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	if _, err := s.streams.Out.Write(escape(buffer.Bytes())); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

// escape writes what JSON allows as it is but a terminal obeys, such as the
// one-character CSI and the direction marks, as \u escapes: the value stays.
func escape(data []byte) []byte {
	var out bytes.Buffer
	for _, r := range string(data) {
		switch {
		case r == '\n' || !hidden(r):
			out.WriteRune(r)
		case r > 0xffff:
			high, low := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.Bytes()
}

// hidden reports characters that a terminal obeys instead of showing, or that
// change how the text around them is read: controls, direction marks,
// invisible letters and tags. Joiners stay, since scripts and emoji need them.
func hidden(r rune) bool {
	switch {
	case r == '\u200c' || r == '\u200d':
		return false
	case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co):
		return true
	}
	return r == '\u115f' || r == '\u1160' || r == '\u3164' || r == '\uffa0'
}

// safe makes text of several lines safe for a terminal. What is only invisible
// goes, what would steer the terminal or turn the text around leaves a mark.
func safe(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || !hidden(r):
			return r
		case unicode.IsControl(r) || '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069' || r == '\u2028' || r == '\u2029':
			return utf8.RuneError
		}
		return -1
	}, text)
}

// line makes one line of what came from outside.
func line(text string) string {
	return safe(strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' || r == '\t' }), " "))
}

// columns is how wide the text is on a terminal.
func columns(text string) int {
	n := 0
	for _, r := range text {
		n += wide(r)
	}
	return n
}

func wide(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me) || r == '\u200c' || r == '\u200d':
		return 0
	case width.LookupRune(r).Kind() == width.EastAsianWide || width.LookupRune(r).Kind() == width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// cut shortens the text to at most so many columns.
func cut(text string, most int) string {
	if columns(text) <= most {
		return text
	}
	n := 0
	for i, r := range text {
		if n+wide(r) > most-1 {
			return text[:i] + "…"
		}
		n += wide(r)
	}
	return text
}

// table prints rows in aligned columns; the first row is the head. Columns named
// in right are aligned to the right, as amounts are.
func (s *session) table(rows [][]string, right ...int) {
	widths := map[int]int{}
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], columns(cell))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-columns(cell))
			for _, r := range right {
				if r == i {
					cell, pad = pad+cell, ""
				}
			}
			b.WriteString(cell + pad + "  ")
		}
		s.say("%s\n", strings.TrimRight(b.String(), " "))
	}
}

// sentence begins with a capital and ends as a sentence does.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	r, n := utf8.DecodeRuneInString(text)
	if text == "" {
		return ""
	}
	text = string(unicode.ToUpper(r)) + text[n:]
	if strings.HasSuffix(text, "?") || strings.HasSuffix(text, "!") || strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}
