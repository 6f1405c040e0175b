// Package pages is the window: it draws what the view model says and tells it
// what the person did. Rules live in viewmodel, looks in theme and widgets.
package pages

import (
	"sync/atomic"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
	"earnest/gui/words"
)

// Host is what the pages need of the program around them.
type Host struct {
	Window    fyne.Window
	Clipboard fyne.Clipboard
	// Post runs a function on the drawing goroutine; fyne.Do in the program.
	Post func(func())
	// Look is the choice of light and dark, and SetLook changes and keeps it.
	Look    theme.Choice
	SetLook func(theme.Choice)
	// Prefs are the program's other choices; nil where it keeps none.
	Prefs Prefs
	// Downloads is where attachments are saved; the system's folder where empty.
	Downloads string
	// OpenURL shows a page in the system's browser; nil where there is none.
	OpenURL func(string) error
}

// page is one page of the window. Its refresh is called on the drawing goroutine.
type page interface {
	object() fyne.CanvasObject
	refresh()
}

// Shell is the window's content: navigation, page, status line and undo bar.
type Shell struct {
	model  *viewmodel.Model
	host   Host
	words  words.Words
	posted atomic.Bool

	content *fyne.Container
	frame   *fyne.Container // nav, line, page
	small   bool            // the navigation is a menu
	bare    bool            // there is no navigation: no account yet
	nav     *nav
	menu    *widgets.Action
	top     *fyne.Container
	stack   *fyne.Container
	shown   page
	pages   map[viewmodel.Page]page
	folder  *folderPage
	write   *writePage

	banner       *fyne.Container
	bannerText   *widget.Label
	bannerAction *widgets.Action
	bannerTall   float32 // as it was laid out
	strip        *strip
	help         *keyHelpSheet
	held         heldKeys
	picker       *filePicker // while a file is being chosen
	picked       string      // the folder of the last one
}

// New makes the window's content over the model and listens to it.
func New(model *viewmodel.Model, host Host) *Shell {
	s := &Shell{model: model, host: host, words: model.Words()}
	s.folder = newFolderPage(s)
	s.write = newWritePage(s)
	s.pages = map[viewmodel.Page]page{
		viewmodel.PageSent:     newSentPage(s),
		viewmodel.PageMoney:    newMoneyPage(s),
		viewmodel.PageDrafts:   newDraftsPage(s),
		viewmodel.PagePeople:   newPeoplePage(s),
		viewmodel.PagePrice:    newPricePage(s),
		viewmodel.PageSettings: newSettingsPage(s),
		viewmodel.PageWrite:    s.write,
		viewmodel.PageAccount:  newAccountPage(s),
		viewmodel.PageUnlock:   newUnlockPage(s),
	}
	for _, p := range []viewmodel.Page{viewmodel.PageWaiting, viewmodel.PageAccepted, viewmodel.PageRejected, viewmodel.PageExpired} {
		s.pages[p] = s.folder
	}
	s.build()
	s.keys()
	model.OnChange(s.post)
	s.Refresh()
	return s
}

// t says a text in the window's language; a change of it makes a new shell.
func (s *Shell) t(id string, pairs ...any) string { return s.words.T(id, pairs...) }

// Content is what the window shows.
func (s *Shell) Content() fyne.CanvasObject { return s.content }

// post asks for one redraw, however many changes come before it.
func (s *Shell) post() {
	if s.posted.CompareAndSwap(false, true) {
		s.host.Post(func() {
			s.posted.Store(false)
			s.Refresh()
		})
	}
}

func (s *Shell) build() {
	s.nav = newNav(s)
	s.menu = widgets.NewAction(s.t("nav.menu"), "", widgets.Quiet, s.openMenu)
	s.top = widgets.NewInset(theme.Space2, theme.Space4, theme.Space2, theme.Space4, widgets.NewLine(0, -1, s.menu))
	s.top.Hide()
	s.stack = container.NewStack()
	s.buildBanner()
	s.strip = newStrip(s)
	s.frame = &fyne.Container{
		Layout: widgets.Shell{Small: &s.small, Bare: &s.bare, Menu: func(small bool) { widgets.Show(s.top, small && !s.bare) }},
		Objects: []fyne.CanvasObject{s.nav.object(), widgets.NewHairline(),
			widgets.Dock(s.top, nil, nil, nil, s.stack)},
	}
	s.help = newKeyHelpSheet(s)
	// No plane under it all: the window is cleared in the background's colour, and
	// a further million points a frame is most of what scrolling would cost.
	s.content = container.NewStack(widgets.Dock(s.banner, s.strip.root, nil, nil, s.frame), s.help.root)
}

