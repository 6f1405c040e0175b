package pages

import (
	"io"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/storage"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"earnest/agentclient"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// recipientList is the recipients under the address field, each with its offer.
type recipientList struct {
	shell *Shell
	box   *fyne.Container
	lines []*recipientLine // kept, so that what has the focus stays
}

func newRecipientList(s *Shell) *recipientList {
	l := &recipientList{shell: s, box: widgets.NewColumn(theme.Space3, 0)}
	l.box.Hide()
	return l
}

func (l *recipientList) refresh(list []viewmodel.Recipient, sending bool) {
	changed := false
	for i, r := range list {
		at := slices.IndexFunc(l.lines, func(line *recipientLine) bool { return line.address == r.Address })
		switch {
		case at < 0:
			l.lines = slices.Insert(l.lines, i, newRecipientLine(l.shell, r.Address))
			changed = true
		case at != i:
			line := l.lines[at]
			l.lines = slices.Insert(slices.Delete(l.lines, at, at+1), i, line)
			changed = true
		}
		l.lines[i].refresh(r, sending)
	}
	changed = changed || len(l.lines) > len(list)
	l.lines = l.lines[:len(list)]
	widgets.Show(l.box, len(list) > 0)
	if !changed {
		return
	}
	l.box.Objects = nil
	for _, line := range l.lines {
		l.box.Add(line.box)
	}
	l.box.Refresh()
}

// focus goes to what can be chosen about the recipients.
func (l *recipientList) focus(c fyne.Canvas) {
	for _, line := range l.lines {
		switch {
		case len(line.options) > 0:
			c.Focus(line.options[0])
		case line.paid.Visible():
			c.Focus(line.paid)
		default:
			continue
		}
		return
	}
}

// recipientLine is one recipient: the address, what it costs, what that means,
// and the ways to pay where there is a choice.
type recipientLine struct {
	shell   *Shell
	address string
	box     *fyne.Container
	name    *widget.Label
	cost    *widgets.Text
	remove  *widgets.Action
	retry   *widgets.Action
	text    *widget.Label
	textRow *fyne.Container
	ways    *fyne.Container
	options []*widgets.Option
	labels  []string
	paid    *widgets.Option
	other   *fyne.Container // where another fingerprint is shown than before
	print   *widgets.Field
	accept  *widgets.Action
}

func newRecipientLine(s *Shell, address string) *recipientLine {
	l := &recipientLine{shell: s, address: address}
	// An address is never cut: its end is what tells whose it is.
	l.name = widgets.NewPara(address, widget.MediumImportance, theme.SizeText)
	l.name.Wrapping = fyne.TextWrapBreak
	l.name.TextStyle.Bold = true
	l.cost = widgets.NewText("", theme.Text, theme.SizeText, true)
	l.remove = widgets.NewAction(s.t("write.remove"), "", widgets.Link, func() { s.model.RemoveTo(address) })
	l.retry = widgets.NewAction(s.t("write.retry"), "", widgets.Link, func() { s.model.AskAgain(address) })
	l.text = widgets.NewPara("", widget.LowImportance, theme.SizeText)
	l.textRow = widgets.Flush(l.text)
	l.ways = widgets.NewColumn(0, 0)
	l.ways.Hide()
	l.paid = widgets.NewOption("", "", true, func() { s.model.SetPaid(address, !l.paid.On) })
	l.paid.Hide()
	accept := func() { s.model.AcceptFingerprint(address) }
	l.print = widgets.NewField(s.t("write.fingerprint"), false, false, func(text string) { s.model.TypeFingerprint(address, text) })
	l.print.Entry.OnSubmit = accept
	l.accept = widgets.NewAction(s.t("write.fingerprint.accept"), "", widgets.Quiet, accept)
	l.other = widgets.NewColumn(theme.Space2, widgets.FormWidth, l.print.Box, hinted(s.t("write.fingerprint.means")), widgets.NewLine(0, -1, l.accept))
	l.other.Hide()
	right := widgets.NewLine(theme.Space4, -1, l.cost, l.retry, l.remove)
	wants := func() float32 {
		return fyne.MeasureText(address, l.name.Theme().Size(theme.SizeText), l.name.TextStyle).Width + 1
	}
	l.box = widgets.NewColumn(theme.Space1, 0,
		widgets.NewApart(theme.Space3, widgets.Flush(l.name), wants, right),
		l.textRow, l.other, l.ways, l.paid)
	return l
}

func (l *recipientLine) refresh(r viewmodel.Recipient, sending bool) {
	l.cost.Set(r.Cost, toneColor(r.CostTone))
	widgets.Show(l.cost, r.Cost != "")
	widgets.Show(l.remove, !r.Typing && !sending)
	widgets.Show(l.retry, r.Retry && !sending)
	if importance := toneImportance(r.Tone); l.text.Importance != importance {
		l.text.Importance = importance
		l.text.Refresh()
	}
	widgets.SetPara(l.text, l.textRow, r.Text)
	widgets.Show(l.other, r.Alarm && !sending)
	l.print.Entry.Put(r.Print)
	l.print.Fault(r.PrintFault)
	l.accept.Set(word(r.PrintBusy, l.shell.t("write.fingerprint.busy"), l.shell.t("write.fingerprint.accept")), !r.PrintBusy)
	if !slices.Equal(l.labels, r.Ways) {
		l.labels = r.Ways
		l.options = nil
		for i, label := range r.Ways {
			l.options = append(l.options, widgets.NewOption(label, "", false, func() { l.shell.model.SetOption(l.address, i) }))
		}
		l.ways.Objects = []fyne.CanvasObject{widgets.NewOptions(l.options...)}
		l.ways.Refresh()
	}
	widgets.Show(l.ways, len(r.Ways) > 0)
	for i, o := range l.options {
		o.Set(i == r.Way)
	}
	widgets.Show(l.paid, r.MayPay)
	if l.paid.Title != r.PaidText {
		l.paid.Title = r.PaidText
		l.paid.Refresh()
	}
	l.paid.Set(r.Paid)
}

// fileList is what is attached.
type fileList struct {
	shell *Shell
	box   *fyne.Container
	rows  *fyne.Container
	note  *widget.Label
	said  *fyne.Container
	fault *widget.Label
	row   *fyne.Container
	key   string
}

func newFileList(s *Shell) *fileList {
	l := &fileList{shell: s, rows: widgets.NewColumn(0, 0), note: widgets.NewPara("", widget.LowImportance, theme.SizeSmall),
		fault: widgets.NewPara("", widget.DangerImportance, theme.SizeSmall)}
	l.said = widgets.Flush(l.note)
	l.row = widgets.Flush(l.fault)
	l.row.Hide()
	l.box = widgets.NewColumn(theme.Space1, 0, l.rows, l.said, l.row)
	return l
}

func (l *fileList) refresh(v viewmodel.Draft) {
	widgets.SetPara(l.fault, l.row, v.ErrFiles)
	widgets.SetPara(l.note, l.said, v.FilesNote)
	widgets.Show(l.rows, len(v.Files) > 0)
	widgets.Show(l.box, len(v.Files) > 0 || v.ErrFiles != "")
	key := ""
	for _, f := range v.Files {
		key += f.Name + f.Size + "\x00"
	}
	if key == l.key {
		return
	}
	l.key = key
	l.rows.Objects = nil
	for _, f := range v.Files {
		name := widgets.NewText(f.Name, theme.Text, theme.SizeText, false)
		name.Cut, name.CutStart = true, true // its end tells the kind of file
		l.rows.Add(widgets.NewLine(theme.Space2, 1,
			widget.NewIcon(fynetheme.NewDisabledResource(fynetheme.MailAttachmentIcon())), name,
			widgets.NewText(f.Size, theme.Muted, theme.SizeSmall, false),
			widgets.NewAction(l.shell.t("write.remove"), "", widgets.Link, func() { l.shell.model.Detach(f.N) })))
	}
	l.rows.Refresh()
}

// chooseFile lets the person choose a file to attach.
func (p *writePage) chooseFile() {
	p.shell.pickFile(func(r fyne.URIReadCloser) { go p.read(r) }, p.shell.model.AttachFailed)
}

// dropped attaches what was let go over the window, while a mail is written.
func (p *writePage) dropped(_ fyne.Position, uris []fyne.URI) {
	m := p.shell.model
	if m.Page() != viewmodel.PageWrite || m.Draft().Preview {
		return
	}
	go func() {
		for _, uri := range uris {
			if folder, err := storage.CanList(uri); err == nil && folder {
				m.AttachFolder(uri.Name())
				continue
			}
			r, err := storage.Reader(uri)
			if err != nil {
				m.AttachFailed(uri.Name(), err)
				continue
			}
			p.read(r)
		}
	}()
}

// read attaches a file's content. It runs apart from the drawing goroutine.
func (p *writePage) read(r fyne.URIReadCloser) {
	defer r.Close()
	m, uri := p.shell.model, r.URI()
	data, err := io.ReadAll(io.LimitReader(r, agentclient.MaxMail+1))
	switch {
	case err != nil:
		m.AttachFailed(uri.Name(), err)
	case len(data) > agentclient.MaxMail:
		m.AttachTooLarge(uri.Name())
	default:
		m.Attach(uri.Name(), uri.MimeType(), data)
	}
}
