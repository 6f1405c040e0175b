package pages

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/theme"
)

// typed types keys as a person does: into what has the focus, else the window.
func (s *stage) typed(keys string) {
	for _, r := range keys {
		if f := s.win.Canvas().Focused(); f != nil {
			f.TypedRune(r)
		} else {
			s.shell.typedRune(r)
		}
		s.settle()
	}
}

func (s *stage) pressed(name fyne.KeyName) {
	if f := s.win.Canvas().Focused(); f != nil {
		f.TypedKey(&fyne.KeyEvent{Name: name})
	} else {
		s.shell.typedKey(&fyne.KeyEvent{Name: name})
	}
	s.settle()
}

func TestAcceptWithAFewFreeMailsByKeysAlone(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	s.typed("jA")
	foot := s.shell.folder.mail.foot
	if s.win.Canvas().Focused() != fyne.Focusable(foot.count.Entry) {
		t.Fatalf("the focus is on %T", s.win.Canvas().Focused())
	}
	s.typed("a few") // typing decides nothing
	s.pressed(fyne.KeyReturn)
	if got := state(t, s.agent, agenttest.SceneTalk); got != "waiting" || foot.count.Entry.Text != "a few" {
		t.Fatalf("%s, field %q", got, foot.count.Entry.Text)
	}
	s.pressed(fyne.KeyEscape)
	if foot.ask.Visible() {
		t.Error("Escape leaves the form open")
	}
	s.typed("A")
	if foot.count.Entry.Text != "a few" {
		t.Error("what was typed is lost")
	}
	foot.count.Entry.SetText("3")
	s.pressed(fyne.KeyReturn)
	people, err := s.agent.People(t.Context())
	if got := state(t, s.agent, agenttest.SceneTalk); got != "accepted" || err != nil || len(people) != 1 || people[0].Free != "3" {
		t.Errorf("%s, people %+v, %v", got, people, err)
	}
	s.typed("R")
	if s.win.Canvas().Focused() != nil {
		t.Error("a damaged mail is asked about")
	}
	s.typed("jR")
	s.typed("spam")
	s.pressed(fyne.KeyReturn)
	if got := state(t, s.agent, agenttest.SceneQuestion); got != "rejecting" {
		t.Errorf("after the note the mail is %s", got)
	}
	s.typed("u")
	if got := state(t, s.agent, agenttest.SceneQuestion); got != "waiting" {
		t.Errorf("after U the mail is %s", got)
	}
}

func TestMarkingByKeysAlone(t *testing.T) {
	s := newStage(t, theme.Light, wide, fullHouse)
	s.typed("xJJ")
	if s.shell.folder.view.Marks.N != 3 || !s.shell.folder.marks.root.Visible() {
		t.Fatalf("marks %+v", s.shell.folder.view.Marks)
	}
	s.pressed(fyne.KeyEscape)
	if s.shell.folder.view.Marks.N != 0 {
		t.Error("Escape leaves marks")
	}
	s.shell.folder.markAll()
	s.settle()
	if s.shell.folder.view.Marks.N != 7 {
		t.Errorf("all are %d", s.shell.folder.view.Marks.N)
	}
	s.typed("r")
	if u := s.model.Undo(); !u.Show {
		t.Errorf("undo %+v", u)
	}
	s.typed("u")
	for _, id := range []string{agenttest.SceneTalk, agenttest.SceneQuestion, mailRich} {
		if got := state(t, s.agent, id); got != "waiting" {
			t.Errorf("%s is %s", id, got)
		}
	}
}

// TestNothingMovesWhenTheUndoBarComes: the buttons stay under the mouse.
func TestNothingMovesWhenTheUndoBarComes(t *testing.T) {
	for _, size := range []fyne.Size{wide, fyne.NewSize(640, 700), fyne.NewSize(400, 700)} {
		s := newStage(t, theme.Light, size, fullHouse)
		s.opened(mailRich)
		at := func() fyne.Position {
			return fyne.CurrentApp().Driver().AbsolutePositionForObject(s.shell.folder.mail.foot.accept)
		}
		before, strip := at(), s.shell.strip.root.Size()
		s.model.Select(agenttest.SceneTalk)
		s.settle()
		s.model.Reject()
		s.settle()
		s.opened(mailRich)
		if !s.shell.strip.right.Visible() || at() != before || s.shell.strip.root.Size() != strip {
			t.Errorf("%v: moved from %v to %v, strip %v to %v", size, before, at(), strip, s.shell.strip.root.Size())
		}
		bar := s.shell.strip.right
		if edge := bar.Position().X + bar.Size().Width; edge > size.Width || bar.Position().X < 0 {
			t.Errorf("%v: the bar reaches from %.0f to %.0f", size, bar.Position().X, edge)
		}
	}
}

