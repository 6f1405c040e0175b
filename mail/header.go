package mail

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	netmail "net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
)

// Header is the header of a mail as a person reads it, decoded and cleaned.
type Header struct {
	// From is the sender's address. It is empty where the header is ambiguous:
	// no From, several From fields, or several addresses in it.
	From, FromName string
	// To is the first recipient; Recipients are all of To and Cc.
	To         string
	Recipients []string
	Subject    string
	Date       time.Time // zero where it cannot be read
	// MessageID, InReplyTo and References have their brackets.
	MessageID, InReplyTo string
	References           []string

	fields []Field
}

// ReadHeader reads the header of a mail. What follows the header is ignored.
func ReadHeader(raw []byte) (Header, error) {
	fields, _, err := splitHeader(raw)
	if err != nil {
		return Header{}, err
	}
	return makeHeader(fields), nil
}

// Get returns the first field of that name, decoded, or "".
func (h Header) Get(name string) string {
	for _, f := range h.fields {
		if strings.EqualFold(f.Name, name) {
			return cleanLine(decodeWords(f.Value))
		}
	}
	return ""
}

// Count is how often a field stands in the header.
func (h Header) Count(name string) int {
	n := 0
	for _, f := range h.fields {
		if strings.EqualFold(f.Name, name) {
			n++
		}
	}
	return n
}

// Protected reports whether the header is the protected one of an encrypted
// mail: RFC 9788 (hp), or the older form that Thunderbird writes beside it.
func (h Header) Protected() bool {
	_, params := mediaType(h.raw("Content-Type"))
	return params["hp"] != "" || params["protected-headers"] == "v1"
}

// Confidential returns the header fields as they stood outside, where the mail
// says so (HP-Outer, RFC 9788 section 2.2).
func (h Header) Confidential() []Field {
	var out []Field
	for _, f := range h.fields {
		if strings.EqualFold(f.Name, "HP-Outer") {
			if name, value, ok := strings.Cut(f.Value, ":"); ok {
				out = append(out, Field{strings.TrimSpace(name), strings.TrimSpace(value)})
			}
		}
	}
	return out
}

