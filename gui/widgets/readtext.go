package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// ReadText is a wrapping text that can be selected and copied. Fyne's label
// swallows every key once it was clicked; this one hands keys on to the window,
// so that a mail is still decided by one key after a click into its text.
type ReadText struct{ widget.Label }

// NewReadText makes an empty text.
func NewReadText() *ReadText {
	t := &ReadText{}
	t.Selectable = true
	t.Wrapping = fyne.TextWrapWord
	t.ExtendBaseWidget(t)
	return t
}

// CreateRenderer lays a catcher of mouse and keys over the label's own.
func (t *ReadText) CreateRenderer() fyne.WidgetRenderer {
	inner := t.Label.CreateRenderer()
	c := &catcher{}
	for _, o := range inner.Objects() {
		if s, ok := o.(selector); ok {
			c.inner = s
		}
	}
	c.ExtendBaseWidget(c)
	return &readRenderer{WidgetRenderer: inner, catcher: c}
}

type readRenderer struct {
	fyne.WidgetRenderer
	catcher *catcher
}

func (r *readRenderer) Layout(size fyne.Size) {
	r.WidgetRenderer.Layout(size)
	r.catcher.Resize(size)
}

func (r *readRenderer) Objects() []fyne.CanvasObject {
	return append(r.WidgetRenderer.Objects()[:len(r.WidgetRenderer.Objects()):len(r.WidgetRenderer.Objects())], r.catcher)
}

// selector is the part of a label that keeps the selection.
type selector interface {
	fyne.Focusable
	fyne.Draggable
	fyne.DoubleTappable
	fyne.SecondaryTappable
	fyne.Shortcutable
	desktop.Mouseable
}

// catcher stands before the selector: it hands the mouse on and keeps the focus.
type catcher struct {
	widget.BaseWidget
	inner selector
}

func (c *catcher) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(&fyne.Container{})
}

// keep takes the focus back that the selector takes at each press.
func (c *catcher) keep() {
	if canvas := fyne.CurrentApp().Driver().CanvasForObject(c); canvas != nil {
		canvas.Focus(c)
	}
	c.inner.FocusGained()
}

func (c *catcher) Cursor() desktop.Cursor          { return desktop.TextCursor }
func (c *catcher) MouseDown(e *desktop.MouseEvent) { c.inner.MouseDown(e); c.keep() }
func (c *catcher) MouseUp(e *desktop.MouseEvent)   { c.inner.MouseUp(e) }
func (c *catcher) Dragged(e *fyne.DragEvent)       { c.inner.Dragged(e); c.keep() }
func (c *catcher) DragEnd()                        { c.inner.DragEnd() }
func (c *catcher) DoubleTapped(e *fyne.PointEvent) { c.inner.DoubleTapped(e); c.keep() }
func (c *catcher) TappedSecondary(e *fyne.PointEvent) {
	c.inner.TappedSecondary(e)
}
func (c *catcher) TypedShortcut(s fyne.Shortcut) { c.inner.TypedShortcut(s) }
func (c *catcher) FocusGained()                  { c.inner.FocusGained() }
func (c *catcher) FocusLost()                    { c.inner.FocusLost() }
func (c *catcher) TypedRune(r rune)              { passRune(c, r) }
func (c *catcher) TypedKey(e *fyne.KeyEvent)     { passKey(c, e) }
