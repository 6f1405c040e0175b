package pages

import (
	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
	"earnest/gui/words"
)

const (
	low    = widget.LowImportance
	good   = widget.SuccessImportance
	danger = widget.DangerImportance
)

// accountList is the accounts with their states.
type accountList struct {
	shell *Shell
	box   *fyne.Container
	rows  []*accountPart
}

type accountPart struct {
	box     *fyne.Container
	address *widgets.Text
	mailbox *stateLine
	escrow  *stateLine
	pool    *note
	id      *note
	change  *widgets.Action
	card    *widgets.Action
	safety  *widgets.Action
	remove  *questionPart
	view    viewmodel.AccountRow
}

// stateLine is a sentence behind an icon that says how it is.
type stateLine struct {
	box  *fyne.Container
	icon *widget.Icon
	text *widget.Label
	well bool
}

func newStateLine() *stateLine {
	l := &stateLine{icon: widget.NewIcon(nil), text: widgets.NewPara("", widget.MediumImportance, theme.SizeSmall)}
	l.box = widgets.Dock(nil, nil, widgets.NewInset(0, theme.Space2, 0, 0, widgets.NewTop(l.icon)), nil, widgets.Flush(l.text))
	return l
}

func (l *stateLine) set(text string, well bool) {
	if l.icon.Resource == nil || well != l.well {
		l.well = well
		l.icon.SetResource(fynetheme.NewWarningThemedResource(fynetheme.WarningIcon()))
		if well {
			l.icon.SetResource(stepIcon("ok"))
		}
	}
	setLabel(l.text, text)
}

// waits is a sentence about what is under way.
func (l *stateLine) waits(text string) {
	if l.icon.Resource == nil {
		l.icon.SetResource(stepIcon("trying"))
	}
	setLabel(l.text, text)
}

func newAccountList(s *Shell) *accountList {
	return &accountList{shell: s, box: widgets.NewColumn(theme.Space4, 0)}
}

func (l *accountList) refresh(rows []viewmodel.AccountRow) {
	for len(l.rows) < len(rows) {
		p := newAccountPart(l.shell)
		l.rows = append(l.rows, p)
		l.box.Add(p.box)
	}
	for i, p := range l.rows {
		widgets.Show(p.box, i < len(rows))
		if i < len(rows) {
			p.refresh(l.shell, rows[i])
		}
	}
}

// focus puts the focus where the safety of an account is opened.
func (l *accountList) focus(c fyne.Canvas, address string) {
	for _, p := range l.rows {
		if p.box.Visible() && p.view.Address == address {
			c.Focus(p.safety)
		}
	}
}

func newAccountPart(s *Shell) *accountPart {
	p := &accountPart{address: widgets.NewText("", theme.Text, theme.SizeText, false), mailbox: newStateLine(), escrow: newStateLine(),
		pool: newNote(low, theme.SizeSmall), id: newNote(low, theme.SizeSmall)}
	p.address.Cut, p.address.CutStart = true, true
	p.id.label.Wrapping = fyne.TextWrapBreak
	p.id.label.Selectable = true
	p.change = widgets.NewAction("", "", widgets.Link, func() { s.model.ChangeAccount(p.view.Address) })
	p.card = widgets.NewAction(s.t("settings.account.card"), "", widgets.Link, func() { s.copy(p.card, p.view.Card.Text) })
	ask := widgets.NewAction(s.t("settings.account.remove"), "", widgets.Link, func() { s.model.AskRemoveAccount(p.view.Address) })
	p.safety = widgets.NewAction(s.t("settings.account.safety"), "", widgets.Link, func() { s.model.OpenSafety(p.view.Address) })
	p.remove = newRemovePart(s, ask)
	p.box = widgets.NewColumn(theme.Space1, 0, p.address, p.mailbox.box, p.escrow.box, p.pool.row, p.id.row, widgets.NewLinks(theme.Space4, p.change, p.card, p.safety, ask), p.remove.box)
	return p
}

