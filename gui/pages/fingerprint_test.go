package pages

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"earnest/gui/theme"
)

// TestAFingerprintIsAcceptedByKeyboard: it is typed, and Return accepts it.
func TestAFingerprintIsAcceptedByKeyboard(t *testing.T) {
	s := newStage(t, theme.Light, wide, writers)
	shown := strings.Repeat("n3W_", 10) + "abM"
	s.agent.ChangeIdentity("author@example.net", shown)
	s.writeTo("author@example.net")
	s.settle()
	line := s.shell.shown.(*writePage).recipients.lines[0]
	if !line.other.Visible() || line.print.Entry.Text != "" {
		t.Fatalf("visible %t, filled in: %q", line.other.Visible(), line.print.Entry.Text)
	}
	s.tabTo(line.print.Entry)
	test.Type(line.print.Entry, shown)
	s.press(fyne.KeyReturn)
	s.settle()
	if of, err := s.agent.Fingerprints(t.Context(), "", "author@example.net"); err != nil || of.Known != shown || line.other.Visible() {
		t.Errorf("%+v, %v, visible %t", of, err, line.other.Visible())
	}
}
