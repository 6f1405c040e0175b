package viewmodel

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

// stage runs a model over an agent in memory, in the bubble's own time.
type stage struct {
	*testing.T
	*Model
	agent *agenttest.Agent
}

// play runs a test in a bubble, where time passes only while all wait.
func play(t *testing.T, agent func(func() time.Time) *agenttest.Agent, act func(*stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &stage{T: t, agent: agent(time.Now)}
		s.Model = New(Config{Agent: s.agent, Location: time.UTC})
		s.live(func() { act(s) })
	})
}

func (s *stage) live(act func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Model.Run(ctx) }()
	defer func() { cancel(); <-done }()
	synctest.Wait()
	act()
}

func (s *stage) has(what, got string, want ...string) {
	s.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			s.Errorf("%s is %q; it should contain %q", what, got, w)
		}
	}
}

func (s *stage) count(method string) (n int) {
	for _, call := range s.agent.Calls() {
		if call == method {
			n++
		}
	}
	return n
}

func (s *stage) mail(id string) agentclient.Mail {
	s.Helper()
	mails, err := s.agent.Inbox(context.Background())
	if err != nil {
		s.Fatal(err)
	}
	for _, m := range mails {
		if m.ID == id {
			return m
		}
	}
	s.Fatalf("no mail %s", id)
	return agentclient.Mail{}
}

var errAway = &agentclient.Failure{Code: agentclient.CodeNoAgent, Happened: "No agent answers."}

func TestTheWindowListsWhatWaitsByDeadline(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		rows := s.Folder().All()
		var ids []string
		for _, r := range rows {
			ids = append(ids, r.ID)
		}
		if got, want := strings.Join(ids, " "), strings.Join([]string{agenttest.SceneTalk, agenttest.SceneDamaged, agenttest.SceneQuestion, agenttest.SceneHeld}, " "); got != want {
			t.Fatalf("listed %s, want %s", got, want)
		}
		if rows[0].Note != "16 hours" || rows[0].NoteTone != Waits || rows[0].Title != "Conference Host" || rows[0].Aside != "host@example.net" || rows[0].Amount != "€0.25" {
			t.Errorf("row: %+v", rows[0])
		}
		if rows[2].Note != "14 days" || rows[2].NoteTone != Muted {
			t.Errorf("row: %+v", rows[2])
		}
		if s.Reading().Show || s.count("Look") != 0 {
			t.Error("a mail was opened before the person chose one, so it would be reported as read")
		}
		if line := s.StatusLine(); line.Text != "watching recipient@example.org  ·  escrow.example answers  ·  €4.75 available, €0.50 held" || line.Trouble {
			t.Errorf("status line: %+v", line)
		}
	})
}

func TestReadingShowsMoneyBesideItsState(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Select(agenttest.SceneQuestion)
		if r := s.Reading(); !r.Show || !r.Loading || r.Subject != "A question about your compiler paper" {
			t.Errorf("while it is opened: %+v", r)
		}
		synctest.Wait()
		r := s.Reading()
		s.has("money", r.Amount+" "+r.Money, "€0.25 held · comes back to the sender unless you reject · decide by ")
		s.has("text", r.plain(), "in section 3")
		if len(r.Files) != 1 || r.Files[0].Name != "draft.pdf" || !strings.Contains(r.Marks, "first time") || !r.May.Accept || !r.May.Reject || r.May.Undo {
			t.Errorf("reading: %+v", r)
		}
		s.Select(agenttest.SceneQuestion)
		synctest.Wait()
		if n := s.count("Look"); n != 1 {
			t.Errorf("the open mail was asked for %d times", n)
		}
	})
}

func TestALongMailIsShownInParts(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.agent.AddMail(agentclient.Message{Mail: agentclient.Mail{ID: "long"}, Text: strings.Repeat("line\n", 100*firstLines)})
		synctest.Wait()
		s.Select("long")
		synctest.Wait()
		before := len(s.Reading().plain())
		for range mostMore {
			if !s.Reading().More {
				t.Fatal("there is no more")
			}
			s.More()
		}
		r := s.Reading()
		if len(r.plain()) < 7*before || r.More || len(r.Notices) != 1 {
			t.Errorf("%d of %d bytes, more %v, notices %v", len(r.plain()), before, r.More, r.Notices)
		}
		s.has("notice", r.Notices[0].Text, "earnest read long")
		s.Select(agenttest.SceneTalk)
		s.Select("long")
		synctest.Wait()
		if got := len(s.Reading().plain()); got != before {
			t.Errorf("opened again it begins with %d bytes", got)
		}
	})
}

