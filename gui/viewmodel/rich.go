package viewmodel

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"earnest/agentclient"
)

// Bounds of what is laid out of a text, beside those of its length.
const (
	firstParas = 200
	mostParts  = 40
	mostDepth  = 6
	maxLink    = 2000 // of a target that can be shown whole and so be opened
)

// TextPart is a part of a plain text that runs in one direction.
type TextPart struct {
	Text  string
	Right bool // it begins at the right, as Arabic and Hebrew do
}

// Para is a part of a text that was HTML.
type Para struct {
	Kind                 string // as agentclient.Block says it
	Depth, Quote, Number int
	Right                bool
	Spans                []Span
}

// Span is text of one look. Link is where it leads, where it can be opened.
type Span struct {
	Text               string
	Bold, Italic, Mono bool
	Link               string
	Target             string // to show beside the text: it says something else
}

// partsOf splits a text where its direction changes. Lines without letters go
// with those before them.
func partsOf(s string) []TextPart {
	if s == "" {
		return nil
	}
	var parts []TextPart
	for l := range strings.SplitSeq(s, "\n") {
		right, letters := rightward(l)
		last := len(parts) - 1
		switch {
		case last < 0:
			parts = append(parts, TextPart{Text: l, Right: right})
		case !letters || parts[last].Right == right || len(parts) == mostParts:
			parts[last].Text += "\n" + l
		default:
			parts = append(parts, TextPart{Text: l, Right: right})
		}
	}
	for i := range parts[:len(parts)-1] {
		parts[i].Text = strings.TrimRight(parts[i].Text, "\n")
	}
	return parts
}

// rightward tells by the first letter (Unicode TR9, rule P2) whether a paragraph
// runs from the right, and whether it has a letter at all.
func rightward(s string) (right, letters bool) {
	for _, r := range s {
		if unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko) {
			return true, true
		}
		if unicode.IsLetter(r) {
			return false, true
		}
	}
	return false, false
}

// paras makes blocks harmless and ready to draw, as many as can be laid out at
// once. The second result tells that there are more.
func paras(blocks []agentclient.Block, more int) ([]Para, bool) {
	bytes, left := firstBytes<<more, firstParas<<more
	var all []Para
	for _, block := range blocks {
		if left--; left < 0 || bytes <= 0 {
			return all, true
		}
		p := Para{Kind: block.Kind, Depth: min(max(block.Depth, 1), mostDepth), Quote: min(max(block.Quote, 0), mostDepth), Number: block.Number}
		var whole strings.Builder
		for _, span := range block.Spans {
			s := spanOf(span, block.Kind == agentclient.BlockPre)
			if len(s.Text) > bytes {
				s.Text = strings.ToValidUTF8(s.Text[:bytes], "") + "…"
				bytes = 0
			}
			bytes -= len(s.Text) + len(s.Target)
			whole.WriteString(s.Text)
			if s.Text != "" {
				p.Spans = append(p.Spans, s)
			}
			if bytes <= 0 {
				break
			}
		}
		p.Right, _ = rightward(whole.String())
		if len(p.Spans) > 0 || block.Kind == agentclient.BlockRule {
			all = append(all, p)
		}
	}
	return all, false
}

func spanOf(span agentclient.Span, lines bool) Span {
	text := span.Text
	if lines {
		text = shaped(text)
	}
	s := Span{Text: neutral(text, true), Bold: span.Bold, Italic: span.Italic, Mono: span.Mono || lines}
	target := strings.TrimSpace(span.Link)
	if target == "" || strings.TrimSpace(s.Text) == "" {
		return s
	}
	shown := line(target)
	if utf8.RuneCountInString(target) > maxLine {
		shown = neutral(target, false)
	}
	if mayOpen(target) && shown == target {
		s.Link = target
	}
	if !saysTarget(s.Text, target) {
		s.Target = shown
	}
	return s
}

// mayOpen tells whether a target is one that can be opened at all: http, https
// or mailto, short enough to be read before.
func mayOpen(target string) bool {
	u, err := url.Parse(target)
	if err != nil || len(target) > maxLink {
		return false
	}
	switch u.Scheme {
	case "http", "https":
		return u.Host != ""
	case "mailto":
		return u.Opaque != ""
	}
	return false
}

// saysTarget tells that the text of a link is its target, so that it need not be
// shown twice.
func saysTarget(text, target string) bool {
	plain := func(s string) string {
		s = strings.TrimSuffix(strings.TrimSpace(s), "/")
		return strings.TrimPrefix(s, "mailto:")
	}
	return plain(text) == plain(target)
}

// LinkAsk is the question before a link is opened.
type LinkAsk struct {
	Show   bool
	Title  string
	Target string
	Host   string // where it leads, in a sentence of its own
	Mail   bool   // it is an address to write to
	Fault  string
}

// AskLink asks whether to open a link. Nothing is opened by a click alone.
func (m *Model) AskLink(target string) {
	m.update(func() { m.box.aside.link, m.box.aside.linkFault = target, nil })
}

// CloseLink takes the question away, and tells whether there was one.
func (m *Model) CloseLink() (was bool) {
	m.update(func() {
		was = m.box.aside.link != ""
		m.box.aside.link, m.box.aside.linkFault = "", nil
	})
	return was
}

// OpenLink opens the link that was asked about: an address in a new mail, all
// else by open.
func (m *Model) OpenLink(open func(string) error) {
	m.mu.Lock()
	target := m.box.aside.link
	m.mu.Unlock()
	if target == "" || !mayOpen(target) {
		return
	}
	if u, err := url.Parse(target); err == nil && u.Scheme == "mailto" {
		m.CloseLink()
		to, _ := url.PathUnescape(u.Opaque)
		m.WriteTo(line(to), line(u.Query().Get("subject")), "", "")
		return
	}
	if err := open(target); err != nil {
		m.update(func() { m.box.aside.linkFault = says("open.failed", "Why", fails(err)) })
		return
	}
	m.CloseLink()
}

func (m *Model) linkView() LinkAsk {
	target := m.box.aside.link
	u, err := url.Parse(target)
	if target == "" || err != nil {
		return LinkAsk{}
	}
	v := LinkAsk{Show: true, Target: line(target), Mail: u.Scheme == "mailto", Fault: m.say.again(m.box.aside.linkFault)}
	if utf8.RuneCountInString(target) > maxLine {
		v.Target = neutral(target, false)
	}
	v.Title = m.say.T("open.title")
	switch host := line(u.Hostname()); {
	case v.Mail:
		v.Title = m.say.T("open.title.mail")
	case !ascii(host):
		v.Host = m.say.T("open.host.foreign", "Host", host)
	case u.Scheme == "http":
		v.Host = m.say.T("open.host.open", "Host", host)
	default:
		v.Host = m.say.T("open.host", "Host", host)
	}
	return v
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}
