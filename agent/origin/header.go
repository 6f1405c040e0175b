package origin

import (
	"bytes"
	"slices"
	"strings"
)

// Limits of what strangers write: to check a signature takes time by the product
// of its fields and the mail's, and to read a key by the square of its length.
const (
	headerSize    = 64 << 10
	headerFields  = 512
	signatureSize = 8 << 10
	recordSize    = 4 << 10 // an RSA key of 16,384 bits has 2,800
)

// plain reports a header that all programs read alike, with each of the fields
// named once. A field with a space before its colon is signed as if there were
// none, but most who read the mail pass over it: beside it another could stand that
// nobody signed.
func plain(raw []byte, once []string) bool {
	seen := make(map[string]int)
	name, length, fields := "", 0, 0
	for read := 0; ; {
		line, _, ended := bytes.Cut(raw[read:min(len(raw), headerSize)], []byte("\n"))
		if !ended {
			return false
		}
		read += len(line) + 1
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			break
		}
		if bytes.ContainsAny(line, "\r\x00") || len(bytes.TrimSpace(line)) == 0 {
			return false
		}
		if line[0] == ' ' || line[0] == '\t' {
			length += len(line)
		} else {
			field, _, found := strings.Cut(string(line), ":")
			if !found || strings.ContainsFunc(field, func(r rune) bool { return r <= ' ' || r > '~' }) || fields == headerFields {
				return false
			}
			name, length = strings.ToLower(field), len(line)
			seen[name]++
			fields++
		}
		if name == "" || name == "dkim-signature" && length > signatureSize {
			return false
		}
	}
	return !slices.ContainsFunc(once, func(field string) bool { return seen[strings.ToLower(field)] != 1 })
}