func TestAHeldOrDamagedMailIsNeverOpened(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		for id, want := range map[string]string{agenttest.SceneHeld: "confirms that it is paid", agenttest.SceneDamaged: "nothing was decided"} {
			s.Select(id)
			synctest.Wait()
			r := s.Reading()
			if r.May != (May{}) || r.plain() != "" || len(r.Notices) == 0 {
				t.Fatalf("%s: %+v", id, r)
			}
			s.has("notice", r.Notices[0].Text, want)
			s.Accept()
			s.Reject()
			synctest.Wait()
		}
		if n := s.count("Look") + s.count("Accept") + s.count("Reject"); n != 0 {
			t.Errorf("the agent was asked %d times", n)
		}
	})
}

func TestK13_RejectCountsDownAndUndoTakesItBack(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Select(agenttest.SceneTalk)
		synctest.Wait()
		s.Reject()
		s.Reject() // a second press before the answer asks nothing more
		synctest.Wait()
		if n := s.count("Reject"); n != 1 {
			t.Fatalf("rejected %d times", n)
		}
		if u := s.Undo(); u.Text != "Rejected Conference Host: €0.25 goes to Example Escrow Society in 10:00." {
			t.Errorf("undo bar: %q", u.Text)
		}
		drawn := 0
		s.OnChange(func() { drawn++ })
		time.Sleep(2 * time.Second)
		synctest.Wait()
		s.has("undo bar", s.Undo().Text, "in 9:58.")
		if drawn < 2 {
			t.Errorf("the countdown was drawn %d times in 2 s", drawn)
		}
		s.OnChange(nil)
		if sel := s.Folder().All()[0]; sel.ID != agenttest.SceneDamaged || !sel.Selected {
			t.Errorf("the next mail is not chosen: %+v", sel)
		}
		s.UndoReject()
		synctest.Wait()
		if s.Undo().Show || s.mail(agenttest.SceneTalk).State != "waiting" {
			t.Error("the reject was not taken back")
		}

		s.Select(agenttest.SceneTalk)
		synctest.Wait()
		s.Reject()
		synctest.Wait()
		time.Sleep(agenttest.Undo + time.Second)
		if s.Undo().Show {
			t.Error("an undo is offered after its time, before the agent has said so")
		}
		s.agent.Tick()
		synctest.Wait()
		if s.Undo().Show {
			t.Error("an undo is offered after the reject took effect")
		}
		s.UndoReject()
		synctest.Wait()
		if n := s.count("Undo"); n != 1 {
			t.Errorf("undo was asked %d times", n)
		}
		s.Show(PageRejected)
		s.Select(agenttest.SceneTalk)
		synctest.Wait()
		s.has("fate", s.Reading().Money, "forfeited to Example Escrow Society")
	})
}

func TestADecisionHitsOnlyTheMailThatIsShown(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Accept()
		s.Select(agenttest.SceneTalk)
		synctest.Wait()
		s.Show(PageMoney)
		s.Accept()
		s.Reject()
		s.Show(PageRejected)
		s.Reject()
		synctest.Wait()
		if s.count("Accept")+s.count("Reject") != 0 {
			t.Error("a mail out of sight was decided")
		}
	})
}

func TestASlowAnswerDoesNotTakeThePlaceOfTheMailChosenSince(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		release := s.agent.Hold("Look")
		s.Select(agenttest.SceneTalk)
		synctest.Wait()
		s.Select(agenttest.SceneHeld)
		release()
		synctest.Wait()
		if r := s.Reading(); r.ID != agenttest.SceneHeld || r.plain() != "" {
			t.Errorf("reading: %+v", r)
		}
	})
}

func TestAMailThatExpiresWhileItIsOpenSaysSo(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Select(agenttest.SceneTalk)
		synctest.Wait()
		time.Sleep(17 * time.Hour)
		s.agent.Tick()
		synctest.Wait()
		r := s.Reading()
		s.has("fate", r.Money, "refunded to the sender, because nobody decided in time")
		if r.May.Reject || !r.May.Accept || len(s.Folder().All()) != 3 {
			t.Errorf("reading: %+v", r)
		}
	})
}

func TestAFailedDecisionSaysWhyAndCanBeRepeated(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Select(agenttest.SceneTalk)
		synctest.Wait()
		s.agent.Fail("Accept", &agentclient.Failure{Code: "too_late", Happened: "The time to decide is over.", Means: "The money went back."})
		s.Accept()
		synctest.Wait()
		r := s.Reading()
		if len(r.Notices) != 1 || r.Notices[0].Text != "The time to decide is over. The money went back." || !r.May.Accept {
			t.Fatalf("reading: %+v", r)
		}
		s.agent.Fail("Accept", nil)
		s.Accept()
		synctest.Wait()
		if s.mail(agenttest.SceneTalk).State != "accepted" {
			t.Error("not accepted")
		}
	})
}

