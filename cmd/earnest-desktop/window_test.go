package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"earnest/gui/theme"
	"earnest/gui/widgets"
)

// Places in a window of 1280 by 800, from the layout's own numbers.
const (
	rowX    = int(widgets.NavWidth) + 100
	rowY    = 76 // height of a row of three lines
	firstY  = 91 + rowY/2
	acceptX = int(widgets.NavWidth) + 2 + 360 + int(theme.Space5) + int(widgets.ReadingWidth) - 40
	acceptY = 800 - 29 - 30
)

// TestWindow drives the real window by keyboard and mouse: decide, undo, write
// and send, and an agent that goes away and comes back.
func TestWindow(t *testing.T) {
	s := newStage(t, scene(time.Now))
	s.open("--size", "1280x800", "--theme", "light")

	// Keyboard: down to the new mail; reject it, take it back.
	mails := s.waiting()
	for range index(t, mails, letterID) + 1 {
		s.key("j")
	}
	s.until("the mail is read", func() bool { return !s.unread(letterID) })
	s.key("r")
	s.state(letterID, "rejecting")
	s.picture(filepath.Join(pictures(t), "undo.png"))
	s.key("u")
	s.state(letterID, "waiting")

	// Mouse: choose a row, click into the text, and still decide by a key.
	at := index(t, s.waiting(), talkID)
	before := s.calls("Look")
	s.click(rowX, firstY+at*rowY)
	s.called("Look", before+1)
	s.click(acceptX-300, 150)
	s.key("a")
	s.state(talkID, "accepted")

	// Mouse: choose the letter and press the button.
	at = index(t, s.waiting(), letterID)
	s.click(rowX, firstY+at*rowY)
	time.Sleep(300 * time.Millisecond)
	path := filepath.Join(pictures(t), "window.png")
	s.picture(path)
	if info, err := os.Stat(path); err != nil || info.Size() < 20_000 {
		t.Errorf("the picture of the window is empty: %v", err)
	}
	s.click(acceptX, acceptY)
	s.state(letterID, "accepted")

	// Write: the price is asked for before anything is sent.
	prices := s.calls("Price")
	s.key("w")
	time.Sleep(200 * time.Millisecond)
	s.write("editor@example.net")
	s.called("Price", prices+1)
	s.key("Return", "Return")
	s.write("A remark on page 12")
	s.key("Return")
	s.write("The bound is not tight.")
	s.picture(filepath.Join(pictures(t), "write.png"))

	// The agent goes away while the text is typed, and comes back.
	s.stop()
	time.Sleep(400 * time.Millisecond)
	s.write(" See below.")
	s.picture(filepath.Join(pictures(t), "away.png"))
	listeners := s.calls("Events")
	s.serve()
	s.until("the window has found the agent again", func() bool { return s.agent.Listeners() > 0 && s.calls("Events") >= listeners })
	time.Sleep(300 * time.Millisecond)
	s.key("ctrl+Return")
	s.called("Send", 1)
	s.until("the mail is sent", func() bool {
		sent, err := s.agent.Sent(context.Background())
		return err == nil && len(sent) == 2 && sent[0].Subject == "A remark on page 12" && sent[0].To == "editor@example.net"
	})
	s.picture(filepath.Join(pictures(t), "sent.png"))
	s.quiet()
}

// waiting lists the ids as the window does: the next to decide first.
func (s *stage) waiting() []string {
	s.t.Helper()
	mails, err := s.agent.Inbox(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	var ids []string
	for _, held := range []bool{false, true} {
		for i := len(mails) - 1; i >= 0; i-- { // all have 14 days, so the oldest is the next
			m := mails[i]
			if (m.State == "waiting" || m.State == "damaged" || m.State == "held") && m.DecideBy.IsZero() == held {
				ids = append(ids, m.ID)
			}
		}
	}
	return ids
}

func (s *stage) unread(id string) bool {
	mails, err := s.agent.Inbox(context.Background())
	for _, m := range mails {
		if m.ID == id {
			return m.Unread || err != nil
		}
	}
	return true
}

func index(t *testing.T, ids []string, id string) int {
	t.Helper()
	for i, each := range ids {
		if each == id {
			return i
		}
	}
	t.Fatalf("%s does not wait", id)
	return 0
}
