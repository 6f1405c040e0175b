package pages

import (
	"context"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"earnest/agentclient/agenttest"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
)

func state(t *testing.T, a *agenttest.Agent, id string) string {
	t.Helper()
	mails, err := a.Inbox(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mails {
		if m.ID == id {
			return m.State
		}
	}
	return ""
}

func TestKeysDecideAndDoNotWhileTyping(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	typed := func(keys string) {
		if f := s.win.Canvas().Focused(); f != nil {
			test.Type(f, keys)
		} else {
			test.TypeOnCanvas(s.win.Canvas(), keys)
		}
		s.settle()
	}
	typed("j")
	typed("r")
	if got := state(t, s.agent, agenttest.SceneTalk); got != "rejecting" {
		t.Fatalf("after R the mail is %s", got)
	}
	if !s.shell.strip.right.Visible() {
		t.Error("the undo bar is not shown")
	}
	typed("u")
	if got := state(t, s.agent, agenttest.SceneTalk); got != "waiting" || s.shell.strip.undo.Visible() || s.model.Told().Text != "1 reject taken back. The mail waits again." {
		t.Errorf("after U the mail is %s, and it says %q", got, s.model.Told().Text)
	}
	s.model.Select(agenttest.SceneQuestion)
	s.settle()
	typed("/")
	typed("ar")
	if s.shell.folder.search.Text != "ar" || state(t, s.agent, agenttest.SceneQuestion) != "waiting" {
		t.Errorf("typing into the search decided a mail: %q", s.shell.folder.search.Text)
	}
	s.shell.folder.search.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	s.model.Select(agenttest.SceneQuestion) // the search had closed it
	s.settle()
	typed("a")
	if got := state(t, s.agent, agenttest.SceneQuestion); got != "accepted" {
		t.Errorf("after Escape and A the mail is %s", got)
	}
	typed("w")
	typed("arthur@example.net")
	if s.model.Page() != viewmodel.PageWrite || s.model.Draft().To != "arthur@example.net" {
		t.Errorf("page %s, to %q", s.model.Page(), s.model.Draft().To)
	}
}

func TestTheMouseDoesWhatTheKeysDo(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	test.TapCanvas(s.win.Canvas(), fyne.NewPos(300, 110))
	s.settle()
	if r := s.model.Reading(); r.ID != agenttest.SceneTalk {
		t.Fatalf("open: %s", r.ID)
	}
	test.Tap(s.shell.folder.mail.foot.accept)
	s.settle()
	if got := state(t, s.agent, agenttest.SceneTalk); got != "accepted" {
		t.Errorf("the mail is %s", got)
	}
	test.Tap(s.shell.nav.items[viewmodel.PageMoney])
	s.settle()
	money := s.shell.shown.(*moneyPage)
	test.Type(money.code.Entry, "VOUCHER-5")
	test.Tap(money.topUp)
	s.settle()
	if p := s.model.Purse(); p.Rows[0].Available != "€9.75" || money.code.Entry.Text != "" {
		t.Errorf("purse %+v, field %q", p, money.code.Entry.Text)
	}
}

func TestTheCardIsCopied(t *testing.T) {
	s := newStage(t, theme.Light, wide, priced)
	test.Tap(s.shell.folder.empty.card)
	if got := s.host().Content(); got != s.model.Card() || got == "" {
		t.Errorf("copied %q", got)
	}
}

func (s *stage) host() fyne.Clipboard { return s.shell.host.Clipboard }

// TestDigitsTurnToThePages: every page can be reached without a mouse.
func TestDigitsTurnToThePages(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	for i, item := range s.model.Nav() {
		key := []rune("1234567890")[i]
		test.TypeOnCanvas(s.win.Canvas(), string(key))
		if got := s.model.Page(); got != item.Page {
			t.Errorf("%c turns to %s, not to %s", key, got, item.Page)
		}
		s.settle()
		s.win.Canvas().Unfocus() // as Escape does
	}
}
