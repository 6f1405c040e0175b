package mail

import (
	"bytes"
	"fmt"
	"strings"
)

// Read reads a mail, or the entity inside an encrypted one. What is broken in
// it costs the broken part; an error means that nothing can be trusted to be
// what it seems: too many parts, too deep, too large.
func Read(raw []byte) (Content, error) {
	if len(raw) > MaxRaw {
		return Content{}, fmt.Errorf("read the mail: %w", ErrTooLarge)
	}
	fields, _, err := splitHeader(raw)
	if err != nil {
		return Content{}, fmt.Errorf("read the mail: %w", err)
	}
	r := reader{}
	r.content.Header = makeHeader(fields)
	if !isMail(fields) {
		// Encrypted by hand, with no MIME inside: all of it is the text.
		r.content.Header = Header{}
		r.addText(raw, nil)
		return r.done(), nil
	}
	count := maxParts
	root, err := readPart(raw, 0, &count)
	if err != nil {
		return Content{}, fmt.Errorf("read the mail: %w", err)
	}
	r.read(root)
	return r.done(), nil
}

// isMail reports whether the fields are a mail's, and not the first line of a
// text that happens to have a colon.
func isMail(fields []Field) bool {
	for _, f := range fields {
		switch strings.ToLower(f.Name) {
		case "content-type", "mime-version", "from", "subject", "date", "message-id", "received", "content-transfer-encoding":
			return true
		}
	}
	return false
}

type reader struct {
	content Content
	text    strings.Builder
	pieces  []piece
}

// piece is the text of one part, with its blocks where it was HTML.
type piece struct {
	text   string
	blocks []Block
}

func (r *reader) done() Content {
	r.content.Text = r.text.String()
	if !r.content.FromHTML {
		return r.content
	}
	var all []Block
	for _, p := range r.pieces {
		if p.blocks == nil {
			p.blocks = plainBlocks(p.text)
		}
		all = append(all, p.blocks...)
	}
	var whole bool
	r.content.Blocks, whole = boundBlocks(all)
	r.content.Incomplete = r.content.Incomplete || !whole
	return r.content
}

func (r *reader) read(p *part) {
	r.content.Incomplete = r.content.Incomplete || p.broken
	switch {
	case p.kind == "multipart/alternative":
		r.alternative(p)
	case p.kind == "multipart/signed" && len(p.children) > 0:
		r.read(p.children[0]) // the signature is no file for a person
	case strings.HasPrefix(p.kind, "multipart/"):
		if len(p.children) == 0 {
			r.content.Incomplete = true
			r.addText(p.body, p)
		}
		for _, child := range p.children {
			r.read(child)
		}
	case p.attached():
		r.attach(p)
	case p.kind == "" || p.kind == "text/plain" && p.name() == "" || p.kind == "text":
		r.addText(p.body, p)
	case p.kind == "text/html" && p.name() == "":
		r.addHTML(p)
	case p.kind == "text/rfc822-headers" && p.params["protected-headers"] != "":
		// The headers once more, for programs that do not know header protection.
	default:
		r.attach(p)
	}
}

// alternative takes the plain text where there is one, else the HTML; files in
// any of the alternatives stay.
func (r *reader) alternative(p *part) {
	text, fromHTML, pieces := "", false, []piece(nil)
	for _, child := range p.children {
		inner := reader{}
		inner.read(child)
		r.content.Incomplete = r.content.Incomplete || inner.content.Incomplete
		r.content.Attachments = append(r.content.Attachments, inner.content.Attachments...)
		if this := inner.text.String(); strings.TrimSpace(this) != "" &&
			(text == "" || fromHTML && !inner.content.FromHTML) {
			text, fromHTML, pieces = this, inner.content.FromHTML, inner.pieces
		}
	}
	r.append(text, fromHTML, pieces...)
}

func (r *reader) addText(body []byte, p *part) {
	var text string
	if p == nil {
		text = toUTF8(body, "")
	} else {
		decoded, complete := decodeBody(body, p.header.raw("Content-Transfer-Encoding"))
		r.content.Incomplete = r.content.Incomplete || !complete
		text = toUTF8(decoded, p.params["charset"])
		if p.params["format"] == "flowed" {
			text = unflow(text, strings.EqualFold(p.params["delsp"], "yes"))
		}
	}
	text = cleanText(text)
	if p != nil && p.params["hp-legacy-display"] == "1" {
		// RFC 9788 section 2.1.2: the headers once more, up to the first empty line.
		if _, rest, ok := strings.Cut(text, "\n\n"); ok {
			text = rest
		}
	}
	r.append(text, false, piece{text: text})
}

func (r *reader) addHTML(p *part) {
	decoded, complete := decodeBody(p.body, p.header.raw("Content-Transfer-Encoding"))
	r.content.Incomplete = r.content.Incomplete || !complete
	source := toUTF8(decoded, p.params["charset"])
	r.append(textOfHTML(source), true, piece{blocks: blocksOfHTML(source)})
}

func (r *reader) append(text string, fromHTML bool, pieces ...piece) {
	if text == "" {
		return
	}
	r.pieces = append(r.pieces, pieces...)
	r.content.FromHTML = r.content.FromHTML || fromHTML
	if r.text.Len() > 0 {
		r.text.WriteString("\n\n")
	}
	if room := MaxText - r.text.Len(); len(text) > room {
		text = strings.ToValidUTF8(text[:max(0, room)], "")
		r.content.Incomplete = true
	}
	r.text.WriteString(text)
}

func (r *reader) attach(p *part) {
	data, complete := decodeBody(p.body, p.header.raw("Content-Transfer-Encoding"))
	r.content.Incomplete = r.content.Incomplete || !complete
	name := p.name()
	if name == "" {
		name = fmt.Sprintf("attachment-%d%s", len(r.content.Attachments)+1, extension(p.kind))
	}
	kind := p.kind
	if major, minor, ok := strings.Cut(kind, "/"); !ok || !isToken(major) || !isToken(minor) {
		kind = "application/octet-stream"
	}
	r.content.Attachments = append(r.content.Attachments, Attachment{Name: name, Type: kind, Data: bytes.Clone(data)})
}

func extension(kind string) string {
	switch kind {
	case "message/rfc822":
		return ".eml"
	case "text/plain":
		return ".txt"
	case "text/html":
		return ".html"
	case "image/png":
		return ".png"
	case "image/jpeg":
		return ".jpg"
	case "application/pdf":
		return ".pdf"
	}
	return ""
}

// unflow joins the lines of format=flowed (RFC 3676).
func unflow(text string, delsp bool) string {
	var b strings.Builder
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, line := range lines {
		quoted := strings.HasPrefix(line, ">")
		if !quoted {
			line = strings.TrimPrefix(line, " ") // space-stuffing
		}
		flowed := strings.HasSuffix(line, " ") && line != "-- " && !quoted
		if flowed && delsp {
			line = line[:len(line)-1]
		}
		b.WriteString(line)
		if !flowed && i < len(lines)-1 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}
