package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// accountPage is the form of the first start, and of further accounts.
type accountPage struct {
	shell  *Shell
	root   *fyne.Container
	fields map[viewmodel.Field]*widgets.Field
	order  []viewmodel.Field
	ca     *widgets.Action
	fault  *widget.Label
	row    *fyne.Container
	add    *widgets.Action
}

func newAccountPage(s *Shell) *accountPage {
	p := &accountPage{shell: s, fields: map[viewmodel.Field]*widgets.Field{}}
	names := []struct {
		field viewmodel.Field
		name  string
	}{
		{viewmodel.FieldAddress, "Mail address"}, {viewmodel.FieldPassword, "Password of the mailbox"},
		{viewmodel.FieldUser, "User name, if it is not the address"},
		{viewmodel.FieldIMAP, "Incoming mail (IMAP)"}, {viewmodel.FieldSMTP, "Outgoing mail (SMTP)"},
		{viewmodel.FieldEscrow, "Escrow, which holds the money"},
	}
	column := widgets.NewColumn(theme.Space3, 0)
	for _, n := range names {
		f := widgets.NewField(n.name, false, n.field == viewmodel.FieldPassword, func(text string) { s.model.SetField(n.field, text) })
		f.Entry.OnSubmit = s.model.AddAccount
		p.fields[n.field] = f
		p.order = append(p.order, n.field)
		column.Add(f.Box)
	}
	p.ca = widgets.NewAction("Trust a further certificate…", "", widgets.Link, func() {
		s.openFile(func(name, _ string, data []byte) { s.model.SetCA(name, data) }, s.model.CAFailed)
	})
	p.fault = widgets.NewPara("", widget.DangerImportance, theme.SizeText)
	p.row = widgets.Flush(p.fault)
	p.row.Hide()
	p.add = widgets.NewAction("Put a price on this inbox", "", widgets.Primary, s.model.AddAccount)
	p.root = newSheet("Put a price on your inbox",
		widgets.Flush(widgets.NewPara("Strangers put down a little money, a bond, to write to you, and get it back unless you reject. Your address, your provider and your mail program stay as they are. The password goes into this computer's keyring and nowhere else.", widget.LowImportance, theme.SizeText)),
		column, widgets.NewLine(0, -1, p.ca), p.row, widgets.NewLine(0, -1, p.add))
	return p
}

func (p *accountPage) object() fyne.CanvasObject { return p.root }

func (p *accountPage) focus() fyne.Focusable { return p.fields[viewmodel.FieldAddress].Entry }

func (p *accountPage) refresh() {
	v := p.shell.model.Form()
	for _, field := range p.order {
		f := p.fields[field]
		f.Entry.Put(v.Values[field])
		if f.Entry.PlaceHolder != v.Hints[field] {
			f.Entry.SetPlaceHolder(v.Hints[field])
		}
		f.Fault(v.Errors[field])
	}
	p.ca.Set(word(v.CAName == "", "Trust a further certificate…", "Trusting "+v.CAName+" too. Choose another…"), true)
	widgets.SetPara(p.fault, p.row, v.Error)
	p.add.Set(word(v.Busy, "Trying the account…", "Put a price on this inbox"), !v.Busy)
}
