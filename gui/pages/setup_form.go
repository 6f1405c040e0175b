package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// setupForm is the first page: address, password or login, and what could not be
// found out.
type setupForm struct {
	shell     *Shell
	root      *fyne.Container
	back      *fyne.Container
	title     *widget.Label
	change    *widgets.Text
	intro     *widget.Label
	fields    map[viewmodel.Field]*widgets.Field
	order     []viewmodel.Field
	found     *note
	elsewhere *note // than in the address's domain
	hint      *note
	where     *note
	secret    *fyne.Container // the password
	keeper    *fyne.Container // the escrow
	signIn    *signInPart
	escrow    *note // that was found
	what      *note // what an escrow is
	manual    *widgets.Action
	manualRow *fyne.Container
	servers   *fyne.Container
	ca        *widgets.Action
	caName    *widgets.Text
	caDrop    *widgets.Action
	caRow     *fyne.Container
	fault     *note
	button    *widgets.Action
	trial     *trialLines
}

// note is a text that wraps and takes no room while it is empty.
type note struct {
	label *widget.Label
	row   *fyne.Container
}

func newNote(importance widget.Importance, size fyne.ThemeSizeName) *note {
	n := &note{label: widgets.NewPara("", importance, size)}
	n.row = widgets.Flush(n.label)
	n.row.Hide()
	return n
}

func (n *note) set(s string) { widgets.SetPara(n.label, n.row, s) }

func (n *note) tone(s string, tone viewmodel.Tone) {
	if i := toneImportance(tone); n.label.Importance != i {
		n.label.Importance = i
		n.label.Refresh()
	}
	n.set(s)
}

func newSetupForm(s *Shell) *setupForm {
	p := &setupForm{shell: s, fields: map[viewmodel.Field]*widgets.Field{}}
	for _, f := range []struct {
		field viewmodel.Field
		name  string
	}{
		{viewmodel.FieldAddress, s.t("start.address")}, {viewmodel.FieldPassword, s.t("start.password")},
		{viewmodel.FieldEscrow, s.t("start.escrow")}, {viewmodel.FieldIMAP, s.t("start.imap")},
		{viewmodel.FieldSMTP, s.t("start.smtp")}, {viewmodel.FieldUser, s.t("start.user")},
	} {
		field := widgets.NewField(f.name, false, f.field == viewmodel.FieldPassword, func(text string) { s.model.SetField(f.field, text) })
		field.Entry.OnSubmit = p.submit
		p.fields[f.field] = field
		p.order = append(p.order, f.field)
	}
	p.parts(s)
	p.secret = widgets.NewColumn(theme.Space1, 0, p.fields[viewmodel.FieldPassword].Box, p.where.row)
	p.keeper = widgets.NewColumn(theme.Space1, 0, p.fields[viewmodel.FieldEscrow].Box, p.what.row)
	body := widgets.NewColumn(theme.Space3, 0,
		widgets.NewColumn(theme.Space1, 0, p.fields[viewmodel.FieldAddress].Box, p.found.row, p.elsewhere.row, p.escrow.row), p.signIn.box,
		p.secret, p.hint.row, p.keeper, p.manualRow, p.servers)
	p.root = newStartSheet(s, widgets.NewColumn(theme.Space2, 0, p.back, widgets.Flush(p.title), p.change),
		widgets.Flush(p.intro), body, p.fault.row, widgets.NewLine(0, -1, p.button), p.trial.box)
	return p
}

func (p *setupForm) parts(s *Shell) {
	p.back = widgets.NewLine(0, -1, widgets.NewAction(s.t("start.back"), "", widgets.Link, s.model.LeaveSetup))
	p.title = widgets.NewPara("", widget.MediumImportance, theme.SizeTitle)
	p.change = widgets.NewText("", theme.Muted, theme.SizeText, false)
	p.change.Cut, p.change.CutStart = true, true
	p.intro = widgets.NewPara("", widget.LowImportance, theme.SizeText)
	p.found, p.hint = newNote(widget.LowImportance, theme.SizeSmall), newNote(widget.WarningImportance, theme.SizeSmall)
	p.elsewhere = newNote(widget.WarningImportance, theme.SizeText)
	p.where, p.what = newNote(widget.LowImportance, theme.SizeSmall), newNote(widget.LowImportance, theme.SizeSmall)
	p.escrow, p.fault = newNote(widget.LowImportance, theme.SizeSmall), newNote(widget.DangerImportance, theme.SizeText)
	p.what.set(s.t("start.escrow.what"))
	p.signIn = newSignInPart(s)
	p.manual = widgets.NewAction("", "", widgets.Link, func() { s.model.SetManual(!s.model.Form().Manual) })
	p.manualRow = widgets.NewLine(0, -1, p.manual)
	p.ca = widgets.NewAction(s.t("start.ca.choose"), "", widgets.Link, func() {
		s.openFile(func(name, _ string, data []byte) { s.model.SetCA(name, data) }, s.model.CAFailed)
	})
	p.caName = widgets.NewText("", theme.Muted, theme.SizeSmall, false)
	p.caName.Cut = true
	p.caDrop = widgets.NewAction(s.t("start.ca.remove"), "", widgets.Link, func() { s.model.SetCA("", nil) })
	p.caRow = widgets.NewLine(theme.Space3, 0, p.caName, p.caDrop)
	p.servers = widgets.NewColumn(theme.Space3, 0, p.fields[viewmodel.FieldIMAP].Box, p.fields[viewmodel.FieldSMTP].Box,
		p.fields[viewmodel.FieldUser].Box, widgets.NewLine(0, -1, p.ca), p.caRow)
	p.button = widgets.NewAction("", "", widgets.Primary, p.submit)
	p.trial = newTrialLines(s)
}

