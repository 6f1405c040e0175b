package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"earnest/gui/theme"
	"earnest/gui/widgets"
)

// newSheetOf is a page of one column that scrolls.
func newSheetOf(objects ...fyne.CanvasObject) *fyne.Container {
	body := widgets.NewColumn(theme.Space4, widgets.FormWidth, objects...)
	return container.NewStack(widgets.NewFill(theme.Surface),
		container.NewVScroll(widgets.NewInset(theme.Space5, theme.Space5, theme.Space5, theme.Space5, body)))
}
