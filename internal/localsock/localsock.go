// Package localsock connects programs of one user on one machine: a unix socket
// that checks who is at the other end, or a named pipe on Windows. File modes
// alone are not trusted: a socket forced to 0666 still serves its owner only.
package localsock

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// Errors of Listen and Dial, wrapped with the path.
var (
	// ErrInUse: another process listens there.
	ErrInUse = errors.New("another process of yours listens there already")
	// ErrNobody: nothing listens there.
	ErrNobody = errors.New("nobody listens there")
	// ErrStranger: the folder or the listener belongs to another user.
	ErrStranger = errors.New("it belongs to another user of this machine, so it is not trusted")
	// ErrOpenFolder: others could put their own socket in the place of ours.
	ErrOpenFolder = errors.New("other users may change its folder: make it private (chmod 700)")
	// ErrTooLong: the system takes no socket with such a long path.
	ErrTooLong = errors.New("the path is too long for a socket")
)

// Listen listens at path. It makes the folder (0700) if there is none, takes
// the place of a dead process's socket but never of a living one ([ErrInUse]),
// and accepts nobody but the user that runs this process.
func Listen(path string) (net.Listener, error) {
	listener, err := listen(path)
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", path, err)
	}
	return listener, nil
}

// Dial connects to the listener at path, if it is one of the same user.
func Dial(ctx context.Context, path string) (net.Conn, error) {
	conn, err := dial(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", path, err)
	}
	return conn, nil
}
