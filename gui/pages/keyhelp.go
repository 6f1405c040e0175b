package pages

import (
	"unicode"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/widgets"
)

// keyHelpSheet is the list of keys over the page: first those of the page, then
// those that count everywhere.
type keyHelpSheet struct {
	shell *Shell
	root  *fyne.Container
	lists *fyne.Container
	from  fyne.Focusable // had the focus
}

func newKeyHelpSheet(s *Shell) *keyHelpSheet {
	h := &keyHelpSheet{shell: s, lists: widgets.NewColumn(theme.Space1, 0)}
	shut := widgets.NewAction(s.t("keys.close"), "Esc", widgets.Quiet, h.hide)
	head := widgets.NewInset(theme.Space4, theme.Space5, theme.Space3, theme.Space5,
		widgets.Dock(nil, nil, nil, shut, widgets.NewLine(0, -1, widgets.NewText(s.t("keys.title"), theme.Text, theme.SizeTitle, true))))
	list := container.NewVScroll(widgets.NewInset(0, theme.Space5, theme.Space5, theme.Space5, h.lists))
	plane := widgets.NewFill(theme.Surface)
	h.root = container.NewStack(plane, widgets.Dock(widgets.NewColumn(0, 0, head, widgets.NewHairline()), nil, nil, nil,
		widgets.NewInset(theme.Space4, 0, 0, 0, list)))
	h.root.Hide()
	return h
}

func (h *keyHelpSheet) shown() bool { return h.root.Visible() }

// hide gives the focus back to what had it.
func (h *keyHelpSheet) hide() {
	widgets.Show(h.root, false)
	widgets.Show(h.shell.content.Objects[0], true)
	if c := h.shell.canvas(); c != nil && h.from != nil {
		c.Focus(h.from)
	}
	h.from = nil
}

func (h *keyHelpSheet) show() {
	s := h.shell
	h.lists.Objects = nil
	if p, ok := s.shown.(listsKeys); ok {
		h.add(s.t("keys.here"), p.keyList())
	}
	h.add(s.t("keys.everywhere"), s.keysEverywhere())
	h.lists.Refresh()
	widgets.Show(h.root, true)
	if c := s.canvas(); c != nil {
		h.from = c.Focused()
		c.Unfocus()
		widgets.Show(s.content.Objects[0], false) // Tab would go behind the list
		c.Refresh(h.root)                         // what was hidden finds its canvas only once it is drawn
	}
}

func (s *Shell) keysEverywhere() []keyHelp {
	return []keyHelp{{"U", s.t("keys.undo")}, {"W", s.t("keys.write")},
		{"1 – 0", s.t("keys.pages")},
		{"Esc", s.t("keys.escape")}, {"?", s.t("keys.help")}}
}

func (h *keyHelpSheet) add(title string, keys []keyHelp) {
	h.lists.Add(widgets.NewInset(0, 0, theme.Space1, 0, widgets.NewText(title, theme.Muted, theme.SizeSmall, true)))
	for _, k := range keys {
		h.lists.Add(keyLine(k))
	}
	h.lists.Add(widgets.NewInset(theme.Space2, 0, 0, 0, container.NewWithoutLayout()))
}

// capital begins a text with a capital letter, as each line of a list does.
func capital(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}

// keyColumn holds the longest name of a key.
const keyColumn float32 = 84

func keyLine(k keyHelp) fyne.CanvasObject {
	key := widgets.NewText(k.Key, theme.Text, theme.SizeText, true)
	return widgets.Dock(nil, nil, &fyne.Container{Layout: widgets.Fixed{Width: keyColumn}, Objects: []fyne.CanvasObject{widgets.NewTop(key)}}, nil,
		widgets.Flush(widgets.NewPara(capital(k.Does), widget.LowImportance, theme.SizeText)))
}
