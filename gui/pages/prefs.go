package pages

import "earnest/gui/words"

// Prefs are the choices that the program around the window keeps from start to
// start. Setting one takes effect at once; a failure is shown beside it, and the
// choice stays as it was.
type Prefs interface {
	// Language is the one chosen; empty follows the system. SetLanguage also
	// speaks it: the window is made anew.
	Language() words.Language
	SetLanguage(words.Language) error
	// TextSize is in per cent, from MinTextSize to MaxTextSize.
	TextSize() int
	SetTextSize(percent int) error
	StartAtLogin() bool
	SetStartAtLogin(bool) error
	// Tray: closing the window leaves it in the tray.
	Tray() bool
	SetTray(bool) error
	StartHidden() bool
	SetStartHidden(bool) error
	Notifications() Notifications
	SetNotifications(Notifications) error
	// Resume is where the set-up of an account was left, as the view model writes
	// it: never a password. It is empty where none was begun.
	Resume() string
	SetResume(string) error
}

// Bounds of the text's size, in per cent.
const (
	MinTextSize = 80
	MaxTextSize = 200
)

// Notifications is how much of a new mail the desktop shows.
type Notifications string

// The choices.
const (
	NotifyFull  Notifications = "on"    // who, what about and how much
	NotifyPlain Notifications = "plain" // that a mail waits, and nothing of it
	NotifyNone  Notifications = "off"
)
