package viewmodel

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

// crowd is an agent with n mails that wait, the first due first.
func crowd(n int) func(func() time.Time) *agenttest.Agent {
	return func(now func() time.Time) *agenttest.Agent {
		a := priced(now)
		for i := range n {
			a.AddMail(agentclient.Message{Mail: agentclient.Mail{ID: fmt.Sprintf("m%02d", i), From: fmt.Sprintf("s%02d@example.net", i),
				Name: fmt.Sprintf("Sender %02d", i), Subject: fmt.Sprintf("Subject %02d", i), Unread: true, At: now().Add(time.Duration(i-n) * time.Minute)}, Text: "Text\n"})
		}
		return a
	}
}

func priced(now func() time.Time) *agenttest.Agent {
	a := agenttest.New(now)
	if _, err := a.AddAccount(context.Background(), agentclient.AddAccount{Address: "me@example.org", Password: "x"}); err != nil {
		panic(err)
	}
	a.SetOffer("me@example.org", "0.25")
	a.SetBalance("escrow.example", "EUR", "5.00", "0.00")
	return a
}

func (s *stage) states(ids ...string) string {
	s.Helper()
	var all []string
	for _, id := range ids {
		all = append(all, s.mail(id).State)
	}
	return strings.Join(all, " ")
}

func (s *stage) chosen() string {
	for _, r := range s.Folder().All() {
		if r.Selected {
			return r.ID
		}
	}
	return ""
}

// TestTenMailsAreDecidedInOneGo: one key to begin, then one key each.
func TestTenMailsAreDecidedInOneGo(t *testing.T) {
	play(t, crowd(10), func(s *stage) {
		s.Move(1)
		synctest.Wait()
		for i := range 10 {
			if got, want := s.chosen(), fmt.Sprintf("m%02d", i); got != want {
				t.Fatalf("mail %d: %s is open, want %s", i, got, want)
			}
			if i%2 == 0 {
				s.Accept()
			} else {
				s.Reject()
			}
			synctest.Wait()
		}
		if n := s.count("Inbox"); n != 1 {
			t.Errorf("the whole inbox was asked for %d times", n)
		}
		for i := range 10 {
			want := []string{"accepted", "rejecting"}[i%2]
			if got := s.mail(fmt.Sprintf("m%02d", i)).State; got != want {
				t.Errorf("mail %d is %s, want %s", i, got, want)
			}
		}
		if s.Folder().Len != 0 || s.Folder().Empty.Title != "Nothing is waiting" {
			t.Errorf("left over: %+v", s.Folder())
		}
	})
}

func TestSeveralRejectsAreTakenBackOneByOneTheLatestFirst(t *testing.T) {
	play(t, crowd(4), func(s *stage) {
		s.Move(1)
		for range 3 {
			synctest.Wait()
			s.Reject()
			synctest.Wait()
			time.Sleep(time.Second)
		}
		s.has("bar", s.Undo().Text, "Rejected Sender 02: €0.25 goes to Example Escrow Society in 9:59.", "And 2 more.")
		for i, want := range []string{"rejecting rejecting waiting", "rejecting waiting waiting", "waiting waiting waiting"} {
			s.UndoReject()
			synctest.Wait()
			if got := s.states("m00", "m01", "m02"); got != want {
				t.Fatalf("after %d undos: %s, want %s", i+1, got, want)
			}
		}
		if s.Undo().Show {
			t.Errorf("bar: %+v", s.Undo())
		}
	})
}

