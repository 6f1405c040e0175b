//go:build unix

package localsock

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	"github.com/gofrs/flock"
	"github.com/tailscale/peercred"
)

// maxPath is sun_path of macOS and the BSDs without its NUL; Linux has 4 more.
const maxPath = 103

// listener refuses peers of other users and gives up the path when closed.
type listener struct {
	net.Listener
	lock *flock.Flock
	once sync.Once
	err  error
}

func listen(path string) (net.Listener, error) {
	if len(path) > maxPath {
		return nil, ErrTooLong
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := private(dir); err != nil {
		return nil, err
	}
	// The lock, and not a trial connection, says whether the owner of a socket
	// lives: it leaves no moment for two to find the same socket dead.
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	if free, err := lock.TryLock(); err != nil {
		return nil, err
	} else if !free {
		return nil, ErrInUse
	}
	l, err := bind(path)
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return &listener{Listener: l, lock: lock}, nil
}

func bind(path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != fs.ModeSocket {
			return nil, errors.New("there is a file that is no socket, and it was not touched")
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// Accept waits for the next connection of our own user; others are closed.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if ours(conn) {
			return conn, nil
		}
		_ = conn.Close()
	}
}

// Close ends listening, removes the socket and frees the path.
func (l *listener) Close() error {
	l.once.Do(func() { l.err = errors.Join(l.Listener.Close(), l.lock.Unlock()) })
	return l.err
}

func dial(ctx context.Context, path string) (net.Conn, error) {
	if len(path) > maxPath {
		return nil, ErrTooLong
	}
	if err := private(filepath.Dir(path)); err != nil {
		return nil, nobody(err)
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, nobody(err)
	}
	if !ours(conn) {
		return nil, errors.Join(ErrStranger, conn.Close())
	}
	return conn, nil
}

// nobody marks the errors that mean that there is no listener.
func nobody(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return errors.Join(ErrNobody, err)
	}
	return err
}

// ours says whether the process at the other end runs as our user.
func ours(conn net.Conn) bool {
	peer, err := peercred.Get(conn)
	if err != nil {
		return false
	}
	uid, known := peer.UserID()
	return known && uid == strconv.Itoa(os.Geteuid())
}

// private refuses a folder in which another user could put a socket of his. A
// link is judged as well as what it points to.
func private(dir string) error {
	for _, stat := range []func(string) (fs.FileInfo, error){os.Lstat, os.Stat} {
		info, err := stat(dir)
		if err != nil {
			return err
		}
		owner := info.Sys().(*syscall.Stat_t).Uid
		if owner != uint32(os.Geteuid()) && owner != 0 {
			return ErrStranger
		}
		if info.IsDir() && info.Mode().Perm()&0o022 != 0 {
			return ErrOpenFolder
		}
	}
	return nil
}
