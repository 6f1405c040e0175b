package pages

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
)

// knows is an agent without an account that finds the servers of example.org.
func knows(change func(*agentclient.Servers)) func(func() time.Time) *agenttest.Agent {
	return func(now func() time.Time) *agenttest.Agent {
		servers := agentclient.Servers{IMAP: "imaps://imap.example.org:993", SMTP: "smtps://smtp.example.org:465",
			Escrow: "https://escrow.example", Source: "autoconfig"}
		if change != nil {
			change(&servers)
		}
		a := agenttest.New(now)
		a.SetServers("example.org", servers)
		return a
	}
}

// press types into what has the focus, as the window's driver would.
func (s *stage) press(keys ...fyne.KeyName) {
	s.t.Helper()
	c := s.win.Canvas()
	for _, key := range keys {
		switch f := c.Focused(); {
		case key == fyne.KeyTab:
			c.FocusNext()
		case f != nil:
			f.TypedKey(&fyne.KeyEvent{Name: key})
		default:
			c.OnTypedKey()(&fyne.KeyEvent{Name: key})
		}
	}
	s.settle()
}

// typeText types into what has the focus.
func (s *stage) typeText(text string) {
	s.t.Helper()
	f := s.win.Canvas().Focused()
	if f == nil {
		s.t.Fatal("nothing has the focus")
	}
	test.Type(f, text)
	s.settle()
}

// TestAFirstStartNeedsTheKeyboardAlone goes from nothing to the list of mails.
func TestAFirstStartNeedsTheKeyboardAlone(t *testing.T) {
	s := newStage(t, theme.Light, wide, knows(nil))
	page := s.shell.shown.(*setupPage)
	if s.win.Canvas().Focused() != fyne.Focusable(page.form.fields[viewmodel.FieldAddress].Entry) {
		t.Fatalf("focus at first: %T", s.win.Canvas().Focused())
	}
	s.typeText("me@example.org")
	s.press(fyne.KeyTab)
	s.typeText("secret")
	s.press(fyne.KeyReturn)
	if page.stage != viewmodel.SetupPrice || s.win.Canvas().Focused() != fyne.Focusable(page.price.field.Entry) {
		t.Fatalf("after Enter: %s, focus %T", page.stage, s.win.Canvas().Focused())
	}
	s.press(fyne.KeyReturn)
	if page.stage != viewmodel.SetupCard || s.win.Canvas().Focused() != fyne.Focusable(page.card.done) {
		t.Fatalf("after the price: %s, focus %T", page.stage, s.win.Canvas().Focused())
	}
	s.press(fyne.KeyReturn)
	if s.model.Page() != viewmodel.PageWaiting || s.model.FirstStart() {
		t.Errorf("at the end: %s", s.model.Page())
	}
}

func TestAFailedTestPutsTheFocusOnTheFieldThatIsWrong(t *testing.T) {
	s := newStage(t, theme.Light, fyne.NewSize(400, 400), knows(nil))
	s.model.SetField(viewmodel.FieldAddress, "me@example.org")
	s.model.SetField(viewmodel.FieldPassword, "secret")
	s.settle()
	s.agent.Fail("AddAccount", &agentclient.Failure{Code: agentclient.CodeUnreachable, Field: "smtp", Happened: "It does not answer."})
	release := s.agent.Hold("AddAccount")
	s.model.AddAccount()
	s.draw()
	page := s.shell.shown.(*setupPage)
	if !page.trial.root.Visible() || len(page.trial.lines.lines) != 6 {
		t.Fatal("the test is not shown")
	}
	release()
	s.settle()
	s.draw()
	smtp := page.form.fields[viewmodel.FieldSMTP]
	if s.win.Canvas().Focused() != fyne.Focusable(smtp.Entry) {
		t.Fatalf("focus on %T", s.win.Canvas().Focused())
	}
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(smtp.Entry).Y
	if at < 0 || at+smtp.Entry.Size().Height > 400 {
		t.Errorf("the field is out of sight, at %.0f", at)
	}
	if page.form.fields[viewmodel.FieldPassword].Entry.Text != "secret" {
		t.Error("the password is lost")
	}
}

