package pages

import (
	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// safetyPart is the page behind the settings about an account's safety at its escrow.
type safetyPart struct {
	shell   *Shell
	title   *widget.Label
	fault   *note
	done    *note
	body    *fyne.Container
	state   *stateLine
	guard   *stateLine
	means   *note
	way     *widgets.Action // back
	freeze  *widgets.Action
	press   *fyne.Container // around it
	quiet   *note
	changes *fyne.Container
	rows    []*changeLine
	export  *widgets.Action
	saved   *note
	remove  *widgets.Action
	ask     *questionPart
}

// changeLine is a change that waits, and the way to stop it.
type changeLine struct {
	box    *fyne.Container
	text   *note
	icon   *fyne.Container // a warning: it is not the account's own
	when   *widgets.Text
	cancel *widgets.Action
	id     string
}

func newSafetyPage(s *Shell) *behindPage {
	p := &safetyPart{shell: s, fault: newNote(danger, theme.SizeText), done: newNote(good, theme.SizeText), state: newStateLine(), guard: newStateLine(),
		means: newNote(low, theme.SizeSmall), quiet: newNote(low, theme.SizeText), changes: widgets.NewColumn(theme.Space3, 0), saved: newNote(good, theme.SizeSmall)}
	p.freeze = widgets.NewAction("", "", widgets.Quiet, s.model.Freeze)
	p.press = widgets.NewLine(0, -1, p.freeze)
	p.export = widgets.NewAction(s.t("safety.export"), "", widgets.Quiet, func() {
		s.saveAs(s.model.AccountFile(), func(_ string, write func([]byte) error) { s.model.ExportAccount(write) })
	})
	p.remove = widgets.NewAction(s.t("safety.delete"), "", widgets.Link, s.model.AskDelete)
	p.ask = newQuestionPart(s, p.remove, s.t("safety.delete.no"), s.model.KeepDelete, s.model.DeleteAccount)
	waits := section(s.t("safety.waits"), hinted(s.t("safety.waits-what")), p.quiet.row, p.changes)
	p.body = widgets.NewColumn(theme.Space4, 0, widgets.NewColumn(theme.Space1, 0, p.state.box, p.guard.box), p.means.row, p.press,
		widgets.NewHairline(), waits, widgets.NewHairline())
	data := section(s.t("safety.data"), hinted(s.t("safety.export-what")), widgets.NewLine(0, -1, p.export), p.saved.row, widgets.NewLine(0, -1, p.remove), p.ask.box)
	b := &behindPage{refresh: p.refresh}
	p.title = widgets.NewPara("", widget.MediumImportance, theme.SizeTitle)
	p.way = widgets.NewAction(s.t("settings.back"), "", widgets.Link, s.model.CloseSafety)
	b.root, b.first = behindOf(p.way, widgets.Flush(p.title), s.t("safety.what"), p.fault.row, p.done.row, p.body, data), p.way
	return b
}

func (p *safetyPart) refresh() {
	s, v := p.shell, p.shell.model.Safety()
	if !v.Open {
		return
	}
	setLabel(p.title, v.Title)
	p.fault.set(v.Error)
	p.done.set(v.Done)
	widgets.Show(p.body, v.Loaded)
	p.state.set(v.State, !v.Frozen)
	p.guard.set(v.Guard, v.Guarded)
	p.means.set(v.Means)
	p.showFreeze(v)
	p.quiet.set(v.Quiet)
	p.showChanges(v)
	p.export.Set(word(v.Saving, s.t("safety.exporting"), s.t("safety.export")), !v.Saving)
	tone := viewmodel.Good
	if v.Failed {
		tone = viewmodel.Against
	}
	p.saved.tone(v.Saved, tone)
	p.ask.refresh(s, v.Delete, s.t("safety.delete.busy"))
}

// showFreeze shows the button where it does something. The focus does not go with it.
func (p *safetyPart) showFreeze(v viewmodel.Safety) {
	if c := p.shell.canvas(); v.Act == "" && c != nil && c.Focused() == fyne.Focusable(p.freeze) {
		c.Focus(p.way)
	}
	widgets.Show(p.press, v.Act != "")
	if v.Act != "" {
		p.freeze.Set(v.Act, !v.Busy)
	}
}

func (p *safetyPart) showChanges(v viewmodel.Safety) {
	s := p.shell
	for len(p.rows) < len(v.Changes) {
		l := &changeLine{text: newNote(widget.MediumImportance, theme.SizeText), when: widgets.NewText("", theme.Muted, theme.SizeText, false)}
		l.icon = widgets.NewInset(0, theme.Space2, 0, 0, widgets.NewTop(widget.NewIcon(fynetheme.NewWarningThemedResource(fynetheme.WarningIcon()))))
		l.cancel = widgets.NewAction("", "", widgets.Link, func() { s.model.CancelChange(l.id) })
		l.box = widgets.NewColumn(0, 0, widgets.Dock(nil, nil, l.icon, nil, l.text.row), widgets.NewLine(theme.Space4, -1, l.when, l.cancel))
		p.rows = append(p.rows, l)
		p.changes.Add(l.box)
	}
	for i, l := range p.rows {
		widgets.Show(l.box, i < len(v.Changes))
		if i >= len(v.Changes) {
			continue
		}
		c := v.Changes[i]
		l.id = c.ID
		widgets.Show(l.icon, c.Theirs)
		l.text.set(c.Text)
		l.when.Set(c.When, theme.Muted)
		l.cancel.Set(word(c.Busy, s.t("safety.cancelling"), s.t("safety.cancel")), !v.Busy)
	}
	widgets.Show(p.changes, len(v.Changes) > 0)
}
