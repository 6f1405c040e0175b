//go:build unix

package cli

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// hideInput switches the terminal's echo off, until restore or an interrupt: a
// terminal that stays mute would be left behind otherwise.
func hideInput(fd uintptr) (restore func(), err error) {
	state, err := unix.IoctlGetTermios(int(fd), getTermios)
	if err != nil {
		return nil, err
	}
	mute := *state
	mute.Lflag &^= unix.ECHO
	mute.Lflag |= unix.ICANON | unix.ISIG
	mute.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(int(fd), setTermios, &mute); err != nil {
		return nil, err
	}
	interrupted, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(interrupted, os.Interrupt, unix.SIGTERM)
	go func() {
		select {
		case <-interrupted:
			_ = unix.IoctlSetTermios(int(fd), setTermios, state)
			os.Exit(exitInterrupted)
		case <-done:
		}
	}()
	return func() {
		signal.Stop(interrupted)
		close(done)
		_ = unix.IoctlSetTermios(int(fd), setTermios, state)
	}, nil
}
