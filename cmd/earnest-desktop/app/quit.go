package app

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// raiseWithin is how long the drawing goroutine may take to bring the window
	// forward for another start that asks for it.
	raiseWithin = 900 * time.Millisecond
	// quitWithin is how long the end of the window may take: Fyne's loop can wait at
	// its end for an event that waits for the loop.
	quitWithin = 3 * time.Second
)

// quitting is a quit that ends: it gives up the place for another window first, and
// ends the process where the program does not end by itself.
func quitting(release, quit, exit func(), within time.Duration) func() {
	var once sync.Once
	return func() {
		once.Do(func() {
			release()
			time.AfterFunc(within, exit)
			quit()
		})
	}
}

// raising is another start of the program that asks for this window.
type raising struct {
	up    atomic.Bool // the window's loop runs
	asked chan chan struct{}
}

func newRaising() *raising { return &raising{asked: make(chan chan struct{}, 4)} }

// ask has the window come forward, and tells whether it did. As long as it is being
// opened it will.
func (r *raising) ask() bool {
	done, late := make(chan struct{}), time.After(raiseWithin)
	select {
	case r.asked <- done:
	case <-late:
		return false
	}
	if !r.up.Load() {
		return true
	}
	select {
	case <-done:
		return true
	case <-late:
		return false
	}
}
