package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// settingsPage is the look, the accounts and the agent.
type settingsPage struct {
	shell    *Shell
	root     *fyne.Container
	accounts *fyne.Container
	key      string
	agent    *widget.Label
	agentRow *fyne.Container
}

func newSettingsPage(s *Shell) *settingsPage {
	p := &settingsPage{shell: s, accounts: widgets.NewColumn(theme.Space3, 0)}
	names := map[string]theme.Choice{"As the system": theme.System, "Light": theme.Light, "Dark": theme.Dark}
	look := widget.NewRadioGroup([]string{"As the system", "Light", "Dark"}, nil)
	look.Horizontal = true
	look.Required = true
	for name, choice := range names {
		if choice == s.host.Look {
			look.Selected = name
		}
	}
	look.OnChanged = func(name string) {
		if s.host.SetLook != nil {
			s.host.SetLook(names[name])
		}
	}
	p.agent = widgets.NewPara("", widget.LowImportance, theme.SizeSmall)
	p.agentRow = widgets.Flush(p.agent)
	add := widgets.NewAction("Add another account", "", widgets.Quiet, func() { s.model.Show(viewmodel.PageAccount) })
	p.root = newSheet("Settings", widgets.NewText("Look", theme.Text, theme.SizeText, true), look, widgets.NewHairline(),
		widgets.NewText("Accounts", theme.Text, theme.SizeText, true), p.accounts, widgets.NewLine(0, -1, add),
		widgets.NewHairline(), p.agentRow)
	return p
}

func (p *settingsPage) object() fyne.CanvasObject { return p.root }

func (p *settingsPage) refresh() {
	v := p.shell.model.Settings()
	widgets.SetPara(p.agent, p.agentRow, v.Agent)
	key := ""
	for _, a := range v.Accounts {
		key += a.Address
		for _, l := range a.Lines {
			key += l
		}
	}
	if key == p.key {
		return
	}
	p.key = key
	p.accounts.Objects = nil
	for _, a := range v.Accounts {
		lines := widgets.NewColumn(theme.Space1, 0, widgets.NewText(a.Address, theme.Text, theme.SizeText, false))
		for _, l := range a.Lines {
			lines.Add(widgets.Flush(widgets.NewPara(l, widget.LowImportance, theme.SizeSmall)))
		}
		p.accounts.Add(lines)
	}
	p.accounts.Refresh()
}
