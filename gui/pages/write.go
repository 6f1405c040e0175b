package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// writePage is a mail being written: its price stands before its text.
type writePage struct {
	shell   *Shell
	root    *fyne.Container
	form    *fyne.Container
	preview *previewPane
	head    fyne.CanvasObject
	foot    fyne.CanvasObject
	tall    float32 // head and foot, as they were laid out

	kept       *widgets.Text
	from       *widgets.Choice
	to         *widgets.Field
	recipients *recipientList
	price      *widgets.Text
	priceText  *widget.Label
	priceBox   *fyne.Container
	priceRow   *fyne.Container
	topUp      *widgets.Action
	limits     *widgets.Action
	linkRow    *fyne.Container
	subject    *widgets.Field
	body       *widgets.Entry
	files      *fileList
	fault      *widget.Label
	faultRow   *fyne.Container
	send       *widgets.Action
	attach     *widgets.Action
	look       *widgets.Action
	aside      *widgets.Action
	discard    *widgets.Action
}

func newWritePage(s *Shell) *writePage {
	p := &writePage{shell: s}
	p.head = p.newHead()
	p.body = widgets.NewEntry(true, s.model.SetBody)
	p.body.SetPlaceHolder(s.t("write.body"))
	p.foot = p.newFoot()
	for _, e := range []*widgets.Entry{p.to.Entry, p.subject.Entry, p.body} {
		e.OnSubmit = s.model.Send
	}
	body := container.New(widgets.Sheet{Width: widgets.ReadingWidth, Gap: theme.Space3}, p.head, p.body, p.foot)
	p.form = container.NewStack(container.NewVScroll(widgets.NewPad(theme.Space5, body)))
	p.preview = newPreviewPane(s)
	p.root = container.NewStack(widgets.NewFill(theme.Surface), p.form, p.preview.root)
	if s.host.Window != nil {
		s.host.Window.SetOnDropped(p.dropped)
	}
	return p
}

// newHead is everything over the text: to whom, for how much, about what.
func (p *writePage) newHead() fyne.CanvasObject {
	s := p.shell
	p.kept = widgets.NewText("", theme.Muted, theme.SizeSmall, false)
	p.kept.Cut, p.kept.Align = true, fyne.TextAlignTrailing
	p.from = widgets.NewChoice(s.t("write.from"), 0, s.model.SetSender)
	p.to = widgets.NewField(s.t("write.to"), false, false, s.model.SetTo)
	p.subject = widgets.NewField(s.t("write.subject"), false, false, s.model.SetSubject)
	// Enter takes the address, and on an empty field goes on to the next one;
	// only Ctrl+Enter sends from a field of one line.
	p.to.Entry.OnEnter = func() {
		if !s.model.CommitTo() {
			s.canvas().Focus(p.subject.Entry)
		}
	}
	p.to.Entry.OnErase = s.model.TakeLastTo
	// Tab goes on to the subject, past what can be chosen about the recipients: who
	// types on would tick a box by the first space. The arrow down goes there.
	p.to.Entry.OnTab = func() { s.canvas().Focus(p.subject.Entry) }
	p.to.Entry.OnDown = func() { p.recipients.focus(s.canvas()) }
	p.subject.Entry.OnEnter = func() { s.canvas().Focus(p.body) }
	p.recipients = newRecipientList(s)
	p.price = widgets.NewText("", theme.Text, theme.SizeTitle, true)
	p.priceText = widgets.NewPara("", widget.LowImportance, theme.SizeText)
	p.priceRow = widgets.Flush(p.priceText)
	p.topUp = widgets.NewAction(s.t("write.top-up"), "", widgets.Link, func() { s.model.Show(viewmodel.PageMoney) })
	p.limits = widgets.NewAction(s.t("write.limits"), "", widgets.Link, func() { s.model.Show(viewmodel.PageMoney) })
	p.linkRow = widgets.NewLinks(theme.Space4, p.topUp, p.limits)
	p.linkRow.Hide()
	p.priceBox = widgets.NewColumn(theme.Space1, 0, p.price, p.priceRow, p.linkRow)
	title := widgets.NewText(s.t("write.title"), theme.Text, theme.SizeTitle, false)
	return widgets.NewColumn(theme.Space3, 0,
		widgets.NewLine(theme.Space3, 1, title, p.kept), p.from.Box,
		widgets.NewColumn(theme.Space2, 0, p.to.Box, p.recipients.box),
		p.priceBox, p.subject.Box)
}

// newFoot is what stands under the text: files, faults, and what can be done.
func (p *writePage) newFoot() fyne.CanvasObject {
	s := p.shell
	p.files = newFileList(s)
	p.fault = widgets.NewPara("", widget.DangerImportance, theme.SizeText)
	p.faultRow = widgets.Flush(p.fault)
	p.faultRow.Hide()
	p.send = widgets.NewAction(s.t("write.send"), "", widgets.Primary, s.model.Send)
	p.attach = widgets.NewAction(s.t("write.attach"), "", widgets.Quiet, p.chooseFile)
	p.look = widgets.NewAction(s.t("write.preview"), "", widgets.Quiet, func() {
		s.model.OpenPreview()
		s.unfocus()
	})
	p.aside = widgets.NewAction(s.t("write.set-aside"), "", widgets.Quiet, func() {
		s.model.SetAside()
		s.model.Show(viewmodel.PageDrafts)
	})
	p.discard = widgets.NewAction(s.t("write.discard"), "", widgets.Quiet, s.model.Discard)
	return widgets.NewColumn(theme.Space3, 0, p.files.box, p.faultRow,
		widgets.NewWrap(theme.Space2, p.send, p.attach, p.look, p.aside, p.discard))
}