func (p *accountPart) refresh(s *Shell, v viewmodel.AccountRow) {
	p.view = v
	p.address.Set(v.Address, theme.Text)
	p.mailbox.set(v.Mailbox, !v.Trouble)
	p.escrow.set(v.Escrow, !v.Away && !v.Frozen)
	p.pool.set(v.Pool)
	p.id.set(s.t("settings.account.identity", "Identity", v.Identity))
	p.change.Set(word(v.Trouble, s.t("settings.account.sign-in"), s.t("settings.account.change")), true)
	widgets.Show(p.card, v.Card.Text != "")
	p.remove.refresh(s, v.Removal, s.t("settings.remove.busy"))
}

// payingPart is the user model.
type payingPart struct {
	shell  *Shell
	box    *fyne.Container
	models *choices
	money  *choices
	none   *note
	limits *fyne.Container
	limit  *note
	open   *note
	fault  *note
}

func newPayingPart(s *Shell) *payingPart {
	p := &payingPart{shell: s, models: newChoices(s.model.SetModel), money: newChoices(s.model.SetCurrency),
		none: newNote(low, theme.SizeSmall), limit: newNote(widget.MediumImportance, theme.SizeSmall),
		open: newNote(widget.WarningImportance, theme.SizeSmall), fault: newNote(danger, theme.SizeSmall)}
	p.none.set(s.t("settings.currency.none"))
	link := widgets.NewAction(s.t("settings.limit.change"), "", widgets.Link, func() { s.model.Show(viewmodel.PageMoney) })
	p.limits = widgets.NewColumn(0, 0, p.limit.row, p.open.row, widgets.NewLine(0, -1, link))
	under := widgets.NewInset(0, 0, 0, 16+theme.Space3, widgets.NewColumn(theme.Space1, 0, p.money.box, p.none.row, p.limits))
	p.box = widgets.NewColumn(theme.Space1, 0, p.models.box, under, p.fault.row)
	return p
}

func (p *payingPart) refresh(v viewmodel.Settings) {
	p.models.refresh(v.Models)
	p.money.refresh(v.Currencies)
	widgets.Show(p.none.row, v.NoCurrency)
	limits := ""
	for i, l := range v.Limits {
		limits += word(i > 0, "\n", "") + l
	}
	p.limit.set(limits)
	p.open.set(v.NoLimit)
	widgets.Show(p.limits, limits+v.NoLimit != "")
	p.fault.set(v.Error)
}

// group is options of which one holds, kept by the program around the window. A
// failure to keep one is said below, and the choice stays as it was.
func group[T comparable](row bool, now T, set func(T) error, fail func(error) string, list []T, names func(T) (title, text string)) *fyne.Container {
	fault := newNote(danger, theme.SizeSmall)
	var options []*widgets.Option
	for _, value := range list {
		t, text := names(value)
		o := widgets.NewOption(t, text, false, nil)
		o.On = value == now
		o.OnTapped = func() {
			if err := set(value); err != nil {
				fault.set(fail(err))
				return
			}
			fault.set("")
			for _, other := range options {
				other.Set(other == o)
			}
		}
		options = append(options, o)
	}
	return widgets.NewColumn(theme.Space1, 0, stand(row, options), fault.row)
}

// onOff is a switch, kept likewise.
func onOff(s *Shell, title, text string, now bool, set func(bool) error) *fyne.Container {
	fault := newNote(danger, theme.SizeSmall)
	o := widgets.NewOption(title, text, true, nil)
	o.On = now
	o.OnTapped = func() {
		if err := set(!o.On); err != nil {
			fault.set(s.notSaved(err))
			return
		}
		fault.set("")
		o.Set(!o.On)
	}
	return widgets.NewColumn(theme.Space1, 0, o, fault.row)
}

