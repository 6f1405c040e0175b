package pages

import "earnest/gui/words"

// prefs keeps the choices in memory, and fails where a test says so.
type prefs struct {
	language            words.Language
	size                int
	login, tray, hidden bool
	notify              Notifications
	resume              string
	fail                error
	changed             int
}

func newPrefs() *prefs { return &prefs{size: 100, notify: NotifyFull} }

func keep[T any](p *prefs, to *T, value T) error {
	if p.fail != nil {
		return p.fail
	}
	*to = value
	p.changed++
	return nil
}

func (p *prefs) Language() words.Language               { return p.language }
func (p *prefs) SetLanguage(l words.Language) error     { return keep(p, &p.language, l) }
func (p *prefs) TextSize() int                          { return p.size }
func (p *prefs) SetTextSize(n int) error                { return keep(p, &p.size, n) }
func (p *prefs) StartAtLogin() bool                     { return p.login }
func (p *prefs) SetStartAtLogin(on bool) error          { return keep(p, &p.login, on) }
func (p *prefs) Tray() bool                             { return p.tray }
func (p *prefs) SetTray(on bool) error                  { return keep(p, &p.tray, on) }
func (p *prefs) StartHidden() bool                      { return p.hidden }
func (p *prefs) SetStartHidden(on bool) error           { return keep(p, &p.hidden, on) }
func (p *prefs) Notifications() Notifications           { return p.notify }
func (p *prefs) SetNotifications(n Notifications) error { return keep(p, &p.notify, n) }
func (p *prefs) Resume() string                         { return p.resume }
func (p *prefs) SetResume(s string) error               { return keep(p, &p.resume, s) }
