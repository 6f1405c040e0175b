package viewmodel

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

// hear collects the news.
func (s *stage) hear() func() []News {
	heard := make(chan News, 100)
	s.OnNews(func(n News) { heard <- n })
	return func() (all []News) {
		synctest.Wait()
		for len(heard) > 0 {
			all = append(all, <-heard)
		}
		return all
	}
}

func TestANewMailIsToldOnceAndCanBeDecidedThere(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		heard := s.hear()
		id := s.agent.AddMail(agentclient.Message{Mail: agentclient.Mail{From: "new@example.net", Name: "Nina New", Subject: "Hello\nthere", Unread: true}})
		told := heard()
		if len(told) != 1 || told[0].ID != id || !told[0].May {
			t.Fatalf("told %+v", told)
		}
		s.has("the title", told[0].Title, "€0.25")
		s.has("the body", told[0].Body, "Nina New <new@example.net>\nHello there")
		s.agent.ChangeMail(id, func(m *agentclient.Message) {}) // the same once more
		if told := heard(); len(told) != 0 {
			t.Errorf("told again: %+v", told)
		}
		s.DecideNews(id, false)
		if told := heard(); s.mail(id).State != "rejecting" || len(told) != 1 || !told[0].Gone {
			t.Errorf("after the reject: %s, told %+v", s.mail(id).State, told)
		}
		if _, err := s.agent.Undo(context.Background(), id); err != nil {
			t.Fatal(err)
		}
		if told := heard(); len(told) != 0 {
			t.Errorf("a mail that waits again is told again: %+v", told)
		}
		s.agent.Fail("Accept", errAway)
		s.DecideNews(id, true)
		told = heard()
		if len(told) != 1 || told[0].May || told[0].Body != errAway.Happened {
			t.Errorf("a decision that failed is told as %+v", told)
		}
	})
}

func TestOldAndUnopenedMailsAreNoNews(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		heard := s.hear()
		s.agent.AddMail(agentclient.Message{Mail: agentclient.Mail{From: "old@example.net", Unread: true, At: time.Now().Add(-time.Hour)}})
		held := s.agent.AddMail(agentclient.Message{Mail: agentclient.Mail{From: "later@example.net", Unread: true, State: "held"}})
		if told := heard(); len(told) != 0 {
			t.Fatalf("told %+v", told)
		}
		s.agent.ChangeMail(held, func(m *agentclient.Message) { m.State = "waiting" })
		if told := heard(); len(told) != 1 || !slices.ContainsFunc(told, func(n News) bool { return n.ID == held }) {
			t.Errorf("when it is opened: %+v", told)
		}
	})
}
