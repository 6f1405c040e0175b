package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"earnest/gui/theme"
	"earnest/gui/widgets"
)

// newStartSheet is one of the first start, where nothing stands beside it: there it is
// in the middle of the window.
func newStartSheet(s *Shell, objects ...fyne.CanvasObject) *fyne.Container {
	body := &fyne.Container{Layout: widgets.Amid{Width: widgets.FormWidth, When: &s.bare},
		Objects: []fyne.CanvasObject{widgets.NewColumn(theme.Space4, widgets.FormWidth, objects...)}}
	return container.NewStack(widgets.NewFill(theme.Surface),
		container.NewVScroll(widgets.NewInset(theme.Space5, theme.Space5, theme.Space5, theme.Space5, body)))
}

// newSheetOf is a page of one column that scrolls.
func newSheetOf(objects ...fyne.CanvasObject) *fyne.Container {
	body := widgets.NewColumn(theme.Space4, widgets.FormWidth, objects...)
	return container.NewStack(widgets.NewFill(theme.Surface),
		container.NewVScroll(widgets.NewInset(theme.Space5, theme.Space5, theme.Space5, theme.Space5, body)))
}
