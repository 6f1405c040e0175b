package pages

import (
	"errors"
	"io"
	"strconv"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"earnest/agentclient"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/widgets"
)

// maxAttachment is what a draft takes as one file.
const maxAttachment = agentclient.MaxMail

// downloads is the folder where a file is saved without asking.
func (s *Shell) downloads() string {
	if s.host.Downloads != "" {
		return s.host.Downloads
	}
	return viewmodel.Downloads()
}

// chooseFolder lets the person choose where to save. A name that is taken there
// gets a number, so nothing is written over.
func (s *Shell) chooseFolder(save func(dir string)) {
	s.pick(pickFolder, "", save)
}

// attachmentList is the attachments of the open mail. Its lines stay while a save goes
// on, so that the button to stop it stays under the mouse.
type attachmentList struct {
	shell *Shell
	root  *fyne.Container
	lines []*fileLine
	key   string
}

func newAttachmentList(s *Shell) *attachmentList {
	l := &attachmentList{shell: s, root: widgets.NewColumn(theme.Space1, 0)}
	l.root.Hide()
	return l
}

func (l *attachmentList) set(id string, files []viewmodel.File) {
	key := id
	for _, f := range files {
		key += "\x00" + f.Name + f.Size
	}
	if key != l.key {
		l.key = key
		l.root.Objects, l.lines = nil, nil
		for _, f := range files {
			n := f.N
			line := newFileLine(l.shell, f.Name, f.Size,
				func() { l.shell.model.SaveAttachment(n, l.shell.downloads()) },
				func() { l.shell.chooseFolder(func(dir string) { l.shell.model.SaveAttachment(n, dir) }) },
				func() { l.shell.model.CancelSave(n) })
			l.lines = append(l.lines, line)
			l.root.Add(line.root)
		}
		widgets.Show(l.root, len(files) > 0)
		l.root.Refresh()
	}
	for i, f := range files {
		l.lines[i].set(f)
	}
}

// fileLine is one file with what can be done with it.
type fileLine struct {
	root      *fyne.Container
	save      *widgets.Action
	elsewhere *widgets.Action
	progress  *widgets.Progress
	cancel    *widgets.Action
	said      *widget.Label
	row       *fyne.Container
}

func newFileLine(s *Shell, name, size string, save, elsewhere, cancel func()) *fileLine {
	l := &fileLine{progress: widgets.NewProgress(), said: widgets.NewPara("", widget.LowImportance, theme.SizeSmall)}
	l.save = widgets.NewAction(s.t("file.save"), "", widgets.Link, save)
	l.elsewhere = widgets.NewAction(s.t("file.save.elsewhere"), "", widgets.Link, elsewhere)
	l.cancel = widgets.NewAction(s.t("file.cancel"), "", widgets.Link, cancel)
	l.said.Wrapping = fyne.TextWrapBreak
	l.row = widgets.Flush(l.said)
	text := widgets.NewText(name, theme.Text, theme.SizeText, false)
	text.Cut, text.CutStart = true, true // its end is what tells the kind of file
	wide := &fyne.Container{Layout: widgets.Wide{}, Objects: []fyne.CanvasObject{text}}
	act := widgets.NewLine(theme.Space3, -1, l.save, l.elsewhere, l.progress, l.cancel)
	if name == "" { // it is said elsewhere what is saved
		l.root = widgets.NewColumn(0, 0, act, l.row)
		return l
	}
	l.root = widgets.NewColumn(0, 0, &fyne.Container{Layout: fileLayout{new(float32)}, Objects: []fyne.CanvasObject{
		widget.NewIcon(fynetheme.NewDisabledResource(fynetheme.MailAttachmentIcon())), wide,
		widgets.NewText(size, theme.Muted, theme.SizeSmall, false),
		act}}, l.row)
	return l
}

func (l *fileLine) set(f viewmodel.File) {
	widgets.Show(l.save, !f.Saving)
	widgets.Show(l.elsewhere, !f.Saving)
	widgets.Show(l.progress, f.Saving)
	widgets.Show(l.cancel, f.Saving)
	l.progress.Set(f.Done)
	said, importance := f.Saved, widget.LowImportance
	if f.Fault != "" {
		said, importance = f.Fault, widget.DangerImportance
	}
	if l.said.Importance != importance {
		l.said.Importance = importance
		l.said.Refresh()
	}
	widgets.SetPara(l.said, l.row, said)
	l.root.Objects[0].Refresh()
}

// fileLayout puts icon, name, size and buttons on one line. The name gives way, up
// to where the buttons go below it.
type fileLayout struct{ width *float32 } // that it was given last

// leastName is what a name keeps of its room beside the buttons.
const leastName float32 = 120

// places are where the parts stand at a width, and the rows they take.
func (fileLayout) places(objects []fyne.CanvasObject, width float32) (x, w [4]float32, rows int) {
	icon, name, length, act := minWidth(objects[0]), minWidth(objects[1]), minWidth(objects[2]), minWidth(objects[3])
	at := icon + theme.Space2
	room, rows := width-at-length-act-theme.Space2-theme.Space4, 1
	if width > 0 && room < min(name, leastName) {
		room, rows = width-at-length-theme.Space2, 2
	}
	wide := max(0, min(name, room))
	after := at + wide + theme.Space2
	x, w = [4]float32{0, at, after, after + length + theme.Space4}, [4]float32{icon, wide, length, act}
	if rows == 2 {
		x[3] = at
	}
	return x, w, rows
}

func minWidth(o fyne.CanvasObject) float32 { return o.MinSize().Width }

func (l fileLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	*l.width = size.Width
	x, w, rows := l.places(objects, size.Width)
	row := size.Height / float32(rows)
	for i, o := range objects {
		height, y := o.MinSize().Height, float32(0)
		if i == 3 {
			y = size.Height - row
		}
		o.Resize(fyne.NewSize(w[i], height))
		o.Move(fyne.NewPos(x[i], y+(row-height)/2))
	}
}

func (l fileLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var m fyne.Size
	for _, o := range objects {
		m.Height = max(m.Height, o.MinSize().Height)
	}
	_, _, rows := l.places(objects, *l.width)
	return fyne.NewSize(0, m.Height*float32(rows))
}

// openFile lets the person choose a file and hands over its content. It is read
// apart from the drawing goroutine.
func (s *Shell) openFile(done func(name, kind string, data []byte), failed func(error)) {
	tooLarge := s.t("file.too-large", "Most", strconv.Itoa(maxAttachment>>20)+" MB")
	s.pickFile(func(r fyne.URIReadCloser) {
		go func() {
			defer r.Close()
			data, err := io.ReadAll(io.LimitReader(r, maxAttachment+1))
			switch {
			case err != nil:
				failed(err)
			case len(data) > maxAttachment:
				failed(errors.New(tooLarge))
			default:
				done(r.URI().Name(), r.URI().MimeType(), data)
			}
		}()
	}, func(_ string, err error) { failed(err) })
}
