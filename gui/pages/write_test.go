package pages

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/test"

	"earnest/agentclient/agenttest"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
	"earnest/gui/words"
)

// strike hands a key to what has the focus, else to the window, as a driver does.
func (s *stage) strike(name fyne.KeyName) {
	s.t.Helper()
	e := &fyne.KeyEvent{Name: name}
	c := s.win.Canvas()
	switch f := c.Focused(); {
	case name == fyne.KeyTab:
		c.FocusNext()
	case f != nil:
		f.TypedKey(e)
	default:
		c.OnTypedKey()(e)
	}
	s.settle()
}

func (s *stage) types(text string) {
	s.t.Helper()
	if f := s.win.Canvas().Focused(); f != nil {
		test.Type(f, text)
	} else {
		test.TypeOnCanvas(s.win.Canvas(), text)
	}
	s.settle()
}

func TestAMailIsWrittenAndSentByKeysAlone(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	s.types("w")
	s.types("author@example.net")
	s.until("the offer is there", func() bool { return s.model.Draft().Ready })
	s.draw()
	s.strike(fyne.KeyReturn) // takes the address
	if d := s.model.Draft(); d.To != "" || s.shell.write.to.Entry.Text != "" || len(d.Recipients) != 1 {
		t.Fatalf("draft: %+v", d)
	}
	s.strike(fyne.KeyTab) // remove
	s.strike(fyne.KeyTab) // the first way to pay
	s.strike(fyne.KeyDown)
	s.strike(fyne.KeySpace)
	if d := s.model.Draft(); d.Price != "€1.00" {
		t.Errorf("the second way to pay is not chosen: %+v", d.Recipients)
	}
	s.strike(fyne.KeyTab)
	s.types("A remark")
	s.strike(fyne.KeyReturn)
	s.types("Dear author")
	if d := s.model.Draft(); d.Subject != "A remark" || d.Body != "Dear author" {
		t.Fatalf("draft: %+v", d)
	}
	s.strike(fyne.KeyTab) // out of the text
	if f := s.win.Canvas().Focused(); f != fyne.Focusable(s.shell.write.send) {
		t.Errorf("behind the text comes %T", f)
	}
	s.strike(fyne.KeyTab)
	s.strike(fyne.KeyTab)
	s.strike(fyne.KeyReturn) // the dry run
	if !s.shell.write.preview.root.Visible() || s.shell.write.form.Visible() {
		t.Error("the dry run is not shown")
	}
	s.strike(fyne.KeyEscape)
	if s.shell.write.preview.root.Visible() || s.model.Draft().Body != "Dear author" {
		t.Error("the dry run is still there")
	}
	s.win.Canvas().Focused().(fyne.Shortcutable).TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyReturn, Modifier: fyne.KeyModifierControl})
	s.settle()
	if s.model.Page() != viewmodel.PageSent || s.model.SentMail().Fresh != "On its way. €1.00 is held." || !s.shell.shown.(*sentPage).pane.freshRow.Visible() {
		t.Errorf("page %s, %+v", s.model.Page(), s.model.SentMail())
	}
}

func TestEscapeLeavesTheTextThenThePageAndKeepsTheDraft(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	s.model.Show(viewmodel.PageMoney)
	s.settle()
	s.model.Write()
	s.settle()
	s.types("author@example.net,")
	if s.shell.write.to.Entry.Text != "" {
		t.Errorf("a comma leaves %q", s.shell.write.to.Entry.Text)
	}
	s.strike(fyne.KeyBackspace)
	if s.shell.write.to.Entry.Text != "author@example.net" {
		t.Errorf("Backspace gives back %q", s.shell.write.to.Entry.Text)
	}
	s.strike(fyne.KeyEscape)
	if s.win.Canvas().Focused() != nil || s.model.Page() != viewmodel.PageWrite {
		t.Fatal("Escape does not leave the field")
	}
	s.strike(fyne.KeyEscape)
	if s.model.Page() != viewmodel.PageMoney {
		t.Errorf("Escape leads to %s", s.model.Page())
	}
	if rows := s.model.Drafts().Rows; len(rows) != 1 || rows[0].Title != "author@example.net" {
		t.Errorf("drafts: %+v", rows)
	}
}

func TestDraftsAreHandledByKeys(t *testing.T) {
	s := newStage(t, theme.Light, wide, writers)
	s.model.Show(viewmodel.PageDrafts)
	s.settle()
	s.types("j")
	s.strike(fyne.KeyDelete)
	p := s.shell.shown.(*draftsPage)
	if len(p.ids) != 2 || !p.undo.Visible() {
		t.Fatalf("deleted: %v", p.ids)
	}
	s.types("u")
	if len(p.ids) != 3 || p.undo.Visible() {
		t.Errorf("had back: %v", p.ids)
	}
	s.strike(fyne.KeyReturn)
	if d := s.model.Draft(); s.model.Page() != viewmodel.PageWrite || d.Subject != "A question about your paper" || s.shell.write.subject.Entry.Text != d.Subject {
		t.Errorf("opened: %+v", d)
	}
}

