//go:build linux

package main

import (
	"regexp"
	"testing"
	"time"

	"earnest/agentclient/agenttest"
)

// geometry is the window's size in pixels.
func (s *stage) geometry() string {
	s.t.Helper()
	said, err := s.screen.Tool("xdotool", "getwindowgeometry", s.window)
	s.must(err)
	return regexp.MustCompile(`[0-9]+x[0-9]+`).FindString(said)
}

// toLarger are the steps of Tab from the settings' first button to the one that makes
// the text larger.
const toLarger = 17

// TestW_LargerTextKeepsTheWindowsSize: a person who wants larger text wants it in the
// same window, which the driver would let grow.
func TestW_LargerTextKeepsTheWindowsSize(t *testing.T) {
	s := newStage(t, agenttest.Scene(time.Now))
	s.open("--size", "900x600", "--theme", "light", "--page", "settings")
	before := s.geometry()
	if before != "900x600" {
		t.Fatalf("the window is %s at first", before)
	}
	drawn := func() int {
		n, err := s.screen.Colours(s.window, 900, 600, 0, 0)
		s.must(err)
		return n
	}
	for range toLarger {
		s.key("Tab")
	}
	was := drawn()
	s.key("Return", "Return")
	s.until("the text is drawn anew", func() bool { return drawn() != was })
	time.Sleep(time.Second) // the driver may still grow it
	for end := time.Now().Add(5 * time.Second); s.geometry() != before; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the window is %s after the text grew, and was %s", s.geometry(), before)
		}
	}
	s.quiet()
}
