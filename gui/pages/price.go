package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// pricePage is the price of an own inbox: what holds and a change of it, the card
// to give away, and what the price was.
type pricePage struct {
	shell   *Shell
	root    *fyne.Container
	tabs    *widgets.Tabs
	account *widgets.Choice
	whose   *fyne.Container // the choice of account
	parts   []fyne.CanvasObject
	foot    *fyne.Container

	options   *optionsPart
	policy    *policyPart
	preview   *previewPart
	loadFault *widget.Label
	loadRow   *fyne.Container

	save, undo *widgets.Action
	said       *widget.Label
	saidRow    *fyne.Container

	card   *givenPart
	answer *answerPart
	past   *pastPart
}

func newPricePage(s *Shell) *pricePage {
	p := &pricePage{shell: s, options: newOptionsPart(s), policy: newPolicyPart(s), preview: newPreviewPart(s), card: newGivenPart(s), answer: newAnswerPart(s), past: newPastPart(s)}
	p.tabs = widgets.NewTabs(func(i int) { s.model.ShowPrice(viewmodel.PriceTab(i)) }, s.t("price.tab.now"), s.t("price.tab.card"), s.t("price.tab.answer"), s.t("price.tab.past"))
	p.account = widgets.NewChoice(s.t("price.account"), 0, s.model.SetPriceAccount)
	p.loadFault = widgets.NewPara("", widget.DangerImportance, theme.SizeText)
	p.loadRow = widgets.Flush(p.loadFault)
	form := widgets.NewColumn(theme.Space4, 0, p.loadRow, p.options.root, widgets.NewHairline(), p.policy.root)
	p.parts = []fyne.CanvasObject{scrolled(widgets.NewBeside(form, p.preview.root)), scrolled(p.card.root), scrolled(p.answer.root), scrolled(p.past.root)}
	p.save = widgets.NewAction(s.t("save"), "", widgets.Primary, s.model.SavePrice)
	p.undo = widgets.NewAction(s.t("undo.changes"), "", widgets.Quiet, s.model.UndoPrice)
	p.said = widgets.NewPara("", widget.LowImportance, theme.SizeSmall)
	p.saidRow = widgets.Flush(p.said)
	p.foot = widgets.NewColumn(0, 0, widgets.NewHairline(), widgets.NewInset(theme.Space3, theme.Space5, theme.Space3, theme.Space5,
		widgets.NewColumn(theme.Space2, widgets.ReadingWidth, p.saidRow, widgets.NewWrap(theme.Space3, p.save, p.undo))))
	p.whose = &fyne.Container{Layout: widgets.Most{Width: widgets.FormWidth}, Objects: []fyne.CanvasObject{p.account.Box}}
	name := widgets.NewText(s.t("nav.price"), theme.Text, theme.SizeTitle, false)
	head := widgets.NewColumn(0, 0, widgets.NewInset(theme.Space5, theme.Space5, 0, theme.Space5,
		widgets.NewColumn(theme.Space2, 0, name, p.whose, p.tabs.Box)),
		widgets.NewHairline())
	p.root = container.NewStack(widgets.NewFill(theme.Surface), widgets.Dock(head, p.foot, nil, nil, container.NewStack(p.parts...)))
	return p
}

func (p *pricePage) object() fyne.CanvasObject { return p.root }

// typedKey turns to the next part, and goes back to the first.
func (p *pricePage) typedKey(e *fyne.KeyEvent) bool {
	if to, turned := step(e, int(p.shell.model.OwnPrice().Tab), len(p.parts)); turned {
		p.shell.model.ShowPrice(viewmodel.PriceTab(to))
		return true
	}
	if e.Name != fyne.KeyEscape || p.shell.model.OwnPrice().Tab == viewmodel.PriceNow {
		return false
	}
	p.shell.model.ShowPrice(viewmodel.PriceNow)
	return true
}

func (p *pricePage) keyList() []keyHelp {
	return []keyHelp{{"←/→", p.shell.t("money.keys.parts")}}
}

func (p *pricePage) refresh() {
	v := p.shell.model.OwnPrice()
	p.tabs.Select(int(v.Tab))
	widgets.Show(p.whose, len(v.Accounts) > 1)
	p.account.Set(v.Accounts, v.Account)
	only(int(v.Tab), p.parts...)
	if now := v.Tab == viewmodel.PriceNow; now != p.foot.Visible() {
		widgets.Show(p.foot, now)
		p.root.Refresh() // the driver would leave its room empty
	}
	switch v.Tab {
	case viewmodel.PriceCard:
		p.card.refresh(v)
		return
	case viewmodel.PriceAnswer:
		p.answer.refresh()
		return
	case viewmodel.PricePast:
		p.past.refresh(v)
		return
	}
	fault := ""
	if !v.Loaded {
		fault = v.LoadErr
	}
	widgets.SetPara(p.loadFault, p.loadRow, fault)
	p.options.refresh(v)
	p.policy.refresh(v)
	p.preview.refresh(v)
	said, tone := v.Done, widget.SuccessImportance
	switch {
	case v.Error != "":
		said, tone = v.Error, widget.DangerImportance
	case v.Else != "":
		said, tone = v.Else, widget.WarningImportance
	case v.Changed && v.From != "":
		said, tone = v.From, widget.LowImportance
	}
	if p.said.Importance != tone {
		p.said.Importance = tone
		p.said.Refresh()
	}
	widgets.SetPara(p.said, p.saidRow, said)
	p.save.Set(word(v.Busy, p.shell.t("saving"), p.shell.t("save")), v.Changed && !v.Busy)
	widgets.Show(p.undo, v.Changed && !v.Busy)
}
