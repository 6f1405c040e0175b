package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// draftsPage is the mails that are not sent yet.
type draftsPage struct {
	shell     *Shell
	root      *fyne.Container
	list      *widgets.RowList
	ids       []string
	empty     *emptyState
	notice    *widget.Label
	noticeRow *fyne.Container
	open      *widgets.Action
	del       *widgets.Action
	undo      *fyne.Container
	undoText  *widgets.Text
	selected  string
}

func newDraftsPage(s *Shell) *draftsPage {
	p := &draftsPage{shell: s}
	p.list = widgets.NewRowList(func(i int) {
		if i >= len(p.ids) {
			return
		}
		if p.ids[i] == p.selected { // a second click goes on writing
			s.model.OpenDraft(p.ids[i])
			return
		}
		s.model.SelectDraft(p.ids[i])
	})
	p.empty = newEmptyState(s)
	p.notice = widgets.NewPara("", widget.DangerImportance, theme.SizeText)
	p.noticeRow = widgets.NewInset(theme.Space3, theme.Space4, 0, theme.Space4, widgets.Flush(p.notice))
	p.noticeRow.Hide()
	p.open = widgets.NewAction(s.t("drafts.open"), "↵", widgets.Quiet, func() { s.model.OpenDraft(p.selected) })
	p.del = widgets.NewAction(s.t("drafts.delete"), s.t("keys.delete"), widgets.Quiet, func() { s.model.DeleteDraft(p.selected) })
	write := widgets.NewAction(s.t("drafts.new"), "N", widgets.Quiet, s.model.WriteNew)
	top := widgets.NewColumn(0, 0,
		widgets.NewInset(theme.Space3, theme.Space4, theme.Space3, theme.Space4, widgets.NewWrap(theme.Space2, p.open, p.del, write)),
		widgets.NewHairline(), p.noticeRow)
	p.undoText = widgets.NewText("", theme.Text, theme.SizeText, false)
	p.undoText.Cut = true
	p.undo = widgets.NewColumn(0, 0, widgets.NewHairline(), widgets.NewInset(theme.Space2, theme.Space4, theme.Space2, theme.Space4,
		widgets.NewLine(theme.Space3, 0, p.undoText, widgets.NewAction(s.t("undo.action"), "U", widgets.Quiet, func() { s.model.UndoDelete() }))))
	p.undo.Hide()
	// The list has the width of a list, not of the window.
	p.root = widgets.Dock(top, p.undo, nil, nil, container.New(widgets.Most{Width: draftsWidth}, container.NewStack(p.list, p.empty.root)))
	return p
}

const draftsWidth = 720

func (p *draftsPage) object() fyne.CanvasObject { return p.root }

func (p *draftsPage) refresh() {
	v := p.shell.model.Drafts()
	data := make([]widgets.RowData, len(v.Rows))
	p.ids, p.selected = p.ids[:0], ""
	for i, row := range v.Rows {
		data[i] = rowData(row)
		data[i].Tail = true
		p.ids = append(p.ids, row.ID)
		if row.Selected {
			p.selected = row.ID
		}
	}
	p.list.Set(data)
	widgets.Show(p.list, len(data) > 0)
	p.empty.set(v.Empty, len(data) == 0)
	widgets.SetPara(p.notice, p.noticeRow, v.Notice)
	p.open.Set(p.shell.t("drafts.open"), p.selected != "")
	p.del.Set(p.shell.t("drafts.delete"), p.selected != "")
	p.undoText.Set(v.Undo, theme.Text)
	if show := v.Undo != ""; show != p.undo.Visible() {
		widgets.Show(p.undo, show)
		p.root.Refresh()
	}
}

func (p *draftsPage) typedRune(r rune) bool {
	m := p.shell.model
	switch r {
	case 'j', 'J':
		m.MoveDraft(1)
	case 'k', 'K':
		m.MoveDraft(-1)
	case 'u', 'U':
		return m.UndoDelete()
	case 'n', 'N':
		m.WriteNew()
	default:
		return false
	}
	return true
}

func (p *draftsPage) keyList() []keyHelp {
	t := p.shell.t
	return []keyHelp{{"Enter", t("drafts.open")}, {t("keys.delete"), t("drafts.delete")}, {"U", t("undo.action")}, {"N", t("drafts.new")}}
}

func (p *draftsPage) typedKey(e *fyne.KeyEvent) bool {
	m := p.shell.model
	switch e.Name {
	case fyne.KeyDown:
		m.MoveDraft(1)
	case fyne.KeyUp:
		m.MoveDraft(-1)
	case fyne.KeyReturn, fyne.KeyEnter:
		m.OpenDraft(p.selected)
	case fyne.KeyDelete, fyne.KeyBackspace:
		m.DeleteDraft(p.selected)
	case fyne.KeyEscape:
		m.Show(viewmodel.PageWaiting)
	default:
		return false
	}
	return true
}
