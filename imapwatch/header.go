package imapwatch

import (
	"bufio"
	"io"
	"net/textproto"
	"slices"
	"strings"
)

// maxHeader is how much of the asked header fields is read of one mail. A
// field that a stranger made longer is cut.
const maxHeader = 64 << 10

// wantedFields are asked with BODY.PEEK[HEADER.FIELDS (...)]. ENVELOPE and
// BODYSTRUCTURE are never asked: their parsers trip over mails that strangers
// can write.
func wantedFields() []string {
	return []string{"From", "Message-Id", "Content-Type", "Earnest-Claim"}
}

// readFields fills h from a header block. It takes whatever is there: lines
// that are no fields are passed over, of equal fields the first counts. Of more,
// all are kept.
func readFields(r io.Reader, h *Header, more []string) error {
	limited := &io.LimitedReader{R: r, N: maxHeader}
	lines := bufio.NewReader(limited)
	targets := map[string]*string{
		"from":          &h.From,
		"message-id":    &h.MessageID,
		"content-type":  &h.ContentType,
		"earnest-claim": &h.Claim,
	}
	if len(more) > 0 {
		h.More = make(map[string][]string)
	}
	var current *string
	var kept string // the field of more that current lines belong to
	for {
		line, err := lines.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		switch name, value, found := strings.Cut(line, ":"); {
		case strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t"):
			if current != nil {
				*current += " " + strings.TrimSpace(line)
			}
			if values := h.More[kept]; len(values) > 0 {
				values[len(values)-1] += " " + strings.TrimSpace(line)
			}
		case found:
			kept = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
			if !slices.Contains(more, kept) {
				kept = ""
			} else {
				h.More[kept] = append(h.More[kept], strings.TrimSpace(value))
			}
			current = targets[strings.ToLower(strings.TrimSpace(name))]
			if current != nil && *current != "" {
				current = nil
			}
			if current != nil {
				*current = strings.TrimSpace(value)
			}
		default:
			current, kept = nil, ""
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	for _, target := range targets {
		*target = strings.ToValidUTF8(strings.TrimSpace(*target), "\uFFFD")
	}
	// The rest must be read off, or the connection stands still.
	_, err := io.Copy(io.Discard, r)
	return err
}
