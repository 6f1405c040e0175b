package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/widgets"
)

// answerPart is the answer to ordinary mail: whether, with which words in front, and
// how it reads.
type answerPart struct {
	shell      *Shell
	root       *fyne.Container
	on         *widgets.Option
	fault      *note
	mute       *note
	words      *widgets.Field
	left       *note
	save, undo *widgets.Action
	tools      *fyne.Container
	done       *note
	count      *note
	preview    *widget.Label
	box        *fyne.Container
}

func newAnswerPart(s *Shell) *answerPart {
	p := &answerPart{shell: s, fault: newNote(danger, theme.SizeSmall), mute: newNote(widget.WarningImportance, theme.SizeText), left: newNote(low, theme.SizeSmall),
		done: newNote(good, theme.SizeSmall), count: newNote(low, theme.SizeText)}
	p.on = widgets.NewOption(s.t("price.answer.switch"), s.t("price.answer.why"), true, nil)
	p.on.OnTapped = func() { s.model.SetExclusive(!s.model.Answer().On) }
	p.words = widgets.NewField(s.t("price.answer.words"), true, false, s.model.TypeAnswer)
	p.words.Entry.SetMinRowsVisible(5)
	p.words.Entry.OnSubmit = s.model.SaveAnswer
	p.save = widgets.NewAction(s.t("save"), "", widgets.Primary, s.model.SaveAnswer)
	p.undo = widgets.NewAction(s.t("undo.changes"), "", widgets.Quiet, s.model.UndoAnswer)
	p.tools = widgets.NewWrap(theme.Space3, p.save, p.undo)
	p.preview = widgets.NewPara("", widget.MediumImportance, theme.SizeText)
	plane := widgets.NewFill(theme.Background)
	plane.Radius = 8
	p.box = widgets.NewColumn(theme.Space2, 0, widgets.NewText(s.t("price.answer.preview"), theme.Muted, theme.SizeSmall, false),
		container.NewStack(plane, widgets.NewPad(theme.Space4, widgets.Flush(p.preview))))
	form := widgets.NewColumn(theme.Space4, 0,
		widgets.NewColumn(theme.Space1, 0, p.on, p.fault.row),
		p.mute.row, p.count.row, widgets.NewHairline(),
		widgets.NewColumn(theme.Space1, 0, p.words.Box, p.left.row), p.tools, p.done.row)
	p.root = widgets.NewBeside(form, p.box)
	return p
}

func (p *answerPart) refresh() {
	v := p.shell.model.Answer()
	p.on.Set(v.On)
	p.fault.set(v.Error)
	p.mute.set(v.Mute)
	p.words.Entry.Put(v.Text)
	p.words.Fault(v.Fault)
	p.left.set(v.Left)
	p.save.Set(word(v.Busy, p.shell.t("saving"), p.shell.t("save")), v.Changed && v.Fault == "" && !v.Busy)
	widgets.Show(p.tools, v.Changed)
	p.done.set(v.Done)
	p.count.set(v.Count)
	setLabel(p.preview, v.Preview)
	widgets.Show(p.box, v.Preview != "")
}
