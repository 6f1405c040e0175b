// Package screen is a display of its own for tests, benchmarks and pictures of
// the real window: Xvfb with a window manager, and hands and eyes on it (xdotool
// and ImageMagick's import).
package screen

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// patience is how long a tool or the start of a server may take.
const patience = 15 * time.Second

// Screen is a display that runs. Programs on it have a home, folders and a
// session of their own: none of the person's files is read or written.
type Screen struct {
	// Env is the environment of programs on it.
	Env []string

	mu    sync.Mutex
	stops []func()
	ended map[string]string // program: how it ended
}

// Options of a screen.
type Options struct {
	Home          string // a folder for everything that programs write
	Width, Height int
	// Bus is the address of a session bus; none where empty.
	Bus string
	// Env is added to the environment.
	Env []string
}

// Start starts a display. Stop ends it, whatever error there was.
func Start(o Options) (*Screen, error) {
	s := &Screen{ended: map[string]string{}}
	for _, tool := range []string{"Xvfb", "openbox", "xdotool", "import"} {
		if _, err := exec.LookPath(tool); err != nil {
			return s, fmt.Errorf("%s is missing; install it with: scripts/install-deps test", tool)
		}
	}
	if o.Bus == "" {
		o.Bus = "unix:path=/nonexistent" // else a stray bus is started
	}
	dirs := map[string]string{"HOME": "", "XDG_RUNTIME_DIR": "", "XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache", "XDG_DATA_HOME": "data", "TMPDIR": "tmp"}
	s.Env = []string{"PATH=" + os.Getenv("PATH"), "LANG=en_US.UTF-8", "LIBGL_ALWAYS_SOFTWARE=1", "DBUS_SESSION_BUS_ADDRESS=" + o.Bus}
	for name, dir := range dirs {
		path := filepath.Join(o.Home, dir)
		if err := os.MkdirAll(path, 0o700); err != nil {
			return s, err
		}
		s.Env = append(s.Env, name+"="+path)
	}
	s.Env = append(s.Env, o.Env...)
	number, err := s.display(o.Width, o.Height)
	if err != nil {
		return s, err
	}
	s.Env = append(s.Env, "DISPLAY=:"+number)
	_, err = s.Run(exec.Command("openbox"), nil)
	return s, err
}

// display starts Xvfb, which picks a free display number by itself.
func (s *Screen) display(width, height int) (string, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer read.Close()
	defer write.Close()
	// Without -noreset it starts over whenever its last client leaves, and who
	// comes in between finds no display.
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", fmt.Sprintf("%dx%dx24", width, height), "-nolisten", "tcp", "-noreset")
	cmd.ExtraFiles = []*os.File{write}
	if _, err := s.Run(cmd, io.Discard); err != nil {
		return "", err
	}
	write.Close()
	if err := read.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	// To the end of the line: it dies if nobody hears all of it.
	line, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("no display was told by Xvfb: %w", err)
	}
	return strings.TrimSpace(line), nil
}

// Run starts a program on the screen. It is stopped with the screen, by its pid,
// or by the function returned.
func (s *Screen) Run(cmd *exec.Cmd, stderr io.Writer) (stop func(), err error) {
	cmd.Env = append(slices.Clone(cmd.Env), s.Env...)
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		how := fmt.Sprint(cmd.Wait())
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ended[filepath.Base(cmd.Path)] = how
	}()
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		<-done
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stops = append(s.stops, stop)
	return stop, nil
}

// Stop ends every program on the screen, the last first, and the screen.
func (s *Screen) Stop() {
	s.mu.Lock()
	stops := s.stops
	s.stops = nil
	s.mu.Unlock()
	for _, stop := range slices.Backward(stops) {
		stop()
	}
}

// Ended lists the programs that have ended, and how.
func (s *Screen) Ended() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for program, how := range s.ended {
		list = append(list, program+": "+how)
	}
	return list
}

// Tool runs a program that must answer soon, and returns what it printed.
func (s *Screen) Tool(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = s.Env
	out, err := cmd.Output()
	if err != nil {
		exit, _ := errors.AsType[*exec.ExitError](err)
		if exit != nil {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		err = fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), err
}

// Window waits for the one visible window whose title matches, and brings it to
// the front. It returns its id.
func (s *Screen) Window(title string) (string, error) {
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		id, err := s.Tool("xdotool", "search", "--onlyvisible", "--name", title)
		if err == nil && id != "" && !strings.Contains(id, "\n") {
			// Keys go to the window only once it has the focus.
			_, err = s.Tool("xdotool", "windowactivate", "--sync", id, "windowfocus", "--sync", id)
			if focused, _ := s.Tool("xdotool", "getwindowfocus"); err == nil && focused == id {
				return id, nil
			}
		}
		if time.Now().After(end) {
			return "", fmt.Errorf("no window %s: %v; ended: %v", title, err, s.Ended())
		}
	}
}

// Key presses keys, one after another, as xdotool names them.
func (s *Screen) Key(keys ...string) error {
	_, err := s.Tool("xdotool", append([]string{"key", "--delay", "60"}, keys...)...)
	return err
}

// Type writes a text.
func (s *Screen) Type(text string) error {
	_, err := s.Tool("xdotool", "type", "--delay", "15", text)
	return err
}

// Move puts the pointer into a window.
func (s *Screen) Move(window string, x, y int) error {
	_, err := s.Tool("xdotool", "mousemove", "--window", window, strconv.Itoa(x), strconv.Itoa(y))
	return err
}

// Click presses a mouse button where the pointer is: 1 left, 4 and 5 the wheel.
func (s *Screen) Click(button, times int) error {
	_, err := s.Tool("xdotool", "click", "--delay", "12", "--repeat", strconv.Itoa(times), strconv.Itoa(button))
	return err
}

// Picture writes what a window shows to a PNG file.
func (s *Screen) Picture(window, path string) error {
	_, err := s.Tool("import", "-window", window, "-strip", path)
	return err
}

// Colours counts the different colours in a part of a window: one where nothing
// is drawn, many where text is.
func (s *Screen) Colours(window string, width, height, x, y int) (int, error) {
	area := fmt.Sprintf("%dx%d+%d+%d", width, height, x, y)
	out, err := s.Tool("import", "-silent", "-window", window, "-crop", area, "-format", "%k", "info:-")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(out)
}