func TestWithTheEscrowAwayADecisionIsKept(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.agent.SetStatus(func(st *agentclient.Status) {
			st.Accounts[0].EscrowUp, st.Accounts[0].EscrowSince = false, time.Date(2000, 1, 1, 10, 12, 0, 0, time.UTC)
		})
		s.Select(agenttest.SceneTalk)
		synctest.Wait()
		s.Accept()
		synctest.Wait()
		line := s.StatusLine()
		s.has("status line", line.Text, "escrow.example does not answer since 10:12", "kept and goes out when it is back", "deadlines wait too")
		s.Show(PageAccepted)
		s.Select(agenttest.SceneTalk)
		synctest.Wait()
		if r := s.Reading(); strings.Contains(r.Money, "refunded") || !strings.Contains(r.Money, "held") || !line.Trouble {
			t.Errorf("refunded is said before it can be spent: %+v", r)
		}
	})
}

func TestJAndKWalkTheList(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		chosen := func() string {
			synctest.Wait()
			for _, r := range s.Folder().All() {
				if r.Selected {
					return r.ID
				}
			}
			return ""
		}
		s.Move(1)
		if got := chosen(); got != agenttest.SceneTalk {
			t.Errorf("first: %s", got)
		}
		s.Move(-1)
		if got := chosen(); got != agenttest.SceneTalk {
			t.Errorf("before the first: %s", got)
		}
		for range 9 {
			s.Move(1)
		}
		if got := chosen(); got != agenttest.SceneHeld {
			t.Errorf("last: %s", got)
		}
		s.Search("compiler ada")
		if rows := s.Folder().All(); len(rows) != 1 || rows[0].ID != agenttest.SceneQuestion {
			t.Errorf("found: %+v", rows)
		}
		s.Search("nobody")
		if e := s.Folder().Empty; e.Title != "Nothing found" {
			t.Errorf("empty: %+v", e)
		}
	})
}

func TestAnEmptyInboxSaysWhatAPriceDoes(t *testing.T) {
	play(t, func(now func() time.Time) *agenttest.Agent {
		a := agenttest.New(now)
		if _, err := a.AddAccount(context.Background(), agentclient.AddAccount{Address: "me@example.org", Password: "x"}); err != nil {
			t.Fatal(err)
		}
		a.SetOffer("me@example.org", "0.25")
		return a
	}, func(s *stage) {
		e := s.Folder().Empty
		if e.Title != "Nothing is waiting" || !e.Price || !e.Card ||
			e.Text != "Strangers put down €0.25 to write to you, and get it back unless you reject." {
			t.Errorf("empty: %+v", e)
		}
		id := s.agent.AddMail(agentclient.Message{Mail: agentclient.Mail{From: "new@example.net"}})
		synctest.Wait()
		if rows := s.Folder().All(); len(rows) != 1 || rows[0].ID != id || rows[0].Subject != "(no subject)" {
			t.Errorf("a mail that came in is not shown by itself: %+v", rows)
		}
	})
}

func TestAThousandAttachmentsAreNotAllListed(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.agent.AddMail(agentclient.Message{Mail: agentclient.Mail{ID: "many"}, Attachments: make([]agentclient.Attachment, 1000)})
		synctest.Wait()
		s.Select("many")
		synctest.Wait()
		r := s.Reading()
		if len(r.Files) != maxFiles || r.Files[0].Name != "unnamed" || len(r.Notices) != 1 {
			t.Fatalf("%d files, notices %v", len(r.Files), r.Notices)
		}
		s.has("notice", r.Notices[0].Text, "1000 attachments")
	})
}

func TestAttachmentsAreSavedApartFromTheDrawing(t *testing.T) {
	dir := t.TempDir()
	play(t, agenttest.Scene, func(s *stage) {
		s.Select(agenttest.SceneQuestion)
		synctest.Wait()
		s.SaveAttachment(0, dir)
		synctest.Wait()
		data, err := os.ReadFile(filepath.Join(dir, "draft.pdf"))
		if err != nil || string(data) != "%PDF-1.7 a draft\n" {
			t.Errorf("saved %q, %v", data, err)
		}
		s.has("saved", s.Reading().Files[0].Saved, "Saved: ", "draft.pdf")
		s.SaveAttachment(0, dir) // never over what is there
		synctest.Wait()
		s.has("saved again", s.Reading().Files[0].Saved, "draft (2).pdf")
		s.SaveAttachment(0, filepath.Join(dir, "draft.pdf"))
		synctest.Wait()
		s.has("fault", s.Reading().Files[0].Fault, "Not saved: The folder cannot be used. Choose another one.")
	})
}

// plain is the text as it stands, without its directions.
func (r Reading) plain() string {
	var all []string
	for _, part := range r.Parts {
		all = append(all, part.Text)
	}
	return strings.Join(all, "\n")
}
