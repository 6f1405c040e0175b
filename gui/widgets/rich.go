package widgets

import (
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
)

// RichKind is what a part of a rich text is.
type RichKind int

// The kinds.
const (
	RichText RichKind = iota
	RichHeading
	RichItem
	RichPre
	RichRule
)

// RichPara is a part of a rich text.
type RichPara struct {
	Kind                 RichKind
	Depth, Quote, Number int
	Right                bool // it begins at the right
	Spans                []RichSpan
}

// RichSpan is text of one look. A link is asked about before it is opened.
// Target stands beside the text where that says something else.
type RichSpan struct {
	Text               string
	Bold, Italic, Mono bool
	Link, Target       string
}

// NewRich draws a text with headings, lists, quotes and links. A press on a link
// calls asked with its target and does nothing else.
func NewRich(paras []RichPara, asked func(target string)) *fyne.Container {
	column := NewColumn(theme.Space2, 0)
	for _, p := range paras {
		column.Add(richPara(p, asked))
	}
	return column
}

func richPara(p RichPara, asked func(string)) fyne.CanvasObject {
	var o fyne.CanvasObject = NewHairline()
	if p.Kind != RichRule {
		o = Flush(richText(p, asked))
	}
	switch p.Kind {
	case RichHeading:
		o = NewInset(theme.Space2, 0, 0, 0, o)
	case RichItem:
		marker := "•"
		if p.Number > 0 {
			marker = strconv.Itoa(p.Number) + "."
		}
		sign := NewText(marker, theme.Muted, theme.SizeText, false)
		place := &fyne.Container{Layout: Fixed{Width: max(theme.Space4, sign.full()+theme.Space1)}, Objects: []fyne.CanvasObject{NewTop(sign)}}
		if p.Right {
			o = Dock(nil, nil, nil, place, o)
		} else {
			o = Dock(nil, nil, place, nil, o)
		}
		if p.Depth > 1 {
			o = NewInset(0, 0, 0, float32(p.Depth-1)*theme.Space4, o)
		}
	}
	for range p.Quote {
		o = Dock(nil, nil, newBar(), nil, NewInset(0, 0, 0, theme.Space3, o))
	}
	return o
}

// newBar is the line beside a quote.
func newBar() fyne.CanvasObject {
	return &fyne.Container{Layout: Fixed{Width: 3}, Objects: []fyne.CanvasObject{NewFill(theme.Line)}}
}

func richText(p RichPara, asked func(string)) *widget.RichText {
	rich := widget.NewRichText()
	rich.Wrapping = fyne.TextWrapWord
	align := fyne.TextAlignLeading
	if p.Right {
		align = fyne.TextAlignTrailing
	}
	size := theme.SizeText
	heading := p.Kind == RichHeading
	if heading && p.Depth <= 1 {
		size = fynetheme.SizeNameSubHeadingText
	}
	color := theme.Text
	if p.Quote > 0 || heading && p.Depth > 2 {
		color = theme.Muted
	}
	text := func(s RichSpan, color fyne.ThemeColorName) widget.RichTextSegment {
		return &widget.TextSegment{Text: s.Text, Style: widget.RichTextStyle{Inline: true, Alignment: align, ColorName: color, SizeName: size,
			TextStyle: fyne.TextStyle{Bold: s.Bold || heading, Italic: s.Italic, Monospace: s.Mono}}}
	}
	for _, s := range p.Spans {
		if s.Link != "" {
			rich.Segments = append(rich.Segments, &widget.HyperlinkSegment{Text: s.Text, Alignment: align, SizeName: size,
				TextStyle: fyne.TextStyle{Bold: s.Bold || heading, Italic: s.Italic, Monospace: s.Mono}, OnTapped: func() { asked(s.Link) }})
		} else {
			rich.Segments = append(rich.Segments, text(s, color))
		}
		if s.Target != "" {
			rich.Segments = append(rich.Segments, text(RichSpan{Text: " ‹" + s.Target + "›"}, theme.Muted))
		}
	}
	rich.Refresh()
	return rich
}

// Progress is a thin bar that fills.
type Progress struct {
	widget.BaseWidget
	done float64
}

// NewProgress makes an empty bar.
func NewProgress() *Progress {
	p := &Progress{}
	p.ExtendBaseWidget(p)
	return p
}

// Set shows how much is done, 0 to 1.
func (p *Progress) Set(done float64) {
	if p.done != done {
		p.done = done
		p.Refresh()
	}
}

// CreateRenderer draws the bar.
func (p *Progress) CreateRenderer() fyne.WidgetRenderer {
	p.ExtendBaseWidget(p)
	r := &progressRenderer{p: p, room: canvas.NewRectangle(colorOf(p, theme.Line)), bar: canvas.NewRectangle(colorOf(p, theme.Accent))}
	r.room.CornerRadius, r.bar.CornerRadius = 3, 3
	return r
}

type progressRenderer struct {
	p         *Progress
	room, bar *canvas.Rectangle
}

const progressHeight float32 = 6

func (r *progressRenderer) MinSize() fyne.Size { return fyne.NewSize(80, progressHeight) }

func (r *progressRenderer) Layout(size fyne.Size) {
	y := (size.Height - progressHeight) / 2
	r.room.Move(fyne.NewPos(0, y))
	r.room.Resize(fyne.NewSize(size.Width, progressHeight))
	r.bar.Move(fyne.NewPos(0, y))
	r.bar.Resize(fyne.NewSize(size.Width*float32(min(1, max(0, r.p.done))), progressHeight))
}

func (r *progressRenderer) Refresh() {
	r.room.FillColor, r.bar.FillColor = colorOf(r.p, theme.Line), colorOf(r.p, theme.Accent)
	r.Layout(r.p.Size())
	r.room.Refresh()
	r.bar.Refresh()
}

func (r *progressRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.room, r.bar}
}
func (r *progressRenderer) Destroy() {}
