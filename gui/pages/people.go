package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"earnest/agentclient"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// peoplePage is who writes free, and why, beside the one that was chosen.
type peoplePage struct {
	shell           *Shell
	root            *fyne.Container
	reading, narrow bool
	search          *widgets.Entry
	list            *widgets.RowList
	count           *widgets.Text
	foot            *fyne.Container
	empty           *emptyState
	hint, pane      *fyne.Container
	scroll          *container.Scroll
	person          *personPane
	shown           string
}

func newPeoplePage(s *Shell) *peoplePage {
	p := &peoplePage{shell: s, empty: newEmptyState(s), count: widgets.NewText("", theme.Muted, theme.SizeSmall, false)}
	p.search = widgets.NewEntry(false, s.model.SearchPeople)
	p.search.SetPlaceHolder(s.t("people.search"))
	p.search.OnEscape = func() { s.model.SearchPeople("") }
	p.list = widgets.NewRowList(s.model.SelectPerson)
	p.count.Cut = true
	p.person = newPersonPane(s)
	top := widgets.NewColumn(0, 0, widgets.NewInset(theme.Space3, theme.Space4, theme.Space3, theme.Space4, p.search), widgets.NewHairline())
	p.foot = widgets.NewColumn(0, 0, widgets.NewHairline(), widgets.NewInset(theme.Space2, theme.Space4, theme.Space2, theme.Space4, p.count))
	left := widgets.Dock(top, p.foot, nil, nil, container.NewStack(p.list, p.empty.root))
	p.scroll = container.NewVScroll(widgets.NewInset(theme.Space4, theme.Space5, theme.Space5, theme.Space5, p.person.body))
	p.pane = container.NewStack(p.scroll)
	p.hint = newHint(s.t("people.hint"), nil)
	p.root = &fyne.Container{
		Layout: widgets.Split{Reading: &p.reading, Narrow: &p.narrow, Turned: func() { widgets.Show(p.person.backRow, p.narrow) }},
		Objects: []fyne.CanvasObject{left, widgets.NewHairline(),
			container.NewStack(widgets.NewFill(theme.Surface), p.hint, p.pane)},
	}
	return p
}

func (p *peoplePage) object() fyne.CanvasObject { return p.root }

func (p *peoplePage) refresh() {
	v := p.shell.model.People()
	p.search.Put(v.Search)
	p.list.SetRows(v.Len, v.Selected, func(i int) widgets.RowData { return rowData(p.shell.model.PersonRow(i)) })
	widgets.Show(p.list, v.Len > 0)
	p.empty.set(v.Empty, v.Len == 0)
	p.count.Set(v.Count, theme.Muted)
	widgets.Show(p.foot, v.Count != "")
	person := p.shell.model.Person()
	widgets.Show(p.hint, person.Hint)
	widgets.Show(p.pane, person.Show)
	p.person.refresh(person)
	if who := person.Name + person.Address; who != p.shown {
		p.shown = who
		p.scroll.ScrollToTop()
	}
	turned := p.reading != v.Reading
	p.reading = v.Reading
	if turned && p.narrow {
		p.root.Refresh()
	}
}

func (p *peoplePage) typedRune(r rune) bool {
	switch r {
	case '/':
		p.shell.search(p.search)
	case 'j', 'J':
		p.shell.model.MovePerson(1)
	case 'k', 'K':
		p.shell.model.MovePerson(-1)
	default:
		return false
	}
	return true
}

func (p *peoplePage) keyList() []keyHelp {
	return []keyHelp{{"J  K", p.shell.t("keys.move")}, {"/", p.shell.t("people.search")}}
}

func (p *peoplePage) typedKey(e *fyne.KeyEvent) bool {
	switch e.Name {
	case fyne.KeyDown:
		p.shell.model.MovePerson(1)
	case fyne.KeyUp:
		p.shell.model.MovePerson(-1)
	case fyne.KeyEscape, fyne.KeyLeft:
		m := p.shell.model
		if v := m.People(); e.Name == fyne.KeyEscape && v.Search != "" && !(p.narrow && v.Reading) {
			m.SearchPeople("")
			return true
		}
		m.LeavePerson()
	default:
		return false
	}
	return true
}

// personPane is one connection and what can be done about it.
type personPane struct {
	shell   *Shell
	body    *fyne.Container
	backRow *fyne.Container
	name    *widget.Label
	address *widgets.Text
	account *widgets.Text
	facts   map[string]*widget.Label
	always  *widgets.Option
	counted *widgets.Option
	count   *widgets.Entry
	fault   *note
	save    *widgets.Action
	none    *widgets.Option
	said    *note
	remove  *fyne.Container
	keep    *widgets.Action
	ask     *fyne.Container
	means   *widget.Label
	asked   bool
	to      string
}

