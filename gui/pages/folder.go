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
	filter *widgets.Action
	order  *widgets.Text
	list   *widgets.RowList
	empty  *emptyState
	view   viewmodel.List
	marks  *marksBar
	mail   *readingPane
}

func newFolderPage(s *Shell) *folderPage {
	p := &folderPage{shell: s}
	p.search = widgets.NewEntry(false, s.model.Search)
	p.search.SetPlaceHolder(s.t("folder.search"))
	p.search.OnEnter = func() { s.canvas().Unfocus() }
	p.search.OnEscape = func() { s.model.ClearSearch() }
	p.filter = widgets.NewAction("", "F", widgets.Link, p.openFilters)
	p.order = widgets.NewText("", theme.Muted, theme.SizeSmall, false)
	p.list = widgets.NewRowList(func(i int) {
		if i < p.view.Len {
			s.model.Select(p.view.ID(i))
		}
	})
	p.list.Lines = 3
	p.list.OnMarked = func(i int) {
		if i < p.view.Len {
			s.model.Mark(p.view.ID(i))
		}
	}
	p.empty = newEmptyState(s)
	p.marks = newMarksBar(s)
	p.mail = newReadingPane(s)
	top := widgets.NewColumn(0, 0,
		widgets.NewInset(theme.Space3, theme.Space4, theme.Space1, theme.Space4,
			widgets.NewColumn(theme.Space1, 0, p.search,
				widgets.Dock(nil, nil, nil, widgets.NewLine(0, -1, p.order), widgets.NewLine(0, -1, p.filter)))),
		widgets.NewHairline())
	left := widgets.Dock(top, p.marks.root, nil, nil, container.NewStack(p.list, p.empty.root))
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
	p.view = list
	p.search.Put(list.Search)
	p.filter.Set(list.Filter+" ▾", true)
	p.order.Set(list.Order, theme.Muted)
	p.list.SetRows(list.Len, list.Selected, func(i int) widgets.RowData {
		return mailRow(list.Row(i), list.Marks.N > 0)
	})
	widgets.Show(p.list, list.Len > 0)
	p.empty.set(list.Empty, list.Len == 0)
	p.marks.refresh(list.Marks)
	p.mail.decides(list.Decides)
	p.mail.refresh(p.shell.model.Reading())
	reading := list.Reading && list.Marks.N == 0
	turned := p.reading != reading
	p.reading = reading
	if turned && p.narrow {
		p.root.Refresh()
	}
}

func rowData(r viewmodel.Row) widgets.RowData { return mailRow(r, false) }

// mailRow is a row of a list that can be marked.
func mailRow(r viewmodel.Row, marking bool) widgets.RowData {
	return widgets.RowData{Title: r.Title, Aside: r.Aside, Subject: r.Subject, Amount: r.Amount, Note: r.Note,
		NoteColor: toneColor(r.NoteTone), Warning: r.Warning, Marks: r.Marks, Unread: r.Unread, Selected: r.Selected,
		Marking: marking, Marked: r.Marked, Cursor: r.Cursor, Clip: r.Attached}
}

// openFilters lists the kinds that the list can be narrowed to. F goes through
// them without it.
func (p *folderPage) openFilters() {
	var items []*fyne.MenuItem
	for _, f := range p.view.Filters {
		item := fyne.NewMenuItem(f.Name, func() { p.shell.model.SetFilter(f.Filter) })
		item.Checked = f.On
		items = append(items, item)
	}
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(p.filter).AddXY(0, p.filter.Size().Height)
	widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), p.shell.canvas(), at)
}

// marksBar stands under a list of which some rows are marked.
type marksBar struct {
	root   *fyne.Container
	text   *widgets.Text
	clear  *widgets.Action
	accept *widgets.Action
	reject *widgets.Action
	act    *fyne.Container
	fault  *widget.Label
	row    *fyne.Container
	shell  *Shell
}

func newMarksBar(s *Shell) *marksBar {
	b := &marksBar{shell: s, text: widgets.NewText("", theme.Text, theme.SizeText, true), fault: widgets.NewPara("", widget.DangerImportance, theme.SizeSmall)}
	b.text.Cut = true
	b.clear = widgets.NewAction(s.t("marks.clear"), "Esc", widgets.Link, func() { s.model.Unmark() })
	b.reject = widgets.NewAction(s.t("marks.reject"), "R", widgets.Danger, s.model.RejectMarked)
	b.accept = widgets.NewAction(s.t("marks.accept"), "A", widgets.Primary, s.model.AcceptMarked)
	b.act = widgets.NewLine(theme.Space2, -1, b.reject, b.accept)
	b.row = widgets.Flush(b.fault)
	b.root = container.NewStack(widgets.NewFill(theme.Surface), widgets.NewColumn(0, 0, widgets.NewHairline(),
		widgets.NewInset(theme.Space2, theme.Space4, theme.Space3, theme.Space4,
			widgets.NewColumn(theme.Space1, 0, widgets.NewLine(theme.Space2, 0, b.text, b.clear), b.row, b.act))))
	b.root.Hide()
	return b
}

func (b *marksBar) refresh(v viewmodel.Marks) {
	b.text.Set(v.Text, theme.Text)
	word := b.shell.t("marks.clear")
	if v.Busy {
		word = b.shell.t("marks.stop")
	}
	b.clear.Set(word, true)
	widgets.Show(b.accept, v.Accept && !v.Busy)
	widgets.Show(b.reject, v.Reject && !v.Busy)
	widgets.Show(b.act, (v.Accept || v.Reject) && !v.Busy)
	widgets.SetPara(b.fault, b.row, v.Fault)
	widgets.Show(b.root, v.Show)
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
	all   *widgets.Action
}

func newEmptyState(s *Shell) *emptyState {
	e := &emptyState{title: widgets.NewText("", theme.Text, theme.SizeText, true), text: widgets.NewPara("", widget.LowImportance, theme.SizeText)}
	e.row = widgets.Flush(e.text)
	e.price = widgets.NewAction(s.t("waiting.empty.price"), "", widgets.Link, func() { s.model.Show(viewmodel.PagePrice) })
	e.card = widgets.NewAction(s.t("waiting.empty.card"), "", widgets.Link, func() { s.copy(e.card, s.model.Card()) })
	e.all = widgets.NewAction(s.t("folder.clear"), "", widgets.Link, s.model.Unfilter)
	e.links = widgets.NewLinks(theme.Space4, e.price, e.card, e.all)
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
	widgets.Show(e.all, v.Clear)
	widgets.Show(e.links, v.Price || v.Card || v.Clear)
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