func (h Header) raw(name string) string {
	for _, f := range h.fields {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

func makeHeader(fields []Field) Header {
	h := Header{fields: fields}
	if senders := addresses(h.raw("From")); len(senders) == 1 && h.Count("From") == 1 {
		h.From, h.FromName = senders[0].Address, senders[0].Name
	}
	for _, f := range fields {
		if strings.EqualFold(f.Name, "To") || strings.EqualFold(f.Name, "Cc") {
			for _, a := range addresses(f.Value) {
				h.Recipients = append(h.Recipients, a.Address)
			}
		}
	}
	if to := addresses(h.raw("To")); len(to) > 0 {
		h.To = to[0].Address
	}
	h.Subject = h.Get("Subject")
	h.Date, _ = netmail.ParseDate(strings.TrimSpace(h.raw("Date")))
	if y := h.Date.Year(); y < 1970 || y > 9999 { // JSON cannot carry more, and no mail is older
		h.Date = time.Time{}
	}
	h.MessageID = firstID(h.raw("Message-ID"))
	h.InReplyTo = firstID(h.raw("In-Reply-To"))
	for id := range strings.FieldsSeq(h.raw("References")) {
		if id = messageID(id); id != "" && len(h.References) < 100 {
			h.References = append(h.References, id)
		}
	}
	return h
}

func firstID(s string) string {
	for id := range strings.FieldsSeq(s) {
		if id = messageID(id); id != "" {
			return id
		}
	}
	return ""
}

// splitHeader cuts an entity into its fields, unfolded but not decoded, and the
// body. It takes bare LF, skips lines that are no field, and takes what does not
// begin with a field at all as a body without header.
func splitHeader(raw []byte) ([]Field, []byte, error) {
	var fields []Field
	var folded []byte // the value of the last field, while it goes on
	finish := func() {
		if len(fields) > 0 && folded != nil {
			fields[len(fields)-1].Value, folded = string(folded), nil
		}
	}
	defer finish()
	rest, read := raw, 0
	for len(rest) > 0 {
		line := rest
		next := len(rest)
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			line, next = rest[:i], i+1
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			rest = rest[next:]
			break
		}
		name, value, colon := bytes.Cut(line, []byte(":"))
		trimmed := string(bytes.TrimRight(name, " \t"))
		switch {
		case line[0] == ' ' || line[0] == '\t':
			if len(fields) > 0 {
				if folded == nil {
					folded = []byte(fields[len(fields)-1].Value)
				}
				folded = append(append(folded, ' '), bytes.TrimSpace(line)...)
			}
		case colon && isToken(trimmed):
			finish()
			fields = append(fields, Field{trimmed, string(bytes.TrimSpace(value))})
		case len(fields) == 0 && !bytes.HasPrefix(line, []byte("From ")) && !bytes.HasPrefix(line, []byte(">From ")):
			return nil, raw, nil
		}
		if read += next; read > maxHeaderBytes || len(fields) > maxFields {
			return nil, nil, fmt.Errorf("header: %w", ErrTooLarge)
		}
		rest = rest[next:]
	}
	return fields, rest, nil
}

// addresses reads an address list. Where it is not one by the book, the part in
// angle brackets is taken, since many programs do not quote names.
func addresses(s string) []netmail.Address {
	if s == "" || len(s) > maxAddressList {
		return nil
	}
	parser := netmail.AddressParser{WordDecoder: decoder()}
	if list, err := parser.ParseList(s); err == nil {
		out := make([]netmail.Address, 0, len(list))
		for _, a := range list {
			name := a.Name
			if strings.Contains(name, "=?") { // an encoded-word inside quotes
				name = decodeWords(name)
			}
			out = append(out, netmail.Address{Name: cleanLine(name), Address: cleanLine(a.Address)})
		}
		return out
	}
	open, end := strings.LastIndexByte(s, '<'), strings.LastIndexByte(s, '>')
	if open < 0 || end < open || strings.Count(s, "<") != 1 {
		return nil
	}
	address := strings.TrimSpace(s[open+1 : end])
	if at := strings.LastIndexByte(address, '@'); at <= 0 || at == len(address)-1 || strings.ContainsAny(address, " ,;<>\t\"") {
		return nil
	}
	name := strings.Trim(strings.TrimSpace(s[:open]), `"`)
	return []netmail.Address{{Name: cleanLine(decodeWords(name)), Address: cleanLine(address)}}
}

func decoder() *mime.WordDecoder {
	return &mime.WordDecoder{CharsetReader: func(label string, input io.Reader) (io.Reader, error) {
		raw, err := io.ReadAll(input)
		if err != nil {
			return nil, err
		}
		return strings.NewReader(toUTF8(raw, label)), nil
	}}
}

// decodeWords decodes encoded-words; bytes beyond ASCII outside of them are
// UTF-8, or else Windows-1252.
func decodeWords(s string) string {
	if !utf8.ValidString(s) {
		s = toUTF8([]byte(s), "")
	}
	decoded, err := decoder().DecodeHeader(s)
	if err != nil {
		return s
	}
	return decoded
}

// toUTF8 decodes text of a named charset. Unknown charsets are read as UTF-8
// where that is valid, else as Windows-1252, which always is.
func toUTF8(raw []byte, label string) string {
	label = strings.ToLower(strings.TrimSpace(label))
	var enc encoding.Encoding
	if label != "" && label != "utf-8" && label != "us-ascii" {
		enc, _ = htmlindex.Get(label)
	}
	if enc == nil {
		if utf8.Valid(raw) {
			return string(raw)
		}
		if label == "utf-8" {
			return strings.ToValidUTF8(string(raw), "\uFFFD")
		}
		enc = charmap.Windows1252
	}
	out, err := enc.NewDecoder().Bytes(raw)
	if err != nil {
		return strings.ToValidUTF8(string(raw), "\uFFFD")
	}
	return string(out)
}
