package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// newParted is a page of several parts: a title, their tabs, and the part shown.
func newParted(title string, tabs *widgets.Tabs, foot fyne.CanvasObject, parts ...fyne.CanvasObject) *fyne.Container {
	name := widgets.NewText(title, theme.Text, theme.SizeTitle, false)
	head := widgets.NewColumn(0, 0,
		widgets.NewInset(theme.Space5, theme.Space5, 0, theme.Space5, widgets.NewColumn(theme.Space2, 0, name, tabs.Box)), widgets.NewHairline())
	return container.NewStack(widgets.NewFill(theme.Surface), widgets.Dock(head, foot, nil, nil, container.NewStack(parts...)))
}

// scrolled pads a part and lets it scroll.
func scrolled(o fyne.CanvasObject) *container.Scroll {
	return container.NewVScroll(widgets.NewPad(theme.Space5, o))
}

// only shows one of the parts.
func only(at int, parts ...fyne.CanvasObject) {
	for i, part := range parts {
		widgets.Show(part, i == at)
	}
}

// hinted is a text that wraps, pale.
func hinted(text string) *fyne.Container {
	return widgets.Flush(widgets.NewPara(text, widget.LowImportance, theme.SizeSmall))
}

// moneyPage is the money: what there is, what happened to it, and its past drawn.
type moneyPage struct {
	shell *Shell
	root  *fyne.Container
	tabs  *widgets.Tabs
	parts []fyne.CanvasObject

	rows    *fyne.Container
	key     string
	account *widgets.Choice
	code    *widgets.Field
	done    *widget.Label
	row     *fyne.Container
	topUp   *widgets.Action
	limits  *limitsPart
	ways    *choices // by voucher or by card, where the escrow takes cards
	voucher *fyne.Container
	card    *payCardPart

	statement *statementPart
	chart     *chartPart
	payout    *payoutPart
}

func newMoneyPage(s *Shell) *moneyPage {
	p := &moneyPage{shell: s, rows: widgets.NewColumn(theme.Space3, 0), key: "none"}
	p.limits, p.statement, p.chart, p.payout = newLimitsPart(s), newStatementPart(s), newChartPart(s), newPayoutPart(s)
	p.tabs = widgets.NewTabs(func(i int) { s.model.ShowMoney(viewmodel.MoneyTab(i)) },
		s.t("money.tab.balance"), s.t("money.tab.statement"), s.t("money.tab.chart"), s.t("money.tab.payout"))
	p.parts = []fyne.CanvasObject{p.balance(), p.statement.root, p.chart.root, p.payout.root}
	p.root = newParted(s.t("nav.money"), p.tabs, nil, p.parts...)
	return p
}

func (p *moneyPage) balance() fyne.CanvasObject {
	s := p.shell
	p.account = widgets.NewChoice(s.t("topup.account"), 0, s.model.SetTopUpAccount)
	p.code = widgets.NewField(s.t("topup.voucher"), false, false, s.model.SetCode)
	p.code.Entry.OnSubmit = s.model.TopUp
	p.done = widgets.NewPara("", widget.SuccessImportance, theme.SizeText)
	p.row = widgets.Flush(p.done)
	p.topUp = widgets.NewAction(s.t("topup.action"), "", widgets.Primary, s.model.TopUp)
	p.voucher = widgets.NewColumn(theme.Space4, 0, p.account.Box, p.code.Box, p.row, widgets.NewLine(0, -1, p.topUp))
	p.ways, p.card = newChoices(func(id string) { s.model.ChooseByCard(id == "card") }), newPayCardPart(s)
	p.ways.row = true
	return scrolled(widgets.NewColumn(theme.Space4, widgets.FormWidth, p.rows, hinted(s.t("money.held")), widgets.NewHairline(),
		widgets.NewColumn(theme.Space2, 0, widgets.NewText(s.t("topup.action"), theme.Text, theme.SizeText, true), hinted(s.t("topup.why"))),
		p.ways.box, p.voucher, p.card.box, widgets.NewHairline(), p.limits.root))
}

func (p *moneyPage) object() fyne.CanvasObject { return p.root }

// step is where an arrow leads from one of n parts.
func step(e *fyne.KeyEvent, at, n int) (to int, yes bool) {
	switch {
	case e.Name == fyne.KeyRight && at+1 < n:
		return at + 1, true
	case e.Name == fyne.KeyLeft && at > 0:
		return at - 1, true
	}
	return at, false
}

// typedKey turns to the next part, goes back to the first, and scrolls the
// statement.
func (p *moneyPage) typedKey(e *fyne.KeyEvent) bool {
	tab := p.shell.model.Purse().Tab
	to, turned := step(e, int(tab), len(p.parts))
	switch {
	case turned:
		p.shell.model.ShowMoney(viewmodel.MoneyTab(to))
	case e.Name == fyne.KeyEscape && tab == viewmodel.MoneyPayOut && p.payout.asked != "":
		p.shell.model.KeepPayOut()
	case e.Name == fyne.KeyEscape && tab != viewmodel.MoneyBalance:
		p.shell.model.ShowMoney(viewmodel.MoneyBalance)
	case tab == viewmodel.MoneyStatement:
		return p.statement.list.Scroll(e)
	default:
		return false
	}
	return true
}

