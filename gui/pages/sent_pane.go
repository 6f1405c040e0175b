package pages

import (
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// sentPane is one mail's line of life, and its receipts.
type sentPane struct {
	shell      *Shell
	root       *fyne.Container
	view       *container.Scroll
	hint, page *fyne.Container
	backRow    *fyne.Container
	mail       *fyne.Container

	fresh     *widget.Label
	freshBack *widgets.Action
	freshRow  *fyne.Container
	title     *widget.Label
	to        *widget.Label
	money     *widgets.MoneyLine
	summary   *widget.Label
	notice    *widget.Label
	noticeRow *fyne.Container
	steps     *stepList
	silence   *widget.Label
	silentRow *fyne.Container
	text      *fyne.Container // why it is not shown
	withdraw  *fyne.Container
	again     *fyne.Container
	check     *widgets.Action
	checkRow  *fyne.Container
	proof     *proofPart
	shown     string
}

func newSentPane(s *Shell) *sentPane {
	p := &sentPane{shell: s}
	p.backRow = widgets.NewLine(0, -1, widgets.NewAction(s.t("back"), "", widgets.Link, s.model.Back))
	p.backRow.Hide()
	p.fresh = widgets.NewPara("", widget.MediumImportance, theme.SizeText)
	p.fresh.TextStyle.Bold = true
	p.freshBack = widgets.NewAction(s.t("sent.take-back"), "", widgets.Quiet, s.model.TakeBack)
	plane := widgets.NewFill(theme.Selection)
	plane.Radius = 6
	p.freshRow = container.NewStack(plane, widgets.NewInset(theme.Space1, theme.Space1, theme.Space1, theme.Space3,
		widgets.Dock(nil, nil, nil, widgets.NewInset(0, 0, 0, theme.Space3, widgets.NewTop(p.freshBack)),
			&fyne.Container{Layout: widgets.Centre{}, Objects: []fyne.CanvasObject{widgets.Flush(p.fresh)}})))
	p.title = widgets.NewPara("", widget.MediumImportance, theme.SizeTitle)
	p.to = widgets.NewPara("", widget.LowImportance, theme.SizeText)
	p.to.Wrapping = fyne.TextWrapBreak
	p.money = widgets.NewMoneyLine()
	p.summary = widgets.NewPara("", widget.MediumImportance, theme.SizeText)
	p.notice = widgets.NewPara("", widget.DangerImportance, theme.SizeText)
	p.noticeRow = widgets.Flush(p.notice)
	p.steps = newStepList()
	p.silence = widgets.NewPara("", widget.LowImportance, theme.SizeSmall)
	p.silentRow = widgets.Flush(p.silence)
	p.text = widgets.Flush(widgets.NewPara(s.t("sent.text"), widget.LowImportance, theme.SizeSmall))
	p.withdraw = p.offer(s.t("sent.take-back"), s.t("sent.take-back.means"), s.model.Withdraw)
	p.again = p.offer(s.t("sent.again"), s.t("sent.again.means"), s.model.Redraft)
	p.check = widgets.NewAction(s.t("sent.receipts"), "", widgets.Link, s.model.CheckReceipts)
	p.checkRow = widgets.NewLine(0, -1, p.check)
	p.proof = newProofPart(s)
	p.mail = widgets.NewColumn(theme.Space3, 0, p.freshRow, widgets.Flush(p.title),
		widgets.NewColumn(theme.Space1, 0, widgets.Flush(p.to), p.money.Box), widgets.NewHairline(),
		widgets.Flush(p.summary), p.noticeRow, p.steps.box, p.silentRow, p.text, p.withdraw, p.again, p.checkRow)
	body := widgets.NewColumn(theme.Space3, widgets.ReadingWidth, p.backRow, p.mail, p.proof.box)
	p.view = container.NewVScroll(widgets.NewInset(theme.Space4, theme.Space5, theme.Space5, theme.Space5, body))
	p.page = container.NewStack(p.view)
	p.hint = newHint(s.t("sent.choose"), nil)
	p.root = container.NewStack(p.hint, p.page)
	return p
}

// offer is something that can be done, with what it means below it.
func (p *sentPane) offer(does, means string, tapped func()) *fyne.Container {
	return widgets.NewColumn(theme.Space1, 0, widgets.NewLine(0, -1, widgets.NewAction(does, "", widgets.Quiet, tapped)),
		widgets.Flush(widgets.NewPara(means, widget.LowImportance, theme.SizeSmall)))
}

func (p *sentPane) turned(narrow bool) { widgets.Show(p.backRow, narrow) }

func (p *sentPane) scrollBy(pages float32) {
	offset := p.view.Offset.Y + pages*(p.view.Size().Height-40)
	limit := p.view.Content.MinSize().Height - p.view.Size().Height
	p.view.ScrollToOffset(fyne.NewPos(0, max(0, min(offset, limit))))
}

func (p *sentPane) refresh(v viewmodel.SentMail) {
	widgets.Show(p.hint, v.Hint)
	widgets.Show(p.page, v.Show || v.Proof.File)
	widgets.Show(p.mail, v.Show)
	p.proof.refresh(v.Proof)
	if v.ID != p.shown {
		p.shown = v.ID
		p.view.ScrollToTop()
	}
	if !v.Show {
		return
	}
	setLabel(p.fresh, v.Fresh)
	widgets.Show(p.freshRow, v.Fresh != "")
	widgets.Show(p.freshBack, v.TakeBack)
	setLabel(p.title, v.Subject)
	setLabel(p.to, p.shell.t("sent.to", "Who", v.To))
	p.money.Set(v.Amount, v.Money, toneColor(v.Tone))
	setLabel(p.summary, v.Summary)
	widgets.SetPara(p.notice, p.noticeRow, v.Notice)
	p.steps.refresh(v.Steps)
	widgets.SetPara(p.silence, p.silentRow, v.Silence)
	widgets.Show(p.withdraw, v.MayWithdraw)
	widgets.Show(p.again, v.MayRedraft)
	widgets.Show(p.text, !(v.MayRedraft))
	widgets.Show(p.checkRow, v.MayProve)
	id := p.shell.t("sent.receipts")
	if v.Proof.Show {
		id = p.shell.t("sent.receipts.hide")
	}
	p.check.Set(id, true)
}

// proofPart is receipts, and what they prove.
type proofPart struct {
	shell      *Shell
	box        *fyne.Container
	title      *widget.Label
	loading    *widgets.Text
	verdict    *widget.Label
	verdictRow *fyne.Container
	means      *widget.Label
	meansRow   *fyne.Container
	steps      *stepList
	facts      *widget.Label
	factsRow   *fyne.Container
	export     *widgets.Action
	close      *widgets.Action
	saved      *widget.Label
	savedRow   *fyne.Container
	fileName   string
}

func newProofPart(s *Shell) *proofPart {
	p := &proofPart{shell: s}
	p.title = widgets.NewPara("", widget.MediumImportance, theme.SizeText)
	p.title.TextStyle.Bold = true
	p.loading = widgets.NewText("", theme.Muted, theme.SizeText, false)
	p.verdict = widgets.NewPara("", widget.SuccessImportance, theme.SizeText)
	p.verdictRow = widgets.Flush(p.verdict)
	p.means = widgets.NewPara("", widget.LowImportance, theme.SizeSmall)
	p.meansRow = widgets.Flush(p.means)
	p.steps = newStepList()
	p.facts = widgets.NewPara("", widget.LowImportance, theme.SizeSmall)
	p.facts.Wrapping = fyne.TextWrapBreak
	p.factsRow = widgets.Flush(p.facts)
	p.export = widgets.NewAction(s.t("receipts.export"), "", widgets.Quiet, p.save)
	p.close = widgets.NewAction(s.t("receipts.close"), "Esc", widgets.Quiet, s.model.CloseReceipts)
	p.saved = widgets.NewPara("", widget.LowImportance, theme.SizeSmall)
	p.savedRow = widgets.Flush(p.saved)
	p.box = widgets.NewColumn(theme.Space3, 0, widgets.NewHairline(), widgets.Flush(p.title), p.loading, p.verdictRow, p.meansRow, p.steps.box,
		p.factsRow, widgets.NewWrap(theme.Space2, p.export, p.close), p.savedRow)
	p.box.Hide()
	return p
}

func (p *proofPart) refresh(v viewmodel.Proof) {
	widgets.Show(p.box, v.Show)
	if !v.Show {
		return
	}
	setLabel(p.title, v.Title)
	p.loading.Set(v.Loading, theme.Muted)
	widgets.Show(p.loading, v.Loading != "")
	if importance := toneImportance(v.Tone); p.verdict.Importance != importance {
		p.verdict.Importance = importance
		p.verdict.Refresh()
	}
	widgets.SetPara(p.verdict, p.verdictRow, v.Verdict)
	widgets.SetPara(p.means, p.meansRow, v.Means)
	p.steps.refresh(v.Steps)
	facts := ""
	if v.Bond != "" {
		facts = p.shell.t("receipts.bond") + ": " + v.Bond
		if v.Key != "" {
			facts += "\n" + p.shell.t("receipts.key") + ": " + v.Key
		}
	}
	widgets.SetPara(p.facts, p.factsRow, facts)
	p.fileName = v.FileName
	widgets.Show(p.export, v.MaySave)
	widgets.Show(p.close, v.File)
	widgets.SetPara(p.saved, p.savedRow, v.Saved)
}

// save asks where to write the receipts to.
func (p *proofPart) save() {
	p.shell.saveAs(p.fileName, func(_ string, write func([]byte) error) { p.shell.model.SaveReceipts(write) })
}

// stepsWidth keeps the times near what happened.
const stepsWidth = 440

// stepList is a line of life.
type stepList struct {
	box *fyne.Container
	key string
}

func newStepList() *stepList { return &stepList{box: widgets.NewColumn(0, stepsWidth)} }

func (l *stepList) refresh(steps []viewmodel.Step) {
	key := ""
	for _, step := range steps {
		key += fmt.Sprint(step) + "\x00"
	}
	widgets.Show(l.box, len(steps) > 0)
	if key == l.key {
		return
	}
	l.key = key
	l.box.Objects = nil
	for _, step := range steps {
		l.box.Add(newStep(step))
	}
	l.box.Refresh()
}

// newStep is a point of the line of life: done ones carry a check mark, so that
// not only the colour tells.
func newStep(step viewmodel.Step) fyne.CanvasObject {
	var res fyne.Resource = fynetheme.NewDisabledResource(fynetheme.RadioButtonIcon())
	importance := widget.LowImportance
	if step.Done {
		importance = widget.MediumImportance
		res = fynetheme.NewSuccessThemedResource(fynetheme.ConfirmIcon())
		switch step.Tone {
		case viewmodel.Against:
			res = fynetheme.NewErrorThemedResource(fynetheme.CancelIcon())
		case viewmodel.Waits:
			res = fynetheme.NewWarningThemedResource(fynetheme.WarningIcon())
		}
	}
	title := widgets.NewPara(step.Title, importance, theme.SizeText)
	title.TextStyle.Bold = step.Done && step.Last
	time := widgets.NewText(step.Time, theme.Muted, theme.SizeText, false)
	return widgets.NewPad(2, widgets.Dock(nil, nil, widgets.NewInset(0, theme.Space2, 0, 0, widgets.NewTop(widgets.NewLine(0, -1, widget.NewIcon(res), widgets.NewText("", theme.Text, theme.SizeText, false)))),
		widgets.NewInset(0, 0, 0, theme.Space3, widgets.NewTop(time)), widgets.Flush(title)))
}
