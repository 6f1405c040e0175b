package mail

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"
)

// writeField writes "Name: value" folded at spaces (RFC 5322 section 2.2.3).
// The value is already encoded: printable ASCII and spaces.
func writeField(b *bytes.Buffer, f Field) error {
	if !isToken(f.Name) || !isPrintable(f.Value) {
		return fmt.Errorf("header %q: %w", cleanLine(f.Name), ErrField)
	}
	b.WriteString(f.Name)
	b.WriteByte(':')
	column := len(f.Name) + 1
	words := strings.Split(f.Value, " ")
	for i, word := range words {
		// A folded line that is only white space would end the header for some
		// readers, so a line never breaks before an empty word or the first one.
		if i > 0 && word != "" && column+1+len(word) > 76 {
			b.WriteString("\r\n")
			column = 0
		}
		b.WriteByte(' ')
		b.WriteString(word)
		column += 1 + len(word)
		if column > 990 { // RFC 5322 section 2.1.1: 998 octets
			return fmt.Errorf("header %q: a line is too long: %w", f.Name, ErrField)
		}
	}
	b.WriteString("\r\n")
	return nil
}

// isToken: a field name (RFC 5322 section 3.6.8), or a MIME token.
func isToken(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?=`, s[i]) >= 0 {
			return false
		}
	}
	return true
}

func isPrintable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// encodeText encodes unstructured text (a subject) for a header: as it is where
// that survives folding, else as encoded-words (RFC 2047).
func encodeText(s string) string {
	s = cleanLine(s)
	if !isPrintable(s) || strings.Contains(s, "=?") {
		return encodedWords(s)
	}
	for word := range strings.SplitSeq(s, " ") {
		if len(word) > 70 {
			return encodedWords(s)
		}
	}
	return s
}

// encodePhrase encodes a display name.
func encodePhrase(s string) string {
	s = cleanLine(s)
	if s == "" {
		return ""
	}
	if !isPrintable(s) || strings.Contains(s, "=?") || len(s) > 60 {
		return encodedWords(s)
	}
	for word := range strings.SplitSeq(s, " ") {
		if !isToken(word) || strings.Contains(word, ".") {
			return quote(s)
		}
	}
	return s
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// encodedWords cuts at runes, as RFC 2047 section 5 demands, into words of at
// most 75 characters.
func encodedWords(s string) string {
	var words []string
	for len(s) > 0 {
		n := 0
		for n < len(s) {
			_, size := utf8.DecodeRuneInString(s[n:])
			if n+size > 45 {
				break
			}
			n += size
		}
		words = append(words, "=?UTF-8?B?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		s = s[n:]
	}
	return strings.Join(words, " ")
}

// encodeParam writes a parameter of a MIME field, in pieces and percent-encoded
// where it has to be (RFC 2231 sections 3 and 4). Pieces are joined by "; ",
// where the field can be folded.
func encodeParam(name, value string) string {
	if isPrintable(value) && len(value) <= 60 {
		return name + "=" + quote(value)
	}
	var pieces []string
	piece := "UTF-8''"
	for i := 0; i < len(value); {
		_, size := utf8.DecodeRuneInString(value[i:])
		var encoded string
		for _, c := range []byte(value[i : i+size]) {
			if c > ' ' && c < 0x7f && strings.IndexByte(`*'%()<>@,;:\"/[]?=`, c) < 0 {
				encoded += string(rune(c))
			} else {
				encoded += fmt.Sprintf("%%%02X", c)
			}
		}
		if len(piece)+len(encoded) > 55 {
			pieces = append(pieces, piece)
			piece = ""
		}
		piece += encoded
		i += size
	}
	pieces = append(pieces, piece)
	if len(pieces) == 1 {
		return name + "*=" + pieces[0]
	}
	for i, p := range pieces {
		pieces[i] = fmt.Sprintf("%s*%d*=%s", name, i, p)
	}
	return strings.Join(pieces, "; ")
}
