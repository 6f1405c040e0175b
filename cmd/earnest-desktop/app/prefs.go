package app

import (
	"errors"
	"os"
	"strconv"

	"fyne.io/fyne/v2"

	"earnest/gui/desktop"
	"earnest/gui/pages"
	"earnest/gui/theme"
	"earnest/gui/words"
)

// Keys of the window's own few preferences.
const (
	prefLook          = "look"
	prefLanguage      = "language"
	prefTextSize      = "textSize"
	prefTray          = "tray"
	prefHidden        = "hidden"
	prefNotifications = "notifications"
	prefResume        = "resume"
)

// prefs keeps the choices with Fyne's preferences and brings them about.
type prefs struct {
	kept  fyne.Preferences
	scale float64 // the system's, without the person's choice
	// speak and draw make a new choice seen.
	speak func(words.Language)
	draw  func()
	// program is this program, as the system is to start it at login.
	program func() (string, error)
}

var _ pages.Prefs = (*prefs)(nil)

func newPrefs(kept fyne.Preferences) *prefs {
	p := &prefs{kept: kept, scale: 1, speak: func(words.Language) {}, draw: func() {}, program: os.Executable}
	if system, err := strconv.ParseFloat(os.Getenv(scaleVariable), 64); err == nil && system > 0 {
		p.scale = system
	}
	return p
}

func (p *prefs) Language() words.Language { return words.Language(p.kept.String(prefLanguage)) }

func (p *prefs) SetLanguage(l words.Language) error {
	p.kept.SetString(prefLanguage, string(l))
	p.speak(p.spoken())
	return nil
}

// spoken is the language to speak: the chosen one, else the system's.
func (p *prefs) spoken() words.Language {
	if l := p.Language(); l != "" {
		return l
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} { // as POSIX orders them
		if locale := os.Getenv(name); locale != "" {
			return words.Of(locale)
		}
	}
	return systemLanguage()
}

// scaleVariable is what Fyne's driver reads whenever it draws anew. The whole
// window grows with its text, as a page does in a browser: so no text is ever
// too large for the row that it stands in.
const scaleVariable = "FYNE_SCALE"

func (p *prefs) TextSize() int {
	return min(max(p.kept.IntWithFallback(prefTextSize, 100), pages.MinTextSize), pages.MaxTextSize)
}

func (p *prefs) SetTextSize(percent int) error {
	p.kept.SetInt(prefTextSize, min(max(percent, pages.MinTextSize), pages.MaxTextSize))
	if err := p.size(); err != nil {
		return err
	}
	p.draw()
	return nil
}

// size tells the driver how large everything is drawn.
func (p *prefs) size() error {
	scale := p.scale * float64(p.TextSize()) / 100
	return os.Setenv(scaleVariable, strconv.FormatFloat(scale, 'f', 2, 64))
}

func (p *prefs) StartAtLogin() bool { return desktop.Login().On() }

func (p *prefs) SetStartAtLogin(on bool) error {
	program, err := p.program()
	if err != nil {
		return err
	}
	return desktop.Login().Set(on, program, "--login")
}

func (p *prefs) Tray() bool { return p.kept.Bool(prefTray) }

var errNoTray = errors.New("this desktop shows no tray, so a closed window could not be found again")

func (p *prefs) SetTray(on bool) error {
	if on && !desktop.HasTray() {
		return errNoTray
	}
	p.kept.SetBool(prefTray, on)
	return nil
}

func (p *prefs) StartHidden() bool { return p.kept.Bool(prefHidden) }

func (p *prefs) SetStartHidden(on bool) error {
	if on && !desktop.HasTray() {
		return errNoTray
	}
	p.kept.SetBool(prefHidden, on)
	return nil
}

func (p *prefs) Notifications() pages.Notifications {
	return pages.Notifications(p.kept.StringWithFallback(prefNotifications, string(pages.NotifyFull)))
}

func (p *prefs) SetNotifications(n pages.Notifications) error {
	p.kept.SetString(prefNotifications, string(n))
	return nil
}

func (p *prefs) Resume() string { return p.kept.String(prefResume) }

func (p *prefs) SetResume(text string) error {
	p.kept.SetString(prefResume, text)
	return nil
}

func (p *prefs) look() theme.Choice {
	return theme.Choice(p.kept.StringWithFallback(prefLook, string(theme.System)))
}
