package viewmodel

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

// breaking sends one mail, and breaks over the next.
type breaking struct {
	*agenttest.Agent
	sends *int
}

func (a breaking) Send(ctx context.Context, mail agentclient.Compose) ([]agentclient.Sent, error) {
	if *a.sends++; *a.sends > 1 {
		return nil, agentclient.Fail(agentclient.CodeInternal)
	}
	return a.Agent.Send(ctx, mail)
}

// One mail went out, and whether the other did is not known: neither is hidden.
func TestAMailOfWhichNothingIsKnownIsNotSaidToBeUnsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{T: t, agent: agenttest.Scene(time.Now)}
		s.agent.SetOffer("second@example.net", "0.10", "0.20")
		s.Model = New(Config{Agent: breaking{s.agent, new(int)}, Location: time.UTC})
		s.live(func() {
			s.Write()
			s.addressed("author@example.net, second@example.net, ")
			s.SetOption("second@example.net", 1)
			s.SetSubject("To two")
			s.Send()
			synctest.Wait()
			s.has("fault", s.Draft().Error, "1 of 2 mails went out", "It is not certain whether the mail went out")
		})
	})
}

// A draft that was deleted does not come back because the window was closed before
// its time to have it back was over.
func TestADeletedDraftIsGoneAlsoWhenTheWindowCloses(t *testing.T) {
	for _, open := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := &stage{T: t, agent: agenttest.Scene(time.Now)}
			s.Model = New(Config{Agent: s.agent, Location: time.UTC})
			s.live(func() {
				s.Write()
				s.SetSubject("A secret")
				time.Sleep(time.Minute)
				if !open {
					s.SetAside()
				}
				synctest.Wait()
				if len(s.drafts()) != 1 {
					t.Fatalf("kept: %+v", s.drafts())
				}
				s.DeleteDraft(s.drafts()[0].ID)
			})
			if kept := s.drafts(); len(kept) != 0 {
				t.Errorf("open %v: %d drafts are back", open, len(kept))
			}
		})
	}
}
