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
	page  *fyne.Container
	view  *container.Scroll
	shown string // id of the mail, to begin another one at its top

	backRow *fyne.Container
	title   *widget.Label
	name    *widgets.Text
	address *widget.Label
	addrRow *fyne.Container
	first   *widgets.Text
	date    *widgets.Text
	money   *widgets.MoneyLine
	notices *fyne.Container
	text    *widgets.ReadText
	textRow *fyne.Container
	more    *fyne.Container
	files   *fyne.Container
	saved   *widget.Label
	savRow  *fyne.Container
	checks  *widget.Label
	chkRow  *fyne.Container
	foot    *fyne.Container
	busy    *widgets.Text
	reject  *widgets.Action
	accept  *widgets.Action
	undo    *widgets.Action

	noticeKey, fileKey string
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
	p.first = widgets.NewText("first time ✓", theme.Muted, theme.SizeSmall, false)
	p.date = widgets.NewText("", theme.Muted, theme.SizeSmall, false)
	p.money = widgets.NewMoneyLine()
	p.notices = widgets.NewColumn(theme.Space2, 0)
	p.notices.Hide()
	p.text = widgets.NewReadText()
	p.textRow = widgets.Flush(p.text)
	p.more = widgets.NewLine(0, -1, widgets.NewAction("Show more of this mail", "", widgets.Link, s.model.More))
	p.more.Hide()
	p.files = widgets.NewColumn(theme.Space1, 0)
	p.files.Hide()
	p.saved = widgets.NewPara("", widget.LowImportance, theme.SizeSmall)
	p.savRow = widgets.Flush(p.saved)
	p.checks = widgets.NewPara("", widget.LowImportance, theme.SizeSmall)
	p.chkRow = widgets.Flush(p.checks)
	body := widgets.NewColumn(theme.Space3, widgets.ReadingWidth,
		p.backRow,
		widgets.Flush(p.title),
		widgets.NewColumn(theme.Space1, 0,
			widgets.NewLine(theme.Space2, 0, p.name, p.first, p.date),
			p.addrRow,
			p.money.Box),
		widgets.NewHairline(), p.notices, p.textRow, p.more, p.files, p.savRow, p.chkRow)
	p.view = container.NewVScroll(widgets.NewInset(theme.Space4, theme.Space5, theme.Space5, theme.Space5, body))
	p.accept = widgets.NewAction("Accept", "A", widgets.Primary, s.model.Accept)
	p.reject = widgets.NewAction("Reject", "R", widgets.Danger, s.model.Reject)
	p.undo = widgets.NewAction("Undo the reject", "U", widgets.Quiet, s.model.UndoReject)
	p.busy = widgets.NewText("", theme.Muted, theme.SizeText, false)
	p.busy.Cut = true
	actions := widgets.NewColumn(0, widgets.ReadingWidth, widgets.NewLine(theme.Space3, 1, p.reject, p.busy, p.undo, p.accept))
	p.foot = widgets.NewColumn(0, 0, widgets.NewHairline(),
		widgets.NewInset(theme.Space3, theme.Space5, theme.Space3, theme.Space5, actions))
	p.page = widgets.Dock(nil, p.foot, nil, nil, p.view)
	p.hint = newHint("Choose a mail", [][2]string{{"J  K", "next, previous"}, {"A", "accept: the money goes back"}, {"R", "reject: the money is lost to the sender"}, {"U", "undo a reject"}, {"W", "write"}})
	p.root = container.NewStack(p.hint, p.page)
	return p
}

// newHint is what stands where nothing is chosen.
func newHint(title string, keys [][2]string) *fyne.Container {
	rows := widgets.NewColumn(theme.Space1, 0, widgets.NewText(title, theme.Muted, theme.SizeText, true))
	for _, k := range keys {
		key := widgets.NewText(k[0], theme.Text, theme.SizeText, true)
		rows.Add(widgets.NewLine(theme.Space3, -1, container.NewGridWrap(fyne.NewSize(36, 20), key), widgets.NewText(k[1], theme.Muted, theme.SizeText, false)))
	}
	return container.NewCenter(rows)
}

func (p *readingPane) back(narrow bool) { widgets.Show(p.backRow, narrow) }

func (p *readingPane) scrollBy(pages float32) {
	offset := p.view.Offset.Y + pages*(p.view.Size().Height-40)
	limit := p.view.Content.MinSize().Height - p.view.Size().Height
	p.view.ScrollToOffset(fyne.NewPos(0, max(0, min(offset, limit))))
}

func (p *readingPane) refresh(r viewmodel.Reading) {
	widgets.Show(p.hint, r.Hint)
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
	name, address := r.Name, r.Address
	if name == "" {
		name, address = address, ""
	}
	p.name.Set(name, theme.Text)
	widgets.SetPara(p.address, p.addrRow, address)
	widgets.Show(p.first, r.First)
	p.date.Set(r.Date, theme.Muted)
	p.money.Set(r.Amount, r.Money, toneColor(r.Tone))
	p.setNotices(r.Notices)
	body := r.Text
	if r.Loading {
		body = "Opening…"
	}
	if p.text.Text != body {
		p.text.SetText(body)
	}
	widgets.Show(p.textRow, body != "")
	widgets.Show(p.more, r.More)
	p.setFiles(r.Files)
	widgets.SetPara(p.saved, p.savRow, r.Saved)
	checks := r.Checks
	if checks != "" {
		checks = "Checked: " + checks
	}
	widgets.SetPara(p.checks, p.chkRow, checks)
	p.busy.Set(r.Busy, theme.Muted)
	widgets.Show(p.accept, r.May.Accept)
	widgets.Show(p.reject, r.May.Reject)
	widgets.Show(p.undo, r.May.Undo)
	widgets.Show(p.foot, r.May != (viewmodel.May{}) || r.Busy != "")
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

func (p *readingPane) setFiles(files []viewmodel.File) {
	key := p.shown
	for _, f := range files {
		key += "\x00" + f.Name + f.Size
	}
	if key == p.fileKey {
		return
	}
	p.fileKey = key
	p.files.Objects = nil
	for _, f := range files {
		name := widgets.NewText(f.Name, theme.Text, theme.SizeText, false)
		name.Cut = true
		p.files.Add(widgets.NewLine(theme.Space2, 1,
			widget.NewIcon(fynetheme.NewDisabledResource(fynetheme.MailAttachmentIcon())), name,
			widgets.NewText(f.Size, theme.Muted, theme.SizeSmall, false),
			widgets.NewAction("Save", "", widgets.Link, func() { p.shell.saveFile(f.N, f.Name) })))
	}
	widgets.Show(p.files, len(files) > 0)
	p.files.Refresh()
}

func setLabel(l *widget.Label, s string) {
	if l.Text != s {
		l.SetText(s)
	}
}
