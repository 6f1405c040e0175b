package escrow

import "unicode/utf8"

// PlainText reports whether the text is UTF-8 without NUL: what every database keeps
// as it is.
func PlainText(text string) bool {
	for i := range len(text) {
		if text[i] == 0 {
			return false
		}
	}
	return utf8.ValidString(text)
}

// PlainJSON reports whether all texts within the JSON are [PlainText]: NUL is in none,
// not even as \u0000, and no byte is replaced when it is read.
func PlainJSON(text []byte) bool {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == 0:
			return false
		case text[i] == '\\':
			// What is escaped by it is passed over, a backslash before all.
			if i++; len(text)-i >= 5 && string(text[i:i+5]) == "u0000" {
				return false
			}
		}
	}
	return utf8.Valid(text)
}
