package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// decideFoot is under the open mail: the decision, or in its place the question
// that goes before it.
type decideFoot struct {
	shell *Shell
	root  *fyne.Container

	plain      *fyne.Container
	busy       *widgets.Text
	reject     *widgets.Action
	rejectMore *widgets.Action
	accept     *widgets.Action
	acceptMore *widgets.Action
	undo       *widgets.Action
	reply      *widgets.Action

	ask    *fyne.Container
	title  *widget.Label
	count  *widgets.Field
	quick  *fyne.Container
	number *fyne.Container
	reason *widgets.Field
	note   *fyne.Container

	link    *fyne.Container
	asks    *widget.Label
	host    *widget.Label
	hostRow *fyne.Container
	target  *widgets.ReadText
	open    *widgets.Action
	copy    *widgets.Action
	cancel  *widgets.Action
	fault   *widget.Label
	row     *fyne.Container
	url     string
}

func newDecideFoot(s *Shell) *decideFoot {
	f := &decideFoot{shell: s}
	f.buildPlain()
	f.buildAsk()
	f.buildLink()
	f.root = widgets.NewColumn(0, 0, widgets.NewHairline(),
		widgets.NewInset(theme.Space3, theme.Space5, theme.Space3, theme.Space5,
			widgets.NewColumn(0, widgets.ReadingWidth, f.plain, f.ask, f.link)))
	return f
}

func (f *decideFoot) buildPlain() {
	s := f.shell
	f.accept = widgets.NewAction(s.t("reading.accept"), "A", widgets.Primary, s.model.Accept)
	f.acceptMore = widgets.NewAction("▾", "", widgets.Quiet, func() { s.model.AskAccept(); s.Refresh(); f.focusAsk() })
	f.reject = widgets.NewAction(s.t("reading.reject"), "R", widgets.Danger, s.model.Reject)
	f.rejectMore = widgets.NewAction("▾", "", widgets.Quiet, func() { s.model.AskReject(); s.Refresh(); f.focusAsk() })
	f.undo = widgets.NewAction(s.t("reading.undo"), "U", widgets.Quiet, s.model.UndoReject)
	f.reply = widgets.NewAction(s.t("reading.reply"), "⇧W", widgets.Quiet, s.model.Reply)
	f.busy = widgets.NewText("", theme.Muted, theme.SizeText, false)
	f.busy.Cut = true
	f.plain = widgets.NewEnds(theme.Space1, 2, f.reject, f.rejectMore, f.busy, f.undo, f.reply, f.acceptMore, f.accept)
}

func (f *decideFoot) buildAsk() {
	s := f.shell
	shut := func() { s.model.CloseAsk() }
	f.title = widgets.NewPara("", widget.MediumImportance, theme.SizeText)
	always := widgets.NewAction(s.t("ask.accept.always"), "", widgets.Quiet, s.model.AcceptAlways)
	once := widgets.NewAction(s.t("ask.accept.once"), "", widgets.Quiet, s.model.AcceptOnce)
	f.count = widgets.NewField(s.t("ask.accept.count"), false, false, s.model.SetCount)
	f.count.Entry.OnSubmit, f.count.Entry.OnEscape = s.model.AcceptCounted, shut
	// A number needs no more room.
	f.count.Box.Objects[1] = widgets.NewLine(0, -1, &fyne.Container{Layout: widgets.Fixed{Width: 120}, Objects: []fyne.CanvasObject{f.count.Entry}})
	f.quick = widgets.NewWrap(theme.Space2, always, once)
	f.number = widgets.NewColumn(theme.Space3, 0, f.count.Box, widgets.NewWrap(theme.Space3,
		widgets.NewAction(s.t("ask.accept.do"), "↵", widgets.Primary, s.model.AcceptCounted),
		widgets.NewAction(s.t("ask.cancel"), "Esc", widgets.Link, shut)))
	f.reason = widgets.NewField(s.t("ask.reject.reason"), false, false, s.model.SetReason)
	f.reason.Entry.OnSubmit, f.reason.Entry.OnEscape = s.model.RejectNoted, shut
	f.note = widgets.NewColumn(theme.Space3, 0, f.reason.Box, widgets.NewWrap(theme.Space3,
		widgets.NewAction(s.t("ask.reject.do"), "↵", widgets.Danger, s.model.RejectNoted),
		widgets.NewAction(s.t("ask.cancel"), "Esc", widgets.Link, shut)))
	f.ask = widgets.NewColumn(theme.Space3, 0, widgets.Flush(f.title), f.quick, f.number, f.note)
	f.ask.Hide()
}

