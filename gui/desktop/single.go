// Package desktop is what the desktop around the window offers: one window at a
// time, a place in the tray, notifications that can be answered, and a start at
// login. What a desktop does not have is said, never needed.
package desktop

import (
	"bufio"
	"context"
	"errors"
	"net"
	"time"

	"earnest/internal/localsock"
)

// raiseTimeout is how long the window that runs has to come forward.
const raiseTimeout = time.Second

// ErrSilent: a window has the place, and does not come forward. It hangs, most
// likely at its end.
var ErrSilent = errors.New("a window of this agent runs already, and does not come forward")

const (
	raiseWord  = "show\n"
	raisedWord = "shown\n"
)

// Single listens at path for further windows of the same home and calls raise
// for each, which tells whether the window came forward. If a window listens there
// already, that one is asked to come forward and first is false: there is nothing to
// open. If it does not, first is true with [ErrSilent]: a window that hangs must not
// keep another one from being opened. stop ends the listening.
func Single(ctx context.Context, path string, raise func() bool) (first bool, stop func(), err error) {
	listener, err := localsock.Listen(path)
	if errors.Is(err, localsock.ErrInUse) {
		if err = ask(ctx, path); errors.Is(err, ErrSilent) {
			return true, func() {}, err
		}
		return false, nil, err
	}
	if err != nil {
		return false, nil, err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(conn, raise)
		}
	}()
	return true, func() { _ = listener.Close() }, nil
}

func answer(conn net.Conn, raise func() bool) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(2 * raiseTimeout))
	if word, err := bufio.NewReaderSize(conn, len(raiseWord)).ReadString('\n'); err != nil || word != raiseWord {
		return
	}
	if !raise() {
		return
	}
	_, _ = conn.Write([]byte(raisedWord))
}

// ask has the window that runs come forward.
func ask(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, raiseTimeout)
	defer cancel()
	conn, err := localsock.Dial(ctx, path)
	switch {
	case errors.Is(err, localsock.ErrStranger) || errors.Is(err, localsock.ErrOpenFolder):
		return err
	case err != nil: // it holds the place, and listens no longer
		return ErrSilent
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(raiseTimeout))
	if _, err = conn.Write([]byte(raiseWord)); err == nil {
		_, err = bufio.NewReader(conn).ReadString('\n')
	}
	if err != nil {
		return ErrSilent
	}
	return nil
}
