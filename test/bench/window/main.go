// Command window measures the real window with ten thousand mails waiting: how
// long until they are seen, how long a frame takes while they are scrolled, what
// memory it needs, and what it costs while nobody touches it, beside an empty
// Fyne window on the same screen.
//
//	go run -tags "gles x11" ./test/bench/window
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"earnest/agent/localapi"
	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/internal/localsock"
	"earnest/internal/sandbox"
	"earnest/internal/screen"
)

// Goals of what must be shown.
const (
	goalFirst  = 1500 * time.Millisecond
	goalFrame  = 50 * time.Millisecond
	goalMemory = 220.0 // MB
	goalIdle   = 1.2   // of an empty window
)

func main() {
	if child := os.Getenv(childVariable); child != "" {
		os.Exit(runChild(child))
	}
	mails := flag.Int("mails", 10_000, "how many wait")
	span := flag.Duration("for", 30*time.Second, "how long to look at the idle windows")
	flag.Parse()
	if err := run(*mails, *span); err != nil {
		fmt.Fprintln(os.Stderr, "window:", err)
		os.Exit(1)
	}
}

func run(mails int, span time.Duration) error {
	home, err := os.MkdirTemp("", "ewb")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	agent := full(mails)
	listener, err := localsock.Listen(agentclient.SocketPath(home))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- localapi.Serve(ctx, listener, agent, slog.New(slog.DiscardHandler)) }()
	defer func() { cancel(); <-served }()
	s, err := screen.Start(screen.Options{Home: filepath.Join(home, "x"), Width: 1400, Height: 900, Env: []string{"EARNEST_HOME=" + home}})
	defer s.Stop()
	if err != nil {
		return err
	}

	window, err := open(s, childWindow, home)
	if err != nil {
		return err
	}
	first, err := window.firstFrame(s)
	if err != nil {
		return err
	}
	fmt.Printf("first frame with %d mails: %d ms after the process began (goal %d)\n", mails, first.Milliseconds(), goalFirst.Milliseconds())
	if err := window.scrolling(s, "scrolling"); err != nil {
		return err
	}
	use, err := sandbox.UsageOf(window.pid)
	if err != nil {
		return err
	}
	fmt.Printf("memory: %.0f MB resident, %.0f MB at most (goal %.0f)\n", float64(use.Resident)/1e6, float64(use.Peak)/1e6, goalMemory)

	list, err := open(s, childList, home)
	if err == nil {
		err = list.scrolling(s, "a bare list of Fyne's, beside")
	}
	if err != nil {
		return err
	}
	list.stop()
	empty, err := open(s, childEmpty, home)
	if err != nil {
		return err
	}
	if use, err = sandbox.UsageOf(empty.pid); err != nil {
		return err
	}
	fmt.Printf("an empty window, beside: %.0f MB resident\n", float64(use.Resident)/1e6)
	return idle(agent, window, empty, span)
}

// idle looks at both windows side by side.
func idle(agent *agenttest.Agent, window, empty *child, span time.Duration) error {
	time.Sleep(5 * time.Second) // both come to rest
	calls := len(agent.Calls())
	var cpu [2][2]time.Duration
	for i := range 2 {
		for j, c := range []*child{window, empty} {
			use, err := sandbox.UsageOf(c.pid)
			if err != nil {
				return err
			}
			cpu[i][j] = use.CPU
		}
		if i == 0 {
			time.Sleep(span)
		}
	}
	share := func(j int) float64 { return 100 * float64(cpu[1][j]-cpu[0][j]) / float64(span) }
	fmt.Printf("idle for %s: %.2f%% of a core; an empty window %.2f%%: %.2f times (goal %.1f); questions to the agent: %d (goal 0)\n",
		span, share(0), share(1), share(0)/share(1), goalIdle, len(agent.Calls())-calls)
	return nil
}

// full is an agent with that many mails waiting.
func full(n int) *agenttest.Agent {
	a := agenttest.New(time.Now)
	if _, err := a.AddAccount(context.Background(), agentclient.AddAccount{Address: "author@example.org", Password: "x"}); err != nil {
		panic(err)
	}
	a.SetOffer("author@example.org", "0.25")
	words := strings.Fields("about your paper on compilers a question regarding the talk in spring and one remark for chapter four")
	mails := make([]agentclient.Message, n)
	for i := range mails {
		at := time.Now().Add(-time.Duration(i) * time.Minute)
		k := i % len(words)
		mails[i] = agentclient.Message{Mail: agentclient.Mail{ID: fmt.Sprintf("m%06d", i), At: at, Unread: i%3 == 0, FirstTime: i%2 == 0,
			From: fmt.Sprintf("person%d@example.net", i), Name: strings.ToUpper(words[k][:1]) + words[k][1:] + " Person",
			Subject: strings.Join(append(append([]string{}, words[k:]...), words[:k]...), " ")}, Text: "Good day.\n"}
	}
	a.AddMails(mails)
	return a
}

// child is a window in a process of its own.
type child struct {
	began time.Time
	pid   int
	id    string // of the window
	in    io.Writer
	out   *bufio.Scanner
	stop  func()
}

func open(s *screen.Screen, kind, home string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = []string{childVariable + "=" + kind, "EARNEST_HOME=" + home}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c := &child{began: time.Now(), in: in, out: bufio.NewScanner(out)}
	if c.stop, err = s.Run(cmd, os.Stderr); err != nil {
		return nil, err
	}
	c.pid = cmd.Process.Pid
	c.id, err = s.Window("^" + kind + "$")
	return c, err
}

// firstFrame waits until rows are seen: text has many colours at its edges.
func (c *child) firstFrame(s *screen.Screen) (time.Duration, error) {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		colours, err := s.Colours(c.id, 300, 400, 220, 120)
		took := time.Since(c.began)
		if err == nil && colours > 30 {
			return took, nil
		}
	}
	return 0, fmt.Errorf("no mail was seen on the screen")
}

// scrolling turns the wheel over the list and prints how long the frames took.
func (c *child) scrolling(s *screen.Screen, what string) error {
	time.Sleep(2 * time.Second)
	if err := s.Move(c.id, 350, 400); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(c.in, "measure"); err != nil {
		return err
	}
	for _, button := range []int{5, 5, 5, 4, 5} {
		if err := s.Click(button, 150); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintln(c.in, "tell"); err != nil {
		return err
	}
	if !c.out.Scan() {
		return fmt.Errorf("the window told nothing: %v", c.out.Err())
	}
	var longest, median int64
	var frames int
	if _, err := fmt.Sscan(c.out.Text(), &longest, &median, &frames); err != nil {
		return err
	}
	fmt.Printf("%s: longest frame %.1f ms, median %.1f ms, of %d (goal %d)\n", what, float64(longest)/1e6, float64(median)/1e6, frames, goalFrame.Milliseconds())
	return nil
}