// TestAnUndoThatRacesTheDeadlineSaysHowItEnded: the agent's word counts, and it
// is said even though another mail is open by then.
func TestAnUndoThatRacesTheDeadlineSaysHowItEnded(t *testing.T) {
	play(t, crowd(3), func(s *stage) {
		s.Move(1)
		synctest.Wait()
		s.Reject()
		synctest.Wait()
		time.Sleep(agenttest.Undo - time.Second)
		s.agent.Fail("Undo", &agentclient.Failure{Code: "too_late", Happened: "It is too late for that.", Means: "Nothing was changed. The money goes where the mail's state says."})
		release := s.agent.Hold("Undo")
		s.UndoReject()
		s.UndoReject() // pressed twice, asked once
		synctest.Wait()
		if s.Undo().Show {
			t.Error("what is being taken back is offered again")
		}
		time.Sleep(2 * time.Second)
		s.agent.Tick()
		release()
		synctest.Wait()
		if n := s.count("Undo"); n != 1 {
			t.Errorf("asked %d times", n)
		}
		told := s.Told()
		s.has("told", told.Text, "“Subject 00” stays as it was: It is too late for that.", "The money goes where")
		if told.Tone != Against || s.Undo().Show || s.mail("m00").State != "rejected" {
			t.Errorf("told %+v, undo %+v, %s", told, s.Undo(), s.mail("m00").State)
		}
		s.Show(PageRejected)
		if rows := s.Folder().All(); len(rows) != 1 || rows[0].Note != "not decided" && rows[0].Note != "rejected" {
			t.Errorf("rejected: %+v", rows)
		}
	})
}

// TestTheAgentGoesAwayInTheMiddle: what was not answered is as it was and can be
// decided again; what was typed is kept.
func TestTheAgentGoesAwayInTheMiddle(t *testing.T) {
	play(t, crowd(4), func(s *stage) {
		s.Move(1)
		synctest.Wait()
		s.Accept()
		synctest.Wait()
		s.AskReject()
		s.SetReason("seen before")
		for _, method := range []string{"Events", "Reject", "MailByID", "Inbox", "Status"} {
			s.agent.Fail(method, errAway)
		}
		s.agent.CutEvents()
		synctest.Wait()
		s.RejectNoted()
		synctest.Wait()
		r := s.Reading()
		if len(r.Notices) == 0 || !strings.Contains(r.Notices[0].Text, "No agent answers.") || !r.May.Reject || r.Ask.Reason != "seen before" || !s.Banner().Show {
			t.Fatalf("while it is away: %+v, %+v", r, s.Banner())
		}
		for _, method := range []string{"Events", "Reject", "MailByID", "Inbox", "Status"} {
			s.agent.Fail(method, nil)
		}
		time.Sleep(6 * time.Second)
		synctest.Wait()
		s.RejectNoted()
		synctest.Wait()
		m := s.mail("m01")
		if m.State != "rejecting" || m.Reason != "seen before" || s.Banner().Show || s.chosen() != "m02" {
			t.Errorf("after it came back: %+v, chosen %s", m, s.chosen())
		}
	})
}

func TestNothingIsDecidedUnread(t *testing.T) {
	play(t, crowd(2), func(s *stage) {
		release := s.agent.Hold("Look")
		s.Select("m00")
		s.Accept()
		s.Reject()
		s.AskAccept()
		synctest.Wait()
		if r := s.Reading(); !r.Wait || r.Ask.Accept || s.count("Accept")+s.count("Reject") != 0 {
			t.Errorf("decided while it was being opened: %+v", r)
		}
		release()
		synctest.Wait()
		s.Accept()
		synctest.Wait()
		if s.states("m00", "m01") != "accepted waiting" {
			t.Errorf("states: %s", s.states("m00", "m01"))
		}
	})
}

func TestK11_AnAcceptSaysHowManyMailsAreFree(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*stage)
		told string
		free agentclient.Free
	}{
		"policy": {func(s *stage) { s.Accept() }, "Accepted. €0.25 is back with Sender 00.", agentclient.FreeAlways},
		"always": {func(s *stage) { s.AcceptAlways() }, "You can write to each other freely.", agentclient.FreeAlways},
		"once":   {func(s *stage) { s.AcceptOnce() }, "The next mail of Sender 00 needs a bond again.", agentclient.FreeNone},
		"three": {func(s *stage) {
			s.SetCount(" 3 ")
			s.AcceptCounted()
		}, "Sender 00 may write 3 more mails free.", agentclient.FreeMails(3)},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, crowd(1), func(s *stage) {
				s.Select("m00")
				synctest.Wait()
				s.AskAccept()
				s.has("title", s.Reading().Ask.Title, "Sender 00")
				c.do(s)
				synctest.Wait()
				s.has("told", s.Told().Text, c.told)
				people, err := s.agent.People(t.Context())
				if err != nil || len(people) != 1 || name != "policy" && people[0].Free != c.free {
					t.Errorf("people %+v, %v", people, err)
				}
				time.Sleep(7 * time.Second)
				if !s.Told().Show {
					t.Error("the quiet line is gone before it can be read")
				}
				time.Sleep(2 * time.Second)
				if s.Told().Show {
					t.Error("the quiet line is still there")
				}
			})
		})
	}
}

