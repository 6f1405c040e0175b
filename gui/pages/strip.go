package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// strip is the foot of the window: the status line, and beside it what can be
// taken back. Its height is always the same, so that nothing that the mouse is
// over moves when a reject begins to count down.
type strip struct {
	shell *Shell
	root  *fyne.Container

	left   *fyne.Container
	icons  map[viewmodel.Tone]*widget.Icon
	status *widgets.Text
	right  *fyne.Container
	text   *widgets.TwoLines
	undo   *widgets.Action
	close  *widgets.Action
	end    *fyne.Container // room behind the text where no button stands there
}

// stripHeight holds the bar with a button in it.
const stripHeight float32 = 44

// keyAt is the width from which the bar names its key.
const keyAt float32 = 400

// bothAt is the width from which status line and undo bar stand side by side.
const bothAt float32 = 900

func newStrip(s *Shell) *strip {
	b := &strip{shell: s, icons: map[viewmodel.Tone]*widget.Icon{
		viewmodel.Waits:   widget.NewIcon(fynetheme.NewWarningThemedResource(fynetheme.WarningIcon())),
		viewmodel.Against: widget.NewIcon(fynetheme.NewErrorThemedResource(fynetheme.ErrorIcon())),
		viewmodel.Good:    widget.NewIcon(fynetheme.NewSuccessThemedResource(fynetheme.ConfirmIcon())),
	}}
	b.status = widgets.NewText("", theme.Muted, theme.SizeSmall, false)
	b.status.Cut = true
	b.left = widgets.NewLine(theme.Space1, 3, b.icons[viewmodel.Waits], b.icons[viewmodel.Against], b.icons[viewmodel.Good], b.status)
	b.text = widgets.NewTwoLines(theme.Background)
	b.undo = widgets.NewAction(s.t("undo.action"), "U", widgets.Inverse, s.model.UndoReject)
	b.end = &fyne.Container{Layout: widgets.Fixed{}}
	b.close = widgets.NewAction(s.t("told.dismiss"), "", widgets.Inverse, s.model.Dismiss)
	// In the colours of the other variant, so that it is no second status line.
	plane := widgets.NewFill(theme.Text)
	plane.Radius = 8
	b.right = container.NewStack(plane, widgets.NewInset(0, theme.Space1, 0, theme.Space4,
		widgets.NewLine(theme.Space4, 0, b.text, b.undo, b.close, b.end)))
	b.right.Hide()
	b.root = widgets.NewColumn(0, 0, widgets.NewHairline(), &fyne.Container{Layout: stripLayout{b.text}, Objects: []fyne.CanvasObject{b.left, b.right}})
	return b
}

func (b *strip) refresh() {
	m := b.shell.model
	undo, told, status := m.Undo(), m.Told(), m.StatusLine()
	wide := b.root.Size().Width >= bothAt
	pill := undo.Text
	beside := told.Show && undo.Show && wide
	if told.Show && !beside {
		pill = told.Text // on a small window it goes away before the undo does
	}
	show := undo.Show || told.Show
	b.text.Set(pill)
	b.undo.Name(b.key())
	widgets.Show(b.undo, undo.Show && (beside || !told.Show))
	widgets.Show(b.close, told.Show && !beside && told.Tone == viewmodel.Against)
	widgets.Show(b.end, !b.undo.Visible() && !b.close.Visible())
	widgets.Show(b.right, show)
	line, color, tone := status.Text, theme.Muted, viewmodel.Plain
	if status.Trouble {
		tone = viewmodel.Waits
	}
	if beside {
		line, color, tone = told.Text, theme.Text, told.Tone
	}
	b.status.Set(line, color)
	for t, icon := range b.icons {
		widgets.Show(icon, t == tone)
	}
	b.root.Objects[1].Refresh()
}

// key is the undo's, named where the text beside it keeps room.
func (b *strip) key() string {
	if width := b.root.Size().Width; width > 0 && width < widgets.Grown(keyAt) {
		return ""
	}
	return "U"
}

// stripLayout puts the bar at the right, as wide as it likes to be, and the
// status line in the room left, if that is enough to read it.
type stripLayout struct{ text *widgets.TwoLines }

func (l stripLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	left, right := objects[0], objects[1]
	room := size.Width - 2*theme.Space4
	place := func(o fyne.CanvasObject, x, width float32) {
		height := o.MinSize().Height
		o.Resize(fyne.NewSize(max(0, width), height))
		o.Move(fyne.NewPos(x, (size.Height-height)/2))
	}
	narrow := size.Width < bothAt
	widgets.Show(left, !narrow || !right.Visible())
	if !right.Visible() {
		place(left, theme.Space4, room)
		return
	}
	full := right.MinSize().Width + l.text.Full()
	if narrow {
		width := min(full, room)
		place(right, (size.Width-width)/2, width)
		return
	}
	width := min(full, room*2/3)
	place(right, size.Width-theme.Space4-width, width)
	place(left, theme.Space4, room-width-theme.Space5)
}

func (stripLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(0, max(stripHeight, objects[1].MinSize().Height+theme.Space1))
}
