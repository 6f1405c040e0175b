package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// passphraseFields are the fields of a passphrase, their order and their faults.
type passphraseFields struct {
	shell  *Shell
	order  []viewmodel.Field
	fields map[viewmodel.Field]*widgets.Field
	fault  *note
	button *widgets.Action
	submit func()
}

func newPassphraseFields(s *Shell, submit func()) *passphraseFields {
	p := &passphraseFields{shell: s, fields: map[viewmodel.Field]*widgets.Field{}, submit: submit,
		fault: newNote(widget.DangerImportance, theme.SizeText)}
	p.button = widgets.NewAction("", "", widgets.Primary, p.send)
	return p
}

func (p *passphraseFields) add(id viewmodel.Field, name string) fyne.CanvasObject {
	field := widgets.NewField(name, false, true, func(text string) { p.shell.model.SetPassphrase(id, text) })
	field.Entry.OnSubmit = p.send
	p.order, p.fields[id] = append(p.order, id), field
	return field.Box
}

// send hands the passphrase over. Where it cannot be, the first field that is wrong
// gets the focus.
func (p *passphraseFields) send() {
	p.submit()
	p.shell.Refresh()
	v := p.shell.model.KeyFile()
	for _, id := range p.order {
		if v.Errors[id] != "" && p.shell.canvas() != nil {
			p.shell.canvas().Focus(p.fields[id].Entry)
			return
		}
	}
}

func (p *passphraseFields) refresh(v viewmodel.KeyFile) {
	for _, id := range p.order {
		p.fields[id].Entry.Put(v.Values[id])
		p.fields[id].Fault(v.Errors[id])
	}
	p.fault.set(v.Error)
	p.button.Set(v.Button, !v.Busy)
}

func (p *passphraseFields) focus() fyne.Focusable { return p.fields[p.order[0]].Entry }

// keysPart is the page of a set-up on which a passphrase is chosen, where there is
// no keyring.
type keysPart struct {
	root   *fyne.Container
	fields *passphraseFields
	hint   *note
}

func newKeysPart(s *Shell) *keysPart {
	p := &keysPart{fields: newPassphraseFields(s, s.model.SaveKeyFile), hint: newNote(widget.LowImportance, theme.SizeSmall)}
	back := widgets.NewAction(s.t("start.keys.back"), "", widgets.Link, s.model.LeaveKeyFile)
	p.root = newStartSheet(s, widgets.NewColumn(theme.Space2, 0, widgets.NewLine(0, -1, back), title(s.t("start.keys.title"))),
		widgets.Flush(widgets.NewPara(s.t("start.keys.what"), widget.LowImportance, theme.SizeText)),
		widgets.Flush(widgets.NewPara(s.t("start.keys.lost"), widget.WarningImportance, theme.SizeText)),
		widgets.NewColumn(theme.Space1, 0, p.fields.add(viewmodel.FieldPhrase, s.t("start.keys.phrase")), p.hint.row),
		p.fields.add(viewmodel.FieldAgain, s.t("start.keys.again")),
		p.fields.fault.row, widgets.NewLine(0, -1, p.fields.button))
	return p
}

func (p *keysPart) refresh(v viewmodel.KeyFile) {
	p.fields.refresh(v)
	p.hint.set(v.Hint)
}

// unlockPage asks for the passphrase of the key file. There is no other page until
// the agent has it.
type unlockPage struct {
	shell  *Shell
	root   *fyne.Container
	fields *passphraseFields
}

func newUnlockPage(s *Shell) *unlockPage {
	p := &unlockPage{shell: s, fields: newPassphraseFields(s, s.model.Unlock)}
	p.root = newStartSheet(s, title(s.t("unlock.title")),
		widgets.Flush(widgets.NewPara(s.t("unlock.what"), widget.LowImportance, theme.SizeText)),
		p.fields.add(viewmodel.FieldPhrase, s.t("unlock.phrase")),
		p.fields.fault.row, widgets.NewLine(0, -1, p.fields.button))
	return p
}

func (p *unlockPage) object() fyne.CanvasObject { return p.root }

func (p *unlockPage) focus() fyne.Focusable { return p.fields.focus() }

func (p *unlockPage) refresh() { p.fields.refresh(p.shell.model.KeyFile()) }

// left has the field forget the passphrase, once another page is shown.
func (p *unlockPage) left() { p.fields.fields[viewmodel.FieldPhrase].Entry.Put("") }
