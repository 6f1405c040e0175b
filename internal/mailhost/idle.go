package mailhost

import (
	"time"

	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// idleRound is how long one IDLE of the library lasts inside a client's.
const idleRound = 100 * time.Millisecond

// idlingSession is the library's, with an IDLE that tells all: the library's own keeps
// a mail to itself that came in after the last command and before the IDLE.
type idlingSession struct{ imapserver.SessionIMAP4rev2 }

func newSession(server *imapmemserver.Server) imapserver.Session {
	all, ok := server.NewSession().(imapserver.SessionIMAP4rev2)
	if !ok {
		return server.NewSession()
	}
	return idlingSession{all}
}

// Idle implements imapserver.Session.
func (s idlingSession) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	for {
		if err := s.Poll(w, true); err != nil {
			return err
		}
		over, ended := make(chan struct{}), make(chan error, 1)
		go func() { ended <- s.SessionIMAP4rev2.Idle(w, over) }()
		select {
		case err := <-ended:
			return err
		case <-stop:
			close(over)
			return <-ended
		case <-time.After(idleRound):
			close(over)
			if err := <-ended; err != nil {
				return err
			}
		}
	}
}