func (f *decideFoot) buildLink() {
	s := f.shell
	f.asks = widgets.NewPara("", widget.MediumImportance, theme.SizeText)
	f.asks.TextStyle.Bold = true
	f.host = widgets.NewPara("", widget.LowImportance, theme.SizeText)
	f.hostRow = widgets.Flush(f.host)
	f.target = widgets.NewReadText()
	f.target.TextStyle.Monospace = true
	f.target.Wrapping = fyne.TextWrapBreak
	f.fault = widgets.NewPara("", widget.DangerImportance, theme.SizeSmall)
	f.row = widgets.Flush(f.fault)
	f.open = widgets.NewAction(s.t("open.do"), "", widgets.Quiet, func() { s.model.OpenLink(s.openURL) })
	f.copy = widgets.NewAction(s.t("open.copy"), "", widgets.Quiet, func() { s.copy(f.copy, f.url) })
	f.cancel = widgets.NewAction(s.t("open.cancel"), "Esc", widgets.Link, func() { s.model.CloseLink() })
	f.link = widgets.NewColumn(theme.Space2, 0, widgets.Flush(f.asks), widgets.Flush(f.target), f.hostRow, f.row,
		widgets.NewWrap(theme.Space3, f.open, f.copy, f.cancel))
	f.link.Hide()
}

// openURL shows a page in the system's browser.
func (s *Shell) openURL(target string) error {
	if s.host.OpenURL == nil {
		return errNoBrowser{s.t("open.nothing")}
	}
	return s.host.OpenURL(target)
}

type errNoBrowser struct{ said string }

func (e errNoBrowser) Error() string { return e.said }

func (f *decideFoot) set(r viewmodel.Reading) {
	asking := r.Ask.Accept || r.Ask.Reject
	link := r.Link.Show
	decides := r.May != (viewmodel.May{}) || r.Busy != "" || r.Wait
	widgets.Show(f.root, !r.Many && (decides || asking || link || r.Reply))
	if f.ask.Visible() && !asking {
		f.leaveAsk()
	}
	widgets.Show(f.plain, !asking && !link)
	widgets.Show(f.ask, asking && !link)
	widgets.Show(f.link, link)
	t := f.shell.t
	f.busy.Set(r.Busy, theme.Muted)
	f.accept.Set(t("reading.accept"), !r.Wait)
	f.reject.Set(t("reading.reject"), !r.Wait)
	widgets.Show(f.accept, r.May.Accept)
	widgets.Show(f.acceptMore, r.May.Accept)
	widgets.Show(f.reject, r.May.Reject)
	widgets.Show(f.rejectMore, r.May.Reject)
	widgets.Show(f.undo, r.May.Undo)
	widgets.Show(f.reply, r.Reply && !decides)
	if asking {
		setLabel(f.title, r.Ask.Title)
		f.count.Entry.Put(r.Ask.Count)
		f.reason.Entry.Put(r.Ask.Reason)
		f.count.Fault(r.Ask.Fault)
		f.reason.Fault(r.Ask.Fault)
		widgets.Show(f.quick, r.Ask.Accept)
		widgets.Show(f.number, r.Ask.Accept)
		widgets.Show(f.note, r.Ask.Reject)
	}
	if link {
		f.setLink(r.Link)
	}
}

func (f *decideFoot) setLink(v viewmodel.LinkAsk) {
	f.url = v.Target
	setLabel(f.asks, v.Title)
	if f.target.Text != v.Target {
		f.target.SetText(v.Target)
	}
	widgets.SetPara(f.host, f.hostRow, v.Host)
	widgets.SetPara(f.fault, f.row, v.Fault)
	word := f.shell.t("open.do")
	if v.Mail {
		word = f.shell.t("open.do.mail")
	}
	f.open.Set(word, true)
}

// focusAsk puts the keys into the form that was opened.
func (f *decideFoot) focusAsk() {
	c := f.shell.canvas()
	if c == nil || !f.ask.Visible() {
		return
	}
	if f.note.Visible() {
		c.Focus(f.reason.Entry)
	} else {
		c.Focus(f.count.Entry)
	}
}

// leaveAsk gives the keys back to the page as the form shuts: a field that is not
// seen would swallow them.
func (f *decideFoot) leaveAsk() {
	c := f.shell.canvas()
	if c == nil {
		return
	}
	if in := c.Focused(); in == fyne.Focusable(f.count.Entry) || in == fyne.Focusable(f.reason.Entry) {
		c.Unfocus()
	}
}

// focusLink puts the keys on the safe answer.
func (f *decideFoot) focusLink() {
	if c := f.shell.canvas(); c != nil && f.link.Visible() {
		c.Focus(f.cancel)
	}
}
