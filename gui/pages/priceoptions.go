package pages

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// optionsPart is the ways to pay, in the order in which they are offered.
type optionsPart struct {
	shell *Shell
	root  *fyne.Container
	list  *fyne.Container
	rows  map[int]*optionRow
	order []int
	fault *widget.Label
	row   *fyne.Container
	add   *widgets.Action
}

// optionRow is one way to pay.
type optionRow struct {
	key      int
	box      *fyne.Container
	name     *widgets.Text
	pay      *fyne.Container // amount and slider
	entry    *widgets.Entry
	slider   *widget.Slider
	track    fyne.CanvasObject // with the slider in it
	fixed    *widgets.Text
	currency *widgets.Choice
	hint     *widget.Label
	hintRow  *fyne.Container
	tools    *fyne.Container
	up, down *widgets.Action
	remove   *widgets.Action
}

func newOptionsPart(s *Shell) *optionsPart {
	p := &optionsPart{shell: s, list: widgets.NewColumn(theme.Space4, 0), rows: map[int]*optionRow{}}
	p.fault = widgets.NewPara("", widget.DangerImportance, theme.SizeSmall)
	p.row = widgets.Flush(p.fault)
	p.add = widgets.NewAction(s.t("price.add"), "", widgets.Link, s.model.AddOption)
	p.root = widgets.NewColumn(theme.Space3, 0, widgets.NewText(s.t("price.options"), theme.Text, theme.SizeText, true),
		hinted(s.t("price.options.why")), p.list, p.row, widgets.NewLine(0, -1, p.add))
	return p
}

func (p *optionsPart) refresh(v viewmodel.OwnPrice) {
	var order []int
	for _, o := range v.Options {
		order = append(order, o.Key)
		if p.rows[o.Key] == nil {
			p.rows[o.Key] = p.newRow(o.Key)
		}
	}
	if !slices.Equal(order, p.order) {
		p.order = order
		p.list.Objects = nil
		for _, key := range order {
			p.list.Add(p.rows[key].box)
		}
		p.list.Refresh()
	}
	for i, o := range v.Options {
		p.rows[o.Key].show(p.shell, o, i, len(v.Options) > 1)
	}
	widgets.SetPara(p.fault, p.row, v.OptionsError)
	widgets.Show(p.add, v.MayAdd)
}

// amountWidth is the width of a field for an amount.
const amountWidth float32 = 140

func (p *optionsPart) newRow(key int) *optionRow {
	s := p.shell
	r := &optionRow{key: key, name: cut("", theme.Muted, theme.SizeSmall), fixed: cut("", theme.Text, theme.SizeText)}
	r.entry = widgets.NewEntry(false, func(text string) { s.model.SetAmount(key, text) })
	r.entry.OnSubmit = s.model.SavePrice
	r.slider, r.track = widgets.NewSlider()
	r.slider.OnChanged = func(at float64) { s.model.Slide(key, int(at)) }
	r.pay = widgets.NewLine(theme.Space4, 1, &fyne.Container{Layout: widgets.Fixed{Width: amountWidth}, Objects: []fyne.CanvasObject{r.entry}}, r.track)
	r.currency = widgets.NewChoice(s.t("statement.currency"), 0, func(i int) { s.model.SetRowCurrency(key, i) })
	r.hint = widgets.NewPara("", widget.LowImportance, theme.SizeSmall)
	r.hintRow = widgets.Flush(r.hint)
	r.up = widgets.NewAction(s.t("price.up"), "", widgets.Link, func() { s.model.MoveOption(key, -1) })
	r.down = widgets.NewAction(s.t("price.down"), "", widgets.Link, func() { s.model.MoveOption(key, 1) })
	r.remove = widgets.NewAction(s.t("price.remove"), "", widgets.Link, func() { s.model.RemoveOption(key) })
	r.tools = widgets.NewLinks(theme.Space4, r.up, r.down, r.remove)
	r.box = widgets.NewColumn(theme.Space2, 0, widgets.NewColumn(theme.Space1, 0, r.name, r.pay, r.fixed, r.hintRow), r.currency.Box, r.tools)
	return r
}