func TestEscapeStopsTheTestOfAFirstStart(t *testing.T) {
	s := newStage(t, theme.Light, wide, knows(nil))
	s.typeText("me@example.org")
	s.press(fyne.KeyTab)
	s.typeText("secret")
	release := s.agent.Hold("AddAccount")
	defer release()
	s.model.AddAccount()
	s.draw()
	page := s.shell.shown.(*setupPage)
	if s.win.Canvas().Focused() != fyne.Focusable(page.trial.stop) {
		t.Fatalf("focus on %T", s.win.Canvas().Focused())
	}
	// The call is under way before it can be stopped.
	s.until("the agent is asked", func() bool { return slices.Contains(s.agent.Calls(), "AddAccount") })
	s.press(fyne.KeyEscape)
	if page.stage != viewmodel.SetupForm || page.form.fields[viewmodel.FieldPassword].Entry.Text != "secret" {
		t.Errorf("after Escape: %s", page.stage)
	}
}

func TestTheProvidersPageIsOpenedOnceAndAgainWhenAsked(t *testing.T) {
	s := newStage(t, theme.Light, wide, knows(func(v *agentclient.Servers) { v.Provider, v.ProviderReady = "google", true }))
	var opened []string
	s.shell.host.OpenURL = func(url string) error { opened = append(opened, url); return errors.New("no browser") }
	s.typeText("me@example.org")
	s.press(fyne.KeyReturn)
	s.settle()
	s.draw()
	page := s.shell.shown.(*setupPage)
	if len(opened) != 1 || !strings.HasPrefix(opened[0], "https://login.example/google") {
		t.Fatalf("opened %q", opened)
	}
	if !page.form.signIn.shut.row.Visible() || page.form.button.Visible() || page.form.secret.Visible() {
		t.Error("that the browser did not open is not said, or the password is asked for")
	}
	test.Tap(page.form.signIn.copy)
	if got := s.host().Content(); got != opened[0] {
		t.Errorf("copied %q", got)
	}
	page.form.signIn.open()
	if len(opened) != 2 {
		t.Errorf("opened %d times", len(opened))
	}
	// Another language draws the window anew; the browser shows the page already.
	again := New(s.model, s.shell.host)
	s.win.SetContent(again.Content())
	again.Refresh()
	if len(opened) != 2 {
		t.Errorf("the browser was opened %d times", len(opened))
	}
}

func TestTheProgramKeepsWhereTheSetUpStands(t *testing.T) {
	s := newStage(t, theme.Light, wide, knows(nil))
	p := newPrefs()
	s.shell.host.Prefs = p
	s.typeText("me@example.org")
	s.press(fyne.KeyTab)
	s.typeText("secret")
	if !strings.Contains(p.resume, "me@example.org") || strings.Contains(p.resume, "secret") {
		t.Errorf("kept: %q", p.resume)
	}
	s.press(fyne.KeyReturn)
	if !strings.Contains(p.resume, `"price"`) {
		t.Errorf("at the price: %q", p.resume)
	}
	s.model.EndSetup()
	s.draw()
}

func TestEscapeGoesBackFromAFurtherAccount(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	s.model.NewAccount()
	s.settle()
	s.typeText("half@exa")
	s.press(fyne.KeyEscape) // leaves the field
	s.press(fyne.KeyEscape) // leaves the page
	if s.model.Page() != viewmodel.PageSettings {
		t.Fatalf("page %s", s.model.Page())
	}
	s.model.NewAccount()
	s.settle()
	if got := s.shell.shown.(*setupPage).form.fields[viewmodel.FieldAddress].Entry.Text; got != "half@exa" {
		t.Errorf("what was typed: %q", got)
	}
}

func TestTheCardCanBeCopiedInThreeKinds(t *testing.T) {
	s := newStage(t, theme.Light, wide, knows(nil))
	s.typeText("me@example.org")
	s.press(fyne.KeyTab)
	s.typeText("secret")
	s.press(fyne.KeyReturn)
	s.press(fyne.KeyReturn)
	page := s.shell.shown.(*setupPage)
	for i, want := range []string{page.card.card.Text, page.card.card.HTML, page.card.card.Link} {
		test.Tap(page.card.copies[i])
		if got := s.host().Content(); got != want || want == "" {
			t.Errorf("button %d copies %q, want %q", i, got, want)
		}
	}
}