func (p *setupForm) focus() fyne.Focusable {
	if p.fields[viewmodel.FieldAddress].Box.Visible() {
		return p.fields[viewmodel.FieldAddress].Entry
	}
	return p.fields[viewmodel.FieldPassword].Entry
}

// submit tries the account. Where something cannot be tried as it is, the first such
// field gets the focus.
func (p *setupForm) submit() {
	p.shell.model.AddAccount()
	p.shell.Refresh()
	v := p.shell.model.Form()
	for _, field := range p.order {
		if f := p.fields[field]; v.Errors[field] != "" && f.Box.Visible() && p.shell.canvas() != nil {
			p.shell.canvas().Focus(f.Entry)
			return
		}
	}
}

func (p *setupForm) refresh(v viewmodel.Form) {
	s := p.shell
	title, intro := s.t("start.title"), s.t("start.intro")
	switch {
	case v.Change != "":
		title, intro = s.t("start.title-change"), s.t("start.intro-change")
	case !v.First:
		title = s.t("start.title-more")
	}
	setLabel(p.title, title)
	setLabel(p.intro, intro)
	p.change.Set(v.Change, theme.Muted)
	widgets.Show(p.change, v.Change != "")
	widgets.Show(p.back, !v.First)
	for _, field := range p.order {
		f := p.fields[field]
		f.Entry.Put(v.Values[field])
		if f.Entry.PlaceHolder != v.Hints[field] {
			f.Entry.SetPlaceHolder(v.Hints[field])
		}
		f.Fault(v.Errors[field])
	}
	widgets.Show(p.fields[viewmodel.FieldAddress].Box, v.Change == "")
	widgets.Show(p.secret, v.Password)
	widgets.Show(p.keeper, v.AskEscrow)
	p.found.tone(v.Found, v.FoundTone)
	p.elsewhere.set(v.Elsewhere)
	p.hint.set(v.Hint)
	p.where.set(v.Where)
	p.escrow.set(v.Escrow)
	p.signIn.refresh(v.SignIn)
	widgets.Show(p.servers, v.Manual)
	show, hide := s.t("start.manual.show"), s.t("start.manual.hide")
	if v.Change != "" {
		show, hide = s.t("start.manual.change"), s.t("start.manual.leave")
	}
	p.manual.Set(word(v.Manual, hide, show), true)
	widgets.Show(p.manualRow, !v.Manual || v.CanHide)
	p.caName.Set(s.t("start.ca.chosen", "Name", v.CAName), theme.Muted)
	widgets.Show(p.caRow, v.CAName != "")
	p.fault.set(v.Error)
	widgets.Show(p.button, !v.SignIn.Waiting)
	p.button.Set(v.Button, !v.Busy)
	p.trial.refresh(v.Steps)
}

// signInPart stands in the password's place where the provider wants a login.
type signInPart struct {
	shell  *Shell
	box    *fyne.Container
	text   *note
	fault  *note
	shut   *note
	row    *fyne.Container
	copy   *widgets.Action
	url    string
	opened string // the URL that was shown in the browser
}

func newSignInPart(s *Shell) *signInPart {
	// A window that is drawn anew, in another language, shows no page a second time.
	p := &signInPart{shell: s, opened: s.model.Form().SignIn.URL, text: newNote(widget.MediumImportance, theme.SizeText),
		fault: newNote(widget.DangerImportance, theme.SizeSmall), shut: newNote(widget.DangerImportance, theme.SizeSmall)}
	p.copy = widgets.NewAction(s.t("start.login.copy"), "", widgets.Link, func() { s.copy(p.copy, p.url) })
	p.row = widgets.NewLinks(theme.Space4,
		widgets.NewAction(s.t("start.login.again"), "", widgets.Link, p.open), p.copy,
		widgets.NewAction(s.t("start.login.cancel"), "", widgets.Link, s.model.CancelSignIn))
	p.box = widgets.NewColumn(theme.Space2, 0, p.text.row, p.shut.row, p.row, p.fault.row)
	return p
}

func (p *signInPart) open() {
	if p.shell.host.OpenURL == nil || p.url == "" {
		return
	}
	if err := p.shell.host.OpenURL(p.url); err != nil {
		p.shell.model.SignInNotOpened(err)
	}
}

func (p *signInPart) refresh(v viewmodel.SignIn) {
	widgets.Show(p.box, v.Show && v.Text+v.Fault != "")
	p.text.set(v.Text)
	p.shut.set(v.Shut)
	p.fault.set(v.Fault)
	widgets.Show(p.row, v.Waiting)
	p.url = v.URL
	if v.URL != "" && v.URL != p.opened {
		p.opened = v.URL
		p.open()
	}
}
