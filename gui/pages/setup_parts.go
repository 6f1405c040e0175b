package pages

import (
	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// trialLines is the live test, a line a step: icon, name, word.
type trialLines struct {
	shell *Shell
	box   *fyne.Container
	lines []*trialLine
}

type trialLine struct {
	box   *fyne.Container
	icon  *widget.Icon
	name  *widgets.Text
	word  *widgets.Text
	fault *note
	file  *fyne.Container // offers a key file
	offer *widgets.Action
	state string
}

func newTrialLines(s *Shell) *trialLines {
	return &trialLines{shell: s, box: widgets.NewColumn(theme.Space2, 0)}
}

func (t *trialLines) refresh(steps []viewmodel.TrialStep) {
	widgets.Show(t.box, len(steps) > 0)
	for len(t.lines) < len(steps) {
		l := &trialLine{icon: widget.NewIcon(nil), name: widgets.NewText("", theme.Text, theme.SizeText, false),
			word: widgets.NewText("", theme.Muted, theme.SizeText, false), fault: newNote(widget.DangerImportance, theme.SizeSmall)}
		l.name.Cut = true
		below := func(o fyne.CanvasObject) *fyne.Container {
			return widgets.NewInset(0, 0, 0, fynetheme.IconInlineSize()+theme.Space2, o)
		}
		l.offer = widgets.NewAction(t.shell.t("start.keys.offer"), "", widgets.Quiet, t.shell.model.ChooseKeyFile)
		l.file = below(widgets.NewLine(0, -1, l.offer))
		l.box = widgets.NewColumn(theme.Space1, 0, widgets.NewLine(theme.Space2, 1, l.icon, l.name, l.word), below(l.fault.row), l.file)
		t.lines = append(t.lines, l)
		t.box.Add(l.box)
	}
	for i, l := range t.lines {
		widgets.Show(l.box, i < len(steps))
		if i < len(steps) {
			l.set(steps[i])
		}
	}
}

func (l *trialLine) set(v viewmodel.TrialStep) {
	if v.State != l.state {
		l.state = v.State
		l.icon.SetResource(stepIcon(v.State))
	}
	l.name.Set(v.Name, toneColor(v.NameTone))
	l.word.Set(v.Word, toneColor(v.Tone))
	l.fault.set(v.Fault)
	widgets.Show(l.file, v.KeyFile)
	widgets.Show(l.box.Objects[1], v.Fault != "")
}

func stepIcon(state string) fyne.Resource {
	switch state {
	case "ok":
		return fynetheme.NewSuccessThemedResource(fynetheme.ConfirmIcon())
	case "failed":
		return fynetheme.NewErrorThemedResource(fynetheme.CancelIcon())
	case "trying":
		return fynetheme.NewPrimaryThemedResource(fynetheme.ViewRefreshIcon())
	}
	return fynetheme.NewDisabledResource(fynetheme.MoreHorizontalIcon())
}

// trialPart is the page while the account is tried.
type trialPart struct {
	root    *fyne.Container
	address *widgets.Text
	lines   *trialLines
	stop    *widgets.Action
}

func newTrialPart(s *Shell) *trialPart {
	p := &trialPart{address: widgets.NewText("", theme.Muted, theme.SizeText, false), lines: newTrialLines(s)}
	p.address.Cut, p.address.CutStart = true, true
	p.stop = widgets.NewAction(s.t("start.trial.stop"), "", widgets.Quiet, s.model.StopTrial)
	p.root = newStartSheet(s, widgets.NewColumn(theme.Space2, 0, title(s.t("start.trial.title")), p.address), p.lines.box, widgets.NewLine(0, -1, p.stop))
	return p
}

func (p *trialPart) refresh(v viewmodel.Form) {
	p.address.Set(v.Values[viewmodel.FieldAddress], theme.Muted)
	p.lines.refresh(v.Steps)
}

// pricePart is the price of the new account.
type pricePart struct {
	shell   *Shell
	root    *fyne.Container
	address *widgets.Text
	field   *widgets.Field
	slider  *widget.Slider
	hint    *note
	see     *fyne.Container
	preview *widget.Label
	set     *widgets.Action
}

func newPricePart(s *Shell) *pricePart {
	p := &pricePart{shell: s, address: widgets.NewText("", theme.Muted, theme.SizeText, false),
		hint: newNote(widget.WarningImportance, theme.SizeSmall), preview: widgets.NewPara("", widget.MediumImportance, theme.SizeText)}
	p.address.Cut, p.address.CutStart = true, true
	p.field = widgets.NewField("", false, false, s.model.SetSetupPrice)
	p.field.Entry.OnSubmit = s.model.SaveSetupPrice
	slider, track := widgets.NewSlider()
	p.slider = slider
	p.slider.OnChanged = func(at float64) { s.model.SlideSetupPrice(int(at)) }
	p.see = widgets.NewColumn(theme.Space1, 0, widgets.NewText(s.t("start.price.see"), theme.Muted, theme.SizeSmall, false), widgets.Flush(p.preview))
	p.set = widgets.NewAction("", "", widgets.Primary, s.model.SaveSetupPrice)
	later := widgets.NewAction(s.t("start.price.later"), "", widgets.Quiet, s.model.EndSetup)
	p.root = newStartSheet(s, widgets.NewColumn(theme.Space2, 0, title(s.t("start.price.title")), p.address),
		widgets.Flush(widgets.NewPara(s.t("start.price.what"), widget.LowImportance, theme.SizeText)),
		widgets.NewColumn(theme.Space1, 0, p.field.Box, track, p.hint.row), p.see,
		widgets.NewWrap(theme.Space3, p.set, later),
		widgets.Flush(widgets.NewPara(s.t("start.price.later-means"), widget.LowImportance, theme.SizeSmall)))
	return p
}

func (p *pricePart) refresh(v viewmodel.SetupPriceView) {
	p.address.Set(v.Address, theme.Muted)
	p.field.Rename(p.shell.t("start.price.field", "Unit", v.Unit))
	p.field.Entry.Put(v.Text)
	p.field.Fault(v.Error)
	p.slider.Max = float64(v.Places - 1)
	if at := float64(v.At); p.slider.Value != at {
		p.slider.Value = at // tells nobody
		p.slider.Refresh()
	}
	p.hint.set(v.Hint)
	setLabel(p.preview, v.Preview)
	widgets.Show(p.see, v.Preview != "")
	p.set.Set(word(v.Busy, p.shell.t("start.price.setting"), p.shell.t("start.price.set")), !v.Busy)
}

// cardPart is the end: what to give to people who want to write.
type cardPart struct {
	shell  *Shell
	root   *fyne.Container
	text   *widget.Label
	card   viewmodel.Card
	copies []*widgets.Action
	done   *widgets.Action
}

func newCardPart(s *Shell) *cardPart {
	p := &cardPart{shell: s, text: widgets.NewPara("", widget.MediumImportance, theme.SizeText)}
	p.text.Selectable = true
	button := func(text string, what func() string) {
		a := widgets.NewAction(text, "", widgets.Quiet, nil)
		a.OnTapped = func() { s.copy(a, what()) }
		p.copies = append(p.copies, a)
	}
	button(s.t("start.card.copy-text"), func() string { return p.card.Text })
	button(s.t("start.card.copy-html"), func() string { return p.card.HTML })
	button(s.t("start.card.copy-link"), func() string { return p.card.Link })
	p.done = widgets.NewAction(s.t("start.card.done"), "", widgets.Primary, s.model.EndSetup)
	p.root = newStartSheet(s, title(s.t("start.card.title")),
		widgets.Flush(widgets.NewPara(s.t("start.card.what"), widget.LowImportance, theme.SizeText)),
		widgets.NewHairline(), widgets.Flush(p.text), widgets.NewHairline(),
		widgets.NewWrap(theme.Space2, p.copies[0], p.copies[1], p.copies[2]),
		widgets.NewLine(0, -1, p.done))
	return p
}

func (p *cardPart) refresh(v viewmodel.Card) {
	p.card = v
	setLabel(p.text, v.Text)
}
