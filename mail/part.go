package mail

import (
	"bytes"
	"fmt"
	"mime"
	"strings"
)

// part is an entity of a MIME tree. Its raw bytes are kept: a signature covers them.
type part struct {
	header   Header
	raw      []byte
	body     []byte
	kind     string // lower case, such as text/plain
	params   map[string]string
	children []*part
	// broken: a boundary is missing, or a limit was reached below here.
	broken bool
}

// readPart reads an entity and its children. Count is what is left of maxParts.
func readPart(raw []byte, depth int, count *int) (*part, error) {
	fields, body, err := splitHeader(raw)
	if err != nil {
		return nil, err
	}
	p := &part{header: Header{fields: fields}, raw: raw, body: body}
	p.kind, p.params = mediaType(p.header.raw("Content-Type"))
	if *count--; *count < 0 {
		return nil, fmt.Errorf("more than %d parts: %w", maxParts, ErrMalformed)
	}
	if !strings.HasPrefix(p.kind, "multipart/") {
		return p, nil
	}
	if depth >= maxDepth {
		return nil, fmt.Errorf("nested deeper than %d: %w", maxDepth, ErrMalformed)
	}
	pieces, closed := splitMultipart(body, p.params["boundary"])
	p.broken = !closed
	for _, piece := range pieces {
		child, err := readPart(piece, depth+1, count)
		if err != nil {
			return nil, err
		}
		p.children = append(p.children, child)
	}
	return p, nil
}

// splitMultipart cuts a body at its boundary (RFC 2046 section 5.1). The line end
// before a boundary belongs to it. Closed is false where the last one is missing;
// what is there is then the last part.
func splitMultipart(body []byte, boundary string) (pieces [][]byte, closed bool) {
	if boundary == "" {
		return nil, false
	}
	delimiter := []byte("--" + boundary)
	start, open := 0, false
	for at := 0; at < len(body); {
		found := bytes.Index(body[at:], delimiter)
		if found < 0 {
			break
		}
		found += at
		end, next := len(body), len(body)
		if i := bytes.IndexByte(body[found:], '\n'); i >= 0 {
			end, next = found+i, found+i+1
		}
		rest := bytes.TrimRight(body[found+len(delimiter):end], " \t\r")
		last := bytes.Equal(rest, []byte("--"))
		if found > 0 && body[found-1] != '\n' || len(rest) > 0 && !last {
			at = found + len(delimiter) // not at a line's start, or another boundary
			continue
		}
		if open {
			pieces = append(pieces, cutLineEnd(body[start:found]))
		}
		if last {
			return pieces, true
		}
		start, open, at = next, true, next
		if len(pieces) > maxParts {
			return pieces, false
		}
	}
	if open && start < len(body) {
		pieces = append(pieces, body[start:])
	}
	return pieces, false
}

func cutLineEnd(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
}

// mediaType reads a Content-Type or Content-Disposition: by the book, else by
// the hair.
func mediaType(value string) (string, map[string]string) {
	if value == "" {
		return "", nil
	}
	kind, params, err := mime.ParseMediaType(value)
	if err == nil {
		return kind, params
	}
	kind, rest, _ := strings.Cut(value, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	params = map[string]string{}
	for rest != "" {
		var piece string
		piece, rest = cutParam(rest)
		name, v, ok := strings.Cut(piece, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, seen := params[name]; !ok || seen || name == "" {
			continue
		}
		v = strings.TrimSpace(v)
		if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
			v = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(v[1 : len(v)-1])
		}
		params[name] = v
	}
	return kind, params
}

// cutParam cuts at the first semicolon outside of quotes.
func cutParam(s string) (piece, rest string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// name is what the part wants to be called as a file.
func (p *part) name() string {
	_, disposition := mediaType(p.header.raw("Content-Disposition"))
	for _, candidate := range []string{disposition["filename"], p.params["name"]} {
		if strings.Contains(candidate, "=?") {
			candidate = decodeWords(candidate)
		}
		if candidate = cleanName(toUTF8([]byte(candidate), "")); candidate != "" {
			return candidate
		}
	}
	return ""
}

// attached reports whether the part says of itself that it is a file.
func (p *part) attached() bool {
	disposition, _ := mediaType(p.header.raw("Content-Disposition"))
	return disposition == "attachment"
}
