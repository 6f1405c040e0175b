package mail

// Kinds of [Block].
const (
	BlockParagraph = "paragraph"
	BlockHeading   = "heading" // Depth 1 to 3
	BlockItem      = "item"    // of a list; Depth from 1
	BlockPre       = "pre"
	BlockRule      = "rule"
)

// Limits of blocks. What is nested deeper is shown at the deepest place.
const (
	maxBlocks     = 5000
	maxSpans      = 20000 // of all blocks
	maxBlockDepth = 20    // of lists and of quotes
)

// Block is a part of a text that was HTML, with what is left of its look.
type Block struct {
	Kind   string
	Depth  int
	Quote  int // how deep it is quoted
	Number int // of an item of a numbered list
	Spans  []Span
}

// Span is text of one look. A link is one span in its block, and Link is where it
// goes, whole and in ASCII: http, https or mailto. Whoever shows a span whose
// Text is not its Link must show both.
type Span struct {
	Text               string
	Bold, Italic, Mono bool
	Link               string
}

// size is what a block takes of [MaxText]. A link counts wherever it stands: one
// that is long and goes through many blocks must not grow.
func (b Block) size() int {
	n := 1
	for _, s := range b.Spans {
		n += len(s.Text) + len(s.Link)
	}
	return n
}

// boundBlocks cuts off what is beyond the limits; whole is false then.
func boundBlocks(all []Block) (kept []Block, whole bool) {
	size, spans := 0, 0
	for i, b := range all {
		size, spans = size+b.size(), spans+len(b.Spans)
		if i >= maxBlocks || size > MaxText || spans > maxSpans {
			return all[:i], false
		}
	}
	return all, true
}
