package pages

import (
	"context"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"earnest/agentclient/agenttest"
	"earnest/gui/theme"
	"earnest/gui/viewmodel"
)

// stage is the window's content on a canvas in memory, over an agent in memory.
type stage struct {
	t     *testing.T
	agent *agenttest.Agent
	model *viewmodel.Model
	shell *Shell
	win   fyne.Window
}

func newStage(t *testing.T, look theme.Choice, size fyne.Size, agent func(func() time.Time) *agenttest.Agent) *stage {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.New(look))
	now := func() time.Time { return time.Date(2026, 11, 22, 10, 12, 0, 0, time.UTC) }
	s := &stage{t: t, agent: agent(now)}
	s.model = viewmodel.New(viewmodel.Config{Agent: s.agent, Now: now, Location: time.UTC})
	s.win = test.NewTempWindow(t, nil)
	s.win.SetPadded(false)
	// The agent's answers come from other goroutines: the stage draws by itself.
	s.shell = New(s.model, Host{Window: s.win, Look: theme.System, Clipboard: app.Clipboard(), Post: func(func()) {}})
	s.win.SetContent(s.shell.Content())
	s.win.Resize(size)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.model.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	s.until("the agent answered", func() bool {
		return s.settled() && s.model.StatusLine().Text != "Connecting to the agent…" && s.model.StatusLine().Text != "Asking the agent…"
	})
	s.draw()
	return s
}

func (s *stage) until(what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// settle waits until nothing is being asked and no event is on its way, and draws.
func (s *stage) settle() {
	s.t.Helper()
	s.until("nothing is being asked", s.settled)
	s.draw()
}

// settled: an event makes the model ask, and what it asks can make events.
func (s *stage) settled() bool {
	before, heard := s.agent.Told()
	if !heard || !s.model.Settled() {
		return false
	}
	after, heard := s.agent.Told()
	return heard && after == before
}

// draw lays out as the window's driver does after each change.
func (s *stage) draw() {
	s.shell.Refresh()
	for range 3 {
		s.shell.Content().Refresh()
	}
}
