package pages

import (
	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// limitsPart is what mails may cost, a form for each currency.
type limitsPart struct {
	shell *Shell
	root  *fyne.Container
	list  *fyne.Container
	why   *widget.Label
	fault *widget.Label
	row   *fyne.Container
	forms map[string]*limitForm
	order string
}

// limitForm is the limits of one currency.
type limitForm struct {
	box       *fyne.Container
	name      *widgets.Text
	mail, day *widgets.Field
	left      *widget.Label
	leftRow   *fyne.Container
	hereRow   *fyne.Container
	stop      *fyne.Container
	done      *widget.Label
	doneRow   *fyne.Container
	fault     *widget.Label
	faultRow  *fyne.Container
	save      *widgets.Action
	undo      *widgets.Action
}

func newLimitsPart(s *Shell) *limitsPart {
	p := &limitsPart{shell: s, list: widgets.NewColumn(theme.Space4, 0), forms: map[string]*limitForm{}}
	p.fault = widgets.NewPara("", widget.DangerImportance, theme.SizeText)
	p.row = widgets.Flush(p.fault)
	p.why = widgets.NewPara("", widget.LowImportance, theme.SizeSmall)
	p.root = widgets.NewColumn(theme.Space4, 0, widgets.NewColumn(theme.Space2, 0,
		widgets.NewText(s.t("limits.title"), theme.Text, theme.SizeText, true), widgets.Flush(p.why)), p.row, p.list)
	return p
}

func (p *limitsPart) refresh() {
	v := p.shell.model.Limits()
	fault := ""
	if !v.Loaded {
		fault = v.LoadErr
	}
	widgets.SetPara(p.fault, p.row, fault)
	why := p.shell.t("limits.why")
	if v.Escrow {
		why += " " + p.shell.t("limits.escrow")
	}
	setLabel(p.why, why)
	order := ""
	for _, l := range v.List {
		order += l.Currency + "\x00"
	}
	if order != p.order {
		p.order = order
		p.list.Objects = nil
		for _, l := range v.List {
			f, ok := p.forms[l.Currency]
			if !ok {
				f = p.form(l.Currency)
				p.forms[l.Currency] = f
			}
			p.list.Add(f.box)
		}
		p.list.Refresh()
	}
	for _, l := range v.List {
		p.forms[l.Currency].show(p.shell, l)
	}
}

func (p *limitsPart) form(currency string) *limitForm {
	s := p.shell
	f := &limitForm{name: cut("", theme.Text, theme.SizeText)}
	field := func(name string, set func(currency, text string)) *widgets.Field {
		field := widgets.NewField(name, false, false, func(text string) { set(currency, text) })
		field.Entry.SetPlaceHolder(s.t("limits.none"))
		field.Entry.OnSubmit = func() { s.model.SaveLimit(currency) }
		return field
	}
	f.mail, f.day = field(s.t("limits.mail"), s.model.SetLimitMail), field(s.t("limits.day"), s.model.SetLimitDay)
	fixed := func(field *widgets.Field) fyne.CanvasObject {
		return &fyne.Container{Layout: widgets.Fixed{Width: 168}, Objects: []fyne.CanvasObject{field.Box}}
	}
	f.left = widgets.NewPara("", widget.MediumImportance, theme.SizeText)
	icon := widget.NewIcon(fynetheme.NewErrorThemedResource(fynetheme.WarningIcon()))
	f.stop = widgets.NewInset(0, theme.Space2, 0, 0, icon)
	f.leftRow = widgets.Dock(nil, nil, f.stop, nil, widgets.Flush(f.left))
	f.hereRow = widgets.Flush(widgets.NewPara(s.t("limits.here"), widget.WarningImportance, theme.SizeText))
	f.done = widgets.NewPara("", widget.SuccessImportance, theme.SizeText)
	f.doneRow = widgets.Flush(f.done)
	f.fault = widgets.NewPara("", widget.DangerImportance, theme.SizeText)
	f.faultRow = widgets.Flush(f.fault)
	f.save = widgets.NewAction(s.t("save"), "", widgets.Quiet, func() { s.model.SaveLimit(currency) })
	f.undo = widgets.NewAction(s.t("undo.changes"), "", widgets.Link, func() { s.model.UndoLimit(currency) })
	f.box = widgets.NewColumn(theme.Space3, 0, f.name, widgets.NewWrap(theme.Space4, fixed(f.mail), fixed(f.day)),
		f.hereRow, f.leftRow, f.faultRow, f.doneRow, widgets.NewWrap(theme.Space4, f.save, f.undo))
	return f
}

func (f *limitForm) show(s *Shell, v viewmodel.LimitView) {
	f.name.Set(v.Name, theme.Text)
	f.mail.Entry.Put(v.Mail)
	f.mail.Fault(v.ErrMail)
	f.day.Entry.Put(v.Day)
	f.day.Fault(v.ErrDay)
	tone := widget.MediumImportance
	if v.Reached {
		tone = widget.DangerImportance
	}
	if f.left.Importance != tone {
		f.left.Importance = tone
		f.left.Refresh()
	}
	setLabel(f.left, v.Left)
	widgets.Show(f.hereRow, v.HereOnly)
	widgets.Show(f.stop, v.Reached)
	widgets.Show(f.leftRow, v.Left != "")
	widgets.SetPara(f.fault, f.faultRow, v.Error)
	widgets.SetPara(f.done, f.doneRow, v.Done)
	f.save.Set(word(v.Busy, s.t("saving"), s.t("save")), (v.Changed || v.HereOnly) && !v.Busy)
	widgets.Show(f.undo, v.Changed && !v.Busy)
}
