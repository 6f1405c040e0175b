package pages

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// payoutActions are those of one row, as far as it has them.
type payoutActions struct{ ask, keep, yes *widgets.Action }

// list shows what was asked for. The focus stays where it is, goes to the no of a
// question that is asked, and back to where that came from.
func (p *payoutPart) list(rows []viewmodel.PayoutRow) {
	if slices.Equal(rows, p.shown) {
		return
	}
	at, which := p.focused()
	p.shown, p.rows.Objects, p.acts = rows, nil, map[string]payoutActions{}
	asked := ""
	for _, r := range rows {
		p.rows.Add(p.row(r))
		if r.Asking {
			asked = r.ID
		}
	}
	p.rows.Refresh()
	if asked != p.asked {
		at, which = asked, 1
		if asked == "" {
			at, which = p.asked, 0
		}
		p.asked = asked
	}
	p.focus(at, which)
}

func (a payoutActions) all() []*widgets.Action { return []*widgets.Action{a.ask, a.keep, a.yes} }

// focused is the row that has the focus, and which of its actions.
func (p *payoutPart) focused() (id string, which int) {
	c := p.shell.canvas()
	if c == nil || c.Focused() == nil {
		return "", 0
	}
	for id, acts := range p.acts {
		for which, act := range acts.all() {
			if act != nil && c.Focused() == fyne.Focusable(act) {
				return id, which
			}
		}
	}
	return "", 0
}

func (p *payoutPart) focus(id string, which int) {
	acts, there := p.acts[id]
	if c := p.shell.canvas(); c != nil && there {
		if act := acts.all()[which]; act != nil {
			c.Focus(act)
		}
	}
}

// row is the amount and its state, then where it goes, then what that means, and the
// way back.
func (p *payoutPart) row(r viewmodel.PayoutRow) fyne.CanvasObject {
	to := widgets.NewReadText()
	to.SetText(r.To)
	row := widgets.NewColumn(theme.Space1, 0,
		widgets.NewWrap(theme.Space3, widgets.NewText(r.Amount, theme.Text, theme.SizeText, true), widgets.NewText(r.State, toneColor(r.Tone), theme.SizeText, false),
			widgets.NewText(r.When, theme.Muted, theme.SizeText, false)),
		widgets.Flush(to))
	if r.Account != "" {
		account := cut(r.Account, theme.Muted, theme.SizeSmall)
		account.CutStart = true
		row.Add(account)
	}
	if r.Text != "" {
		row.Add(widgets.Flush(widgets.NewPara(r.Text, widget.LowImportance, theme.SizeSmall)))
	}
	if r.Fault != "" {
		row.Add(widgets.Flush(widgets.NewPara(r.Fault, widget.DangerImportance, theme.SizeSmall)))
	}
	p.wayBack(row, r)
	return row
}

// wayBack adds the action that takes a payout back, or its question.
func (p *payoutPart) wayBack(row *fyne.Container, r viewmodel.PayoutRow) {
	s := p.shell
	switch {
	case r.Asking:
		keep := widgets.NewAction(s.t("payout.cancel.no"), "", widgets.Quiet, s.model.KeepPayOut)
		yes := widgets.NewAction(s.t("payout.cancel.yes"), "", widgets.Danger, s.model.CancelPayOut)
		keep.Set(keep.Text, !r.Busy)
		yes.Set(word(r.Busy, s.t("payout.cancel.busy"), yes.Text), !r.Busy)
		p.acts[r.ID] = payoutActions{keep: keep, yes: yes}
		row.Add(widgets.Flush(widgets.NewPara(r.Means, widget.MediumImportance, theme.SizeText)))
		row.Add(widgets.NewWrap(theme.Space3, keep, yes))
	case r.MayCancel:
		ask := widgets.NewAction(s.t("payout.cancel"), "", widgets.Link, func() { s.model.AskCancelPayOut(r.ID) })
		p.acts[r.ID] = payoutActions{ask: ask}
		row.Add(widgets.NewLine(0, -1, ask))
	}
}
