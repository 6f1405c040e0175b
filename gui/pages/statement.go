package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// filterWidth is that of a choice above a list.
const filterWidth float32 = 160

// statementPart is what happened to the money, day by day.
type statementPart struct {
	shell                  *Shell
	root                   *fyne.Container
	kind, currency, period *widgets.Choice
	list                   *widgets.Ledger
	empty                  *fyne.Container
	title                  *widgets.Text
	text                   *widget.Label
	textRow                *fyne.Container
	count                  *widgets.Text
	export                 *widgets.Action
	saved                  *widget.Label
	savedRow               *fyne.Container
	version                int
	filter                 [3]int
	shown                  bool
}

func newStatementPart(s *Shell) *statementPart {
	p := &statementPart{shell: s}
	p.kind = widgets.NewChoice(s.t("statement.kind"), filterWidth, s.model.SetStatementKind)
	p.currency = widgets.NewChoice(s.t("statement.currency"), filterWidth+theme.Space5, s.model.SetStatementCurrency)
	p.period = widgets.NewChoice(s.t("statement.period"), filterWidth, s.model.SetStatementPeriod)
	p.list = widgets.NewLedger(p.line)
	p.title = widgets.NewText("", theme.Text, theme.SizeText, true)
	p.text = widgets.NewPara("", widget.LowImportance, theme.SizeText)
	p.textRow = widgets.Flush(p.text)
	p.empty = widgets.NewInset(theme.Space4, 0, 0, 0, widgets.NewColumn(theme.Space2, widgets.FormWidth, p.title, p.textRow))
	p.count = cut("", theme.Muted, theme.SizeSmall)
	p.export = widgets.NewAction(s.t("statement.export"), "", widgets.Quiet, p.save)
	p.saved = widgets.NewPara("", widget.SuccessImportance, theme.SizeSmall)
	p.savedRow = widgets.Flush(p.saved)
	filters := widgets.NewInset(theme.Space4, theme.Space5, theme.Space2, theme.Space5,
		widgets.NewWrap(theme.Space3, p.kind.Box, p.period.Box, p.currency.Box))
	foot := widgets.NewColumn(0, 0, widgets.NewHairline(), widgets.NewInset(theme.Space2, theme.Space5, theme.Space2, theme.Space5,
		widgets.NewColumn(theme.Space1, widgets.ReadingWidth+theme.Space5, widgets.NewLine(theme.Space3, 0, p.count, p.export), p.savedRow)))
	body := &fyne.Container{Layout: widgets.Most{Width: widgets.ReadingWidth + theme.Space5}, Objects: []fyne.CanvasObject{container.NewStack(p.list, p.empty)}}
	p.root = widgets.Dock(filters, foot, nil, nil, widgets.NewInset(0, theme.Space5, 0, theme.Space5, body))
	return p
}

func (p *statementPart) line(i int) widgets.LedgerLine {
	l := p.shell.model.StatementLine(i)
	return widgets.LedgerLine{Day: l.Day, Title: l.Title, Address: l.Address, What: l.What, Amount: l.Amount, Balance: l.Balance, Color: toneColor(l.Tone)}
}

func (p *statementPart) refresh() {
	v := p.shell.model.Statement()
	p.kind.Set(v.Kinds, v.Kind)
	p.period.Set(v.Periods, v.Period)
	widgets.Show(p.currency.Box, len(v.Currencies) > 0)
	p.currency.Set(v.Currencies, v.Currency)
	if filter := [3]int{v.Kind, v.Currency, v.Period}; !p.shown || v.Version != p.version || filter != p.filter {
		if filter != p.filter {
			p.list.Top() // what came in meanwhile does not scroll the list away
		}
		p.shown, p.version, p.filter = true, v.Version, filter
		p.list.Set(v.Lines)
	} else {
		p.list.Refresh()
	}
	widgets.Show(p.list, len(v.Lines) > 0)
	widgets.Show(p.empty, len(v.Lines) == 0)
	p.title.Set(v.Empty.Title, theme.Text)
	widgets.SetPara(p.text, p.textRow, v.Empty.Text)
	count := v.Count
	if v.Loaded && v.LoadErr != "" {
		count = v.LoadErr
	}
	p.count.Set(count, theme.Muted)
	p.export.Set(word(v.Saving, p.shell.t("saving"), p.shell.t("statement.export")), len(v.Lines) > 0 && !v.Saving)
	tone := widget.SuccessImportance
	if v.Failed {
		tone = widget.DangerImportance
	}
	if p.saved.Importance != tone {
		p.saved.Importance = tone
		p.saved.Refresh()
	}
	widgets.SetPara(p.saved, p.savedRow, v.Saved)
}

// save asks where to, and writes apart from the drawing.
func (p *statementPart) save() {
	p.shell.saveAs(p.shell.model.StatementFile(), func(_ string, write func([]byte) error) { p.shell.model.ExportStatement(write) })
}

// chartPart draws what was held, what came back and what was forfeited.
type chartPart struct {
	shell          *Shell
	root           fyne.CanvasObject
	span, currency *widgets.Choice
	chart          *widgets.Chart
	words          *widget.Label
	body           *fyne.Container
	empty          *fyne.Container
	title          *widgets.Text
	text           *widget.Label
	textRow        *fyne.Container
}

func newChartPart(s *Shell) *chartPart {
	p := &chartPart{shell: s, chart: widgets.NewChart(), words: widgets.NewPara("", widget.LowImportance, theme.SizeText)}
	p.span = widgets.NewChoice(s.t("chart.span"), filterWidth, s.model.SetChartSpan)
	p.currency = widgets.NewChoice(s.t("statement.currency"), filterWidth+theme.Space5, s.model.SetChartCurrency)
	p.title = widgets.NewText("", theme.Text, theme.SizeText, true)
	p.text = widgets.NewPara("", widget.LowImportance, theme.SizeText)
	p.textRow = widgets.Flush(p.text)
	p.empty = widgets.NewColumn(theme.Space2, 0, p.title, p.textRow)
	p.body = widgets.NewColumn(theme.Space4, 0, p.chart, widgets.NewHairline(), widgets.Flush(p.words))
	p.root = container.NewVScroll(widgets.NewInset(theme.Space4, theme.Space5, theme.Space5, theme.Space5,
		widgets.NewColumn(theme.Space4, widgets.ReadingWidth+theme.Space5, widgets.NewWrap(theme.Space3, p.span.Box, p.currency.Box), p.body, p.empty)))
	return p
}

func (p *chartPart) refresh() {
	v := p.shell.model.Chart()
	p.span.Set(v.Spans, v.Span)
	widgets.Show(p.currency.Box, len(v.Currencies) > 0)
	p.currency.Set(v.Currencies, v.Currency)
	widgets.Show(p.body, v.Show)
	widgets.Show(p.empty, !v.Show)
	p.title.Set(v.Empty.Title, theme.Text)
	widgets.SetPara(p.text, p.textRow, v.Empty.Text)
	setLabel(p.words, v.Words)
	var rows []widgets.ChartRow
	for i, r := range v.Rows {
		rows = append(rows, chartRow(r, widgets.Filling(i)))
	}
	p.chart.Set(rows)
}

func chartRow(r viewmodel.ChartRow, filling widgets.Filling) widgets.ChartRow {
	row := widgets.ChartRow{Name: r.Name, Total: r.Total, Color: toneColor(r.Tone), Filling: filling}
	for _, b := range r.Bars {
		row.Bars = append(row.Bars, widgets.ChartBar{Label: b.Label, Amount: b.Amount, Part: b.Part})
	}
	return row
}
