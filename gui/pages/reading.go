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

// readingPane is the open mail with what can be done with it.
type readingPane struct {
	shell *Shell
	root  *fyne.Container
	hint  *fyne.Container
	hints map[string]fyne.CanvasObject // its rows, by their keys
	page  *fyne.Container
	view  *container.Scroll
	shown string // id of the mail, to begin another one at its top

	backRow *fyne.Container
	title   *widget.Label
	name    *widgets.Text
	address *widget.Label
	addrRow *fyne.Container
	warning *widgets.Text
	marks   *widgets.Text
	date    *widgets.Text
	money   *widgets.MoneyLine
	notices *fyne.Container
	body    *mailText
	more    *fyne.Container
	files   *attachmentList
	links   *fyne.Container
	reply   *widgets.Action
	details *widgets.Action
	source  *widgets.Action
	turn    *widgets.Action
	aside   *asidePane
	foot    *decideFoot

	noticeKey string
}

func newReadingPane(s *Shell) *readingPane {
	p := &readingPane{shell: s}
	p.backRow = widgets.NewLine(0, -1, widgets.NewAction(s.t("back"), "", widgets.Link, s.model.Back))
	p.backRow.Hide()
	p.title = widgets.NewPara("", widget.MediumImportance, theme.SizeTitle)
	p.name = widgets.NewText("", theme.Text, theme.SizeText, true)
	p.name.Cut = true
	// The proven address is never cut: its end is what tells who it is.
	p.address = widgets.NewPara("", widget.LowImportance, theme.SizeText)
	p.address.Wrapping = fyne.TextWrapBreak
	p.addrRow = widgets.Flush(p.address)
	p.warning = widgets.NewText("", theme.Waiting, theme.SizeSmall, false)
	p.marks = widgets.NewText("", theme.Muted, theme.SizeSmall, false)
	p.marks.Cut = true
	p.date = widgets.NewText("", theme.Muted, theme.SizeSmall, false)
	p.money = widgets.NewMoneyLine()
	p.notices = widgets.NewColumn(theme.Space2, 0)
	p.notices.Hide()
	p.body = newMailText(s)
	p.more = widgets.NewLine(0, -1, widgets.NewAction(s.t("reading.more"), "", widgets.Link, s.model.More))
	p.more.Hide()
	p.files = newAttachmentList(s)
	p.reply = widgets.NewAction(s.t("reading.reply"), "⇧W", widgets.Link, s.model.Reply)
	p.details = widgets.NewAction("", "D", widgets.Link, s.model.ShowDetails)
	p.source = widgets.NewAction("", "S", widgets.Link, s.model.ShowSource)
	p.turn = widgets.NewAction("", "", widgets.Link, s.model.Plain)
	p.links = &fyne.Container{Layout: &wrapLine{gap: theme.Space4}, Objects: []fyne.CanvasObject{p.reply, p.details, p.source, p.turn}}
	p.aside = newAsidePane(s)
	body := widgets.NewColumn(theme.Space3, widgets.ReadingWidth,
		p.backRow,
		widgets.Flush(p.title),
		widgets.NewColumn(theme.Space1, 0,
			p.name,
			p.addrRow,
			widgets.Dock(nil, nil, nil, widgets.NewLine(0, -1, p.date), widgets.NewLine(theme.Space2, 1, p.warning, p.marks)),
			p.money.Box),
		widgets.NewHairline(), p.notices, p.body.root, p.more, p.files.root, p.links, p.aside.root)
	p.view = container.NewVScroll(widgets.NewInset(theme.Space4, theme.Space5, theme.Space5, theme.Space5, body))
	p.foot = newDecideFoot(s)
	p.page = widgets.Dock(nil, p.foot.root, nil, nil, p.view)
	p.hint, p.hints = newHintRows(s.t("reading.choose"), []keyHelp{{"J  K", s.t("keys.move")}, {"A", s.t("keys.accept")},
		{"R", s.t("keys.reject")}, {"U", s.t("keys.undo")}, {"W", s.t("keys.write")}, {"?", s.t("keys.hint")}})
	p.root = container.NewStack(p.hint, p.page)
	return p
}

// decides shows those keys that can do something on the page.
func (p *readingPane) decides(may viewmodel.May) {
	widgets.Show(p.hints["A"], may.Accept)
	widgets.Show(p.hints["R"], may.Reject)
}

// newHint is what stands where nothing is chosen.
func newHint(title string, keys []keyHelp) *fyne.Container {
	hint, _ := newHintRows(title, keys)
	return hint
}

