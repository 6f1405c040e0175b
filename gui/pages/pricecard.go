package pages

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// previewPart is what strangers will see, and what saving changes.
type previewPart struct {
	root    *fyne.Container
	box     *fyne.Container
	price   *widgets.Text
	or      *widget.Label
	orRow   *fyne.Container
	text    *widget.Label
	none    *fyne.Container
	changes *widget.Label
	change  *fyne.Container
}

func newPreviewPart(s *Shell) *previewPart {
	p := &previewPart{price: cut("", theme.Text, theme.SizeTitle)}
	p.price.Bold = true
	p.or = widgets.NewPara("", widget.MediumImportance, theme.SizeText)
	p.orRow = widgets.Flush(p.or)
	p.text = widgets.NewPara("", widget.LowImportance, theme.SizeText)
	p.none = hinted(s.t("price.preview.none"))
	plane := widgets.NewFill(theme.Background)
	plane.Radius = 8
	p.box = container.NewStack(plane, widgets.NewPad(theme.Space4, widgets.NewColumn(theme.Space1, 0, p.price, p.orRow, widgets.Flush(p.text))))
	p.changes = widgets.NewPara("", widget.MediumImportance, theme.SizeText)
	p.change = widgets.NewColumn(theme.Space1, 0, widgets.NewText(s.t("price.changes"), theme.Muted, theme.SizeSmall, false), widgets.Flush(p.changes))
	p.root = widgets.NewColumn(theme.Space4, 0, widgets.NewColumn(theme.Space2, 0,
		widgets.NewText(s.t("price.preview"), theme.Muted, theme.SizeSmall, false), p.box, p.none), p.change)
	return p
}

func (p *previewPart) refresh(v viewmodel.OwnPrice) {
	p.price.Set(v.Preview.Price, theme.Text)
	widgets.SetPara(p.or, p.orRow, v.Preview.Or)
	setLabel(p.text, v.Preview.Text)
	widgets.Show(p.box, v.Preview.Price != "")
	widgets.Show(p.none, v.Preview.Price == "")
	setLabel(p.changes, strings.Join(v.Changes, "\n"))
	widgets.Show(p.change, len(v.Changes) > 0)
}

// givenPart is the card to give away: for a signature, for a web page, and bare.
type givenPart struct {
	root  *fyne.Container
	body  *fyne.Container
	none  *widget.Label
	row   *fyne.Container
	text  *widgets.ReadText
	html  *widgets.ReadText
	link  *widgets.ReadText
	given viewmodel.Card
}

func newGivenPart(s *Shell) *givenPart {
	p := &givenPart{none: widgets.NewPara("", widget.LowImportance, theme.SizeText)}
	p.row = widgets.Flush(p.none)
	section := func(name, why string, mono bool, what func() string) (*widgets.ReadText, fyne.CanvasObject) {
		text := widgets.NewReadText()
		text.TextStyle.Monospace = mono
		text.Wrapping = fyne.TextWrapBreak
		if !mono {
			text.Wrapping = fyne.TextWrapWord
		}
		plane := widgets.NewFill(theme.Background)
		plane.Radius = 8
		copied := widgets.NewAction(s.t("price.card.copy"), "", widgets.Quiet, nil)
		copied.OnTapped = func() { s.copy(copied, what()) }
		return text, widgets.NewColumn(theme.Space2, 0, widgets.NewText(name, theme.Text, theme.SizeText, true), hinted(why),
			container.NewStack(plane, widgets.NewPad(theme.Space2, text)), widgets.NewLine(0, -1, copied))
	}
	var text, html, link fyne.CanvasObject
	p.text, text = section(s.t("price.card.text"), s.t("price.card.text.why"), false, func() string { return p.given.Text })
	p.html, html = section(s.t("price.card.html"), s.t("price.card.html.why"), true, func() string { return p.given.HTML })
	p.link, link = section(s.t("price.card.link"), s.t("price.card.link.why"), true, func() string { return p.given.Link })
	p.body = widgets.NewColumn(theme.Space5, 0, text, html, link)
	p.root = widgets.NewColumn(theme.Space4, widgets.FormWidth, p.row, p.body)
	return p
}

func (p *givenPart) refresh(v viewmodel.OwnPrice) {
	widgets.SetPara(p.none, p.row, v.CardHint)
	widgets.Show(p.body, v.CardHint == "")
	if p.given == v.Card {
		return
	}
	p.given = v.Card
	p.text.SetText(v.Card.Text)
	p.html.SetText(v.Card.HTML)
	p.link.SetText(v.Card.Link)
}

// pastPart is what the price was.
type pastPart struct {
	root *fyne.Container
	key  string
}

func newPastPart(*Shell) *pastPart {
	return &pastPart{root: widgets.NewColumn(theme.Space4, widgets.FormWidth), key: "none"}
}

func (p *pastPart) refresh(v viewmodel.OwnPrice) {
	key := v.PastEmpty
	for _, one := range v.Past {
		key += one.When + one.Price + strings.Join(one.Lines, "\n") + "\x00"
	}
	if key == p.key {
		return
	}
	p.key = key
	p.root.Objects = nil
	if v.PastEmpty != "" {
		p.root.Add(widgets.Flush(widgets.NewPara(v.PastEmpty, widget.LowImportance, theme.SizeText)))
	}
	for i, one := range v.Past {
		if i > 0 {
			p.root.Add(widgets.NewHairline())
		}
		price := cut(one.Price, theme.Text, theme.SizeText)
		price.Bold = true
		row := widgets.NewColumn(theme.Space1, 0, widgets.NewText(one.When, theme.Muted, theme.SizeSmall, false), price)
		if len(one.Lines) > 0 {
			row.Add(widgets.Flush(widgets.NewPara(strings.Join(one.Lines, "\n"), widget.LowImportance, theme.SizeText)))
		}
		p.root.Add(row)
	}
	p.root.Refresh()
}
