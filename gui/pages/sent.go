package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// sentPage is the mails that were sent, each with its line of life.
type sentPage struct {
	shell           *Shell
	root            *fyne.Container
	reading, narrow bool
	list            *widgets.RowList
	empty           *emptyState
	ids             []string

	hint, pane *fyne.Container
	backRow    *fyne.Container
	title      *widget.Label
	to         *widgets.Text
	money      *widgets.MoneyLine
	summary    *widget.Label
	notice     *widget.Label
	noticeRow  *fyne.Container
	steps      *fyne.Container
	stepsKey   string
	withdraw   *widgets.Action
	withRow    *fyne.Container
}

func newSentPage(s *Shell) *sentPage {
	p := &sentPage{shell: s}
	p.list = widgets.NewRowList(func(i int) {
		if i < len(p.ids) {
			s.model.SelectSent(p.ids[i])
		}
	})
	p.empty = newEmptyState(s)
	p.backRow = widgets.NewLine(0, -1, widgets.NewAction(s.t("back"), "", widgets.Link, s.model.Back))
	p.backRow.Hide()
	p.title = widgets.NewPara("", widget.MediumImportance, theme.SizeTitle)
	p.to = widgets.NewText("", theme.Muted, theme.SizeText, false)
	p.to.Cut = true
	p.money = widgets.NewMoneyLine()
	p.summary = widgets.NewPara("", widget.MediumImportance, theme.SizeText)
	p.notice = widgets.NewPara("", widget.DangerImportance, theme.SizeText)
	p.noticeRow = widgets.Flush(p.notice)
	p.steps = widgets.NewColumn(0, 0)
	p.withdraw = widgets.NewAction("Take it back", "", widgets.Quiet, s.model.Withdraw)
	p.withRow = widgets.NewLine(theme.Space3, 1, p.withdraw,
		widgets.Flush(widgets.NewPara("The mail's key is destroyed unopened, and the money comes back. A mail that arrives first cancels it.", widget.LowImportance, theme.SizeSmall)))
	body := widgets.NewColumn(theme.Space3, widgets.ReadingWidth, p.backRow, widgets.Flush(p.title),
		widgets.NewColumn(theme.Space1, 0, p.to, p.money.Box), widgets.NewHairline(),
		widgets.Flush(p.summary), p.noticeRow, p.steps, p.withRow)
	p.pane = container.NewStack(container.NewVScroll(widgets.NewInset(theme.Space4, theme.Space5, theme.Space5, theme.Space5, body)))
	p.hint = newHint("Choose a mail to see what became of it", nil)
	p.root = &fyne.Container{
		Layout: widgets.Split{Reading: &p.reading, Narrow: &p.narrow, Turned: func() { widgets.Show(p.backRow, p.narrow) }},
		Objects: []fyne.CanvasObject{container.NewStack(p.list, p.empty.root), widgets.NewHairline(),
			container.NewStack(widgets.NewFill(theme.Surface), p.hint, p.pane)},
	}
	return p
}

func (p *sentPage) object() fyne.CanvasObject { return p.root }

func (p *sentPage) refresh() {
	list := p.shell.model.SentList()
	data := make([]widgets.RowData, len(list.Rows))
	p.ids = p.ids[:0]
	for i, row := range list.Rows {
		data[i] = rowData(row)
		p.ids = append(p.ids, row.ID)
	}
	p.list.Set(data)
	widgets.Show(p.list, len(data) > 0)
	p.empty.set(list.Empty, len(data) == 0)
	turned := p.reading != list.Reading
	p.reading = list.Reading
	p.detail(p.shell.model.SentMail())
	if turned && p.narrow {
		p.root.Refresh()
	}
}

func (p *sentPage) detail(v viewmodel.SentMail) {
	widgets.Show(p.hint, v.Hint)
	widgets.Show(p.pane, v.Show)
	if !v.Show {
		return
	}
	setLabel(p.title, v.Subject)
	p.to.Set("to "+v.To, theme.Muted)
	p.money.Set(v.Amount, v.Money, toneColor(v.Tone))
	setLabel(p.summary, v.Summary)
	widgets.SetPara(p.notice, p.noticeRow, v.Notice)
	widgets.Show(p.withRow, v.MayWithdraw)
	key := ""
	for _, step := range v.Steps {
		key += step.Title + step.Time + "\x00"
	}
	if key == p.stepsKey {
		return
	}
	p.stepsKey = key
	p.steps.Objects = nil
	for _, step := range v.Steps {
		p.steps.Add(newStep(step))
	}
	p.steps.Refresh()
}

// newStep is a point of the line of life: done ones carry a check mark, so that
// not only the colour tells.
func newStep(step viewmodel.Step) fyne.CanvasObject {
	icon, color := fynetheme.NewDisabledResource(fynetheme.RadioButtonIcon()), theme.Muted
	var res fyne.Resource = icon
	if step.Done {
		color = theme.Text
		res = fynetheme.NewSuccessThemedResource(fynetheme.ConfirmIcon())
		if step.Tone == viewmodel.Against {
			res = fynetheme.NewErrorThemedResource(fynetheme.CancelIcon())
		}
	}
	title := widgets.NewText(step.Title, color, theme.SizeText, step.Done && step.Last)
	return widgets.NewPad(2, widgets.NewLine(theme.Space2, -1, widget.NewIcon(res),
		&fyne.Container{Layout: widgets.Fixed{Width: 220}, Objects: []fyne.CanvasObject{title}},
		widgets.NewText(step.Time, theme.Muted, theme.SizeText, false)))
}
