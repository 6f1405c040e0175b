package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// comingPage stands where a page is being built; it is gone when all are.
type comingPage struct{ root *fyne.Container }

func newComingPage(*Shell) *comingPage { return &comingPage{container.NewStack()} }

func (p *comingPage) object() fyne.CanvasObject { return p.root }
func (p *comingPage) refresh()                  {}