func TestFilesAreAttachedByLettingGoOfThemOverTheWindow(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	dir := t.TempDir()
	file := filepath.Join(dir, "a paper.txt")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	drop := func(paths ...string) {
		var uris []fyne.URI
		for _, path := range paths {
			uris = append(uris, storage.NewFileURI(path))
		}
		s.shell.write.dropped(fyne.Position{}, uris)
	}
	drop(file) // not while another page is shown
	s.model.Write()
	drop(file, filepath.Join(dir, "gone.txt"), dir)
	s.until("the files were read", func() bool { d := s.model.Draft(); return d.ErrFiles != "" && len(d.Files) == 1 })
	s.until("the folder was seen", func() bool {
		return s.model.Draft().ErrFiles == s.shell.t("write.files.folder", "Name", filepath.Base(dir))
	})
	time.Sleep(10 * time.Millisecond)
	s.draw()
	if d := s.model.Draft(); len(d.Files) != 1 || d.Files[0].Name != "a paper.txt" {
		t.Errorf("files: %+v", d.Files)
	}
	if !s.shell.write.files.row.Visible() {
		t.Error("the fault does not stand beside the files")
	}
}

func TestWhileAMailIsSentNothingCanBeTyped(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	s.writing("Text")
	s.settle()
	release := s.agent.Hold("Send")
	s.model.Send()
	s.until("it is on its way", func() bool { return s.model.Draft().Sending })
	s.draw()
	p := s.shell.write
	if !p.body.Disabled() || p.send.Text != "Sending…" {
		t.Errorf("body disabled: %v, button %q", p.body.Disabled(), p.send.Text)
	}
	test.Tap(p.send)
	release()
	s.until("it is sent", func() bool { return s.model.Page() == viewmodel.PageSent })
	s.model.Write()
	s.settle()
	if p.body.Disabled() || p.body.Text != "" {
		t.Error("another mail cannot be written")
	}
}

// TestWritingFitsASmallWindowInGerman: German is longer, and nothing is clipped.
func TestWritingFitsASmallWindowInGerman(t *testing.T) {
	s := newStage(t, theme.Light, fyne.NewSize(400, 700), writers)
	s.model.Speak(words.German)
	s.shell = New(s.model, s.shell.host)
	s.win.SetContent(s.shell.Content())
	s.win.Resize(fyne.NewSize(400, 700))
	for name, act := range map[string]func(){
		"write":   func() { several(s) },
		"preview": func() { s.model.OpenPreview() },
		"drafts":  func() { s.model.Show(viewmodel.PageDrafts); s.deleteFirst() },
		"sent":    func() { s.showSent("rejected"); s.settle(); s.model.CheckReceipts() },
		"failed":  func() { s.showSent("failed") },
		"free":    func() { s.showSent("free") },
	} {
		act()
		s.settle()
		if got := s.shell.Content().MinSize(); got.Width > 400 || got.Height > 700 {
			t.Errorf("%s wants %.0fx%.0f", name, got.Width, got.Height)
		}
		for _, o := range outside(s.shell.Content(), fyne.Position{}, 400) {
			t.Errorf("%s: %s", name, o)
		}
	}
}

// outside lists the texts that go beyond the right edge.
func outside(o fyne.CanvasObject, at fyne.Position, right float32) (found []string) {
	if !o.Visible() {
		return nil
	}
	at = at.Add(o.Position())
	switch o := o.(type) {
	case *fyne.Container:
		for _, child := range o.Objects {
			found = append(found, outside(child, at, right)...)
		}
	case *canvas.Text:
		if end := at.X + o.MinSize().Width; o.Text != "" && o.Alignment == fyne.TextAlignLeading && end > right+1 {
			found = append(found, fmt.Sprintf("%q ends at %.0f", o.Text, end))
		}
	case fyne.Widget:
		for _, child := range test.WidgetRenderer(o).Objects() {
			found = append(found, outside(child, at, right)...)
		}
	}
	return found
}

// TestTheTextNeverLiesOverTheOffer, as the driver leaves it: the page lays itself
// out when an offer comes, without being asked to.
func TestTheTextNeverLiesOverTheOffer(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	s.model.Write()
	s.settle()
	s.model.SetTo("author@example.net")
	s.until("the offer is there", func() bool { return s.model.Draft().Ready })
	s.shell.Refresh() // and nothing more
	p := s.shell.write
	if bottom, top := p.head.Position().Y+p.head.MinSize().Height, p.body.Position().Y; top < bottom {
		t.Errorf("what stands over the text ends at %.0f, and the text begins at %.0f", bottom, top)
	}
}