func (s *Shell) notSaved(err error) string {
	return s.t("settings.not-saved", "Why", s.model.Why(err))
}

func named(name string, o fyne.CanvasObject) *fyne.Container {
	return widgets.NewColumn(0, 0, widgets.NewText(name, theme.Muted, theme.SizeSmall, false), o)
}

// newWindowPart is language, look and size of the text.
func newWindowPart(s *Shell) *fyne.Container {
	look := func(choice theme.Choice) error {
		if s.host.SetLook != nil {
			s.host.SetLook(choice)
			s.host.Look = choice
		}
		return nil
	}
	looks := group(true, s.host.Look, look, s.notSaved, []theme.Choice{theme.System, theme.Light, theme.Dark}, func(c theme.Choice) (string, string) {
		return s.t("settings.look." + string(c)), ""
	})
	if s.host.Prefs == nil {
		return named(s.t("settings.look"), looks)
	}
	languages := group(true, s.host.Prefs.Language(), s.host.Prefs.SetLanguage, s.notSaved, []words.Language{"", words.English, words.German},
		func(l words.Language) (string, string) {
			if l == "" {
				return s.t("settings.language.system"), ""
			}
			return words.Languages()[l], ""
		})
	return widgets.NewColumn(theme.Space3, 0, named(s.t("settings.language"), languages), named(s.t("settings.look"), looks),
		named(s.t("settings.size"), newSizePart(s)))
}

// newSizePart is the size of the text, in steps that can be seen at once.
func newSizePart(s *Shell) *fyne.Container {
	const step = 10
	fault := newNote(danger, theme.SizeSmall)
	now := widgets.NewText("", theme.Text, theme.SizeText, false)
	now.Align = fyne.TextAlignCenter
	smaller := widgets.NewAction(s.t("settings.size.smaller"), "", widgets.Quiet, nil)
	larger := widgets.NewAction(s.t("settings.size.larger"), "", widgets.Quiet, nil)
	show := func() {
		size := s.host.Prefs.TextSize()
		now.Set(s.t("settings.size.now", "N", size), theme.Text)
		smaller.Set(smaller.Text, size > MinTextSize)
		larger.Set(larger.Text, size < MaxTextSize)
	}
	change := func(by int) {
		size := min(max(s.host.Prefs.TextSize()+by, MinTextSize), MaxTextSize)
		fault.set("")
		if err := s.host.Prefs.SetTextSize(size); err != nil {
			fault.set(s.notSaved(err))
		}
		show()
	}
	smaller.OnTapped, larger.OnTapped = func() { change(-step) }, func() { change(step) }
	show()
	return widgets.NewColumn(theme.Space1, 0, widgets.NewInset(theme.Space1, 0, 0, 0, widgets.NewWrap(theme.Space3, smaller,
		&fyne.Container{Layout: widgets.Fixed{Width: 56}, Objects: []fyne.CanvasObject{widgets.NewInset(theme.Space2, 0, theme.Space2, 0, now)}}, larger)), fault.row)
}

// newStartPart is what the program does without the window.
func newStartPart(s *Shell) *fyne.Container {
	p := s.host.Prefs
	notify := group(false, p.Notifications(), p.SetNotifications, s.notSaved, []Notifications{NotifyFull, NotifyPlain, NotifyNone},
		func(n Notifications) (string, string) { return s.t("settings.notify." + string(n)), "" })
	return widgets.NewColumn(theme.Space1, 0,
		onOff(s, s.t("settings.login"), s.t("settings.login-text"), p.StartAtLogin(), p.SetStartAtLogin),
		onOff(s, s.t("settings.hidden"), s.t("settings.hidden-text"), p.StartHidden(), p.SetStartHidden),
		onOff(s, s.t("settings.tray"), s.t("settings.tray-text"), p.Tray(), p.SetTray),
		widgets.NewInset(theme.Space2, 0, 0, 0, named(s.t("settings.notify"), notify)))
}
