package pages

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// folderPage is a list of mails that came in beside the one that is open. It
// serves Waiting, Accepted, Rejected and Expired.
type folderPage struct {
	shell           *Shell
	root            *fyne.Container
	reading, narrow bool

	search *widgets.Entry
	list   *widgets.RowList
	empty  *emptyState
	ids    []string
	mail   *readingPane
}

func newFolderPage(s *Shell) *folderPage {
	p := &folderPage{shell: s}
	p.search = widgets.NewEntry(false, s.model.Search)
	p.search.SetPlaceHolder("Search")
	p.list = widgets.NewRowList(func(i int) {
		if i < len(p.ids) {
			s.model.Select(p.ids[i])
		}
	})
	p.empty = newEmptyState(s)
	p.mail = newReadingPane(s)
	top := widgets.NewColumn(0, 0,
		widgets.NewInset(theme.Space3, theme.Space4, theme.Space3, theme.Space4, p.search),
		widgets.NewHairline())
	left := widgets.Dock(top, nil, nil, nil, container.NewStack(p.list, p.empty.root))
	p.root = &fyne.Container{
		Layout: widgets.Split{Reading: &p.reading, Narrow: &p.narrow, Turned: func() { p.mail.back(p.narrow) }},
		Objects: []fyne.CanvasObject{left, widgets.NewHairline(),
			container.NewStack(widgets.NewFill(theme.Surface), p.mail.root)},
	}
	return p
}

func (p *folderPage) object() fyne.CanvasObject { return p.root }

func (p *folderPage) refresh() {
	list := p.shell.model.Folder()
	p.search.Put(list.Search)
	data := make([]widgets.RowData, len(list.Rows))
	p.ids = p.ids[:0]
	for i, row := range list.Rows {
		data[i] = rowData(row)
		p.ids = append(p.ids, row.ID)
	}
	p.list.Set(data)
	widgets.Show(p.list, len(data) > 0)
	p.empty.set(list.Empty, len(data) == 0)
	p.mail.refresh(p.shell.model.Reading())
	turned := p.reading != list.Reading
	p.reading = list.Reading
	if turned && p.narrow {
		p.root.Refresh()
	}
}

func (p *folderPage) scroll(pages float32) { p.mail.scrollBy(pages) }

func rowData(r viewmodel.Row) widgets.RowData {
	return widgets.RowData{Title: r.Title, Aside: r.Aside, Subject: r.Subject, Amount: r.Amount, Note: r.Note,
		NoteColor: toneColor(r.NoteTone), Unread: r.Unread, Selected: r.Selected}
}

// emptyState is what stands where a list has no rows.
type emptyState struct {
	root  *fyne.Container
	title *widgets.Text
	text  *widget.Label
	row   *fyne.Container
	links *fyne.Container
	price *widgets.Action
	card  *widgets.Action
}

func newEmptyState(s *Shell) *emptyState {
	e := &emptyState{title: widgets.NewText("", theme.Text, theme.SizeText, true), text: widgets.NewPara("", widget.LowImportance, theme.SizeText)}
	e.row = widgets.Flush(e.text)
	e.price = widgets.NewAction("Change the price", "", widgets.Link, func() { s.model.Show(viewmodel.PagePrice) })
	e.card = widgets.NewAction("Copy your card", "", widgets.Link, func() { s.copy(e.card, s.model.Card()) })
	e.links = widgets.NewLine(theme.Space4, -1, e.price, e.card)
	e.root = widgets.NewInset(theme.Space5, theme.Space4, theme.Space4, theme.Space4,
		widgets.NewColumn(theme.Space2, 0, e.title, e.row, e.links))
	return e
}

func (e *emptyState) set(v viewmodel.Empty, visible bool) {
	widgets.Show(e.root, visible)
	e.title.Set(v.Title, theme.Text)
	widgets.SetPara(e.text, e.row, v.Text)
	widgets.Show(e.price, v.Price)
	widgets.Show(e.card, v.Card)
	widgets.Show(e.links, v.Price || v.Card)
}

// copy puts a text on the clipboard and says so on the button.
func (s *Shell) copy(button *widgets.Action, text string) {
	copied := s.t("copied")
	if button.Text == copied {
		return
	}
	if s.host.Clipboard != nil {
		s.host.Clipboard.SetContent(text)
	}
	before := button.Text
	button.Set(copied, true)
	time.AfterFunc(2*time.Second, func() {
		s.host.Post(func() { button.Set(before, true) })
	})
}

func (p *folderPage) typedRune(r rune) bool {
	m := p.shell.model
	switch r {
	case 'a', 'A':
		m.Accept()
	case 'r', 'R':
		m.Reject()
	case '/':
		p.shell.canvas().Focus(p.search)
	default:
		return false
	}
	return true
}

func (p *folderPage) typedKey(e *fyne.KeyEvent) bool {
	switch e.Name {
	case fyne.KeyPageDown, fyne.KeySpace:
		p.scroll(1)
	case fyne.KeyPageUp:
		p.scroll(-1)
	default:
		return false
	}
	return true
}
