package pages

import (
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"earnest/agentclient/agenttest"
	"earnest/gui/theme"
)

// key presses a key where the focus is, as the driver does.
func (s *stage) key(name fyne.KeyName) {
	e := &fyne.KeyEvent{Name: name}
	c := s.win.Canvas()
	switch f := c.Focused(); {
	case name == fyne.KeyTab:
		if tab, ok := f.(fyne.Tabbable); ok && tab.AcceptsTab() {
			f.TypedKey(e)
		} else {
			c.FocusNext()
		}
	case f != nil:
		f.TypedKey(e)
	case c.OnTypedKey() != nil:
		c.OnTypedKey()(e)
	}
	s.settle()
}

// ctrlEnter presses Ctrl+Enter where the focus is.
func (s *stage) ctrlEnter() {
	c := s.win.Canvas()
	short := &desktop.CustomShortcut{KeyName: fyne.KeyReturn, Modifier: fyne.KeyModifierShortcutDefault}
	if f, ok := c.Focused().(fyne.Shortcutable); ok {
		f.TypedShortcut(short)
	} else {
		s.shell.shortcut(short) // the canvas in memory knows no shortcuts
	}
	s.settle()
}

func folderOfFiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	for _, name := range []string{"below/inner.txt", "paper.txt", "zebra.txt"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// writing is a stage with a mail that could be sent.
func writing(t *testing.T) *stage {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	s.model.Write()
	s.model.SetTo("author@example.net")
	s.model.CommitTo()
	s.model.SetSubject("A subject")
	s.model.SetBody("A text.")
	s.settle()
	return s
}

// TestNoShortcutActsBehindADialog: Ctrl+Enter while a file is being chosen sent the
// mail without the file.
func TestNoShortcutActsBehindADialog(t *testing.T) {
	folderOfFiles(t)
	s := writing(t)
	s.until("it could be sent", func() bool { return s.model.Draft().Ready })
	sent := func() (n int) {
		for _, call := range s.agent.Calls() {
			if call == "Send" {
				n++
			}
		}
		return n
	}
	before := sent()
	test.Tap(s.shell.write.attach)
	s.settle()
	s.ctrlEnter() // nothing can be chosen: "below" is a folder
	if sent() != before {
		t.Error("the mail behind the dialog was sent")
	}
	s.key(fyne.KeyEscape) // the picker
	s.win.Canvas().Unfocus()
	s.shell.help.show()
	s.ctrlEnter()
	if sent() != before {
		t.Error("the mail behind the list of keys was sent")
	}
	s.key(fyne.KeyEscape)
	s.ctrlEnter()
	if sent() != before+1 {
		t.Errorf("the mail is not sent where nothing covers it: %+v", s.model.Draft())
	}
}

// TestAFileIsChosenByKeyboard: Escape leaves the dialog, Enter takes, Backspace goes
// up, and the focus begins in the list.
func TestAFileIsChosenByKeyboard(t *testing.T) {
	dir := folderOfFiles(t)
	s := writing(t)
	open := func() *filePicker {
		test.Tap(s.shell.write.attach)
		s.settle()
		if s.shell.picker == nil || s.win.Canvas().Focused() != fyne.Focusable(s.shell.picker.list) {
			t.Fatal("the focus does not begin in the list")
		}
		return s.shell.picker
	}
	gone := func(how string) {
		t.Helper()
		if s.shell.picker != nil || s.win.Canvas().Overlays().Top() != nil {
			t.Fatalf("%s leaves the dialog open", how)
		}
	}
	open()
	s.key(fyne.KeyEscape)
	gone("Escape in the list")
	for steps := range 7 {
		open()
		for range steps {
			s.key(fyne.KeyTab)
		}
		s.key(fyne.KeyEscape)
		if s.shell.picker != nil { // it has left the field
			s.key(fyne.KeyEscape)
		}
		gone("Escape elsewhere")
	}
	p := open()
	s.key(fyne.KeyReturn) // into the folder "below", which comes first
	if p.dir != filepath.Join(dir, "below") {
		t.Fatalf("in %s", p.dir)
	}
	s.key(fyne.KeyBackspace)
	if item, _ := p.list.Chosen(); p.dir != dir || item.Name != "below" {
		t.Fatalf("up: in %s at %s", p.dir, item.Name)
	}
	test.Type(p.list, "z")
	s.key(fyne.KeyReturn)
	gone("Enter on a file")
	s.until("it is attached", func() bool { return len(s.model.Draft().Files) == 1 })
	if f := s.model.Draft().Files[0]; f.Name != "zebra.txt" {
		t.Errorf("attached: %+v", f)
	}
}

// TestAFileIsWrittenOverOnlyWhenAskedTwice, and a name without a folder lies in the
// one that is shown.
func TestAFileIsWrittenOverOnlyWhenAskedTwice(t *testing.T) {
	dir := folderOfFiles(t)
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	var wrote []string
	save := func(path string, write func([]byte) error) {
		if err := write([]byte("new")); err != nil {
			t.Error(err)
		}
		wrote = append(wrote, path)
	}
	s.shell.saveAs("paper.txt", save)
	if s.win.Canvas().Focused() != fyne.Focusable(s.shell.picker.name) {
		t.Fatal("the focus does not begin in the name")
	}
	s.key(fyne.KeyReturn)
	if len(wrote) != 0 || s.shell.picker == nil || s.shell.picker.said.Text == "" {
		t.Fatal("it was written over without a word")
	}
	s.key(fyne.KeyReturn)
	data, err := os.ReadFile(filepath.Join(dir, "paper.txt"))
	if len(wrote) != 1 || err != nil || string(data) != "new" {
		t.Errorf("wrote %v, and it holds %q, %v", wrote, data, err)
	}
	s.shell.pick(pickFolder, "", func(path string) { wrote = append(wrote, path) })
	s.key(fyne.KeyReturn) // into "below"
	s.ctrlEnter()
	if len(wrote) != 2 || wrote[1] != filepath.Join(dir, "below") {
		t.Errorf("chosen: %v", wrote)
	}
}
