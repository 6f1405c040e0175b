package mail

import (
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// blocksOfHTML makes blocks of HTML by the rules of [textOfHTML]: what is hidden
// there is hidden here.
func blocksOfHTML(source string) []Block {
	w := blockWriter{}
	readHTML(source, &w)
	w.closeLink()
	w.endBlock()
	return w.blocks
}

// blockWriter gathers blocks. The open block and its open span take what comes
// next; a space or line ends that are owed are written before the next word.
type blockWriter struct {
	blocks []Block
	size   int
	spans  int

	open bool
	now  Block
	span Span // the open span, but for its text
	b    strings.Builder

	hidden, pre, heading, quote int
	bold, italic, mono          int
	lists                       []openList
	item                        bool // the next block is an item
	space                       bool
	lines                       int

	link     string
	linkText strings.Builder
}

type openList struct {
	numbered bool
	last     int
}

func (w *blockWriter) full() bool {
	return w.size >= MaxText || w.spans >= maxSpans || len(w.blocks) >= maxBlocks
}

func (w *blockWriter) text(s string) {
	if w.hidden > 0 {
		return
	}
	if w.pre > 0 {
		w.write(s)
		return
	}
	for s != "" && w.size < MaxText {
		word := s
		if at := strings.IndexFunc(s, unicode.IsSpace); at >= 0 {
			word = s[:at]
		}
		if s = s[len(word):]; word != "" {
			w.write(word)
		}
		rest := strings.TrimLeftFunc(s, unicode.IsSpace)
		w.space = w.space || len(rest) < len(s)
		s = rest
	}
}

// write adds text to the open span, or to a new one if it looks otherwise.
func (w *blockWriter) write(s string) {
	owed := w.owed()
	if !w.open {
		w.open, w.now = true, w.begin()
	}
	look := Span{Bold: w.bold > 0, Italic: w.italic > 0, Mono: w.mono > 0, Link: activeLink(w.link)}
	if look.Link != "" && look.Link == w.span.Link && w.linkText.Len() > 0 {
		look = w.span // a link is one span
	}
	plain := Span{}
	switch {
	case look == w.span:
		w.b.WriteString(owed)
	case look == plain: // a space between two looks is of neither
		w.endSpan()
		w.b.WriteString(owed)
	default:
		if w.span != plain {
			w.endSpan()
		}
		w.b.WriteString(owed)
		w.endSpan()
		w.span = look
	}
	w.b.WriteString(s)
	if w.link != "" {
		w.linkText.WriteString(s)
	}
	w.size += len(s) + len(owed)
}

// owed is what stands between the last word of the block and the next.
func (w *blockWriter) owed() string {
	owed := ""
	switch {
	case !w.open:
	case w.lines > 0:
		owed = "\n\n"[:min(w.lines, 2)]
	case w.space:
		owed = " "
	}
	w.space, w.lines = false, 0
	return owed
}

// begin says what the block is that begins now.
func (w *blockWriter) begin() Block {
	block := Block{Kind: BlockParagraph, Quote: min(w.quote, maxBlockDepth)}
	switch {
	case w.pre > 0:
		block.Kind = BlockPre
	case w.item:
		block.Kind, block.Depth = BlockItem, max(1, min(len(w.lists), maxBlockDepth))
		if n := len(w.lists); n > 0 && w.lists[n-1].numbered {
			block.Number = w.lists[n-1].last
		}
	case w.heading > 0:
		block.Kind, block.Depth = BlockHeading, min(w.heading, 3)
	}
	w.item = false
	return block
}

func (w *blockWriter) endSpan() {
	span := w.span
	span.Text = cleanText(w.b.String())
	w.b.Reset()
	w.span = Span{}
	if span.Text == "" {
		return
	}
	w.size += len(span.Link)
	w.spans++
	w.now.Spans = append(w.now.Spans, span)
}

func (w *blockWriter) endBlock() {
	w.space, w.lines = false, 0
	if !w.open {
		return
	}
	w.endSpan()
	w.open = false
	if blank(w.now) {
		return
	}
	w.size++
	w.blocks = append(w.blocks, w.now)
}

// blank reports a block that shows nothing, and trims the ends of one that does.
func blank(b Block) bool {
	text := false
	for _, s := range b.Spans {
		text = text || strings.TrimSpace(s.Text) != ""
	}
	if text {
		first, last := &b.Spans[0], &b.Spans[len(b.Spans)-1]
		first.Text = strings.TrimLeft(first.Text, "\n")
		last.Text = strings.TrimRightFunc(last.Text, unicode.IsSpace)
	}
	return !text
}

func (w *blockWriter) start(t html.Token, selfClosing bool) {
	if hides(t.DataAtom) {
		if !selfClosing {
			w.hidden++
		}
		return
	}
	if breaksBlock(t.DataAtom) {
		w.endBlock()
	}
	w.style(t.DataAtom, 1)
	switch t.DataAtom {
	case atom.Body:
		w.hidden = 0
	case atom.Br:
		w.lines++
	case atom.Hr:
		if w.hidden == 0 {
			w.size++
			w.blocks = append(w.blocks, Block{Kind: BlockRule, Quote: min(w.quote, maxBlockDepth)})
		}
	case atom.Ul, atom.Ol:
		w.lists = append(w.lists, openList{numbered: t.DataAtom == atom.Ol})
	case atom.Li:
		w.item = true
		if n := len(w.lists); n > 0 {
			w.lists[n-1].last++
		}
	case atom.Td, atom.Th:
		w.space = true
	case atom.Img:
		if alt := cleanLine(attribute(t, "alt")); alt != "" {
			w.text("[" + alt + "]")
		}
	case atom.A:
		w.closeLink()
		w.link = linkTarget(attribute(t, "href"))
	}
}

func (w *blockWriter) end(t html.Token) {
	if hides(t.DataAtom) {
		w.hidden = max(0, w.hidden-1)
		return
	}
	if breaksBlock(t.DataAtom) && t.DataAtom != atom.Hr {
		w.endBlock()
	}
	w.style(t.DataAtom, -1)
	switch t.DataAtom {
	case atom.Ul, atom.Ol:
		w.lists = w.lists[:max(0, len(w.lists)-1)]
		w.item = false
	case atom.Li:
		w.item = false
	case atom.A:
		w.closeLink()
	}
}

// style counts what is open of the elements that change the look.
func (w *blockWriter) style(a atom.Atom, by int) {
	count := func(n *int) { *n = max(0, *n+by) }
	switch a {
	case atom.B, atom.Strong:
		count(&w.bold)
	case atom.I, atom.Em, atom.Cite, atom.Dfn, atom.Var:
		count(&w.italic)
	case atom.Code, atom.Tt, atom.Kbd, atom.Samp:
		count(&w.mono)
	case atom.Blockquote:
		count(&w.quote)
	case atom.Pre:
		count(&w.pre)
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		w.heading = 0
		if by > 0 {
			w.heading = int(a.String()[1] - '0')
		}
	}
}

// closeLink ends a link. One without text shows its target; one that nothing here
// opens, such as a telephone number, shows it behind its text.
func (w *blockWriter) closeLink() {
	target, text := w.link, strings.TrimSpace(cleanText(w.linkText.String()))
	w.linkText.Reset()
	if target != "" && w.hidden == 0 && text != target && "mailto:"+text != target {
		switch {
		case text == "":
			w.write(target)
		case activeLink(target) == "":
			w.link, w.space, w.lines = "", true, 0
			w.write("<" + target + ">")
		}
	}
	w.link = ""
	w.linkText.Reset()
	if w.open && w.span.Link != "" {
		w.endSpan()
	}
}

// activeLink is the target if it is of a kind that a person may follow.
func activeLink(target string) string {
	for _, scheme := range []string{"http://", "https://", "mailto:"} {
		if len(target) > len(scheme) && strings.EqualFold(target[:len(scheme)], scheme) {
			return target
		}
	}
	return ""
}

// plainBlocks are the paragraphs of text that was never HTML.
func plainBlocks(text string) (blocks []Block) {
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		if paragraph = strings.Trim(paragraph, "\n"); strings.TrimSpace(paragraph) == "" {
			continue
		}
		blocks = append(blocks, Block{Kind: BlockParagraph, Spans: []Span{{Text: paragraph}}})
	}
	return blocks
}
