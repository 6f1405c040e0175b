package pages

import (
	"testing"
	"time"

	"earnest/agentclient/agenttest"
	"earnest/gui/theme"
)

func TestAKeyThatIsHeldDecidesOneMail(t *testing.T) {
	s := newStage(t, theme.Light, wide, agenttest.Scene)
	s.opened(mailOf(s, 2))
	down := func() { s.shell.held.heard, s.shell.held.pressed = true, true }
	down()
	s.typed("r")
	s.opened(agenttest.SceneTalk)
	s.typed("rrr") // no press between them
	if got := state(t, s.agent, agenttest.SceneTalk); got != "waiting" {
		t.Errorf("a held key decided one more mail: %s", got)
	}
	down()
	s.typed("r")
	if got := state(t, s.agent, agenttest.SceneTalk); got != "rejecting" {
		t.Errorf("a new press does nothing: %s", got)
	}
}

func mailOf(s *stage, row int) string { return s.model.Folder().ID(row) }

func TestHeldKeysAreToldByTheirPaceWhereSomethingHasTheFocus(t *testing.T) {
	var h heldKeys
	at := time.Now()
	if h.repeats('r', true, at) || h.repeats('r', false, at) {
		t.Error("where the driver tells no presses, a letter is taken for a repeat")
	}
	h.watch(nil)
	h.heard = true
	for _, c := range []struct {
		r    rune
		wait time.Duration
		want bool
	}{{'r', time.Second, false}, {'r', 30 * time.Millisecond, true}, {'r', 30 * time.Millisecond, true}, {'a', 30 * time.Millisecond, false}, {'a', 200 * time.Millisecond, false}} {
		at = at.Add(c.wait)
		if got := h.repeats(c.r, true, at); got != c.want {
			t.Errorf("%c after %s: %v", c.r, c.wait, got)
		}
	}
}
