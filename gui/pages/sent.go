package pages

import (
	"io"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// sentPage is the mails that were sent, each with its line of life.
type sentPage struct {
	shell           *Shell
	root            *fyne.Container
	reading, narrow bool

	search *widgets.Entry
	filter *widgets.Action
	list   *widgets.RowList
	empty  *emptyState
	pane   *sentPane
}

func newSentPage(s *Shell) *sentPage {
	p := &sentPage{shell: s}
	p.search = widgets.NewEntry(false, s.model.SearchSent)
	p.search.SetPlaceHolder(s.t("sent.search"))
	p.search.OnEnter = s.unfocus
	p.search.OnEscape = func() { s.model.SearchSent("") }
	p.filter = widgets.NewAction("", "F", widgets.Link, p.openFilters)
	p.list = widgets.NewRowList(func(i int) { s.model.SelectSent(s.model.SentRow(i).ID) })
	p.empty = newEmptyState(s)
	p.pane = newSentPane(s)
	file := widgets.NewAction(s.t("receipts.file"), "", widgets.Link, p.checkFile)
	top := widgets.NewColumn(0, 0,
		widgets.NewInset(theme.Space3, theme.Space4, theme.Space1, theme.Space4,
			widgets.NewColumn(theme.Space1, 0, p.search, widgets.NewLine(0, -1, p.filter))),
		widgets.NewHairline())
	foot := widgets.NewColumn(0, 0, widgets.NewHairline(),
		widgets.NewInset(theme.Space1, theme.Space4, theme.Space1, theme.Space4, widgets.NewLine(0, -1, file)))
	p.root = &fyne.Container{
		Layout: widgets.Split{Reading: &p.reading, Narrow: &p.narrow, Turned: func() { p.pane.turned(p.narrow) }},
		Objects: []fyne.CanvasObject{widgets.Dock(top, foot, nil, nil, container.NewStack(p.list, p.empty.root)),
			widgets.NewHairline(), container.NewStack(widgets.NewFill(theme.Surface), p.pane.root)},
	}
	return p
}

func (p *sentPage) object() fyne.CanvasObject { return p.root }

func (p *sentPage) refresh() {
	m := p.shell.model
	v := m.SentView()
	p.search.Put(v.Search)
	p.filter.Set(v.Filters[slices.Index(viewmodel.SentFilters(), v.Filter)], true)
	p.fill(v)
	widgets.Show(p.list, v.Count > 0)
	p.empty.set(v.Empty, v.Count == 0)
	turned := p.reading != v.Reading
	p.reading = v.Reading
	p.pane.refresh(m.SentMail())
	if turned && p.narrow {
		p.root.Refresh()
	}
}

func (p *sentPage) fill(v viewmodel.SentView) {
	p.list.SetRows(v.Count, v.Selected, func(i int) widgets.RowData {
		row := rowData(p.shell.model.SentRow(i))
		row.Tail = true
		return row
	})
}

// openFilters lists the states that the list can be narrowed to. F goes through
// them without it.
func (p *sentPage) openFilters() {
	v := p.shell.model.SentView()
	var items []*fyne.MenuItem
	for i, f := range viewmodel.SentFilters() {
		item := fyne.NewMenuItem(v.Filters[i], func() { p.shell.model.FilterSent(f) })
		item.Checked = f == v.Filter
		items = append(items, item)
	}
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(p.filter).AddXY(0, p.filter.Size().Height)
	widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), p.shell.canvas(), at)
}

// checkFile lets the person choose exported receipts. The file is read apart
// from the drawing goroutine.
func (p *sentPage) checkFile() {
	m := p.shell.model
	p.shell.pickFile(func(r fyne.URIReadCloser) {
		go func() {
			defer r.Close()
			data, err := io.ReadAll(io.LimitReader(r, viewmodel.MaxReceipts+1))
			if err != nil {
				m.ReceiptFileFailed(r.URI().Name(), err)
				return
			}
			m.CheckReceiptFile(r.URI().Name(), data)
		}()
	}, m.ReceiptFileFailed)
}

func (p *sentPage) typedRune(r rune) bool {
	m := p.shell.model
	switch r {
	case '/':
		p.shell.search(p.search)
	case 'f', 'F':
		all, step := viewmodel.SentFilters(), 1
		if r == 'F' {
			step = -1
		}
		at := slices.Index(all, m.SentView().Filter) + step
		m.FilterSent(all[(at+len(all))%len(all)])
	default:
		return false
	}
	return true
}

func (p *sentPage) keyList() []keyHelp {
	t := p.shell.t
	return []keyHelp{{"J  K", t("keys.move")}, {"/", t("keys.search")}, {"F  ⇧F", t("keys.filter")}, {t("keys.space"), t("keys.scroll")}}
}

func (p *sentPage) typedKey(e *fyne.KeyEvent) bool {
	switch e.Name {
	case fyne.KeyPageDown, fyne.KeySpace:
		p.pane.scrollBy(1)
	case fyne.KeyPageUp:
		p.pane.scrollBy(-1)
	case fyne.KeyEscape:
		switch m := p.shell.model; {
		case m.SentMail().Proof.Show:
			m.CloseReceipts()
		case m.SentView().Search != "" && !(p.narrow && p.reading):
			m.SearchSent("")
		default:
			return false
		}
	default:
		return false
	}
	return true
}
