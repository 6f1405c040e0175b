package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// settingsPage is the accounts, how one pays, the window, and what helps. Log,
// report, checks and keys are pages of their own behind it.
type settingsPage struct {
	shell    *Shell
	root     *fyne.Container
	main     *fyne.Container
	behind   map[string]*behindPage
	open     string // the page behind that is shown; empty for the settings
	safe     string // the account whose safety was looked at last
	accounts *accountList
	paying   *payingPart
	done     *note
	agent    *note
	links    []*widgets.Action
}

// behindPage is one of the pages behind the settings.
type behindPage struct {
	root    *fyne.Container
	first   fyne.Focusable
	load    func() // what to ask when it is opened
	refresh func()
}

func newSettingsPage(s *Shell) *settingsPage {
	p := &settingsPage{shell: s, accounts: newAccountList(s), paying: newPayingPart(s), done: newNote(good, theme.SizeText),
		agent: newNote(low, theme.SizeSmall)}
	p.behind = map[string]*behindPage{"doctor": newDoctorPage(s, p.back), "log": newLogPage(s, p.back),
		"report": newReportPage(s, p.back), "keys": newKeysPage(s, p.back), "safety": newSafetyPage(s)}
	add := widgets.NewAction(s.t("settings.account.add"), "", widgets.Quiet, s.model.NewAccount)
	help := widgets.NewColumn(0, 0)
	for _, l := range [][2]string{{"doctor", s.t("settings.help.doctor")}, {"log", s.t("settings.help.log")},
		{"report", s.t("settings.help.report")}, {"keys", s.t("settings.help.keys")}} {
		link := widgets.NewAction(l[1], "", widgets.Link, func() { p.show(l[0]) })
		p.links = append(p.links, link)
		help.Add(widgets.NewLine(0, -1, link))
	}
	parts := []fyne.CanvasObject{title(s.t("settings.title")),
		section(s.t("settings.accounts"), p.done.row, p.accounts.box, widgets.NewLine(0, -1, add)), widgets.NewHairline(),
		section(s.t("settings.paying"), p.paying.box), widgets.NewHairline(),
		section(s.t("settings.window"), newWindowPart(s))}
	if s.host.Prefs != nil {
		parts = append(parts, widgets.NewHairline(), section(s.t("settings.start"), newStartPart(s)))
	}
	parts = append(parts, widgets.NewHairline(), section(s.t("settings.help"), help), p.agent.row)
	p.main = newSheetOf(parts...)
	p.root = container.NewStack(p.main)
	for _, b := range p.behind {
		b.root.Hide()
		p.root.Add(b.root)
	}
	return p
}

// title is the name of a page.
func title(s string) fyne.CanvasObject {
	return widgets.Flush(widgets.NewPara(s, widget.MediumImportance, theme.SizeTitle))
}

// section is a part of the settings under its name.
func section(name string, objects ...fyne.CanvasObject) *fyne.Container {
	return widgets.NewColumn(theme.Space3, 0, append([]fyne.CanvasObject{widgets.NewText(name, theme.Text, theme.SizeText, true)}, objects...)...)
}

func (p *settingsPage) object() fyne.CanvasObject { return p.root }

// show opens a page behind the settings, or the settings again.
func (p *settingsPage) show(name string) {
	left := p.open
	p.open = name
	widgets.Show(p.main, name == "")
	for key, b := range p.behind {
		widgets.Show(b.root, key == name)
	}
	b := p.behind[name]
	if b != nil && b.load != nil {
		b.load()
	}
	p.refresh()
	c := p.shell.canvas()
	switch {
	case c == nil:
	case b != nil:
		c.Focus(b.first)
	case left == "safety":
		p.accounts.focus(c, p.safe)
	default:
		c.Focus(p.links[map[string]int{"doctor": 0, "log": 1, "report": 2, "keys": 3}[left]])
	}
}

func (p *settingsPage) back() { p.show("") }

// scroll is what the settings are scrolled by.
func (p *settingsPage) scroll() *container.Scroll { return p.main.Objects[1].(*container.Scroll) }

func (p *settingsPage) typedKey(e *fyne.KeyEvent) bool {
	switch {
	case e.Name != fyne.KeyEscape:
		return false
	case p.open == "safety" && p.shell.model.Safety().Delete.Asked:
		p.shell.model.KeepDelete()
		return true
	case p.open == "safety":
		p.shell.model.CloseSafety()
		return true
	case p.open != "":
		p.back()
		return true
	}
	for _, a := range p.shell.model.Settings().Accounts {
		if a.Removal.Asked {
			p.shell.model.KeepAccount()
			return true
		}
	}
	return false
}

func (p *settingsPage) refresh() {
	// Which account's safety is looked at, the model knows: a banner leads there, too.
	switch safe := p.shell.model.Safety(); {
	case safe.Open && p.open != "safety":
		p.safe = safe.Address
		p.show("safety")
		return
	case !safe.Open && p.open == "safety":
		p.back()
		return
	}
	if b := p.behind[p.open]; b != nil {
		b.refresh()
		return
	}
	v := p.shell.model.Settings()
	p.done.set(v.Done)
	p.agent.set(v.Agent)
	p.accounts.refresh(v.Accounts)
	p.paying.refresh(v)
}

// choices draws options that the model lists; they are made anew only where
// there are others.
type choices struct {
	box     *fyne.Container
	row     bool // beside each other
	options []*widgets.Option
	key     string
	choose  func(id string)
}

func newChoices(choose func(string)) *choices {
	return &choices{box: widgets.NewColumn(0, 0), choose: choose}
}

func (c *choices) refresh(list []viewmodel.Choice) {
	key := ""
	for _, v := range list {
		key += v.ID + "\x00" + v.Title + "\x00" + v.Text + "\x01"
	}
	if key != c.key {
		c.key, c.options = key, nil
		for _, v := range list {
			c.options = append(c.options, widgets.NewOption(v.Title, v.Text, false, func() { c.choose(v.ID) }))
		}
		c.box.Objects = []fyne.CanvasObject{stand(c.row, c.options)}
		c.box.Refresh()
	}
	for i, v := range list {
		c.options[i].Set(v.Chosen)
	}
	widgets.Show(c.box, len(list) > 0)
}

// stand puts options beside or below each other.
func stand(row bool, options []*widgets.Option) *fyne.Container {
	if row {
		return widgets.NewOptionRow(options...)
	}
	return widgets.NewOptions(options...)
}
