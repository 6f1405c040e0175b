package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/widgets"
)

// pricePage is the price of the own inbox: what holds, and a change of it.
type pricePage struct {
	shell   *Shell
	root    *fyne.Container
	now     *widgets.Text
	others  *widgets.Text
	explain *widget.Label
	field   *widgets.Field
	done    *widget.Label
	doneRow *fyne.Container
	save    *widgets.Action
	card    *widget.Label
	cardRow *fyne.Container
	copy    *widgets.Action
}

func newPricePage(s *Shell) *pricePage {
	p := &pricePage{shell: s}
	p.now = widgets.NewText("", theme.Text, theme.SizeTitle, true)
	p.others = widgets.NewText("", theme.Muted, theme.SizeText, false)
	p.explain = widgets.NewPara("", widget.MediumImportance, theme.SizeText)
	p.field = widgets.NewField("New price", false, false, s.model.SetPriceText)
	p.field.Entry.OnSubmit = s.model.SavePrice
	p.done = widgets.NewPara("", widget.SuccessImportance, theme.SizeText)
	p.doneRow = widgets.Flush(p.done)
	p.save = widgets.NewAction("Save", "", widgets.Primary, s.model.SavePrice)
	p.card = widgets.NewPara("", widget.MediumImportance, theme.SizeSmall)
	p.card.Wrapping = fyne.TextWrapBreak
	p.card.TextStyle.Monospace = true
	p.copy = widgets.NewAction("Copy your card", "", widgets.Link, func() { s.copy(p.copy, s.model.Card()) })
	p.cardRow = widgets.NewColumn(theme.Space2, 0, widgets.NewHairline(),
		widgets.NewText("Your card", theme.Text, theme.SizeText, true),
		widgets.Flush(widgets.NewPara("Give it to people who want to reach you: it says where to pay, and proves that it is you.", widget.LowImportance, theme.SizeText)),
		widgets.Flush(p.card), widgets.NewLine(0, -1, p.copy))
	p.root = newSheet("The price of your inbox", widgets.NewLine(theme.Space3, -1, p.now, p.others),
		widgets.Flush(p.explain), p.field.Box, p.doneRow, widgets.NewLine(0, -1, p.save), p.cardRow)
	return p
}

func (p *pricePage) object() fyne.CanvasObject { return p.root }

func (p *pricePage) refresh() {
	v := p.shell.model.OwnPrice()
	p.now.Set(word(v.Now == "", "No price yet", v.Now), theme.Text)
	others := ""
	for _, o := range v.Others {
		others += "or " + o + "  "
	}
	p.others.Set(others, theme.Muted)
	setLabel(p.explain, v.Explain)
	if p.field.Entry.MultiLine != v.Many {
		p.field.Entry.MultiLine = v.Many
		p.field.Entry.SetMinRowsVisible(3)
		p.field.Entry.Refresh()
	}
	p.field.Entry.Put(v.Text)
	p.field.Fault(v.Error)
	widgets.SetPara(p.done, p.doneRow, v.Done)
	p.save.Set(word(v.Busy, "Saving…", "Save"), v.Changed && !v.Busy)
	setLabel(p.card, v.Card)
	widgets.Show(p.cardRow, v.Card != "")
}
