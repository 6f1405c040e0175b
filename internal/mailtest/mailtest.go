// Package mailtest starts real mail servers for tests and benches: Dovecot for
// IMAP and LMTP, Postfix for submission and relay. Each has a configuration, a
// certificate and ports of its own on loopback, and touches nothing of the
// machine's own mail.
package mailtest

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"text/template"
	"time"

	"earnest/internal/mailhost"
)

// T is what is needed of *testing.T, so that a bench program can stand in.
type T interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// domain is where all users of the servers are.
const domain = "example.org"

// Address is the address of a login.
func Address(login string) string { return login + "@" + domain }

// Password is the password of a login.
func Password(login string) string { return login + " secret" }

// place is a server's folder, certificate and process.
type place struct {
	dir       string
	authority *mailhost.Authority
	command   *exec.Cmd
	output    *bytes.Buffer
	ended     chan struct{}
}

// newPlace makes a folder. It is not T.TempDir, since sockets need short paths
// (108 bytes) and Postfix runs as other users, who must be let in.
func newPlace(t T, name string, authority *mailhost.Authority) *place {
	t.Helper()
	dir, err := os.MkdirTemp("", "e"+name)
	if err != nil {
		t.Fatalf("make a folder for %s: %v", name, err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatalf("make a folder for %s: %v", name, err)
	}
	p := &place{dir: dir, authority: authority}
	now := time.Now()
	_, cert, key, err := authority.Issue(now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0), "127.0.0.1", "localhost", "mail."+domain)
	if err != nil {
		t.Fatalf("make a certificate for %s: %v", name, err)
	}
	p.write(t, "cert.pem", string(cert))
	p.write(t, "key.pem", string(key))
	return p
}

func (p *place) path(parts ...string) string {
	return filepath.Join(append([]string{p.dir}, parts...)...)
}

func (p *place) write(t T, name, content string) {
	t.Helper()
	mode := os.FileMode(0o644)
	if name == "key.pem" {
		mode = 0o600
	}
	if err := os.WriteFile(p.path(name), []byte(content), mode); err != nil {
		t.Fatalf("write %s: %v", name, err)
	}
}

func (p *place) fill(t T, name, text string, data any) {
	t.Helper()
	var out strings.Builder
	if err := template.Must(template.New(name).Parse(text)).Execute(&out, data); err != nil {
		t.Fatalf("write %s: %v", name, err)
	}
	p.write(t, name, out.String())
	// Postfix waits two seconds for a file to settle that was just written.
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(p.path(name), old, old); err != nil {
		t.Fatalf("write %s: %v", name, err)
	}
}

// find names the program, or fails with what to do.
func find(t T, program, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		for _, dir := range []string{"/usr/sbin", "/usr/local/sbin"} {
			if _, err := os.Stat(filepath.Join(dir, program)); err == nil {
				return filepath.Join(dir, program)
			}
		}
		t.Fatalf("%s is missing (package %s): run `make test`, which installs it with scripts/install-deps", program, pkg)
	}
	return path
}

// run starts the server in a process group of its own, to be stopped at the end.
func (p *place) run(t T, name string, args ...string) {
	t.Helper()
	p.output = &bytes.Buffer{}
	p.command = exec.Command(name, args...)
	p.command.Stdout, p.command.Stderr = p.output, p.output
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.command.WaitDelay = time.Second
	if err := p.command.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	p.ended = make(chan struct{})
	go func() {
		defer close(p.ended)
		// How it ends is seen by whoever waits for it to answer.
		_ = p.command.Wait()
	}()
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Fatalf("stop %s: %v", name, err)
		}
	})
}

// stop ends the server by its process id, and sees that nothing is left.
func (p *place) stop() error {
	pid := p.command.Process.Pid
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		if left, err := p.left(); err != nil || len(left) == 0 {
			<-p.ended
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
	left, err := p.left()
	for _, pid := range left {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return errors.Join(err, fmt.Errorf("processes %v were left and had to be killed", left))
}

// left are the processes that run with this folder's configuration: those of
// the group, and those that left it but have the folder open as their own.
func (p *place) left() ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		zombie := len(fields) > 2 && fields[0] == "Z"
		group := len(fields) > 2 && fields[2] == strconv.Itoa(p.command.Process.Pid)
		cwd, _ := os.Readlink(filepath.Join("/proc", e.Name(), "cwd"))
		inside := cwd == p.dir || strings.HasPrefix(cwd, p.dir+"/")
		if !zombie && (group || inside) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// await waits until every address answers.
func (p *place) await(t T, name, logFile string, addrs ...string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for _, addr := range addrs {
		for {
			conn, err := net.DialTimeout("tcp", addr, time.Second)
			if err == nil {
				conn.Close()
				break
			}
			ended := false
			select {
			case <-p.ended:
				ended = true
			default:
			}
			if ended || time.Now().After(deadline) {
				log, _ := os.ReadFile(logFile)
				said := ""
				if ended {
					said = p.output.String()
				}
				t.Fatalf("%s does not answer at %s\n%s\n%s", name, addr, said, log)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// ports picks free loopback ports. They are all held until all are picked, so
// that none comes twice.
func ports(t T, n int) []int {
	t.Helper()
	var picked []int
	var held []net.Listener
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatalf("pick a port: %v", err)
		}
		held = append(held, l)
		picked = append(picked, l.Addr().(*net.TCPAddr).Port)
	}
	for _, l := range held {
		l.Close()
	}
	return picked
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// CAPEM is the certificate of the authority to trust.
func (p *place) CAPEM() []byte { return p.authority.PEM() }

// Pool trusts the server and nothing else.
func (p *place) Pool() *x509.CertPool { return p.authority.Pool() }

// TLSConfig is a client's configuration that trusts the server.
func (p *place) TLSConfig() *tls.Config {
	return &tls.Config{RootCAs: p.Pool(), MinVersion: tls.VersionTLS12}
}
