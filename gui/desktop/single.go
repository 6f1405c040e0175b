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
const raiseTimeout = 5 * time.Second

const (
	raiseWord  = "show\n"
	raisedWord = "shown\n"
)

// Single listens at path for further windows of the same home and calls raise
// for each. If a window listens there already, that one is asked to come forward
// and first is false: there is nothing to open. close ends the listening.
func Single(ctx context.Context, path string, raise func()) (first bool, stop func(), err error) {
	listener, err := localsock.Listen(path)
	if errors.Is(err, localsock.ErrInUse) {
		return false, nil, ask(ctx, path)
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

func answer(conn net.Conn, raise func()) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(raiseTimeout))
	if word, err := bufio.NewReaderSize(conn, len(raiseWord)).ReadString('\n'); err != nil || word != raiseWord {
		return
	}
	raise()
	_, _ = conn.Write([]byte(raisedWord))
}

// ask has the window that runs come forward.
func ask(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, raiseTimeout)
	defer cancel()
	conn, err := localsock.Dial(ctx, path)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(raiseTimeout))
	if _, err = conn.Write([]byte(raiseWord)); err == nil {
		_, err = bufio.NewReader(conn).ReadString('\n')
	}
	if err != nil {
		return errors.New("a window of this agent runs already, and does not come forward; end it and start again")
	}
	return nil
}
