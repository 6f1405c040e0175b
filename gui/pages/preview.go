package pages

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// previewPane is the dry run: what a recipient sees, and what others can.
type previewPane struct {
	shell *Shell
	root  *fyne.Container
	view  *container.Scroll

	title        *widget.Label
	turn         *fyne.Container
	which        *widgets.Text
	before, next *widgets.Action
	loading      *widgets.Text
	fault        *widget.Label
	faultRow     *fyne.Container
	found        *fyne.Container
	row          *widgets.Row
	subject      *widget.Label
	from         *widget.Label
	money        *widgets.MoneyLine
	text         *fyne.Container
	files        *fyne.Container
	outside      *widget.Label
	size         *widget.Label
	key          string
	said         []viewmodel.TextPart
}

func newPreviewPane(s *Shell) *previewPane {
	p := &previewPane{shell: s}
	back := widgets.NewAction(s.t("back"), "Esc", widgets.Link, func() { s.write.closePreview() })
	p.title = widgets.NewPara("", widget.MediumImportance, theme.SizeTitle)
	p.which = widgets.NewText("", theme.Muted, theme.SizeText, false)
	p.before = widgets.NewAction("‹", "K", widgets.Quiet, func() { s.model.TurnPreview(-1) })
	p.next = widgets.NewAction("›", "J", widgets.Quiet, func() { s.model.TurnPreview(1) })
	p.turn = widgets.NewLine(theme.Space3, -1, p.before, p.next, p.which)
	p.loading = widgets.NewText("", theme.Muted, theme.SizeText, false)
	p.fault = widgets.NewPara("", widget.DangerImportance, theme.SizeText)
	p.faultRow = widgets.Flush(p.fault)
	p.row = widgets.NewRow()
	p.subject = widgets.NewPara("", widget.MediumImportance, theme.SizeTitle)
	p.from = widgets.NewPara("", widget.LowImportance, theme.SizeText)
	p.from.Wrapping = fyne.TextWrapBreak
	p.money = widgets.NewMoneyLine()
	p.text = widgets.NewColumn(theme.Space3, 0)
	p.files = widgets.NewColumn(theme.Space1, 0)
	p.outside = widgets.NewPara("", widget.MediumImportance, theme.SizeSmall)
	p.outside.TextStyle.Monospace = true
	p.outside.Wrapping = fyne.TextWrapBreak
	p.size = widgets.NewPara("", widget.LowImportance, theme.SizeSmall)
	part := func(id string) fyne.CanvasObject {
		return widgets.Flush(widgets.NewPara(s.t(id), widget.LowImportance, theme.SizeSmall))
	}
	p.found = widgets.NewColumn(theme.Space5, 0,
		widgets.NewColumn(theme.Space2, 0, part("write.preview.list"),
			container.NewStack(widgets.NewFill(theme.Background), p.row)),
		widgets.NewColumn(theme.Space2, 0, part("write.preview.open"),
			widgets.Flush(p.subject), widgets.Flush(p.from), p.money.Box, widgets.NewHairline(), p.text, p.files),
		widgets.NewColumn(theme.Space2, 0, widgets.NewHairline(), part("write.preview.outside"),
			widgets.Flush(p.outside), widgets.Flush(p.size)))
	body := widgets.NewColumn(theme.Space4, widgets.ReadingWidth, widgets.NewLine(0, -1, back),
		widgets.Flush(p.title), p.turn, p.loading, p.faultRow, p.found)
	p.view = container.NewVScroll(widgets.NewInset(theme.Space4, theme.Space5, theme.Space5, theme.Space5, body))
	p.root = container.NewStack(p.view)
	p.root.Hide()
	return p
}

func (p *previewPane) refresh(v viewmodel.Preview) {
	setLabel(p.title, v.Title)
	p.which.Set(v.Which, theme.Muted)
	widgets.Show(p.turn, v.Count > 1)
	p.before.Set("‹", v.N > 0)
	p.next.Set("›", v.N < v.Count-1)
	p.loading.Set(v.Loading, theme.Muted)
	widgets.Show(p.loading, v.Loading != "")
	widgets.SetPara(p.fault, p.faultRow, v.Error)
	widgets.Show(p.found, v.Size != "")
	if v.Size == "" {
		return
	}
	p.row.Set(rowData(v.Row))
	setLabel(p.subject, v.Subject)
	setLabel(p.from, v.From)
	p.money.Set(v.Amount, v.Money, theme.Waiting)
	widgets.Show(p.money.Box, v.Amount != "")
	p.setText(v.Text)
	setLabel(p.outside, strings.Join(v.Outside, "\n"))
	setLabel(p.size, v.Size)
	p.setFiles(v.Files)
}

// setText draws each part from the side where it begins.
func (p *previewPane) setText(parts []viewmodel.TextPart) {
	if slices.Equal(parts, p.said) {
		return
	}
	p.said = parts
	p.text.Objects = nil
	for _, part := range parts {
		l := widgets.NewPara(part.Text, widget.MediumImportance, theme.SizeText)
		if part.Right {
			l.Alignment = fyne.TextAlignTrailing
		}
		p.text.Add(widgets.Flush(l))
	}
	p.text.Refresh()
}

func (p *previewPane) setFiles(files []viewmodel.File) {
	key := ""
	for _, f := range files {
		key += f.Name + f.Size + "\x00"
	}
	widgets.Show(p.files, len(files) > 0)
	if key == p.key {
		return
	}
	p.key = key
	p.files.Objects = nil
	for _, f := range files {
		name := widgets.NewText(f.Name, theme.Text, theme.SizeText, false)
		name.Cut, name.CutStart = true, true // its end tells the kind of file
		p.files.Add(widgets.NewLine(theme.Space2, 1,
			widget.NewIcon(fynetheme.NewDisabledResource(fynetheme.MailAttachmentIcon())), name,
			widgets.NewText(f.Size, theme.Muted, theme.SizeSmall, false)))
	}
	p.files.Refresh()
}

func (p *previewPane) scrollBy(pages float32) {
	offset := p.view.Offset.Y + pages*(p.view.Size().Height-40)
	limit := p.view.Content.MinSize().Height - p.view.Size().Height
	p.view.ScrollToOffset(fyne.NewPos(0, max(0, min(offset, limit))))
}
