package viewmodel

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
)

// TestNoKeyActsOnAMailThatTheSearchHides: the open mail was rejected though the list
// showed only another one.
func TestNoKeyActsOnAMailThatTheSearchHides(t *testing.T) {
	play(t, crowd(5), func(s *stage) {
		s.Select("m01")
		synctest.Wait()
		s.Search("Subject 03")
		synctest.Wait()
		if r := s.Reading(); r.Show {
			t.Errorf("a mail is open that the list does not show: %+v", r)
		}
		s.Reject()
		s.Accept()
		s.AskReject()
		synctest.Wait()
		if got := s.states("m01", "m03"); got != "waiting waiting" {
			t.Errorf("states %s", got)
		}
		s.Move(1) // the first that is shown
		synctest.Wait()
		s.Reject()
		synctest.Wait()
		if got := s.states("m01", "m03"); got != "waiting rejecting" {
			t.Errorf("states %s", got)
		}
		s.Search("nobody has this")
		s.MarkHere()
		s.Extend(1)
		if got := s.marked(); got != "" {
			t.Errorf("marked where nothing is found: %s", got)
		}
		s.Search("")
		s.Mark("m02")
		s.Mark("m04")
		s.Search("Subject 04")
		if got := s.marked(); got != "m04" {
			t.Errorf("marked behind the search: %s", got)
		}
		s.SetFilter(FilterAttached)
		if got := s.marked(); got != "" {
			t.Errorf("marked behind the filter: %s", got)
		}
	})
}

// TestASearchIsClearedAndDoesNotFollow to other pages, and an empty list names the
// filter that hides what has the words.
func TestASearchIsClearedAndDoesNotFollow(t *testing.T) {
	play(t, crowd(5), func(s *stage) {
		s.Search("Subject 03")
		if s.Folder().Len != 1 || !s.ClearSearch() || s.ClearSearch() || s.Folder().Len != 5 {
			t.Error("the search is not cleared once")
		}
		s.Search("Subject 03")
		s.Show(PageAccepted)
		if f := s.Folder(); f.Search != "" {
			t.Errorf("the search follows: %q", f.Search)
		}
		s.Show(PageWaiting)
		s.SetFilter(FilterAttached)
		s.Search("Subject 03")
		if e := s.Folder().Empty; !strings.Contains(e.Text, "Subject 03") || !strings.Contains(e.Text, s.Folder().Filter) {
			t.Errorf("it says %q", e.Text)
		}
	})
}

// TestAnUndoShowsTheMailAgain, and the bar says whose mail was rejected.
func TestAnUndoShowsTheMailAgain(t *testing.T) {
	play(t, crowd(5), func(s *stage) {
		s.Select("m02")
		synctest.Wait()
		s.Reject()
		synctest.Wait()
		s.has("bar", s.Undo().Text, "Rejected "+writer(s.mail("m02"))+":")
		if s.chosen() == "m02" {
			t.Fatal("the rejected mail is still open")
		}
		s.UndoReject()
		synctest.Wait()
		if s.chosen() != "m02" {
			t.Errorf("after the undo %s is open", s.chosen())
		}
	})
}

// TestTheOfferNamesTheLaterBound: an arrival is told by the hour, rounded up, so one
// late in the evening counts from the next day, and the offer must not say less.
func TestTheOfferNamesTheLaterBound(t *testing.T) {
	for _, zone := range []*time.Location{time.UTC, time.FixedZone("half", 5*3600+1800)} {
		day := time.Date(2026, 11, 22, 0, 0, 0, 0, zone)
		for m := range 24 * 60 {
			at := day.Add(time.Duration(m) * time.Minute)
			told := at.Truncate(time.Hour)
			if told.Before(at) {
				told = told.Add(time.Hour)
			}
			if bound := arrivesBy(at); bound.Before(told) || bound.Sub(day) > 25*time.Hour {
				t.Fatalf("arrived %s, told as %s, and the offer counts from %s", at, told, bound)
			}
		}
	}
}

// TestAMailIsReadOnceItWasLookedAt: the next mail that a decision opens was reported
// as read though nobody chose to open it.
func TestAMailIsReadOnceItWasLookedAt(t *testing.T) {
	play(t, crowd(5), func(s *stage) {
		for _, id := range []string{"m00", "m01", "m02", "m03"} {
			s.agent.ChangeMail(id, func(m *agentclient.Message) { m.Unread = true })
		}
		synctest.Wait()
		unread := func(id string) bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			mail, _ := s.box.find(id)
			return mail.Unread
		}
		s.Select("m00")
		synctest.Wait()
		s.Reject()
		synctest.Wait()
		if s.chosen() != "m01" || !unread("m01") || s.count("Message") != 0 {
			t.Fatalf("%s is open, unread: %v, and %d are reported", s.chosen(), unread("m01"), s.count("Message"))
		}
		time.Sleep(readAfter / 2)
		s.Move(1)
		synctest.Wait()
		time.Sleep(readAfter / 2) // m01 would be due now
		synctest.Wait()
		if !unread("m01") || !unread("m02") {
			t.Error("a mail that was gone past counts as read")
		}
		time.Sleep(readAfter)
		synctest.Wait()
		if unread("m02") || s.count("Message") != 1 {
			t.Error("a mail that was looked at does not count as read")
		}
		s.Move(1)
		synctest.Wait()
		s.Seen()
		synctest.Wait()
		if unread("m03") {
			t.Error("a key in the mail does not count as reading it")
		}
	})
}