func (p *moneyPage) keyList() []keyHelp {
	return []keyHelp{{"←/→", p.shell.t("money.keys.parts")}, {"↑/↓", p.shell.t("money.keys.scroll")}}
}

func (p *moneyPage) refresh() {
	v := p.shell.model.Purse()
	p.tabs.Select(int(v.Tab))
	only(int(v.Tab), p.parts...)
	switch v.Tab {
	case viewmodel.MoneyStatement:
		p.statement.refresh()
		return
	case viewmodel.MoneyChart:
		p.chart.refresh()
		return
	case viewmodel.MoneyPayOut:
		p.payout.refresh()
		return
	}
	p.topUps()
	widgets.Show(p.account.Box, len(v.Accounts) > 1)
	p.account.Set(v.Accounts, v.Account)
	p.code.Entry.Put(v.Code)
	p.code.Fault(v.Error)
	widgets.SetPara(p.done, p.row, v.Done)
	p.topUp.Set(word(v.Busy, p.shell.t("topup.busy"), p.shell.t("topup.action")), !v.Busy)
	p.limits.refresh()
	key := word(v.Loaded, "+", "-") + v.LoadErr
	for _, r := range v.Rows {
		key += r.Account + r.Escrow + r.Available + r.Held + "\x00"
	}
	if key != p.key {
		p.key = key
		p.rows.Objects = p.table(v)
		p.rows.Refresh()
	}
}

// topUps shows the ways to top up, and the one that is chosen.
func (p *moneyPage) topUps() {
	s, v := p.shell, p.shell.model.ByCard()
	var ways []viewmodel.Choice
	if v.Offered {
		ways = []viewmodel.Choice{{ID: "voucher", Title: s.t("topup.by-voucher"), Chosen: !v.Chosen}, {ID: "card", Title: s.t("topup.by-card"), Chosen: v.Chosen}}
	}
	p.ways.refresh(ways)
	widgets.Show(p.voucher, !v.Offered || !v.Chosen)
	widgets.Show(p.card.box, v.Offered && v.Chosen)
	p.card.refresh(v)
}

func word(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// table sets the amounts in columns, right-aligned, in figures of one width.
func (p *moneyPage) table(v viewmodel.Purse) []fyne.CanvasObject {
	s := p.shell
	if len(v.Rows) == 0 {
		text, tone := s.t("money.none"), widget.LowImportance
		if !v.Loaded {
			if text = s.t("status.asking"); v.LoadErr != "" {
				text, tone = v.LoadErr, widget.DangerImportance
			}
		}
		return []fyne.CanvasObject{widgets.Flush(widgets.NewPara(text, tone, theme.SizeText))}
	}
	available, held := s.t("money.available"), s.t("money.held-name")
	size := p.code.Entry.Theme().Size(theme.SizeTitle)
	small := p.code.Entry.Theme().Size(theme.SizeSmall)
	wide := [2]float32{fyne.MeasureText(available, small, fyne.TextStyle{}).Width, fyne.MeasureText(held, small, fyne.TextStyle{}).Width}
	for _, r := range v.Rows {
		wide[0] = max(wide[0], fyne.MeasureText(r.Available, size, fyne.TextStyle{Bold: true}).Width)
		wide[1] = max(wide[1], fyne.MeasureText(r.Held, size, fyne.TextStyle{}).Width)
	}
	cell := func(name, amount string, bold bool, width float32) fyne.CanvasObject {
		n, a := widgets.NewText(name, theme.Muted, theme.SizeSmall, false), widgets.NewText(amount, theme.Text, theme.SizeTitle, bold)
		n.Align, a.Align = fyne.TextAlignTrailing, fyne.TextAlignTrailing
		return &fyne.Container{Layout: widgets.Fixed{Width: width}, Objects: []fyne.CanvasObject{widgets.NewColumn(0, 0, n, a)}}
	}
	var rows []fyne.CanvasObject
	for _, r := range v.Rows {
		name := widgets.NewColumn(0, 0, cut(r.Escrow, theme.Text, theme.SizeText))
		if v.Several {
			account := cut(r.Account, theme.Muted, theme.SizeSmall)
			account.CutStart = true
			name.Add(account)
		}
		rows = append(rows, widgets.NewColumn(theme.Space1, 0, name,
			widgets.NewWrap(theme.Space5, cell(available, r.Available, true, wide[0]), cell(held, r.Held, false, wide[1]))))
	}
	return rows
}

// cut is a text that ends in an ellipsis where there is no room.
func cut(text string, color fyne.ThemeColorName, size fyne.ThemeSizeName) *widgets.Text {
	t := widgets.NewText(text, color, size, false)
	t.Cut = true
	return t
}