func newPersonPane(s *Shell) *personPane {
	p := &personPane{shell: s, facts: map[string]*widget.Label{}, said: newNote(good, theme.SizeText)}
	p.backRow = widgets.NewLine(0, -1, widgets.NewAction(s.t("back"), "", widgets.Link, s.model.LeavePerson))
	p.backRow.Hide()
	p.name = widgets.NewPara("", widget.MediumImportance, theme.SizeTitle)
	p.address = widgets.NewText("", theme.Muted, theme.SizeText, false)
	p.address.Cut, p.address.CutStart = true, true
	p.account = widgets.NewText("", theme.Muted, theme.SizeSmall, false)
	p.account.Cut, p.account.CutStart = true, true
	facts := widgets.NewColumn(theme.Space3, 0)
	for _, f := range [][2]string{{"why", s.t("people.since.title")}, {"here", s.t("people.here.title")},
		{"there", s.t("people.there.title")}, {"counts", s.t("people.counts.title")}} {
		label := widgets.NewPara("", widget.MediumImportance, theme.SizeText)
		p.facts[f[0]] = label
		facts.Add(widgets.NewColumn(2, 0, widgets.NewText(f[1], theme.Muted, theme.SizeSmall, false), widgets.Flush(label)))
	}
	write := widgets.NewAction(s.t("people.write"), "", widgets.Primary, func() { s.model.WriteTo(p.to, "", "", "") })
	p.body = widgets.NewColumn(theme.Space4, widgets.ReadingWidth, p.backRow,
		widgets.NewColumn(theme.Space1, 0, widgets.Flush(p.name), p.address, p.account), widgets.NewLine(0, -1, write),
		widgets.NewHairline(), facts, widgets.NewHairline(), p.newChange(s), p.said.row, widgets.NewHairline(), p.newRemove(s))
	return p
}

func (p *personPane) newChange(s *Shell) fyne.CanvasObject {
	count := func() {
		if c := s.canvas(); c != nil {
			c.Focus(p.count)
		}
	}
	p.counted = widgets.NewOption(s.t("people.change.count"), "", false, count)
	p.always = widgets.NewOption(s.t("people.change.always"), "", false, func() { s.model.SetFree(agentclient.FreeAlways) })
	p.none = widgets.NewOption(s.t("people.change.none"), "", false, func() { s.model.SetFree(agentclient.FreeNone) })
	p.count = widgets.NewEntry(false, s.model.TypeFree)
	p.count.OnSubmit = s.model.SaveFree
	p.fault = newNote(danger, theme.SizeSmall)
	p.save = widgets.NewAction(s.t("people.change.save"), "", widgets.Quiet, s.model.SaveFree)
	return widgets.NewColumn(theme.Space1, 0, widgets.NewText(s.t("people.change.title"), theme.Text, theme.SizeText, true),
		widgets.NewOptions(p.always, p.none, p.counted),
		widgets.NewInset(0, 0, 0, 16+theme.Space3, widgets.NewColumn(theme.Space1, 0, widgets.NewLine(theme.Space2, -1,
			&fyne.Container{Layout: widgets.Fixed{Width: 96}, Objects: []fyne.CanvasObject{p.count}}, p.save), p.fault.row)))
}

func (p *personPane) newRemove(s *Shell) fyne.CanvasObject {
	p.remove = widgets.NewLine(0, -1, widgets.NewAction(s.t("people.remove"), "", widgets.Danger, s.model.AskRemove))
	p.means = widgets.NewPara("", widget.MediumImportance, theme.SizeText)
	p.keep = widgets.NewAction(s.t("people.remove.no"), "", widgets.Quiet, s.model.KeepPerson)
	p.ask = widgets.NewColumn(theme.Space2, 0, widgets.NewText(s.t("people.remove.title"), theme.Text, theme.SizeText, true),
		widgets.Flush(p.means), widgets.NewWrap(theme.Space3, p.keep,
			widgets.NewAction(s.t("people.remove.yes"), "", widgets.Danger, s.model.RemovePerson)))
	return widgets.NewColumn(0, 0, p.remove, p.ask)
}

func (p *personPane) refresh(v viewmodel.Person) {
	if !v.Show {
		return
	}
	p.to = v.To
	setLabel(p.name, v.Name)
	p.address.Set(v.Address, theme.Muted)
	widgets.Show(p.address, v.Address != "")
	p.account.Set(v.Account, theme.Muted)
	widgets.Show(p.account, v.Account != "")
	for key, text := range map[string]string{"why": v.Why, "here": v.Here, "there": v.There, "counts": v.Counts} {
		setLabel(p.facts[key], text)
	}
	p.always.Set(v.Always)
	p.none.Set(v.None)
	p.counted.Set(!v.Always && !v.None)
	p.count.Put(v.Typed)
	p.fault.set(v.Fault)
	p.save.Set(p.save.Text, !v.Busy)
	p.said.set(v.Said)
	setLabel(p.means, v.Means)
	widgets.Show(p.remove, !v.Asking)
	widgets.Show(p.ask, v.Asking)
	if v.Asking && !p.asked && p.shell.canvas() != nil {
		p.shell.canvas().Focus(p.keep)
	}
	p.asked = v.Asking
}
