package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// newSheet is a page of one column: a title, and what stands below it.
func newSheet(title string, objects ...fyne.CanvasObject) *fyne.Container {
	head := []fyne.CanvasObject{widgets.NewText(title, theme.Text, theme.SizeTitle, false)}
	body := widgets.NewColumn(theme.Space4, widgets.FormWidth, append(head, objects...)...)
	return container.NewStack(widgets.NewFill(theme.Surface),
		container.NewVScroll(widgets.NewInset(theme.Space5, theme.Space5, theme.Space5, theme.Space5, body)))
}

// moneyPage is the balances and the top-up.
type moneyPage struct {
	shell *Shell
	root  *fyne.Container
	rows  *fyne.Container
	key   string
	code  *widgets.Field
	done  *widget.Label
	row   *fyne.Container
	topUp *widgets.Action
}

func newMoneyPage(s *Shell) *moneyPage {
	p := &moneyPage{shell: s, rows: widgets.NewColumn(theme.Space2, 0), key: "none"}
	p.code = widgets.NewField("Voucher", false, false, s.model.SetCode)
	p.code.Entry.OnSubmit = s.model.TopUp
	p.done = widgets.NewPara("", widget.SuccessImportance, theme.SizeText)
	p.row = widgets.Flush(p.done)
	p.topUp = widgets.NewAction("Top up", "", widgets.Primary, s.model.TopUp)
	p.root = newSheet("Money", p.rows, widgets.NewHairline(),
		widgets.NewText("Top up", theme.Text, theme.SizeText, true),
		widgets.Flush(widgets.NewPara("Who runs the escrow gives or sells vouchers. The money pays for mails that you send; it comes back unless they are rejected.", widget.LowImportance, theme.SizeText)),
		p.code.Box, p.row, widgets.NewLine(0, -1, p.topUp))
	return p
}

func (p *moneyPage) object() fyne.CanvasObject { return p.root }

func (p *moneyPage) refresh() {
	v := p.shell.model.Purse()
	p.code.Entry.Put(v.Code)
	p.code.Fault(v.Error)
	widgets.SetPara(p.done, p.row, v.Done)
	p.topUp.Set(word(v.Busy, "Topping up…", "Top up"), !v.Busy)
	key := word(v.Loaded, "+", "-")
	for _, r := range v.Rows {
		key += r.Escrow + r.Available + r.Held
	}
	if key == p.key {
		return
	}
	p.key = key
	p.rows.Objects = moneyTable(v)
	p.rows.Refresh()
}

func word(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// moneyTable sets the amounts in columns, right-aligned, in figures of one width.
func moneyTable(v viewmodel.Purse) []fyne.CanvasObject {
	if len(v.Rows) == 0 {
		return []fyne.CanvasObject{widgets.Flush(widgets.NewPara(
			word(v.Loaded, "No money yet. Redeem a voucher to write to people who set a price.", "Asking the agent…"), widget.LowImportance, theme.SizeText))}
	}
	line := func(name, available, held string, color fyne.ThemeColorName, size fyne.ThemeSizeName, bold bool) fyne.CanvasObject {
		first := widgets.NewText(name, color, size, false)
		first.Cut = true
		a, h := widgets.NewText(available, color, size, bold), widgets.NewText(held, color, size, false)
		a.Align, h.Align = fyne.TextAlignTrailing, fyne.TextAlignTrailing
		cell := func(t *widgets.Text) fyne.CanvasObject {
			return &fyne.Container{Layout: widgets.Fixed{Width: 120}, Objects: []fyne.CanvasObject{t}}
		}
		return widgets.NewLine(0, 0, first, cell(a), cell(h))
	}
	rows := []fyne.CanvasObject{line("Escrow", "Available", "Held", theme.Muted, theme.SizeSmall, false), widgets.NewHairline()}
	for _, r := range v.Rows {
		rows = append(rows, line(r.Escrow, r.Available, r.Held, theme.Text, theme.SizeText, true))
	}
	return rows
}
