package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"earnest/agent/localapi"
	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/internal/localsock"
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

// stage is a display of its own with a window manager, an agent in memory
// behind a real socket, and the real window.
type stage struct {
	t      *testing.T
	home   string
	env    []string
	agent  *agenttest.Agent
	stop   context.CancelFunc // of the agent's socket
	stderr *output
	window string   // its id
	ended  sync.Map // program: how it ended, against all expectation
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

func newStage(t *testing.T) *stage {
	t.Helper()
	for _, tool := range []string{"Xvfb", "openbox", "xdotool", "import"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is missing; install it with: apt-get install --no-install-recommends xvfb openbox xdotool imagemagick", tool)
		}
	}
	s := &stage{t: t, home: t.TempDir(), agent: scene(time.Now), stderr: &output{}}
	s.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.home, "XDG_RUNTIME_DIR=" + s.home, "XDG_CONFIG_HOME=" + filepath.Join(s.home, "config"),
		"XDG_CACHE_HOME=" + filepath.Join(s.home, "cache"), "TMPDIR=" + t.TempDir(), "LANG=C.UTF-8", "LIBGL_ALWAYS_SOFTWARE=1",
		"DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent", "EARNEST_HOME=" + s.home}
	for _, dir := range []string{"config", "cache"} {
		if err := os.Mkdir(filepath.Join(s.home, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s.display()
	s.serve()
	return s
}

// display starts Xvfb, which picks a free display number by itself.
func (s *stage) display() {
	s.t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		s.t.Fatal(err)
	}
	defer read.Close()
	// Without -noreset it starts over whenever its last client leaves, and who
	// comes in between finds no display.
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1400x900x24", "-nolisten", "tcp", "-noreset")
	cmd.ExtraFiles = []*os.File{write}
	s.start(cmd, io.Discard)
	write.Close()
	if err := read.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		s.t.Fatal(err)
	}
	line := make([]byte, 16)
	n, err := read.Read(line)
	if err != nil {
		s.t.Fatalf("Xvfb told no display: %v", err)
	}
	s.env = append(s.env, "DISPLAY=:"+strings.TrimSpace(string(line[:n])))
	s.start(exec.Command("openbox"), io.Discard)
}

// start runs a program until the test ends, and stops it by its pid.
func (s *stage) start(cmd *exec.Cmd, stderr io.Writer) {
	s.t.Helper()
	cmd.Env = append(cmd.Env, s.env...)
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.ended.Store(cmd.Args[0], fmt.Sprint(cmd.Wait()))
	}()
	s.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		<-ended
	})
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
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = []string{runAsProgram + "=1"}
	s.start(cmd, s.stderr)
	s.until("the window is there", func() bool {
		s.window = strings.TrimSpace(s.try("xdotool", "search", "--onlyvisible", "--name", "^Earnest$"))
		return s.window != "" && !strings.Contains(s.window, "\n")
	})
	s.x("windowactivate", "--sync", s.window)
	s.called("Inbox", 1)
	time.Sleep(300 * time.Millisecond) // it draws what it was told
}

// tool is a program that must answer soon.
func (s *stage) tool(name string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	s.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = s.env
	return cmd
}

func (s *stage) try(name string, args ...string) string {
	out, _ := s.tool(name, args...).Output()
	return string(out)
}

// x runs one command of xdotool.
func (s *stage) x(args ...string) {
	s.t.Helper()
	if out, err := s.tool("xdotool", args...).CombinedOutput(); err != nil {
		s.t.Fatalf("xdotool %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

func (s *stage) key(keys ...string) {
	s.t.Helper()
	s.x(append([]string{"key", "--delay", "60"}, keys...)...)
}

func (s *stage) write(text string) {
	s.t.Helper()
	s.x("type", "--delay", "15", text)
}

func (s *stage) click(x, y int) {
	s.t.Helper()
	s.x("mousemove", "--window", s.window, strconv.Itoa(x), strconv.Itoa(y))
	time.Sleep(50 * time.Millisecond)
	s.x("click", "1")
}

func (s *stage) until(what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(15 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.picture(filepath.Join(pictures(s.t), "failed.png"))
			s.ended.Range(func(program, how any) bool {
				s.t.Errorf("%s has ended: %s", program, how)
				return true
			})
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
	if out, err := s.tool("import", "-window", s.window, "-strip", path).CombinedOutput(); err != nil {
		s.t.Errorf("picture: %v: %s", err, out)
	}
}
