package viewmodel

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

// lateList answers what was sent when it is let, with what was true when it was asked.
type lateList struct {
	*agenttest.Agent
	gate chan struct{}
}

func (a lateList) Sent(ctx context.Context) ([]agentclient.Sent, error) {
	sent, err := a.Agent.Sent(ctx)
	<-a.gate
	return sent, err
}

// A mail is decided on while the list of what was sent is on its way: the list, which
// is older, must not say again that its money is held.
func TestAnOldListDoesNotHideTheNewsOfASentMail(t *testing.T) {
	for _, loaded := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := &stage{T: t, agent: agenttest.Scene(time.Now)}
			sent, err := s.agent.Send(t.Context(), agentclient.Compose{To: []string{"author@example.net"}, Subject: "Hi"})
			if err != nil {
				t.Fatal(err)
			}
			gate := make(chan struct{})
			s.Model = New(Config{Agent: lateList{s.agent, gate}, Location: time.UTC})
			s.live(func() {
				s.Show(PageSent)
				if loaded {
					gate <- struct{}{}
					synctest.Wait()
					s.agent.Emit(agentclient.Event{Type: agentclient.EventSent})
					synctest.Wait()
				}
				s.agent.MoveSent(sent[0].ID, "accepted")
				more, err := s.agent.Send(t.Context(), agentclient.Compose{To: []string{"author@example.net"}, Subject: "More"})
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				close(gate)
				synctest.Wait()
				for i, want := range []string{"on its way", "refunded"} {
					if row := s.SentRow(i); row.ID != []string{more[0].ID, sent[0].ID}[i] || row.Note != want {
						t.Errorf("loaded before %v: row %d is %+v, want %q", loaded, i, row, want)
					}
				}
				if n := s.SentView().Count; n != 4 {
					t.Errorf("%d rows", n)
				}
			})
		})
	}
}