func (r *optionRow) show(s *Shell, o viewmodel.PriceOption, i int, several bool) {
	name := s.t("price.amount", "Unit", o.Unit)
	switch {
	case len(o.Currencies) > 0: // the currency is chosen below
		name = s.t("price.amount-of", "N", i+1)
	case several:
		name = s.t("price.amount-n", "N", i+1, "Unit", o.Unit)
	}
	r.name.Set(name, theme.Muted)
	r.entry.Put(o.Text)
	widgets.Show(r.pay, o.Fixed == "")
	r.fixed.Set(o.Fixed, theme.Text)
	widgets.Show(r.fixed, o.Fixed != "")
	widgets.Show(r.track, o.Slider >= 0)
	if most := float64(o.Places - 1); r.slider.Max != most && o.Places > 1 {
		r.slider.Max = most
	}
	if o.Slider >= 0 && r.slider.Value != float64(o.Slider) {
		r.slider.Value = float64(o.Slider) // tells nobody
		r.slider.Refresh()
	}
	widgets.Show(r.currency.Box, len(o.Currencies) > 0)
	r.currency.Set(o.Currencies, o.Currency)
	text, tone := o.Hint, widget.WarningImportance
	if o.Error != "" {
		text, tone = o.Error, widget.DangerImportance
	}
	if o.Fixed != "" {
		text, tone = s.t("price.fixed"), widget.LowImportance
	}
	if r.hint.Importance != tone {
		r.hint.Importance = tone
		r.hint.Refresh()
	}
	widgets.SetPara(r.hint, r.hintRow, text)
	widgets.Show(r.tools, several)
	r.up.Set(r.up.Text, !o.First)
	r.down.Set(r.down.Text, !o.Last)
}

// policyPart is what holds whatever the way to pay.
type policyPart struct {
	root                      *fyne.Container
	decide                    *widgets.Choice
	free                      *widgets.Choice
	count                     *widgets.Field
	countRow                  *fyne.Container
	beneficiary               *widgets.Choice
	decideRow, beneficiaryRow *fyne.Container // hidden where the escrow's terms are not known yet
	tell                      *widgets.Option
	public                    *widgets.Option
	fault                     *widget.Label
	row                       *fyne.Container
}

func newPolicyPart(s *Shell) *policyPart {
	p := &policyPart{}
	p.decide = widgets.NewChoice(s.t("price.decide"), 0, s.model.SetDecide)
	p.free = widgets.NewChoice(s.t("price.free"), 0, s.model.SetFreeKind)
	p.count = widgets.NewField(s.t("price.free.number"), false, false, s.model.SetFreeCount)
	p.count.Entry.OnSubmit = s.model.SavePrice
	p.countRow = widgets.NewLine(0, -1, &fyne.Container{Layout: widgets.Fixed{Width: amountWidth}, Objects: []fyne.CanvasObject{p.count.Entry}})
	p.fault = widgets.NewPara("", widget.DangerImportance, theme.SizeSmall)
	p.row = widgets.Flush(p.fault)
	p.beneficiary = widgets.NewChoice(s.t("price.beneficiary"), 0, s.model.SetBeneficiary)
	p.tell = widgets.NewOption(s.t("price.tell"), s.t("price.tell.why"), true, nil)
	p.tell.OnTapped = func() { s.model.SetTellRead(!p.tell.On) }
	p.public = widgets.NewOption(s.t("price.public"), s.t("price.public.why"), true, nil)
	p.public.OnTapped = func() { s.model.SetPublic(!p.public.On) }
	under := func(c *widgets.Choice, why string) *fyne.Container {
		return widgets.NewColumn(theme.Space1, 0, c.Box, hinted(why))
	}
	p.decideRow, p.beneficiaryRow = under(p.decide, s.t("price.decide.why")), under(p.beneficiary, s.t("price.beneficiary.why"))
	p.root = widgets.NewColumn(theme.Space4, 0, p.decideRow,
		widgets.NewColumn(theme.Space1, 0, p.free.Box, p.countRow, p.row, hinted(s.t("price.free.why"))),
		p.beneficiaryRow, p.tell, p.public)
	return p
}

func (p *policyPart) refresh(v viewmodel.OwnPrice) {
	widgets.Show(p.decideRow, v.DecideKnown)
	widgets.Show(p.beneficiaryRow, len(v.Beneficiaries) > 0)
	p.decide.Set(v.Decide, v.DecideAt)
	p.decide.Fault(v.DecideError)
	p.free.Set(v.Free, v.FreeAt)
	widgets.Show(p.countRow, v.FreeCounted)
	p.count.Entry.Put(v.FreeText)
	widgets.SetPara(p.fault, p.row, v.FreeError)
	p.beneficiary.Set(v.Beneficiaries, v.Beneficiary)
	p.beneficiary.Fault(v.BeneficiaryError)
	p.tell.Set(v.TellRead)
	p.public.Set(v.Public)
}
