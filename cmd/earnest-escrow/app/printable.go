package app

import (
	"fmt"
	"strings"
	"unicode"
)

// printable is text that others wrote, as it may be shown on a terminal: characters
// that steer it, that are not seen, or that turn the order of what is seen are written
// as their numbers. With one of them an IBAN could look like another.
func printable(text string) string {
	var shown strings.Builder
	for _, c := range text {
		if unicode.IsPrint(c) && c != unicode.ReplacementChar {
			shown.WriteRune(c)
		} else if c == '\n' {
			shown.WriteByte(' ')
		} else {
			fmt.Fprintf(&shown, "<U+%04X>", c)
		}
	}
	return shown.String()
}

// Printable is text of others for the terminal.
func Printable(text string) string { return printable(text) }
