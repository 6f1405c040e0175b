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

// writePage is a mail being written: its price stands before its text.
type writePage struct {
	shell   *Shell
	root    *fyne.Container
	to      *widgets.Field
	price   *widgets.Text
	terms   *widget.Label
	options *widget.RadioGroup
	subject *widgets.Field
	body    *widgets.Entry
	files   *fyne.Container
	fileKey string
	fault   *widget.Label
	failRow *fyne.Container
	topUp   *widgets.Action
	send    *widgets.Action
}

func newWritePage(s *Shell) *writePage {
	p := &writePage{shell: s}
	p.to = widgets.NewField("To", false, false, s.model.SetTo)
	p.to.Entry.SetPlaceHolder("name@example.org")
	p.price = widgets.NewText("", theme.Text, theme.SizeTitle, true)
	p.terms = widgets.NewPara("", widget.LowImportance, theme.SizeText)
	p.options = widget.NewRadioGroup(nil, nil)
	p.options.Required = true
	p.options.OnChanged = func(chosen string) {
		for i, o := range p.options.Options {
			if o == chosen {
				s.model.SetOption(i)
			}
		}
	}
	p.subject = widgets.NewField("Subject", false, false, s.model.SetSubject)
	p.body = widgets.NewEntry(true, s.model.SetBody)
	p.body.SetPlaceHolder("Your mail. It is encrypted for the recipient alone.")
	p.files = widgets.NewColumn(theme.Space1, 0)
	p.fault = widgets.NewPara("", widget.DangerImportance, theme.SizeText)
	p.topUp = widgets.NewAction("Top up", "", widgets.Link, func() { s.model.Show(viewmodel.PageMoney) })
	p.failRow = widgets.Dock(nil, nil, nil, widgets.NewInset(0, 0, 0, theme.Space3, p.topUp), widgets.Flush(p.fault))
	p.failRow.Hide()
	p.send = widgets.NewAction("Send", "", widgets.Primary, s.model.Send)
	for _, e := range []*widgets.Entry{p.to.Entry, p.subject.Entry, p.body} {
		e.OnSubmit = s.model.Send
	}
	// Enter goes on to the next field; only Ctrl+Enter sends from a field of one line.
	p.to.Entry.OnEnter = func() { s.canvas().Focus(p.subject.Entry) }
	p.subject.Entry.OnEnter = func() { s.canvas().Focus(p.body) }
	attach := widgets.NewAction("Attach a file", "", widgets.Quiet, func() { s.openFile(s.model.Attach, s.model.AttachFailed) })
	head := widgets.NewColumn(theme.Space3, 0,
		widgets.NewText("Write", theme.Text, theme.SizeTitle, false), p.to.Box,
		widgets.NewColumn(theme.Space1, 0, p.price, widgets.Flush(p.terms), widgets.NewInset(0, 0, 0, -theme.Space2, p.options)), p.subject.Box)
	foot := widgets.NewColumn(theme.Space3, 0, p.files, p.failRow, widgets.NewLine(theme.Space3, 0, widgets.NewLine(0, -1, attach), p.send))
	body := container.New(widgets.Sheet{Width: widgets.ReadingWidth, Gap: theme.Space3}, head, p.body, foot)
	p.root = container.NewStack(widgets.NewFill(theme.Surface), container.NewVScroll(
		widgets.NewPad(theme.Space5, body)))
	return p
}

func (p *writePage) object() fyne.CanvasObject { return p.root }

func (p *writePage) focus() fyne.Focusable {
	if p.to.Entry.Text == "" {
		return p.to.Entry
	}
	return p.body
}

func (p *writePage) refresh() {
	v := p.shell.model.Draft()
	p.to.Entry.Put(v.To)
	p.to.Fault(v.ErrTo)
	p.price.Set(v.Price, theme.Text)
	widgets.Show(p.price, v.Price != "")
	p.terms.Importance = toneImportance(v.PriceTone)
	p.terms.SetText(v.PriceText)
	p.setOptions(v)
	p.subject.Entry.Put(v.Subject)
	p.subject.Fault(v.ErrSubject)
	p.body.Put(v.Body)
	setLabel(p.fault, v.Error)
	widgets.Show(p.topUp, v.MayTopUp)
	widgets.Show(p.failRow, v.Error != "")
	p.send.Set(v.Submit, !v.Sending)
	p.setFiles(v.Files)
}

func (p *writePage) setOptions(v viewmodel.Draft) {
	widgets.Show(p.options, len(v.Options) > 0)
	if len(v.Options) == 0 {
		return
	}
	same := len(p.options.Options) == len(v.Options)
	for i := 0; same && i < len(v.Options); i++ {
		same = p.options.Options[i] == v.Options[i]
	}
	if same && p.options.Selected == v.Options[v.Option] {
		return
	}
	p.options.Options = v.Options
	p.options.Selected = v.Options[v.Option]
	p.options.Refresh()
}

func (p *writePage) setFiles(files []viewmodel.File) {
	key := ""
	for _, f := range files {
		key += f.Name + f.Size + "\x00"
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
			widgets.NewAction("Remove", "", widgets.Link, func() { p.shell.model.Detach(f.N) })))
	}
	p.files.Refresh()
}