func (p *writePage) object() fyne.CanvasObject { return p.root }

func (p *writePage) focus() fyne.Focusable {
	v := p.shell.model.Draft()
	switch {
	case v.Sending || v.Preview:
		return nil
	case len(v.Recipients) == 0:
		return p.to.Entry
	case v.Subject == "":
		return p.subject.Entry
	}
	return p.body
}

func (p *writePage) refresh() {
	v := p.shell.model.Draft()
	widgets.Show(p.form, !v.Preview)
	widgets.Show(p.preview.root, v.Preview)
	if v.Preview {
		p.preview.refresh(p.shell.model.Preview())
		return
	}
	p.kept.Set(v.Kept, toneColor(v.KeptTone))
	widgets.Show(p.from.Box, len(v.From) > 0)
	p.from.Set(v.From, v.Sender)
	p.to.Entry.Put(v.To)
	hint := p.shell.t("write.to.hint")
	if len(v.Recipients) > 0 {
		hint = p.shell.t("write.to.more")
	}
	if p.to.Entry.PlaceHolder != hint {
		p.to.Entry.SetPlaceHolder(hint)
	}
	p.to.Fault(v.ErrTo)
	p.recipients.refresh(v.Recipients, v.Sending)
	several := len(v.Recipients) > 1 && v.Price != ""
	p.price.Set(v.Price, theme.Text)
	widgets.Show(p.price, several)
	p.priceText.Importance = toneImportance(v.PriceTone)
	widgets.SetPara(p.priceText, p.priceRow, v.PriceText)
	p.priceText.Refresh()
	widgets.Show(p.topUp, v.MayTopUp)
	widgets.Show(p.limits, v.MayLimits)
	widgets.Show(p.linkRow, v.MayTopUp || v.MayLimits)
	widgets.Show(p.priceBox, several || v.PriceText != "" || v.MayTopUp || v.MayLimits)
	p.subject.Entry.Put(v.Subject)
	p.subject.Fault(v.ErrSubject)
	p.body.Put(v.Body)
	p.files.refresh(v)
	widgets.SetPara(p.fault, p.faultRow, v.Error)
	p.enable(v)
	p.settle()
}

// settle lays the page out anew when what stands over or under the text has
// grown: the driver tells only the nearest container, and the text would stay
// where it was, over the offer. Wrapped lines know their height only once they
// have their width, hence more than once.
func (p *writePage) settle() {
	for range 3 {
		tall := p.head.MinSize().Height + p.foot.MinSize().Height
		if tall == p.tall {
			return
		}
		p.tall = tall
		p.form.Refresh()
	}
}

// enable lets nothing be typed that would be lost: while the mail is being sent
// its fields are closed.
func (p *writePage) enable(v viewmodel.Draft) {
	for _, e := range []*widgets.Entry{p.to.Entry, p.subject.Entry, p.body} {
		if e.Disabled() != v.Sending {
			if v.Sending {
				e.Disable()
			} else {
				e.Enable()
			}
		}
	}
	s := p.shell
	p.send.Set(v.Submit, !v.Sending)
	p.attach.Set(s.t("write.attach"), !v.Sending)
	p.look.Set(s.t("write.preview"), !v.Sending)
	widgets.Show(p.aside, !v.Blank)
	widgets.Show(p.discard, !v.Blank)
	p.aside.Set(s.t("write.set-aside"), !v.Sending)
	p.discard.Set(s.t("write.discard"), !v.Sending)
}

func (p *writePage) typedRune(r rune) bool {
	m := p.shell.model
	switch {
	case !m.Draft().Preview:
		return false
	case r == 'j' || r == 'J':
		m.TurnPreview(1)
	case r == 'k' || r == 'K':
		m.TurnPreview(-1)
	}
	return true
}

func (p *writePage) typedKey(e *fyne.KeyEvent) bool {
	m := p.shell.model
	preview := m.Draft().Preview
	switch {
	case e.Name == fyne.KeyEscape && preview:
		p.closePreview()
	case e.Name == fyne.KeyEscape:
		m.LeaveWriting()
	case preview && (e.Name == fyne.KeyPageDown || e.Name == fyne.KeySpace || e.Name == fyne.KeyDown):
		p.preview.scrollBy(1)
	case preview && (e.Name == fyne.KeyPageUp || e.Name == fyne.KeyUp):
		p.preview.scrollBy(-1)
	default:
		return false
	}
	return true
}

func (p *writePage) keyList() []keyHelp {
	t := p.shell.t
	return []keyHelp{{"Ctrl+Enter", t("write.send")}, {"Enter", t("keys.write.enter")}, {"Tab", t("keys.write.tab")}, {"↓", t("keys.write.down")},
		{"Esc", t("keys.write.escape")}, {"Ctrl+N", t("keys.write")}}
}

// closePreview goes on writing where it was left.
func (p *writePage) closePreview() {
	p.shell.model.ClosePreview()
	p.refresh()
	if c := p.shell.canvas(); c != nil {
		c.Focus(p.body)
	}
}

func (s *Shell) unfocus() {
	if c := s.canvas(); c != nil {
		c.Unfocus()
	}
}
