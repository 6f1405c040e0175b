package app

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestAQuitThatHangsIsEnded: the place for another window is given up first, and the
// process ends where the loop does not.
func TestAQuitThatHangsIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var did []string
		does := func(what string) func() {
			return func() { mu.Lock(); defer mu.Unlock(); did = append(did, what) }
		}
		hung := make(chan struct{})
		quit := quitting(does("release"), func() { does("quit")(); <-hung }, does("exit"), quitWithin)
		go quit()
		time.Sleep(quitWithin - time.Millisecond)
		synctest.Wait()
		if want := []string{"release", "quit"}; !slices.Equal(did, want) {
			t.Errorf("did %v, want %v", did, want)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if len(did) != 3 || did[2] != "exit" {
			t.Errorf("it hangs: %v", did)
		}
		close(hung)
	})
}

// TestAWindowSaysWhetherItCameForward: one whose loop has ended does not say that it
// did.
func TestAWindowSaysWhetherItCameForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaising()
		if !r.ask() {
			t.Error("one that is being opened does not come")
		}
		close(<-r.asked)
		r.up.Store(true)
		if r.ask() {
			t.Error("nobody draws, and it says that it came forward")
		}
		<-r.asked
		go func() { close(<-r.asked) }()
		if !r.ask() {
			t.Error("it came forward and does not say so")
		}
	})
}
