package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// asidePane is what lies under the text of the open mail: details or source.
type asidePane struct {
	shell *Shell
	root  *fyne.Container
	fault *widget.Label
	row   *fyne.Container
	list  *fyne.Container // of the details
	text  *widgets.ReadText
	cut   *widgets.Text
	save  *fileLine
	code  *fyne.Container // of the source
	key   string
	was   string
}

// factColumn is the width of the names of the details.
const factColumn float32 = 148

func newAsidePane(s *Shell) *asidePane {
	p := &asidePane{shell: s, fault: widgets.NewPara("", widget.DangerImportance, theme.SizeSmall), list: widgets.NewColumn(theme.Space1, 0)}
	p.row = widgets.Flush(p.fault)
	p.text = widgets.NewReadText()
	p.text.TextStyle.Monospace = true
	p.text.SizeName = theme.SizeSmall
	p.text.Wrapping = fyne.TextWrapBreak
	p.cut = widgets.NewText("", theme.Muted, theme.SizeSmall, false)
	p.cut.Cut = true
	p.save = newFileLine(s, "", "", func() { s.model.SaveSource(s.downloads()) },
		func() { s.chooseFolder(s.model.SaveSource) }, func() { s.model.CancelSave(-1) })
	p.save.save.Set(s.t("source.save"), true)
	p.code = widgets.NewColumn(theme.Space1, 0, p.save.root, p.cut, widgets.Flush(p.text))
	p.root = widgets.NewColumn(theme.Space2, 0, widgets.NewHairline(), p.row, p.list, p.code)
	p.root.Hide()
	return p
}

// set shows what is open, and tells whether it was opened just now.
func (p *asidePane) set(v viewmodel.Aside) (opened bool) {
	now := ""
	switch {
	case v.Details:
		now = "details"
	case v.Source:
		now = "source"
	}
	opened, p.was = now != "" && now != p.was, now
	fault := v.Fault
	widgets.SetPara(p.fault, p.row, fault)
	widgets.Show(p.list, v.Details)
	widgets.Show(p.code, v.Source && v.Text != "")
	if v.Details {
		p.setFacts(v)
	}
	if v.Source && v.Text != "" {
		if p.text.Text != v.Text {
			p.text.SetText(v.Text)
		}
		p.cut.Set(v.Cut, theme.Muted)
		widgets.Show(p.cut, v.Cut != "")
		p.save.set(v.Saved)
	}
	widgets.Show(p.root, now != "")
	return opened
}

func (p *asidePane) setFacts(v viewmodel.Aside) {
	key := ""
	for _, f := range v.Facts {
		key += f.Name + f.Value + "\x00"
	}
	for _, c := range v.Checks {
		key += c
	}
	if key == p.key {
		return
	}
	p.key = key
	p.list.Objects = nil
	for i, check := range v.Checks {
		name := ""
		if i == 0 {
			name = p.shell.t("details.checks")
		}
		p.list.Add(factLine(viewmodel.Fact{Name: name, Value: check}))
	}
	for _, f := range v.Facts {
		p.list.Add(factLine(f))
	}
	p.list.Refresh()
}

func factLine(f viewmodel.Fact) fyne.CanvasObject {
	name := widgets.NewText(f.Name, theme.Muted, theme.SizeSmall, false)
	name.Cut = true
	value := widgets.NewReadText()
	value.SizeName = theme.SizeSmall
	value.TextStyle.Monospace = f.Mono
	if f.Mono {
		value.Wrapping = fyne.TextWrapBreak
	}
	value.SetText(f.Value)
	return widgets.Dock(nil, nil, widgets.NewInset(0, theme.Space2, 0, 0,
		&fyne.Container{Layout: widgets.Fixed{Width: factColumn}, Objects: []fyne.CanvasObject{widgets.NewTop(name)}}), nil, widgets.Flush(value))
}