func TestWhatIsNoNumberIsSaidBesideTheField(t *testing.T) {
	play(t, crowd(2), func(s *stage) {
		s.Select("m00")
		synctest.Wait()
		s.AskAccept()
		for typed, want := range map[string]string{"": "Type a number", "many": "“many” is not a number", "-1": "is not a number", "0": "is not a number", "2000000": "too many to count", "9999999999999999999999": "is not a number"} {
			s.SetCount(typed)
			s.AcceptCounted()
			synctest.Wait()
			s.has("fault", s.Reading().Ask.Fault, want)
			if s.Reading().Ask.Count != typed {
				t.Errorf("typed %q, kept %q", typed, s.Reading().Ask.Count)
			}
		}
		if s.count("Accept") != 0 {
			t.Error("accepted all the same")
		}
		s.SetCount("5")
		s.Select("m01") // looked at another mail meanwhile
		synctest.Wait()
		if s.Reading().Ask.Accept {
			t.Error("the form lies under another mail")
		}
		s.Select("m00")
		synctest.Wait()
		if a := s.Reading().Ask; !a.Accept || a.Count != "5" {
			t.Errorf("the form was lost: %+v", a)
		}
		if !s.CloseAsk() || s.CloseAsk() {
			t.Error("Escape does not close the form once")
		}
		s.AskReject()
		s.has("title", s.Reading().Ask.Title, "€0.25 goes to Example Escrow Society")
		s.SetReason(strings.Repeat("x", maxReason+1))
		s.RejectNoted()
		synctest.Wait()
		s.has("fault", s.Reading().Ask.Fault, "longer than a note may be")
		s.SetReason("no thanks")
		s.RejectNoted()
		synctest.Wait()
		if m := s.mail("m00"); m.State != "rejecting" || m.Reason != "no thanks" {
			t.Errorf("mail %+v", m)
		}
		s.Show(PageRejected)
		s.Select("m00")
		synctest.Wait()
		if n := s.Reading().Notices; len(n) == 0 || n[len(n)-1].Text != "Your note: no thanks" {
			t.Errorf("notices %+v", n)
		}
	})
}

func TestAMailWhoseFreeOnesAreUsedUpIsNotOpenedBeforeAnAccept(t *testing.T) {
	play(t, crowd(1), func(s *stage) {
		s.agent.AddMail(agentclient.Message{Mail: agentclient.Mail{ID: "u", From: "friend@example.net", Name: "A Friend", State: "unpaid", Subject: "More"}, Text: "Hello\n"})
		synctest.Wait()
		s.SetFilter(FilterUnopened)
		if rows := s.Folder().All(); len(rows) != 1 || rows[0].Amount != "free" || rows[0].Note != "used up" {
			t.Fatalf("rows %+v", rows)
		}
		s.Select("u")
		synctest.Wait()
		r := s.Reading()
		if s.count("Look") != 0 || r.Opened || !r.May.Accept || !r.May.Reject || r.Reply {
			t.Errorf("reading %+v", r)
		}
		s.has("notice", r.Notices[0].Text, "The free mails of A Friend are used up; not opened.")
		s.has("money", r.Amount+" "+r.Money, "no money was put down")
		s.Accept()
		synctest.Wait()
		s.has("told", s.Told().Text, "No money was put down, so none moves.")
		if s.mail("u").State != "accepted" {
			t.Error("not accepted")
		}
	})
}
