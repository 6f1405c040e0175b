package pages

import (
	"fyne.io/fyne/v2"

	"earnest/agentclient"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// mailText is the text of the open mail: plain, or with the looks that it had as
// a web page.
type mailText struct {
	shell *Shell
	root  *fyne.Container
	parts []*widgets.ReadText
	key   string // what is laid out, since that is dear
}

func newMailText(s *Shell) *mailText {
	return &mailText{shell: s, root: widgets.NewColumn(theme.Space2, 0)}
}

func (t *mailText) set(r viewmodel.Reading) {
	parts := r.Parts
	if r.Loading {
		parts = []viewmodel.TextPart{{Text: t.shell.t("reading.opening")}}
	}
	key := r.ID + "\x00"
	for _, p := range parts {
		key += p.Text + "\x00"
	}
	for _, p := range r.Paras {
		key += "\x01" + p.Kind
		for _, span := range p.Spans {
			key += span.Text
		}
	}
	if key == t.key {
		return
	}
	t.key = key
	t.root.Objects = nil
	if len(r.Paras) > 0 {
		t.root.Add(widgets.NewRich(richParas(r.Paras), t.askLink))
	}
	for i, p := range parts {
		t.root.Add(widgets.Flush(t.part(i, p)))
	}
	widgets.Show(t.root, len(t.root.Objects) > 0)
	t.root.Refresh()
}

func (t *mailText) part(i int, p viewmodel.TextPart) *widgets.ReadText {
	for len(t.parts) <= i {
		t.parts = append(t.parts, widgets.NewReadText())
	}
	text := t.parts[i]
	text.Alignment = fyne.TextAlignLeading
	if p.Right {
		text.Alignment = fyne.TextAlignTrailing
	}
	text.SetText(p.Text)
	return text
}

// askLink asks before anything is opened, and puts the keys where the safe
// answer is.
func (t *mailText) askLink(target string) {
	s := t.shell
	s.model.AskLink(target)
	s.Refresh()
	s.folder.mail.foot.focusLink()
}

func richParas(paras []viewmodel.Para) []widgets.RichPara {
	kinds := map[string]widgets.RichKind{agentclient.BlockHeading: widgets.RichHeading, agentclient.BlockItem: widgets.RichItem,
		agentclient.BlockPre: widgets.RichPre, agentclient.BlockRule: widgets.RichRule}
	all := make([]widgets.RichPara, len(paras))
	for i, p := range paras {
		all[i] = widgets.RichPara{Kind: kinds[p.Kind], Depth: p.Depth, Quote: p.Quote, Number: p.Number, Right: p.Right}
		for _, span := range p.Spans {
			all[i].Spans = append(all[i].Spans, widgets.RichSpan(span))
		}
	}
	return all
}

// wrapLine puts objects side by side and goes on in a further line where there
// is no more room.
type wrapLine struct {
	gap   float32
	width float32 // at the last layout
}

func (l *wrapLine) walk(objects []fyne.CanvasObject, width float32, place func(o fyne.CanvasObject, x, y float32, size fyne.Size)) float32 {
	x, y, tall := float32(0), float32(0), float32(0)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		if x > 0 && x+m.Width > width {
			x, y, tall = 0, y+tall, 0
		}
		place(o, x, y, m)
		x += m.Width + l.gap
		tall = max(tall, m.Height)
	}
	return y + tall
}

// Layout places the objects.
func (l *wrapLine) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	l.walk(objects, size.Width, func(o fyne.CanvasObject, x, y float32, size fyne.Size) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(size)
	})
}

// MinSize is as wide as the widest and as high as the lines at the last width.
func (l *wrapLine) MinSize(objects []fyne.CanvasObject) fyne.Size {
	widest := float32(0)
	height := l.walk(objects, max(l.width, 1), func(_ fyne.CanvasObject, _, _ float32, size fyne.Size) {
		widest = max(widest, size.Width)
	})
	return fyne.NewSize(widest, height)
}
