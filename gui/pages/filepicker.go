package pages

import (
	"os"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/widget"

	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// pickKind is what a person is to choose.
type pickKind int

const (
	pickOpen   pickKind = iota // a file that exists
	pickFolder                 // a folder
	pickSave                   // a file to write
)

// filePicker lets a person choose a file or a folder, over the page. Fyne's own
// dialog cannot be left by Escape, and its buttons know no Enter.
type filePicker struct {
	shell *Shell
	kind  pickKind
	done  func(path string)

	popup  *widget.PopUp
	path   *widgets.Text
	name   *widgets.Entry
	list   *widgets.FileList
	none   *widgets.Text
	hidden *widgets.Option
	said   *widget.Label
	row    *fyne.Container
	dir    string
	over   string // the file of which was said that it exists
}

// pick shows the picker; done is called with what was chosen, and not at all when
// it was left.
func (s *Shell) pick(kind pickKind, name string, done func(path string)) {
	if s.picker != nil {
		return
	}
	p := &filePicker{shell: s, kind: kind, done: done}
	s.picker = p
	p.build(name)
	c := s.canvas()
	p.popup = widget.NewModalPopUp(p.content(), c)
	p.popup.Resize(fyne.NewSize(min(pickerWidth, c.Size().Width-2*theme.Space4), min(pickerHeight, c.Size().Height-2*theme.Space4)))
	p.popup.Show()
	p.enter(s.pickedIn(), "")
	if kind == pickSave {
		c.Focus(p.name)
	} else {
		c.Focus(p.list)
	}
}

const (
	pickerWidth  float32 = 680
	pickerHeight float32 = 520
)

// pickedIn is the folder to begin in: that of the last time, else the home folder.
func (s *Shell) pickedIn() string {
	for _, dir := range []string{s.picked, home()} {
		if info, err := os.Stat(dir); dir != "" && err == nil && info.IsDir() {
			return dir
		}
	}
	return string(filepath.Separator)
}

func home() string {
	dir, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return dir
}

func (p *filePicker) build(name string) {
	s := p.shell
	p.path = widgets.NewText("", theme.Muted, theme.SizeText, false)
	p.path.Cut, p.path.CutStart = true, true
	p.name = widgets.NewEntry(false, func(string) { p.say("") })
	p.name.Name = s.t("pick.name")
	p.name.SetPlaceHolder(s.t("pick.name"))
	p.name.Text = name
	p.name.OnEnter, p.name.OnSubmit = p.take, p.take
	p.name.OnEscape = p.close
	p.list = widgets.NewFileList()
	p.list.OnMoved = func(int) { p.follow() }
	p.list.OnTaken = func(int) { p.takeChosen() }
	p.list.OnUp = p.up
	p.none = widgets.NewText("", theme.Muted, theme.SizeText, false)
	p.hidden = widgets.NewOption(s.t("pick.hidden"), "", true, func() {
		p.hidden.Set(!p.hidden.On)
		p.enter(p.dir, "")
	})
	p.said = widgets.NewPara("", widget.DangerImportance, theme.SizeText)
	p.row = widgets.Flush(p.said)
	p.row.Hide()
}

func (p *filePicker) content() fyne.CanvasObject {
	s := p.shell
	title, act := s.t("pick.open.title"), s.t("pick.open")
	switch p.kind {
	case pickFolder:
		title, act = s.t("pick.folder.title"), s.t("pick.folder")
	case pickSave:
		title, act = s.t("pick.save.title"), s.t("pick.save")
	}
	up := widgets.NewAction(s.t("pick.up"), "", widgets.Quiet, p.up)
	atHome := widgets.NewAction(s.t("pick.home"), "", widgets.Quiet, func() { p.enter(home(), "") })
	head := widgets.NewColumn(theme.Space2, 0, widgets.NewText(title, theme.Text, theme.SizeTitle, true),
		widgets.Dock(nil, nil, nil, widgets.NewInset(0, 0, 0, theme.Space3, widgets.NewLine(theme.Space2, -1, up, atHome)), p.path),
		p.name)
	key := "Enter"
	if p.kind == pickFolder {
		key = "Ctrl+Enter" // Enter goes into the chosen one
	}
	take := widgets.NewAction(act, key, widgets.Primary, p.take)
	cancel := widgets.NewAction(s.t("file.cancel"), "Esc", widgets.Quiet, p.close)
	foot := widgets.NewColumn(theme.Space2, 0, p.hidden, p.row, widgets.NewLine(theme.Space2, -1, take, cancel))
	return widgets.NewPad(theme.Space4, widgets.Dock(widgets.NewInset(0, 0, theme.Space2, 0, head),
		widgets.NewInset(theme.Space2, 0, 0, 0, foot), nil, nil,
		container.NewStack(p.list.Box, container.NewCenter(p.none))))
}

// enter shows another folder, with the named line chosen. One that cannot be read
// is not entered.
func (p *filePicker) enter(dir, name string) {
	found, err := viewmodel.ListFolder(dir, p.hidden.On, p.kind == pickFolder)
	if err != nil {
		p.say(p.shell.t("pick.unreadable", "Path", dir))
		return
	}
	p.dir = dir
	p.path.Set(dir, theme.Muted)
	items := make([]widgets.FileItem, len(found))
	for i, e := range found {
		items[i] = widgets.FileItem(e)
	}
	none := ""
	if len(items) == 0 {
		none = p.shell.t("pick.empty")
	}
	p.none.Set(none, theme.Muted)
	p.list.Put(items, name)
	if p.kind != pickSave {
		p.name.SetText("")
	}
	p.follow()
}

func (p *filePicker) up() {
	if parent := filepath.Dir(p.dir); parent != p.dir {
		p.enter(parent, filepath.Base(p.dir))
	}
}

// follow puts the chosen file into the field. In a list of folders the field stays
// empty: what is chosen is the folder that is open.
func (p *filePicker) follow() {
	item, ok := p.list.Chosen()
	switch {
	case p.kind == pickFolder:
	case ok && !item.Folder:
		p.name.SetText(item.Name)
	case p.kind == pickOpen:
		p.name.SetText("")
	}
}

// takeChosen goes into the chosen folder, or takes the chosen file.
func (p *filePicker) takeChosen() {
	if item, ok := p.list.Chosen(); ok && item.Folder {
		p.enter(filepath.Join(p.dir, item.Name), "")
		return
	}
	p.take()
}

// take takes what stands in the field; a folder that is named there is opened.
func (p *filePicker) take() {
	typed := strings.TrimSpace(p.name.Text)
	if typed == "" {
		switch item, ok := p.list.Chosen(); {
		case p.kind == pickFolder:
			p.finish(p.dir)
		case ok && item.Folder:
			p.enter(filepath.Join(p.dir, item.Name), "")
		default:
			p.say(p.shell.t("pick.nothing"))
		}
		return
	}
	path := viewmodel.Named(p.dir, typed)
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		p.name.SetText("")
		p.enter(path, "")
	case p.kind == pickFolder, p.kind == pickOpen && err != nil:
		p.say(p.shell.t("pick.missing", "Path", path))
	case p.kind == pickSave && err == nil && p.over != path:
		p.say(p.shell.t("pick.exists", "Name", filepath.Base(path)))
		p.over = path
	default:
		p.finish(path)
	}
}

