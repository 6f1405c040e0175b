package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"earnest/agent/localapi"
	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/internal/localsock"
	"earnest/internal/screen"
)

// runAsProgram makes the test's binary the program itself, so that the window
// under test is the one that was compiled with it.
const runAsProgram = "EARNEST_DESKTOP_RUN"

func TestMain(m *testing.M) {
	if os.Getenv(runAsProgram) != "" {
		os.Exit(run(os.Args[1:], os.Stderr))
	}
	os.Exit(m.Run())
}

// stage is a screen of its own, an agent in memory behind a real socket, and the
// real window.
type stage struct {
	t      *testing.T
	home   string
	screen *screen.Screen
	agent  *agenttest.Agent
	stop   context.CancelFunc // of the agent's socket
	stderr *output
	window string // its id
	close  func() // of the window
}

// output keeps what a program says; it is written and read at once.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// newStage is a screen with that agent.
func newStage(t *testing.T, agent *agenttest.Agent) *stage {
	t.Helper()
	return newStageOn(t, agent, "")
}

// newStageOn is a stage with a session bus.
func newStageOn(t *testing.T, agent *agenttest.Agent, bus string) *stage {
	t.Helper()
	s := newStageAt(t, shortDir(t), bus)
	s.agent = agent
	s.serve()
	return s
}

// newStageAt is a screen for the window of a home whose agent is elsewhere.
func newStageAt(t *testing.T, home, bus string) *stage {
	t.Helper()
	s := &stage{t: t, home: home, stderr: &output{}}
	options := screen.Options{Home: filepath.Join(shortDir(t), "x"), Width: 1400, Height: 900, Bus: bus, Env: []string{"EARNEST_HOME=" + home}}
	var err error
	s.screen, err = screen.Start(options)
	t.Cleanup(s.screen.Stop)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// shortDir is a folder whose name leaves room for a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ewin")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// quiet fails the test if a widget was touched off the drawing goroutine.
func (s *stage) quiet() {
	s.t.Helper()
	if said := s.stderr.String(); strings.Contains(said, "Error in Fyne call thread") {
		s.t.Errorf("a widget was touched off the drawing goroutine:\n%s", said)
	}
}

// serve lets the agent answer on its socket.
func (s *stage) serve() {
	s.t.Helper()
	listener, err := localsock.Listen(agentclient.SocketPath(s.home))
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = localapi.Serve(ctx, listener, s.agent, slog.New(slog.DiscardHandler))
	}()
	stop := func() { cancel(); <-done }
	s.stop = stop
	s.t.Cleanup(stop)
}

// open starts the window and waits until it lists the mails.
func (s *stage) open(args ...string) {
	s.t.Helper()
	s.run(args...)
	var err error
	if s.window, err = s.screen.Window("^Earnest$"); err != nil {
		s.t.Fatalf("%v; it said: %s", err, s.stderr)
	}
	if s.agent != nil {
		s.called("Inbox", 1)
	}
	s.until("something is drawn", func() bool {
		colours, err := s.screen.Colours(s.window, 900, 600, 10, 10) // the left column, or a set-up
		return err == nil && colours > 20
	})
	time.Sleep(300 * time.Millisecond)
}

// run starts the window's program.
func (s *stage) run(args ...string) {
	s.t.Helper()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = []string{runAsProgram + "=1"}
	if s.close, err = s.screen.Run(cmd, s.stderr); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) key(keys ...string) { s.t.Helper(); s.must(s.screen.Key(keys...)) }

func (s *stage) write(text string) { s.t.Helper(); s.must(s.screen.Type(text)) }

func (s *stage) click(x, y int) {
	s.t.Helper()
	s.must(s.screen.Move(s.window, x, y))
	time.Sleep(50 * time.Millisecond)
	s.must(s.screen.Click(1, 1))
}

func (s *stage) until(what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(15 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.picture(filepath.Join(pictures(s.t), "failed.png"))
			for _, how := range s.screen.Ended() {
				s.t.Errorf("it has ended: %s", how)
			}
			s.t.Fatalf("waited in vain until %s; the window said: %s", what, s.stderr)
		}
	}
}

// called waits until the window has asked the agent so many times.
func (s *stage) called(method string, times int) {
	s.t.Helper()
	s.until(fmt.Sprintf("%s was called %d times", method, times), func() bool { return s.calls(method) >= times })
}

func (s *stage) calls(method string) (n int) {
	for _, call := range s.agent.Calls() {
		if call == method {
			n++
		}
	}
	return n
}

// state waits until a mail is in a state.
func (s *stage) state(id, state string) {
	s.t.Helper()
	s.until("mail "+id+" is "+state, func() bool {
		mails, err := s.agent.Inbox(context.Background())
		if err != nil {
			return false
		}
		for _, m := range mails {
			if m.ID == id {
				return m.State == state
			}
		}
		return false
	})
}

// pictures is where screenshots are left.
func pictures(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("..", "..", "bin", "pictures")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (s *stage) picture(path string) {
	s.t.Helper()
	time.Sleep(250 * time.Millisecond)
	if s.window == "" {
		return // import would wait for a click
	}
	if err := s.screen.Picture(s.window, path); err != nil {
		s.t.Error(err)
	}
}