func (s *Shell) buildBanner() {
	s.bannerText = widgets.NewPara("", widget.MediumImportance, theme.SizeText)
	s.bannerAction = widgets.NewAction(s.t("link.start"), "", widgets.Quiet, func() {
		if s.model.Banner().CanStart {
			s.model.StartAgent()
			return
		}
		s.model.LookAtBanner()
	})
	icon := widget.NewIcon(fynetheme.NewWarningThemedResource(fynetheme.WarningIcon()))
	s.banner = container.NewStack(widgets.NewFill(theme.Surface), widgets.NewColumn(0, 0,
		widgets.NewInset(theme.Space2, theme.Space4, theme.Space2, theme.Space4,
			widgets.Dock(nil, nil, widgets.NewInset(0, theme.Space2, 0, 0, icon),
				widgets.NewInset(0, 0, 0, theme.Space3, widgets.NewLine(0, -1, s.bannerAction)), s.bannerText)),
		widgets.NewHairline()))
	s.banner.Hide()
}

// Refresh draws the present state.
func (s *Shell) Refresh() {
	m := s.model
	s.nav.refresh()
	if bare := m.FirstStart(); bare != s.bare {
		s.bare = bare
		widgets.Show(s.top, s.small && !bare)
		s.frame.Refresh()
	}
	banner := m.Banner()
	s.bannerText.SetText(banner.Text)
	s.bannerAction.Set(word(banner.CanStart, s.t("link.start"), s.t("safety.banner.look")), true)
	widgets.Show(s.bannerAction, banner.CanStart || banner.Look != "")
	widgets.Show(s.banner, banner.Show)
	s.settleBanner()
	s.strip.refresh()
	p := s.pages[m.Page()]
	p.refresh()
	if p != s.shown {
		if left, ok := s.shown.(interface{ left() }); ok {
			left.left()
		}
		s.shown = p
		s.stack.Objects = []fyne.CanvasObject{p.object()}
		s.stack.Refresh()
		s.Focus()
	}
}

// settleBanner lays the window out anew when the banner has grown: the driver tells
// only the nearest container, and the page would stay where it was, under its last
// line. A text that wraps knows its height only once it has its width, hence twice.
func (s *Shell) settleBanner() {
	for range 3 {
		tall := float32(0)
		if s.banner.Visible() {
			tall = s.banner.MinSize().Height
		}
		if tall == s.bannerTall {
			return
		}
		s.bannerTall = tall
		s.content.Objects[0].Refresh()
	}
}

// Focus puts the focus where the page shown wants it. The program calls it once
// the content is in its window.
func (s *Shell) Focus() {
	c := s.canvas()
	if c == nil {
		return
	}
	c.Unfocus()
	if f, ok := s.shown.(interface{ focus() fyne.Focusable }); ok && f.focus() != nil {
		c.Focus(f.focus())
	}
}

// search goes to a field of search, where what is typed next replaces the old words.
func (s *Shell) search(field *widgets.Entry) {
	s.canvas().Focus(field)
	field.SelectAll()
}

func (s *Shell) canvas() fyne.Canvas {
	if s.host.Window == nil {
		return nil
	}
	return s.host.Window.Canvas()
}

func toneColor(t viewmodel.Tone) fyne.ThemeColorName {
	switch t {
	case viewmodel.Muted:
		return theme.Muted
	case viewmodel.Good:
		return theme.Accent
	case viewmodel.Waits:
		return theme.Waiting
	case viewmodel.Against:
		return theme.Reject
	}
	return theme.Text
}

func toneImportance(t viewmodel.Tone) widget.Importance {
	switch t {
	case viewmodel.Muted:
		return widget.LowImportance
	case viewmodel.Good:
		return widget.SuccessImportance
	case viewmodel.Waits:
		return widget.WarningImportance
	case viewmodel.Against:
		return widget.DangerImportance
	}
	return widget.MediumImportance
}