func TestTheHeadOfAMailDoesNotJumpWhenItsTextComes(t *testing.T) {
	s := newStage(t, theme.Light, wide, fullHouse)
	release := s.agent.Hold("Look")
	s.model.Select(mailRich)
	s.draw()
	pane := s.shell.folder.mail
	head, foot := pane.money.Box.Position(), pane.foot.root.Position()
	body := fyne.CurrentApp().Driver().AbsolutePositionForObject(pane.foot.accept)
	release()
	s.settle()
	if pane.money.Box.Position() != head || pane.foot.root.Position() != foot ||
		fyne.CurrentApp().Driver().AbsolutePositionForObject(pane.foot.accept) != body {
		t.Error("head or buttons moved")
	}
}

func TestTheListOfKeysOpensAndCloses(t *testing.T) {
	s := newStage(t, theme.Light, wide, fullHouse)
	s.typed("j?")
	if !s.shell.help.shown() {
		t.Fatal("? shows nothing")
	}
	s.typed("ar") // keys do nothing under it
	if got := state(t, s.agent, agenttest.SceneTalk); got != "waiting" {
		t.Errorf("a mail unseen was decided: %s", got)
	}
	s.pressed(fyne.KeyEscape)
	if s.shell.help.shown() {
		t.Error("Escape leaves it open")
	}
	s.typed("??")
	if s.shell.help.shown() {
		t.Error("? does not close it")
	}
}

func TestALinkAsksInsideTheWindowAndKeepsTheKeys(t *testing.T) {
	s := newStage(t, theme.Light, wide, fullHouse)
	s.opened(mailRich)
	s.shell.folder.mail.body.askLink("https://journal.example/rules?for=authors")
	foot := s.shell.folder.mail.foot
	if !foot.link.Visible() || s.win.Canvas().Overlays().Top() != nil || s.win.Canvas().Focused() != fyne.Focusable(foot.cancel) {
		t.Fatalf("focus on %T", s.win.Canvas().Focused())
	}
	test.Tap(foot.copy)
	if got := s.host().Content(); got != "https://journal.example/rules?for=authors" {
		t.Errorf("copied %q", got)
	}
	s.typed("j") // the keys still count
	if s.model.Reading().ID == mailRich || foot.link.Visible() {
		t.Error("the question goes with another mail")
	}
}

func TestAFileIsSavedWhereDownloadsAre(t *testing.T) {
	s := newStage(t, theme.Light, wide, fullHouse)
	dir := t.TempDir()
	s.shell.host.Downloads = dir
	s.opened(mailRich)
	test.Tap(s.shell.folder.mail.files.lines[1].save)
	s.settle()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "profile" {
		t.Errorf("saved %v, %v", entries, err)
	}
	if said := s.shell.folder.mail.files.lines[1].said.Text; said != "Saved: "+filepath.Join(dir, "profile") {
		t.Errorf("said %q", said)
	}
}

// TestScrollingThroughTenThousandMails prints what a frame costs on a canvas
// drawn by software; the window's own is drawn by the graphics card.
func TestScrollingThroughTenThousandMails(t *testing.T) {
	s := newStage(t, theme.Light, wide, func(now func() time.Time) *agenttest.Agent {
		a := priced(now)
		mails := make([]agentclient.Message, 10_000)
		for i := range mails {
			mails[i].Mail = agentclient.Mail{ID: fmt.Sprintf("m%05d", i), From: fmt.Sprintf("sender%d@example.net", i),
				Name: fmt.Sprintf("Sender Number %d", i), Subject: fmt.Sprintf("A subject of some length, number %d", i), Unread: i%2 == 0,
				At: now().Add(-time.Duration(i) * time.Second)}
		}
		a.AddMails(mails)
		return a
	})
	list := s.shell.folder.list
	var worst, all time.Duration
	const frames = 120
	for i := range frames {
		start := time.Now()
		list.ScrollBy(float32(20 + i*8%700))
		took := time.Since(start)
		worst, all = max(worst, took), all+took
	}
	start := time.Now()
	s.shell.Refresh()
	refresh := time.Since(start)
	t.Logf("a frame of scrolling: %s on average, %s at worst; a redraw of the page %s", all/frames, worst, refresh)
	// The goal of 50 ms is measured by test/bench/window; here the machine may be
	// busy with something else, and a whole list drawn anew takes far longer.
	if all/frames > 50*time.Millisecond || refresh > time.Second {
		t.Errorf("a frame took %s, a redraw %s", all/frames, refresh)
	}
	if list.First() < 100 {
		t.Errorf("nothing was scrolled: row %d", list.First())
	}
}
