package viewmodel

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

func TestAnEventAsksForOneMail(t *testing.T) {
	play(t, crowd(20), func(s *stage) {
		before := len(s.agent.Calls())
		s.agent.ChangeMail("m03", func(m *agentclient.Message) { m.Subject = "Changed" })
		s.agent.AddMail(agentclient.Message{Mail: agentclient.Mail{ID: "new", From: "new@example.net", Subject: "New"}})
		synctest.Wait()
		calls := s.agent.Calls()[before:]
		if s.count("MailByID") != 2 || slices.Contains(calls, "Inbox") {
			t.Errorf("asked %v", calls)
		}
		rows := s.Folder().All()
		if len(rows) != 21 || rows[3].Subject != "Changed" || rows[20].ID != "new" {
			t.Errorf("%d rows: %+v", len(rows), rows[3])
		}
		s.agent.Emit(agentclient.Event{Type: agentclient.EventMail, ID: "gone"})
		synctest.Wait()
		if s.Folder().Len != 21 {
			t.Error("a mail that is not there changed the list")
		}
	})
}

func TestABurstOfManyMailsIsOneQuestion(t *testing.T) {
	play(t, crowd(1), func(s *stage) {
		release := s.agent.Hold("MailByID")
		for i := range 500 {
			s.agent.AddMail(agentclient.Message{Mail: agentclient.Mail{ID: fmt.Sprintf("x%03d", i), From: "x@example.net"}})
		}
		synctest.Wait()
		release()
		synctest.Wait()
		if s.Folder().Len != 501 || s.count("MailByID") > 2*mostSingle || s.count("Inbox") > 5 {
			t.Errorf("%d rows after %d single questions and %d for all", s.Folder().Len, s.count("MailByID"), s.count("Inbox"))
		}
	})
}

// TestAnOldAnswerDoesNotHideADecision: the mail was asked for before the reject
// and is answered after it.
func TestAnOldAnswerDoesNotHideADecision(t *testing.T) {
	play(t, crowd(3), func(s *stage) {
		s.Select("m00")
		synctest.Wait()
		m := s.Model
		before := s.mail("m00")
		rev := m.revOf("m00")
		s.Reject()
		synctest.Wait()
		if m.revOf("m00") == rev {
			t.Fatal("the decision left no trace")
		}
		release := s.agent.Hold("Inbox")
		s.agent.Emit(agentclient.Event{Type: agentclient.EventMail})
		synctest.Wait()
		s.Select("m01")
		synctest.Wait()
		s.Accept()
		synctest.Wait()
		// What the inbox says of it now was true before the accept.
		m.update(func() {
			m.box.putAll([]agentclient.Mail{before, {ID: "m01", State: "waiting"}, {ID: "m02", State: "waiting"}})
		})
		if mail, _ := m.box.find("m01"); mail.State != "accepted" {
			t.Errorf("the accepted mail is %s again", mail.State)
		}
		m.box.check(t)
		release()
		synctest.Wait()
		if got := s.states("m00", "m01", "m02"); got != "rejecting accepted waiting" || s.Folder().Len != 1 {
			t.Errorf("%s, %d rows", got, s.Folder().Len)
		}
	})
}

// late answers about one mail when it is let, with what was true when it was asked.
type late struct {
	*agenttest.Agent
	gate chan struct{}
}

func (a late) MailByID(ctx context.Context, id string) (agentclient.Mail, error) {
	mail, err := a.Agent.MailByID(ctx, id)
	<-a.gate
	return mail, err
}

func TestAnAnswerThatWasOvertakenIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{T: t, agent: crowd(2)(time.Now)}
		gate := make(chan struct{})
		s.Model = New(Config{Agent: late{s.agent, gate}, Location: time.UTC})
		s.live(func() {
			s.Select("m00")
			synctest.Wait()
			s.agent.ChangeMail("m00", func(m *agentclient.Message) { m.Subject = "Changed" })
			synctest.Wait() // asked, read, and not answered yet
			s.Reject()
			synctest.Wait()
			gate <- struct{}{}
			synctest.Wait()
			if mail, _ := s.box.find("m00"); mail.State != "rejecting" {
				t.Errorf("an old answer made it %s again", mail.State)
			}
			close(gate)
			synctest.Wait()
			if mail, _ := s.box.find("m00"); mail.State != "rejecting" || mail.Subject != "Changed" {
				t.Errorf("in the end: %+v", mail)
			}
		})
	})
}

func TestFiltersShowOneKind(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		ids := func() (all []string) {
			for _, r := range s.Folder().All() {
				all = append(all, r.ID)
			}
			return all
		}
		for f, want := range map[Filter][]string{
			FilterUnread: {agenttest.SceneQuestion}, FilterFirst: {agenttest.SceneQuestion}, FilterSoon: {agenttest.SceneTalk},
			FilterUnopened: {agenttest.SceneDamaged, agenttest.SceneHeld}, FilterAttached: {agenttest.SceneQuestion},
		} {
			s.SetFilter(f)
			if got := ids(); !slices.Equal(got, want) {
				t.Errorf("%s shows %v, want %v", f, got, want)
			}
		}
		s.SetFilter(FilterUnread)
		s.Select(agenttest.SceneQuestion)
		synctest.Wait()
		if got := ids(); !slices.Equal(got, []string{agenttest.SceneQuestion}) || !s.Reading().Show {
			t.Errorf("the mail went from under its reader: %v", got)
		}
		time.Sleep(readAfter)
		synctest.Wait()
		s.Select(agenttest.SceneTalk)
		synctest.Wait()
		if got := ids(); !slices.Equal(got, []string{agenttest.SceneTalk}) {
			t.Errorf("unread: %v", got)
		}
		s.SetFilter(FilterAll)
		var names []string
		for range 6 {
			s.NextFilter(1)
			names = append(names, s.Folder().Filter)
		}
		if !slices.Equal(names, []string{"Unread", "First time", "Little time left", "Has attachments", "Not opened", "All mails"}) {
			t.Errorf("by key: %v", names)
		}
		s.SetFilter(FilterSoon)
		s.Show(PageAccepted) // has no such kind: all are shown, and it says so
		if l := s.Folder(); l.Len != 1 || l.Filter != "All mails" || l.Order != "newest first" {
			t.Errorf("accepted: %+v", l)
		}
		s.Show(PageWaiting)
		time.Sleep(17 * time.Hour) // now it is up
		s.agent.Tick()
		synctest.Wait()
		if l := s.Folder(); l.Len != 0 || !l.Empty.Clear {
			t.Errorf("after its time: %+v", l)
		}
		s.Unfilter()
		if s.Folder().Len != 3 {
			t.Error("the filter cannot be taken away")
		}
	})
}

func TestTheListStaysInOrderWhateverChanges(t *testing.T) {
	play(t, crowd(30), func(s *stage) {
		for i := range 30 {
			id := fmt.Sprintf("m%02d", (i*7)%30)
			s.agent.ChangeMail(id, func(m *agentclient.Message) {
				m.DecideBy = m.DecideBy.Add(time.Duration(i%5) * time.Hour)
				if i%3 == 0 {
					m.State = "accepted"
				}
			})
		}
		synctest.Wait()
		s.box.check(t)
	})
}

// check holds the lists against what they are made of.
func (b *box) check(t *testing.T) {
	t.Helper()
	n := 0
	for page, list := range b.lists {
		n += len(list)
		if !slices.IsSortedFunc(list, order(page)) {
			t.Errorf("%s is out of order", page)
		}
		for _, e := range list {
			if b.byID[e.mail.ID] != e || pageOf(e.mail.State) != page {
				t.Errorf("%s lists %s wrongly", page, e.mail.ID)
			}
		}
	}
	if n != len(b.byID) {
		t.Errorf("%d of %d mails are listed", n, len(b.byID))
	}
}
