// Package pgtest runs a PostgreSQL server of its own for tests and measurements: a
// temporary cluster on a loopback port, with the server's own defaults for safety.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Cluster is a PostgreSQL server with its data.
type Cluster struct {
	bin, dir, port string
	settings       []string
	as             *syscall.SysProcAttr
	server         *exec.Cmd
	databases      atomic.Int64
}

// For starts a cluster for a test, which stops it. It is kept in memory, where it
// syncs at once. Settings are name=value.
func For(t testing.TB, settings ...string) *Cluster {
	t.Helper()
	memory := "/dev/shm"
	if _, err := os.Stat(memory); err != nil {
		memory = ""
	}
	c, err := Start(t.Context(), memory, settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// Start makes a cluster in the folder, or where temporary files are, and starts its
// server.
func Start(ctx context.Context, folder string, settings ...string) (*Cluster, error) {
	c, err := prepare(folder, settings)
	if err != nil {
		return nil, err
	}
	initdb := c.command("initdb", "-D", c.dir+"/data", "-U", "earnest", "-A", "trust", "-E", "UTF8", "--locale=C")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w\n%s", err, out), c.Stop())
	}
	if err := c.Restart(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// prepare finds the programs, a folder and a port.
func prepare(folder string, settings []string) (*Cluster, error) {
	binaries, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(binaries) == 0 {
		return nil, errors.New("this needs PostgreSQL: apt-get install --no-install-recommends postgresql")
	}
	// Not a test's folder: nobody may not enter the folders above it.
	dir, err := os.MkdirTemp(folder, "earnest-pg")
	if err != nil {
		return nil, err
	}
	c := &Cluster{bin: binaries[len(binaries)-1], dir: dir, settings: settings}
	if err := errors.Join(c.asNobody(), c.freePort()); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *Cluster) freePort() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, c.port, err = net.SplitHostPort(l.Addr().String())
	return errors.Join(err, l.Close())
}

// asNobody has the server run as nobody where the caller is root: it refuses root.
func (c *Cluster) asNobody() error {
	if os.Getuid() != 0 {
		return nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return err
	}
	uid, err1 := strconv.ParseUint(nobody.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(nobody.Gid, 10, 32)
	if err := errors.Join(err1, err2, os.Chown(c.dir, int(uid), int(gid))); err != nil {
		return err
	}
	c.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return nil
}

func (c *Cluster) command(name string, args ...string) *exec.Cmd {
	command := exec.Command(filepath.Join(c.bin, name), args...)
	command.Dir, command.SysProcAttr = c.dir, c.as
	return command
}

// Restart starts the server on its data and waits until it answers.
func (c *Cluster) Restart(ctx context.Context) error {
	args := []string{"-D", c.dir + "/data", "-p", c.port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200"}
	for _, setting := range c.settings {
		args = append(args, "-c", setting)
	}
	c.server = c.command("postgres", args...)
	if err := c.server.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// URL is where a database of the cluster is.
func (c *Cluster) URL(database string) string {
	return "postgres://earnest@127.0.0.1:" + c.port + "/" + database + "?sslmode=disable"
}

// Bin is where PostgreSQL's own programs are, such as pgbench.
func (c *Cluster) Bin(program string) string { return filepath.Join(c.bin, program) }

// Port is where the server listens on the loopback address.
func (c *Cluster) Port() string { return c.port }

// NewDatabase makes an empty database and returns its URL.
func (c *Cluster) NewDatabase(ctx context.Context) (string, error) {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return "", err
	}
	name := "books" + strconv.FormatInt(c.databases.Add(1), 10)
	_, err = conn.Exec(ctx, "CREATE DATABASE "+name)
	return c.URL(name), errors.Join(err, conn.Close(ctx))
}

// Stop ends the server at once and deletes its data.
func (c *Cluster) Stop() error {
	var errs []error
	if c.server != nil && c.server.Process != nil && c.server.ProcessState == nil {
		errs = append(errs, c.server.Process.Signal(syscall.SIGQUIT)) // immediate shutdown
		ended := make(chan struct{})
		go func() { _ = c.server.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			errs = append(errs, c.server.Process.Kill(), errors.New("PostgreSQL did not stop"))
			<-ended
		}
	}
	return errors.Join(append(errs, os.RemoveAll(c.dir))...)
}

// CPU is how much time of processors the server and its living children have taken.
func (c *Cluster) CPU() (time.Duration, error) {
	parent := strconv.Itoa(c.server.Process.Pid)
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	var ticks int64
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // it has ended meanwhile
		}
		// After the name in brackets: state, parent, ..., and as the 12th to 15th
		// the ticks of itself and of its children that have ended (proc(5)).
		_, after, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(after)
		pid, _, _ := strings.Cut(string(text), " ")
		if len(fields) < 15 || fields[1] != parent && pid != parent {
			continue
		}
		for _, field := range fields[11:15] {
			n, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return 0, err
			}
			ticks += n
		}
	}
	return time.Duration(ticks) * (time.Second / 100), err
}
