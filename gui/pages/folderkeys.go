package pages

import (
	"time"

	"fyne.io/fyne/v2"
)

func (p *folderPage) typedRune(r rune) bool {
	m := p.shell.model
	many := p.view.Marks.N > 0
	if (r == 'a' || r == 'r') && p.shell.held.repeats(r, p.shell.canvas().Focused() != nil, time.Now()) {
		return true
	}
	switch r {
	case 'a':
		if many {
			m.AcceptMarked()
		} else {
			m.Accept()
		}
	case 'r':
		if many {
			m.RejectMarked()
		} else {
			m.Reject()
		}
	case 'A':
		m.AskAccept()
		p.shell.Refresh()
		p.mail.foot.focusAsk()
	case 'R':
		m.AskReject()
		p.shell.Refresh()
		p.mail.foot.focusAsk()
	case 'x':
		m.MarkHere()
	case 'J':
		m.Extend(1)
	case 'K':
		m.Extend(-1)
	case 'f':
		m.NextFilter(1)
	case 'F':
		m.NextFilter(-1)
	case 'W':
		m.Seen()
		m.Reply()
	case 'd':
		m.Seen()
		m.ShowDetails()
	case 's':
		m.Seen()
		m.ShowSource()
	case '/':
		p.shell.search(p.search)
	default:
		return false
	}
	return true
}

// typedKey: Escape closes what lies nearest, one thing at a time.
func (p *folderPage) typedKey(e *fyne.KeyEvent) bool {
	m := p.shell.model
	switch e.Name {
	case fyne.KeyPageDown, fyne.KeySpace:
		m.Seen()
		p.mail.scrollBy(1)
	case fyne.KeyPageUp:
		p.mail.scrollBy(-1)
	case fyne.KeyEscape:
		return m.CloseLink() || m.CloseAsk() || m.Unmark() || m.CloseAside() || !(p.narrow && p.reading) && m.ClearSearch()
	default:
		return false
	}
	return true
}

func (p *folderPage) markAll() { p.shell.model.MarkAll() }

func (p *folderPage) keyList() []keyHelp {
	t := p.shell.t
	keys := []keyHelp{{"J  K", t("keys.move")}}
	if p.view.Decides.Accept {
		keys = append(keys, keyHelp{"A", t("keys.accept")}, keyHelp{"⇧A", t("keys.accept.more")})
	}
	if p.view.Decides.Reject {
		keys = append(keys, keyHelp{"R", t("keys.reject")}, keyHelp{"⇧R", t("keys.reject.more")})
	}
	return append(keys, []keyHelp{
		{"X", t("keys.mark")}, {"⇧J  ⇧K", t("keys.extend")}, {"Ctrl+A", t("keys.all")},
		{"/", t("keys.search")}, {"F  ⇧F", t("keys.filter")},
		{"⇧W", t("keys.reply")}, {"D", t("keys.details")}, {"S", t("keys.source")}, {t("keys.space"), t("keys.scroll")},
	}...)
}
