package app

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"earnest/gui/desktop"
	"earnest/gui/pages"
	"earnest/gui/viewmodel"
	"earnest/gui/words"
)

// systemLanguage is the language of a system that does not tell it in the
// environment.
func systemLanguage() words.Language { return words.Of(string(lang.SystemLocale())) }

// outside is what stands beside the window: tray and notifications.
type outside struct {
	model    *viewmodel.Model
	prefs    *prefs
	app      fyne.App
	window   fyne.Window
	quit     func()
	hidden   bool // it has not been shown yet
	tray     *desktop.Tray
	notifier desktop.Notifier
}

// join puts the program into the tray and has new mails told.
func (o *outside) join(icon fyne.Resource) {
	o.tray = desktop.NewTray(o.app, icon)
	o.notifier = desktop.NewNotifier(o.answered, func(title, body string) {
		fyne.Do(func() { o.app.SendNotification(fyne.NewNotification(title, body)) })
	})
	o.model.OnNews(o.tell)
	if o.tray != nil {
		o.model.OnWatch(func() { fyne.Do(o.draw) })
	}
	o.draw()
}

// tell shows news as a notification, with as much of it as the person wants.
func (o *outside) tell(n viewmodel.News) {
	if n.Gone {
		o.notifier.Withdraw(n.ID)
		return
	}
	w := o.model.Words()
	shown := desktop.Notification{ID: n.ID, Title: n.Title, Body: n.Body, Open: w.T("news.open")}
	switch o.prefs.Notifications() {
	case pages.NotifyNone:
		return
	case pages.NotifyPlain:
		// What cannot be seen is not decided either.
		if n.May {
			shown.Title, shown.Body = w.T("news.hidden.title"), w.T("news.hidden.body")
		}
	default:
		if n.May {
			shown.Accept, shown.Reject = w.T("news.accept"), w.T("news.reject")
		}
	}
	o.notifier.Notify(shown)
}

// answered does what was chosen on a notification.
func (o *outside) answered(id string, action desktop.Action) {
	switch action {
	case desktop.ActionAccept:
		o.model.DecideNews(id, true)
	case desktop.ActionReject:
		o.model.DecideNews(id, false)
	default:
		o.model.OpenNews(id)
		o.raise()
	}
}

// raise brings the window to the front, from wherever it is.
func (o *outside) raise() { o.raiseThen(func() {}) }

// raiseThen does so, and then that.
func (o *outside) raiseThen(done func()) {
	fyne.Do(func() {
		o.hidden = false
		o.window.Show()
		o.window.RequestFocus()
		done()
	})
}

// draw shows the number waiting and the menu in the tray.
func (o *outside) draw() {
	if o.tray == nil {
		return
	}
	w, n := o.model.Words(), o.model.Waiting()
	first := w.T("tray.none")
	switch {
	case o.model.Banner().Show:
		first = w.T("tray.away")
	case o.model.Locked():
		first = w.T("tray.locked")
		if o.hidden { // nobody would know what the agent waits for
			o.raise()
		}
	case n > 0:
		first = w.N("tray.waiting", n)
	}
	o.tray.Set(n, []desktop.TrayItem{{Title: strings.TrimSpace(first)}, {},
		{Title: w.T("tray.open"), Do: o.raise},
		{Title: w.T("tray.write"), Do: func() { o.model.Write(); o.raise() }}, {},
		{Title: w.T("tray.quit"), Do: o.quit}})
}
