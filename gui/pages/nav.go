package pages

import (
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// nav is the left column.
type nav struct {
	shell *Shell
	box   *fyne.Container
	view  *container.Scroll // where the window is too low for all of them
	write *widgets.Action
	root  *fyne.Container
	items map[viewmodel.Page]*widgets.NavItem
	order string         // the pages listed, to rebuild only when they change
	seen  viewmodel.Page // brought into sight
}

func newNav(s *Shell) *nav {
	n := &nav{shell: s, box: widgets.NewColumn(2, 0), items: map[viewmodel.Page]*widgets.NavItem{}}
	n.write = widgets.NewAction(s.t("nav.write"), "W", widgets.Quiet, s.model.Write)
	n.view = container.NewVScroll(n.box)
	n.root = widgets.NewInset(theme.Space4, theme.Space3, theme.Space4, theme.Space3,
		widgets.Dock(nil, widgets.NewInset(theme.Space2, 0, 0, 0, n.write), nil, nil, n.view))
	return n
}

func (n *nav) object() fyne.CanvasObject { return n.root }

func (n *nav) refresh() {
	items := n.shell.model.Nav()
	order := ""
	for _, item := range items {
		order += string(item.Page) + " "
	}
	if order != n.order {
		n.order = order
		n.box.Objects = nil
		for _, item := range items {
			if item.Gap {
				n.box.Add(widgets.NewPad(theme.Space1, container.NewWithoutLayout()))
			}
			widget, ok := n.items[item.Page]
			if !ok {
				widget = widgets.NewNavItem(item.Title, func() { n.shell.model.Show(item.Page) })
				n.items[item.Page] = widget
			}
			n.box.Add(widget)
		}
		n.box.Refresh()
	}
	for _, item := range items {
		count := ""
		if item.Count > 0 {
			count = strconv.Itoa(item.Count)
		}
		n.items[item.Page].Set(count, item.Selected)
		if item.Selected && item.Page != n.seen && n.show(n.items[item.Page]) {
			n.seen = item.Page
		}
	}
}

// show scrolls an item into sight, as far as it is not; it tells whether there was
// a column to scroll.
func (n *nav) show(item fyne.CanvasObject) bool {
	height := n.view.Size().Height
	if height <= 0 || item.Size().Height <= 0 {
		return false
	}
	top := item.Position().Y
	at := max(min(n.view.Offset.Y, top), top+item.Size().Height-height)
	if at != n.view.Offset.Y {
		n.view.ScrollToOffset(fyne.NewPos(0, at))
	}
	return true
}

// openMenu shows the pages as a menu, where there is no room for the column.
func (s *Shell) openMenu() {
	var items []*fyne.MenuItem
	for _, item := range s.model.Nav() {
		if item.Gap {
			items = append(items, fyne.NewMenuItemSeparator())
		}
		title := item.Title
		if item.Count > 0 {
			title += "  " + strconv.Itoa(item.Count)
		}
		items = append(items, fyne.NewMenuItem(title, func() { s.model.Show(item.Page) }))
	}
	items = append(items, fyne.NewMenuItemSeparator(), fyne.NewMenuItem(s.t("nav.write"), s.model.Write))
	c := s.canvas()
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(s.menu).AddXY(0, s.menu.Size().Height)
	widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), c, at)
}
