package agent_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/smtpsubmit"
)

// Switched off while the mail server is asked, an answer that the server does not
// take now is not kept for the day on which it is switched on again.
func TestK17_SwitchedOffInTheMiddleNothingWaits(t *testing.T) {
	t.Parallel()
	s, p := newStrangers(t, escrow.Terms{})
	s.exclusive(p, true)
	asked, goes := make(chan struct{}), make(chan struct{})
	s.hold = func(context.Context) {
		close(asked)
		<-goes
	}
	s.fails = []error{&smtpsubmit.Error{Stage: smtpsubmit.StageRcpt, Code: 451, Err: errors.New("later")}}
	s.writes("ann@"+shop, p)
	<-asked
	s.exclusive(p, false)
	s.mu.Lock()
	s.hold = nil
	s.mu.Unlock()
	close(goes)
	eventually(t, "the note is taken back", func() bool { return s.tallies(p)["answered"] == 0 })
	s.exclusive(p, true)
	s.pass(11 * time.Minute)
	s.writes("ben@"+shop, p)
	s.are(p, "ann@"+shop, "ben@"+shop)
}
