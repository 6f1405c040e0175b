package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// setupPage is the first start, further accounts, and a change of one: a form,
// the live test, the price, the card; and a passphrase where there is no keyring.
type setupPage struct {
	shell *Shell
	root  *fyne.Container
	stage viewmodel.SetupStage
	form  *setupForm
	keys  *keysPart
	trial *trialPart
	price *pricePart
	card  *cardPart
	kept  string // where the set-up stands, as the program keeps it
}

func newAccountPage(s *Shell) *setupPage {
	p := &setupPage{shell: s, form: newSetupForm(s), keys: newKeysPart(s), trial: newTrialPart(s), price: newPricePart(s), card: newCardPart(s)}
	p.root = container.NewStack(p.form.root, p.keys.root, p.trial.root, p.price.root, p.card.root)
	if s.host.Prefs != nil {
		p.kept = s.host.Prefs.Resume()
		s.model.GoOn(p.kept)
	}
	return p
}

func (p *setupPage) object() fyne.CanvasObject { return p.root }

func (p *setupPage) focus() fyne.Focusable {
	switch p.stage {
	case viewmodel.SetupForm:
		return p.form.focus()
	case viewmodel.SetupKeys:
		return p.keys.fields.focus()
	case viewmodel.SetupTrial:
		return p.trial.stop
	case viewmodel.SetupPrice:
		return p.price.field.Entry
	}
	return p.card.done
}

func (p *setupPage) refresh() {
	v := p.shell.model.Form()
	turned := v.Stage != p.stage
	p.stage = v.Stage
	widgets.Show(p.form.root, v.Stage == viewmodel.SetupForm)
	widgets.Show(p.keys.root, v.Stage == viewmodel.SetupKeys)
	widgets.Show(p.trial.root, v.Stage == viewmodel.SetupTrial)
	widgets.Show(p.price.root, v.Stage == viewmodel.SetupPrice)
	widgets.Show(p.card.root, v.Stage == viewmodel.SetupCard)
	p.keys.refresh(p.shell.model.KeyFile()) // at each stage: the fields forget it, too
	switch v.Stage {
	case viewmodel.SetupForm:
		p.form.refresh(v)
	case viewmodel.SetupTrial:
		p.trial.refresh(v)
	case viewmodel.SetupPrice:
		p.price.refresh(v.Price)
	case viewmodel.SetupCard:
		p.card.refresh(v.Card)
	}
	p.keep()
	if c := p.shell.canvas(); turned && c != nil && p.shell.shown == page(p) {
		for range 3 { // a field is scrolled into sight where it will stand
			p.root.Refresh()
		}
		if f := p.faulty(v); f != nil {
			c.Focus(f)
		} else {
			c.Focus(p.focus())
		}
	}
}

// faulty is the first field that is wrong, or the offer beside the step that failed:
// after a failed test the person goes on there.
func (p *setupPage) faulty(v viewmodel.Form) fyne.Focusable {
	if v.Stage != viewmodel.SetupForm {
		return nil
	}
	for _, field := range p.form.order {
		if v.Errors[field] != "" && p.form.fields[field].Box.Visible() {
			return p.form.fields[field].Entry
		}
	}
	for i, step := range v.Steps {
		if step.KeyFile {
			return p.form.trial.lines[i].offer
		}
	}
	return nil
}

// keep notes where the set-up stands, so that the next start goes on there.
func (p *setupPage) keep() {
	if p.shell.host.Prefs == nil {
		return
	}
	if note := p.shell.model.Resume(); note != p.kept {
		// Failing to note it loses nothing that is on the screen.
		if p.shell.host.Prefs.SetResume(note) == nil {
			p.kept = note
		}
	}
}

// typedKey goes back by Escape: to the settings, or from the test or the passphrase
// to the form.
func (p *setupPage) typedKey(e *fyne.KeyEvent) bool {
	if e.Name != fyne.KeyEscape {
		return false
	}
	switch p.stage {
	case viewmodel.SetupTrial:
		p.shell.model.StopTrial()
	case viewmodel.SetupKeys:
		p.shell.model.LeaveKeyFile()
	default:
		p.shell.model.LeaveSetup()
	}
	return true
}
