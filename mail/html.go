package mail

import (
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// textOfHTML makes text of HTML: nothing is fetched or run, every link shows
// where it goes, whole, behind its text: text <https://…>.
func textOfHTML(source string) string {
	w := htmlWriter{}
	readHTML(source, &w)
	for len(w.links) > 0 {
		w.closeLink()
	}
	return strings.TrimSpace(cleanText(w.b.String()))
}

// htmlReader takes the tokens of HTML until it is full.
type htmlReader interface {
	full() bool
	text(s string)
	start(t html.Token, selfClosing bool)
	end(t html.Token)
}

func readHTML(source string, r htmlReader) {
	z := html.NewTokenizer(strings.NewReader(source))
	for !r.full() {
		kind := z.Next()
		if kind == html.ErrorToken {
			return
		}
		token := z.Token()
		switch kind {
		case html.TextToken:
			r.text(token.Data)
		case html.StartTagToken, html.SelfClosingTagToken:
			r.start(token, kind == html.SelfClosingTagToken)
		case html.EndTagToken:
			r.end(token)
		}
	}
}

// htmlWriter gathers text. Newlines says how many line ends are owed before the
// next word.
type htmlWriter struct {
	b        strings.Builder
	hidden   int // depth inside script, style and the like
	pre      int
	space    bool
	newlines int
	links    []openLink
}

type openLink struct {
	target string
	from   int
}

func (w *htmlWriter) full() bool { return w.b.Len() >= MaxText }

func (w *htmlWriter) text(s string) {
	if w.hidden > 0 {
		return
	}
	if w.pre > 0 {
		w.flush()
		w.b.WriteString(s)
		return
	}
	for _, r := range s {
		if unicode.IsSpace(r) {
			w.space = true
			continue
		}
		w.flush()
		w.b.WriteRune(r)
	}
}

// flush writes the line ends or the space that are owed.
func (w *htmlWriter) flush() {
	switch {
	case w.b.Len() == 0:
	case w.newlines > 0:
		w.b.WriteString("\n\n"[:min(w.newlines, 2)])
	case w.space:
		w.b.WriteByte(' ')
	}
	w.newlines, w.space = 0, false
}

func (w *htmlWriter) breakLine(n int) { w.newlines = max(w.newlines, n) }

// hides reports elements whose text is not shown.
func hides(a atom.Atom) bool {
	switch a {
	case atom.Script, atom.Style, atom.Head, atom.Title, atom.Template, atom.Noscript, atom.Iframe, atom.Object, atom.Svg, atom.Math:
		return true
	}
	return false
}

// breaksBlock reports elements that begin and end a line of their own.
func breaksBlock(a atom.Atom) bool {
	switch a {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Blockquote, atom.Ul, atom.Ol, atom.Table, atom.Hr,
		atom.Div, atom.Tr, atom.Li, atom.Pre, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Dt, atom.Dd:
		return true
	}
	return false
}

func (w *htmlWriter) start(t html.Token, selfClosing bool) {
	if hides(t.DataAtom) {
		if !selfClosing {
			w.hidden++
		}
		return
	}
	switch t.DataAtom {
	case atom.Body: // a head that was never closed hides nothing
		w.hidden = 0
	case atom.Br:
		w.newlines++
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Blockquote, atom.Ul, atom.Ol, atom.Table, atom.Hr:
		w.breakLine(2)
	case atom.Div, atom.Tr, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Dt, atom.Dd:
		w.breakLine(1)
	case atom.Li:
		w.breakLine(1)
		w.text("-")
		w.space = true
	case atom.Td, atom.Th:
		w.space = true
	case atom.Pre:
		w.breakLine(2)
		w.pre++
	case atom.Img:
		if alt := cleanLine(attribute(t, "alt")); alt != "" {
			w.text("[" + alt + "]")
		}
	case atom.A:
		for len(w.links) > 0 { // links do not nest
			w.closeLink()
		}
		w.flush()
		w.links = append(w.links, openLink{linkTarget(attribute(t, "href")), w.b.Len()})
	}
}

func (w *htmlWriter) end(t html.Token) {
	if hides(t.DataAtom) {
		w.hidden = max(0, w.hidden-1)
		return
	}
	switch t.DataAtom {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Blockquote, atom.Ul, atom.Ol, atom.Table:
		w.breakLine(2)
	case atom.Div, atom.Tr, atom.Li, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Dt, atom.Dd:
		w.breakLine(1)
	case atom.Pre:
		w.pre = max(0, w.pre-1)
		w.breakLine(2)
	case atom.A:
		if len(w.links) > 0 {
			w.closeLink()
		}
	}
}

func (w *htmlWriter) closeLink() {
	link := w.links[len(w.links)-1]
	w.links = w.links[:len(w.links)-1]
	if link.target == "" || w.hidden > 0 {
		return
	}
	text := strings.TrimSpace(w.b.String()[link.from:])
	if text == link.target || "mailto:"+text == link.target {
		return
	}
	w.newlines = 0
	if text != "" {
		w.b.WriteByte(' ')
	}
	w.b.WriteString("<" + link.target + ">")
}

// linkTarget is the address of a link as it is shown: whole, in ASCII, so that
// nothing in it can look like something else.
func linkTarget(href string) string {
	u, err := url.Parse(strings.TrimSpace(href))
	if err != nil {
		return ""
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https", "mailto", "tel", "ftp":
	default:
		return ""
	}
	var b strings.Builder
	for _, c := range []byte(u.String()) {
		if c <= ' ' || c >= 0x7f || c == '<' || c == '>' {
			b.WriteString("%" + string("0123456789ABCDEF"[c>>4]) + string("0123456789ABCDEF"[c&15]))
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

func attribute(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
