package viewmodel

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

func TestTheAgentIsStartedOnceIfNoneRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{T: t, agent: agenttest.Scene(time.Now)}
		s.agent.Fail("Events", errAway)
		var starts atomic.Int32
		s.Model = New(Config{Agent: s.agent, Location: time.UTC, Start: func(ctx context.Context) error {
			starts.Add(1)
			time.Sleep(time.Second)
			s.agent.Fail("Events", nil)
			return nil
		}})
		s.live(func() {
			s.has("banner", s.Banner().Text, "Starting the agent")
			time.Sleep(3 * time.Second)
			synctest.Wait()
			if s.Banner().Show || len(s.Folder().All()) != 4 || starts.Load() != 1 {
				t.Errorf("banner %+v after %d starts", s.Banner(), starts.Load())
			}
		})
	})
}

func TestWhenTheAgentCannotBeStartedTheWindowSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{T: t, agent: agenttest.Scene(time.Now)}
		s.agent.Fail("Events", errAway)
		var starts atomic.Int32
		s.Model = New(Config{Agent: s.agent, Location: time.UTC, Start: func(context.Context) error {
			starts.Add(1)
			return errors.New("the program earnest was not found")
		}})
		s.live(func() {
			time.Sleep(time.Minute)
			synctest.Wait()
			b := s.Banner()
			s.has("banner", b.Text, "could not be started. The program earnest was not found.")
			s.has("list", s.Folder().Empty.Title, "The agent is not running")
			if !b.CanStart || starts.Load() != 1 {
				t.Errorf("%+v after %d starts", b, starts.Load())
			}
			s.StartAgent()
			synctest.Wait()
			if starts.Load() != 2 {
				t.Error("the person's wish to start it was not followed")
			}
		})
	})
}

func TestTheWindowFindsTheAgentAgainAndKeepsWhatWasTyped(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Write()
		s.SetTo("author@example.net")
		s.SetSubject("Half a subject")
		s.SetBody("Half a text")
		s.SetCode("VOUCHER")
		time.Sleep(time.Second)
		for _, method := range []string{"Events", "Status", "Inbox", "Send", "Balances"} {
			s.agent.Fail(method, errAway)
		}
		s.agent.CutEvents()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		b := s.Banner()
		s.has("banner", b.Text, "does not answer since 00:00", "what you typed is kept")
		if b.CanStart {
			t.Error("a start is offered where there is nothing to start")
		}
		if line := s.StatusLine(); !line.Trouble {
			t.Errorf("status line: %+v", line)
		}
		s.Send()
		synctest.Wait()
		if d := s.Draft(); d.Error != "No agent answers. Nothing was sent; your text is kept." || d.Sending {
			t.Errorf("draft: %+v", d)
		}
		for _, method := range []string{"Events", "Status", "Inbox", "Send", "Balances"} {
			s.agent.Fail(method, nil)
		}
		time.Sleep(6 * time.Second)
		synctest.Wait()
		d := s.Draft()
		if s.Banner().Show || len(d.Recipients) != 1 || d.Recipients[0].Address != "author@example.net" || d.Subject != "Half a subject" || d.Body != "Half a text" || s.Purse().Code != "VOUCHER" {
			t.Errorf("banner %+v, draft %+v", s.Banner(), d)
		}
		s.agent.AddMail(agentclient.Message{Mail: agentclient.Mail{ID: "later", From: "x@example.net"}})
		synctest.Wait()
		if rows := s.model(PageWaiting); rows != 5 {
			t.Errorf("after the reconnection a new mail is not shown: %d rows", rows)
		}
	})
}

func (s *stage) model(p Page) int {
	s.Show(p)
	return len(s.Folder().All())
}

func TestABurstOfEventsIsOneFurtherRequest(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		release := s.agent.Hold("Inbox")
		before := s.count("Inbox")
		for range 50 {
			s.agent.Emit(agentclient.Event{Type: agentclient.EventMail})
		}
		synctest.Wait()
		release()
		synctest.Wait()
		if n := s.count("Inbox") - before; n != 2 {
			t.Errorf("50 events made %d requests, want 2", n)
		}
	})
}

func TestAFailedRequestIsAskedAgain(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.agent.Fail("Inbox", errors.New("broken"))
		s.agent.AddMail(agentclient.Message{Mail: agentclient.Mail{From: "x@example.net"}})
		synctest.Wait()
		s.agent.Fail("Inbox", nil)
		time.Sleep(retryMost + time.Second)
		synctest.Wait()
		if n := len(s.Folder().All()); n != 5 {
			t.Errorf("%d rows", n)
		}
	})
}
