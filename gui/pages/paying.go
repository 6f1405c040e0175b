package pages

import (
	"fyne.io/fyne/v2"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// payCardPart is paying by card, in the voucher's place: a form, or the payment that is
// waited for.
type payCardPart struct {
	shell *Shell
	box   *fyne.Container

	form   *fyne.Container
	purse  *widgets.Choice
	amount *widgets.Field
	hint   *note
	pay    *widgets.Action

	wait   *fyne.Container
	text   *stateLine
	shut   *note
	link   *widgets.ReadText // of the page, where no browser opened
	linked *fyne.Container
	again  *widgets.Action
	copy   *widgets.Action
	stop   *widgets.Action

	done, fault *note
	url         string
	opened      string // the URL that was shown in the browser
}

func newPayCardPart(s *Shell) *payCardPart {
	// A window that is drawn anew, in another language, shows no page a second time.
	p := &payCardPart{shell: s, opened: s.model.ByCard().URL, hint: newNote(low, theme.SizeSmall), shut: newNote(danger, theme.SizeSmall),
		done: newNote(good, theme.SizeText), fault: newNote(danger, theme.SizeText), text: newStateLine(), link: widgets.NewReadText()}
	p.purse = widgets.NewChoice(s.t("card.purse"), 0, s.model.SetCardPurse)
	p.amount = widgets.NewField(s.t("card.amount"), false, false, s.model.SetCardAmount)
	p.amount.Entry.OnSubmit = s.model.PayByCard
	p.pay = widgets.NewAction(s.t("card.action"), "", widgets.Primary, s.model.PayByCard)
	p.form = widgets.NewColumn(theme.Space4, 0, p.purse.Box, widgets.NewColumn(theme.Space1, 0, p.amount.Box, p.hint.row), widgets.NewLine(0, -1, p.pay))
	p.link.SizeName, p.link.Wrapping = theme.SizeSmall, fyne.TextWrapBreak
	p.linked = widgets.Flush(p.link)
	p.again = widgets.NewAction(s.t("card.again"), "", widgets.Link, p.open)
	p.copy = widgets.NewAction(s.t("start.login.copy"), "", widgets.Link, func() { s.copy(p.copy, p.url) })
	p.stop = widgets.NewAction(s.t("card.stop"), "", widgets.Link, s.model.StopCard)
	p.wait = widgets.NewColumn(theme.Space2, 0, p.text.box, p.shut.row, p.linked, widgets.NewLinks(theme.Space4, p.again, p.copy, p.stop))
	p.wait.Hide()
	p.box = widgets.NewColumn(theme.Space4, 0, p.form, p.wait, p.done.row, p.fault.row)
	return p
}

func (p *payCardPart) open() {
	if p.url == "" {
		return
	}
	if err := p.shell.openURL(p.url); err != nil {
		p.shell.model.CardNotOpened(err)
	}
}

func (p *payCardPart) refresh(v viewmodel.ByCard) {
	s := p.shell
	turned := p.wait.Visible() != v.Waiting
	widgets.Show(p.form, !v.Waiting)
	widgets.Show(p.wait, v.Waiting)
	widgets.Show(p.purse.Box, len(v.Purses) > 0)
	p.purse.Set(v.Purses, v.Purse)
	p.amount.Entry.Put(v.Amount)
	p.amount.Fault(v.Error)
	p.hint.set(word(v.Error == "", v.Hint, ""))
	p.pay.Set(word(v.Busy, s.t("card.busy"), s.t("card.action")), !v.Busy)
	p.done.set(v.Done)
	p.fault.set(v.Fault)
	p.text.waits(v.Text)
	p.shut.set(v.Shut)
	if p.link.Text != v.URL {
		p.link.SetText(v.URL)
	}
	widgets.Show(p.linked, v.Shut != "" && v.URL != "")
	widgets.Show(p.again, v.URL != "")
	widgets.Show(p.copy, v.URL != "")
	p.url = v.URL
	if turned {
		p.refocus(v.Waiting)
	}
	if v.Open && v.URL != "" && v.URL != p.opened {
		p.opened = v.URL
		p.open()
	}
}

// refocus keeps the focus where there is something to do, when what had it goes.
func (p *payCardPart) refocus(waiting bool) {
	c := p.shell.canvas()
	if c == nil {
		return
	}
	switch focused := c.Focused(); {
	case waiting && (focused == fyne.Focusable(p.amount.Entry) || focused == fyne.Focusable(p.pay)):
		c.Focus(p.stop)
	case !waiting && (focused == fyne.Focusable(p.again) || focused == fyne.Focusable(p.copy) || focused == fyne.Focusable(p.stop)):
		c.Focus(p.amount.Entry)
	}
}

// payoutPart is the way out of the escrow: a form, and what was asked for.
type payoutPart struct {
	shell  *Shell
	root   fyne.CanvasObject
	purse  *widgets.Choice
	amount *widgets.Field
	to     *widgets.Field
	hint   *note
	form   *fyne.Container
	none   *note
	ask    *widgets.Action
	fault  *note
	done   *note
	rows   *fyne.Container
	empty  *note
	load   *note
	shown  []viewmodel.PayoutRow
	acts   map[string]payoutActions // of the rows, by id
	asked  string                   // the row whose question is open
}

func newPayoutPart(s *Shell) *payoutPart {
	p := &payoutPart{shell: s, hint: newNote(low, theme.SizeSmall), none: newNote(low, theme.SizeText), fault: newNote(danger, theme.SizeText),
		done: newNote(good, theme.SizeText), empty: newNote(low, theme.SizeText), load: newNote(danger, theme.SizeText), rows: widgets.NewColumn(theme.Space4, 0)}
	p.purse = widgets.NewChoice(s.t("payout.purse"), 0, s.model.SetPayOutPurse)
	p.amount = widgets.NewField(s.t("payout.amount"), false, false, s.model.SetPayOutAmount)
	p.to = widgets.NewField(s.t("payout.to"), false, false, s.model.SetPayOutTo)
	p.to.Entry.SetPlaceHolder(s.t("payout.to-hint"))
	p.amount.Entry.OnSubmit, p.to.Entry.OnSubmit = s.model.AskPayOut, s.model.AskPayOut
	p.ask = widgets.NewAction(s.t("payout.action"), "", widgets.Primary, s.model.AskPayOut)
	p.form = widgets.NewColumn(theme.Space4, 0, p.purse.Box, widgets.NewColumn(theme.Space1, 0, p.amount.Box, p.hint.row), p.to.Box, widgets.NewLine(0, -1, p.ask))
	p.root = scrolled(widgets.NewColumn(theme.Space4, widgets.FormWidth,
		hinted(s.t("payout.why")),
		p.none.row, p.form, p.done.row, p.fault.row, widgets.NewHairline(),
		widgets.NewText(s.t("payout.list"), theme.Text, theme.SizeText, true), p.load.row, p.empty.row, p.rows))
	return p
}

func (p *payoutPart) refresh() {
	s, v := p.shell, p.shell.model.PayOut()
	p.none.set(word(v.Nothing, s.t("payout.nothing"), ""))
	widgets.Show(p.form, !v.Nothing)
	widgets.Show(p.purse.Box, len(v.Purses) > 0)
	p.purse.Set(v.Purses, v.Purse)
	p.amount.Entry.Put(v.Amount)
	p.amount.Fault(v.ErrSum)
	p.to.Entry.Put(v.To)
	p.to.Fault(v.ErrTo)
	p.hint.set(word(v.ErrSum == "", v.Hint, ""))
	p.ask.Set(word(v.Busy, s.t("payout.busy"), s.t("payout.action")), !v.Busy)
	p.fault.set(v.Fault)
	p.done.set(v.Done)
	p.load.set(v.LoadErr)
	empty := ""
	switch {
	case v.Loaded && len(v.Rows) == 0:
		empty = s.t("payout.none")
	case !v.Loaded && v.LoadErr == "":
		empty = s.t("status.asking")
	}
	p.empty.set(empty)
	p.list(v.Rows)
}