func (p *filePicker) say(text string) {
	p.over = ""
	widgets.SetPara(p.said, p.row, text)
}

func (p *filePicker) finish(path string) {
	p.shell.picked = path
	if p.kind != pickFolder {
		p.shell.picked = filepath.Dir(path)
	}
	p.close()
	p.done(path)
}

func (p *filePicker) close() {
	p.popup.Hide()
	p.shell.picker = nil
}

// typedKey hears the keys that nothing in the picker took.
func (p *filePicker) typedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyEscape:
		p.close()
	case fyne.KeyReturn, fyne.KeyEnter:
		p.take()
	case fyne.KeyBackspace:
		p.up()
	case fyne.KeyDown, fyne.KeyUp:
		p.shell.canvas().Focus(p.list)
		p.list.TypedKey(e)
	}
}

// pickFile lets the person choose a file and opens it; failed is told why it could
// not be opened.
func (s *Shell) pickFile(opened func(fyne.URIReadCloser), failed func(name string, err error)) {
	s.pick(pickOpen, "", func(path string) {
		f, err := os.Open(path)
		if err != nil {
			failed(filepath.Base(path), err)
			return
		}
		opened(pickedFile{f, storage.NewFileURI(path)})
	})
}

// pickedFile is a file that was chosen, as one that was dropped is.
type pickedFile struct {
	*os.File
	uri fyne.URI
}

// URI is where it lies.
func (f pickedFile) URI() fyne.URI { return f.uri }

// saveAs asks where to save a file of that name. write is told to write it, apart
// from the drawing goroutine; it says what became of that.
func (s *Shell) saveAs(name string, make func(path string, write func(data []byte) error)) {
	s.pick(pickSave, name, func(path string) {
		make(path, func(data []byte) error {
			return os.WriteFile(path, data, 0o600)
		})
	})
}
