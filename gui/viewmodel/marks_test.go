package viewmodel

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
)

func (s *stage) marked() string {
	var all []string
	for _, r := range s.Folder().All() {
		if r.Marked {
			all = append(all, r.ID)
		}
	}
	return strings.Join(all, " ")
}

func TestMarkingOpensNothing(t *testing.T) {
	play(t, crowd(5), func(s *stage) {
		s.MarkHere()
		if got := s.marked(); got != "m00" {
			t.Errorf("marked %s", got)
		}
		s.MarkHere()
		s.Mark("m01")
		s.Extend(1)
		s.Extend(1)
		s.Extend(-1)
		synctest.Wait()
		if got := s.marked(); got != "m01 m02" {
			t.Errorf("marked %s", got)
		}
		if s.count("Look") != 0 {
			t.Error("a mail was opened, so it is reported as read")
		}
		if m := s.Folder().Marks; !m.Show || m.Text != "2 marked" || !m.Accept || !m.Reject {
			t.Errorf("bar %+v", m)
		}
		s.Mark("m04")
		s.Search("Subject 0") // a narrower list keeps what it shows
		if got := s.marked(); got != "m01 m02 m04" {
			t.Errorf("marked %s", got)
		}
		if !s.Unmark() || s.Unmark() || s.marked() != "" {
			t.Error("Escape does not clear the marks once")
		}
		s.Search("Subject 03")
		s.MarkAll()
		s.Search("")
		if got := s.marked(); got != "m03" {
			t.Errorf("all that are shown: %s", got)
		}
		s.Show(PageAccepted)
		s.AcceptMarked()
		synctest.Wait()
		if s.count("Accept") != 0 {
			t.Error("what is not shown was decided")
		}
	})
}

func TestK13_OneUndoTakesBackAllThatWereRejectedAtOnce(t *testing.T) {
	play(t, crowd(5), func(s *stage) {
		s.Select("m04")
		synctest.Wait()
		s.Reject() // by itself, before
		synctest.Wait()
		s.Mark("m01")
		s.Mark("m02")
		s.Mark("m03")
		s.RejectMarked()
		synctest.Wait()
		if got := s.states("m00", "m01", "m02", "m03", "m04"); got != "waiting rejecting rejecting rejecting rejecting" {
			t.Fatalf("states %s", got)
		}
		s.has("bar", s.Undo().Text, "3 mails rejected. €0.75 goes to Example Escrow Society in 10:00.", "And 1 more.")
		if s.count("Look") != 2 { // m04, and the one chosen after it
			t.Errorf("%d mails were opened", s.count("Look"))
		}
		s.UndoReject()
		synctest.Wait()
		if got := s.states("m00", "m01", "m02", "m03", "m04"); got != "waiting waiting waiting waiting rejecting" {
			t.Errorf("states %s", got)
		}
		s.has("told", s.Told().Text, "3 rejects taken back.")
		s.UndoReject()
		synctest.Wait()
		if s.mail("m04").State != "waiting" {
			t.Error("the one before cannot be taken back any more")
		}
	})
}

func TestWhatFailsOfManyIsNamed(t *testing.T) {
	play(t, crowd(3), func(s *stage) {
		s.agent.AddMail(agentclient.Message{Mail: agentclient.Mail{ID: "held", State: "held", From: "later@example.net"}})
		synctest.Wait()
		release := s.agent.Hold("Accept")
		s.MarkAll()
		s.AcceptMarked()
		s.AcceptMarked() // while the first run goes on
		synctest.Wait()
		if m := s.Folder().Marks; !m.Busy || m.Text != "Accepting 0 of 3…" {
			t.Errorf("bar %+v", m)
		}
		s.agent.ChangeMail("m01", func(m *agentclient.Message) { m.State = "expired" })
		s.agent.ChangeMail("m01", func(m *agentclient.Message) { m.State = "withdrawn" })
		release()
		synctest.Wait()
		m := s.Folder().Marks
		if m.Busy || s.states("m00", "m01", "m02") != "accepted withdrawn accepted" {
			t.Fatalf("bar %+v, states %s", m, s.states("m00", "m01", "m02"))
		}
		s.has("fault", m.Fault, "2 mails were not decided", "“Subject 01”: The mail is withdrawn", "“One paid mail, waiting for the escrow”: in this state nothing can be decided")
		s.has("told", s.Told().Text, "2 mails accepted.")
		if n := s.count("Accept"); n != 3 {
			t.Errorf("asked %d times", n)
		}
		s.Unmark()
		if s.Folder().Marks.Show {
			t.Error("the fault cannot be put away")
		}
	})
}

func TestARunOfDecisionsCanBeStopped(t *testing.T) {
	play(t, crowd(6), func(s *stage) {
		s.MarkAll()
		release := s.agent.Hold("Reject")
		s.RejectMarked()
		synctest.Wait()
		s.Unmark()
		release()
		synctest.Wait()
		time.Sleep(time.Second)
		if got := s.states("m00", "m01", "m05"); got != "rejecting waiting waiting" || s.count("Reject") != 1 {
			t.Errorf("states %s after %d questions", got, s.count("Reject"))
		}
		s.Select("m05")
		synctest.Wait()
		if r := s.Reading(); !r.May.Reject || r.Busy != "" {
			t.Errorf("what was not asked for any more cannot be decided: %+v", r)
		}
	})
}
