//go:build unix

package localsock

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// shortDir is a folder whose path leaves room for a socket's name.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "sock-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// greet serves "hello" to everyone who is accepted.
func greet(t *testing.T, l net.Listener) {
	t.Helper()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "hello\n")
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
}

func listenAt(t *testing.T, path string) net.Listener {
	t.Helper()
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	greet(t, l)
	return l
}

func hear(conn net.Conn, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return bufio.NewReader(conn).ReadString('\n')
}

func TestOwnUserConnects(t *testing.T) {
	path := filepath.Join(shortDir(t), "new", "agent.sock")
	listenAt(t, path)
	if got, err := hear(Dial(t.Context(), path)); got != "hello\n" {
		t.Errorf("got %q, %v", got, err)
	}
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, want %v, %v", name, info.Mode(), want, err)
		}
	}
}

const clientPath = "EARNEST_TEST_SOCKET"

// TestAnotherUserIsRefused opens the socket and its folder to everyone and
// connects as uid 65534. The control is the same client under our own uid.
func TestAnotherUserIsRefused(t *testing.T) {
	if path := os.Getenv(clientPath); path != "" {
		connectAsClient(path)
		return
	}
	dir := shortDir(t)
	path := filepath.Join(dir, "agent.sock")
	listenAt(t, path)
	for name, mode := range map[string]os.FileMode{path: 0o666, dir: 0o755} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	client := publicCopy(t)
	if got := runClient(t, exec.CommandContext, client, path); got != "heard hello" {
		t.Errorf("under our own uid: %s", got)
	}
	if got := runClient(t, asStranger, client, path); got != "connected, then closed" {
		t.Errorf("under another uid: %s", got)
	}
	// The listener goes on.
	if got, err := hear(Dial(t.Context(), path)); got != "hello\n" {
		t.Errorf("afterwards: %q, %v", got, err)
	}
}

// publicCopy copies the test program to where another user can run it.
func publicCopy(t *testing.T) string {
	t.Helper()
	dir := shortDir(t)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "client")
	if err := os.WriteFile(name, program, 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

// stranger is a user id that is not ours.
const stranger = "65534"

// asRoot makes a command that runs as root: as we are, else through sudo, which
// must not ask.
func asRoot(ctx context.Context, name string, args ...string) *exec.Cmd {
	if os.Geteuid() != 0 {
		return exec.CommandContext(ctx, "sudo", append([]string{"-n", name}, args...)...)
	}
	return exec.CommandContext(ctx, name, args...)
}

func asStranger(ctx context.Context, name string, args ...string) *exec.Cmd {
	return asRoot(ctx, "setpriv", append([]string{"--reuid", stranger, "--regid", stranger, "--clear-groups", name}, args...)...)
}

func runClient(t *testing.T, as func(context.Context, string, ...string) *exec.Cmd, client, path string) string {
	t.Helper()
	cmd := as(t.Context(), "env", clientPath+"="+path, client, "-test.run=^TestAnotherUserIsRefused$")
	cmd.Dir = "/"
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v (to act as another user this test must be root or may use sudo -n): %v\n%s", cmd, err, out)
	}
	for line := range strings.Lines(string(out)) {
		if said, ok := strings.CutPrefix(line, "client: "); ok {
			return strings.TrimSpace(said)
		}
	}
	return "said nothing: " + string(out)
}

// connectAsClient is an attacker: it does not use Dial, which would refuse to
// speak with another user's listener.
func connectAsClient(path string) {
	conn, err := net.Dial("unix", path)
	if err != nil {
		fmt.Println("client: not connected:", err)
		return
	}
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n")
	switch got, _ := hear(conn, nil); got {
	case "":
		fmt.Println("client: connected, then closed")
	default:
		fmt.Println("client: heard", got)
	}
}

func TestDialRefusesAnotherUsersListener(t *testing.T) {
	if path := os.Getenv(clientPath); path != "" {
		l, err := net.Listen("unix", path)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("listening")
		_, _ = l.Accept()
		_, _ = l.Accept()
		return
	}
	dir := shortDir(t)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "agent.sock")
	ctx, cancel := context.WithCancel(t.Context())
	cmd := asStranger(ctx, "env", clientPath+"="+path, publicCopy(t), "-test.run=^TestDialRefusesAnotherUsersListener$")
	cmd.Dir = "/"
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = cmd.Wait() }()
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "listening\n" {
		t.Fatalf("the other user's listener said %q", line)
	}
	if _, err := Dial(t.Context(), path); !errors.Is(err, ErrOpenFolder) {
		t.Errorf("in a folder that others may write: %v", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(t.Context(), path); !errors.Is(err, ErrStranger) {
		t.Errorf("at another user's socket: %v", err)
	}
	giveAway(t, dir)
	if _, err := Dial(t.Context(), path); !errors.Is(err, ErrStranger) {
		t.Errorf("in another user's folder: %v", err)
	}
	link := filepath.Join(shortDir(t), "link")
	if err := os.Symlink(shortDir(t), link); err != nil {
		t.Fatal(err)
	}
	giveAway(t, link)
	if _, err := Listen(filepath.Join(link, "agent.sock")); !errors.Is(err, ErrStranger) {
		t.Errorf("through another user's link: %v", err)
	}
}

// giveAway makes a stranger the owner of a file or link, and takes it back at the end.
func giveAway(t *testing.T, path string) {
	t.Helper()
	if out, err := asRoot(t.Context(), "chown", "-h", stranger, path).CombinedOutput(); err != nil {
		t.Fatalf("chown %s (this test must be root or may use sudo -n): %v\n%s", path, err, out)
	}
	mine := strconv.Itoa(os.Geteuid())
	t.Cleanup(func() { _ = asRoot(context.Background(), "chown", "-h", mine, path).Run() })
}

func TestOneListenerAPath(t *testing.T) {
	path := filepath.Join(shortDir(t), "agent.sock")
	first := listenAt(t, path)
	if _, err := Listen(path); !errors.Is(err, ErrInUse) {
		t.Errorf("a second listener: %v", err)
	}
	if got, err := hear(Dial(t.Context(), path)); got != "hello\n" {
		t.Errorf("the first one was disturbed: %q, %v", got, err)
	}
	if err := errors.Join(first.Close(), first.Close()); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket was left behind")
	}
	if _, err := Dial(t.Context(), path); !errors.Is(err, ErrNobody) {
		t.Errorf("after the end: %v", err)
	}
	listenAt(t, path)
}

func TestADeadSocketIsReplaced(t *testing.T) {
	path := filepath.Join(shortDir(t), "agent.sock")
	dead, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false) // as after SIGKILL
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(t.Context(), path); !errors.Is(err, ErrNobody) {
		t.Errorf("a dead socket: %v", err)
	}
	listenAt(t, path)
	if got, err := hear(Dial(t.Context(), path)); got != "hello\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	dir := shortDir(t)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(file); err == nil {
		t.Error("a file was replaced by a socket")
	}
	if kept, _ := os.ReadFile(file); string(kept) != "mine" {
		t.Error("a file was touched")
	}
	if _, err := Listen(filepath.Join(dir, strings.Repeat("x", maxPath))); !errors.Is(err, ErrTooLong) {
		t.Errorf("a long path: %v", err)
	}
	if _, err := Dial(t.Context(), filepath.Join(dir, "none", "agent.sock")); !errors.Is(err, ErrNobody) {
		t.Errorf("no folder: %v", err)
	}
	if err := os.Chmod(dir, 0o770); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(filepath.Join(dir, "agent.sock")); !errors.Is(err, ErrOpenFolder) {
		t.Errorf("a folder that a group may write: %v", err)
	}
}
