package desktop

import (
	"bytes"
	"image/png"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	fynedesktop "fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/software"

	"earnest/gui/theme"
)

// TrayItem is a line of the tray's menu; one without a title is a rule.
type TrayItem struct {
	Title string
	Do    func() // nil: it only tells something
}

// Tray is the program's place in the tray: its icon with the number waiting.
type Tray struct {
	app   fynedesktop.App
	icon  fyne.Resource
	menu  *fyne.Menu
	shown int
	words string // of the menu as it stands
}

// NewTray takes a place in the tray; nil where the desktop has none.
func NewTray(app fyne.App, icon fyne.Resource) *Tray {
	place, ok := app.(fynedesktop.App)
	if !ok || !HasTray() {
		return nil
	}
	return &Tray{app: place, icon: icon, menu: fyne.NewMenu("Earnest"), shown: -1}
}

// Set shows how many mails wait, and the menu. It is called on the drawing
// goroutine, and does nothing where nothing has changed.
func (t *Tray) Set(waiting int, items []TrayItem) {
	words := ""
	for _, item := range items {
		words += item.Title + "\n"
	}
	if words != t.words {
		// One menu for good: the tray, once it is ready, shows the menu that it was
		// first given, and would bring an older one back.
		t.words, t.menu.Items = words, nil
		for _, item := range items {
			if item.Title == "" {
				t.menu.Items = append(t.menu.Items, fyne.NewMenuItemSeparator())
				continue
			}
			line := fyne.NewMenuItem(item.Title, item.Do)
			line.Disabled = item.Do == nil
			t.menu.Items = append(t.menu.Items, line)
		}
		t.app.SetSystemTrayMenu(t.menu)
	}
	if waiting != t.shown {
		t.shown = waiting
		t.app.SetSystemTrayIcon(Badge(t.icon, waiting))
	}
}

const badgeSize = 64

// Badge is the icon with a number on it; none for 0.
func Badge(icon fyne.Resource, n int) fyne.Resource {
	if n <= 0 {
		return icon
	}
	number := strconv.Itoa(n)
	if n > 99 {
		number = "99"
	}
	// The tray's own background is not known, so the number stands on a disc of
	// its own, against the colour of the icon.
	look := theme.New(theme.Light)
	picture := canvas.NewImageFromResource(icon)
	picture.FillMode = canvas.ImageFillContain
	disc := canvas.NewCircle(look.Color(theme.OnAccent, 0))
	text := canvas.NewText(number, look.Color(theme.Accent, 0))
	text.TextSize, text.TextStyle.Bold, text.Alignment = 28, true, fyne.TextAlignCenter
	root := container.NewWithoutLayout(picture, disc, text)
	root.Resize(fyne.NewSquareSize(badgeSize))
	picture.Resize(fyne.NewSquareSize(badgeSize))
	const wide = 42
	disc.Move(fyne.NewPos(badgeSize-wide, badgeSize-wide))
	disc.Resize(fyne.NewSquareSize(wide))
	text.Move(fyne.NewPos(badgeSize-wide, badgeSize-wide+(wide-text.MinSize().Height)/2))
	text.Resize(fyne.NewSize(wide, text.MinSize().Height))
	c := software.NewTransparentCanvas()
	c.SetPadded(false)
	c.SetContent(root)
	c.Resize(fyne.NewSquareSize(badgeSize))
	var data bytes.Buffer
	if err := png.Encode(&data, c.Capture()); err != nil {
		return icon
	}
	return fyne.NewStaticResource("earnest-"+number+".png", data.Bytes())
}