// newHintRows is a hint with its rows, by their keys.
func newHintRows(title string, keys []keyHelp) (*fyne.Container, map[string]fyne.CanvasObject) {
	byKey := map[string]fyne.CanvasObject{}
	rows := widgets.NewColumn(theme.Space1, 0, widgets.NewText(title, theme.Muted, theme.SizeText, true))
	for _, k := range keys {
		key := widgets.NewText(k.Key, theme.Text, theme.SizeText, true)
		byKey[k.Key] = widgets.NewLine(theme.Space3, -1, &fyne.Container{Layout: widgets.Fixed{Width: 36}, Objects: []fyne.CanvasObject{key}},
			widgets.NewText(k.Does, theme.Muted, theme.SizeText, false))
		rows.Add(byKey[k.Key])
	}
	return container.NewCenter(rows), byKey
}

func (p *readingPane) back(narrow bool) { widgets.Show(p.backRow, narrow) }

func (p *readingPane) scrollBy(pages float32) {
	offset := p.view.Offset.Y + pages*(p.view.Size().Height-40)
	limit := p.view.Content.MinSize().Height - p.view.Size().Height
	p.view.ScrollToOffset(fyne.NewPos(0, max(0, min(offset, limit))))
}

func (p *readingPane) refresh(r viewmodel.Reading) {
	widgets.Show(p.hint, r.Hint && !r.Many)
	widgets.Show(p.page, r.Show)
	if !r.Show {
		p.shown = ""
		return
	}
	if r.ID != p.shown {
		p.shown = r.ID
		p.view.ScrollToTop()
	}
	setLabel(p.title, r.Subject)
	p.name.Set(r.Name, theme.Text)
	widgets.Show(p.name, r.Name != "")
	widgets.SetPara(p.address, p.addrRow, r.Address)
	p.warning.Set(r.Warning, theme.Waiting)
	widgets.Show(p.warning, r.Warning != "")
	p.marks.Set(r.Marks, theme.Muted)
	p.date.Set(r.Date, theme.Muted)
	p.money.Set(r.Amount, r.Money, toneColor(r.Tone))
	p.setNotices(r.Notices)
	p.body.set(r)
	widgets.Show(p.more, r.More)
	p.files.set(r.ID, r.Files)
	p.foot.set(r)
	p.setLinks(r)
	if p.aside.set(r.Aside) {
		p.reveal(p.aside.root)
	}
}

func (p *readingPane) setLinks(r viewmodel.Reading) {
	t := p.shell.t
	details, source, turn := t("reading.details"), t("reading.source"), t("reading.plain")
	if r.Aside.Details {
		details = t("reading.details.hide")
	}
	if r.Aside.Source {
		source = t("reading.source.hide")
	}
	if r.Plain {
		turn = t("reading.looks")
	}
	p.details.Set(details, true)
	p.source.Set(source, true)
	p.turn.Set(turn, true)
	widgets.Show(p.turn, r.MayTurn)
	widgets.Show(p.reply, r.Reply && !p.foot.reply.Visible()) // it stands below already
	widgets.Show(p.links, r.Opened)
}

// reveal scrolls down to what was opened under the text.
func (p *readingPane) reveal(o fyne.CanvasObject) {
	p.view.Content.Refresh()
	y := o.Position().Y
	limit := p.view.Content.MinSize().Height - p.view.Size().Height
	p.view.ScrollToOffset(fyne.NewPos(0, max(0, min(y, limit))))
}

func (p *readingPane) setNotices(notices []viewmodel.Notice) {
	key := ""
	for _, n := range notices {
		key += n.Text + "\x00"
	}
	if key == p.noticeKey {
		return
	}
	p.noticeKey = key
	p.notices.Objects = nil
	for _, n := range notices {
		p.notices.Add(newNotice(n))
	}
	widgets.Show(p.notices, len(notices) > 0)
	p.notices.Refresh()
}

// newNotice is a remark: an icon says how it is meant, the colour only repeats it.
func newNotice(n viewmodel.Notice) fyne.CanvasObject {
	icon := fynetheme.NewDisabledResource(fynetheme.InfoIcon())
	switch n.Tone {
	case viewmodel.Against:
		return iconLine(fynetheme.NewErrorThemedResource(fynetheme.ErrorIcon()), n.Text)
	case viewmodel.Waits:
		return iconLine(fynetheme.NewWarningThemedResource(fynetheme.WarningIcon()), n.Text)
	case viewmodel.Good:
		return iconLine(fynetheme.NewSuccessThemedResource(fynetheme.ConfirmIcon()), n.Text)
	}
	return iconLine(icon, n.Text)
}

func iconLine(icon fyne.Resource, text string) fyne.CanvasObject {
	return widgets.Dock(nil, nil, widgets.NewInset(0, theme.Space2, 0, 0, widgets.NewTop(widget.NewIcon(icon))), nil,
		widgets.Flush(widgets.NewPara(text, widget.MediumImportance, theme.SizeText)))
}

func setLabel(l *widget.Label, s string) {
	if l.Text != s {
		l.SetText(s)
	}
}
