package viewmodel

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

func (s *stage) drafts() []agentclient.Draft {
	s.Helper()
	drafts, err := s.agent.Drafts(context.Background())
	if err != nil {
		s.Fatal(err)
	}
	return drafts
}

func (s *stage) draft(id string) agentclient.Draft {
	s.Helper()
	d, err := s.agent.DraftByID(context.Background(), id)
	if err != nil {
		s.Fatal(err)
	}
	return d
}

func TestADraftIsKeptByItselfWhileOneTypes(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Write()
		s.SetTo("author@example.net, half")
		s.SetSubject("A remark")
		text := ""
		for range 10 { // typing without a rest: never more than two seconds are unkept
			text += "word "
			s.SetBody(text)
			time.Sleep(time.Second)
		}
		synctest.Wait()
		drafts := s.drafts()
		if len(drafts) != 1 || len(strings.Fields(drafts[0].Mail.Body)) < 8 {
			t.Fatalf("while typing: %+v", drafts)
		}
		time.Sleep(keepDelay)
		synctest.Wait()
		drafts = s.drafts()
		if d := drafts[0].Mail; len(drafts) != 1 || d.Body != text || strings.Join(d.To, " ") != "author@example.net half" || d.Subject != "A remark" {
			t.Errorf("kept: %+v", drafts)
		}
		s.has("word", s.Draft().Kept, "kept 00:00")
		saves := s.count("SaveDraft")
		time.Sleep(time.Minute)
		synctest.Wait()
		if s.count("SaveDraft") != saves {
			t.Error("a draft that did not change was kept again")
		}
	})
}

func TestLeavingThePageAndClosingTheWindowKeepTheDraft(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Write()
		s.SetBody("first")
		s.Show(PageWaiting)
		synctest.Wait()
		if drafts := s.drafts(); len(drafts) != 1 || drafts[0].Mail.Body != "first" {
			t.Errorf("after leaving: %+v", drafts)
		}
		s.Write()
		if s.Draft().Body != "first" {
			t.Error("what was typed is not there any more")
		}
	})
	var agent *agenttest.Agent
	play(t, agenttest.Scene, func(s *stage) {
		agent = s.agent
		s.Write()
		s.SetBody("typed just before the window closes")
	})
	synctest.Test(t, func(t *testing.T) {
		if drafts, err := agent.Drafts(context.Background()); err != nil || len(drafts) != 1 || !strings.HasPrefix(drafts[0].Mail.Body, "typed just") {
			t.Errorf("after closing: %+v, %v", drafts, err)
		}
	})
}

func TestADraftOutlivesTheAgent(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Write()
		s.agent.Fail("SaveDraft", errAway)
		s.SetBody("text")
		time.Sleep(3 * time.Second)
		synctest.Wait()
		d := s.Draft()
		if d.KeptTone != Against || d.Body != "text" {
			t.Errorf("draft: %+v", d)
		}
		s.has("word", d.Kept, "Not kept as a draft yet.")
		s.SetAside()
		synctest.Wait()
		s.has("notice", s.Drafts().Notice, "1 draft is not kept yet")
		s.agent.Fail("SaveDraft", nil)
		time.Sleep(2 * retryMost)
		synctest.Wait()
		if drafts := s.drafts(); len(drafts) != 1 || drafts[0].Mail.Body != "text" || s.Drafts().Notice != "" {
			t.Errorf("when it is back: %+v %+v", drafts, s.Drafts())
		}
	})
}

func TestAttachmentsArePartOfADraftAndHandedOverOnce(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Write()
		s.Attach("a.txt", "text/plain", []byte("one"))
		time.Sleep(keepDelay)
		synctest.Wait()
		s.SetBody("text")
		m := s.Model
		m.mu.Lock()
		again := m.draft.whole()
		m.mu.Unlock()
		if a := again.Mail.Attachments[0]; len(a.Data) != 0 || a.Size != 3 {
			t.Errorf("what the agent has is handed over again: %+v", a)
		}
		s.SetAside()
		synctest.Wait()
		id := s.drafts()[0].ID
		if got := s.draft(id).Mail.Attachments; len(got) != 1 || string(got[0].Data) != "one" {
			t.Fatalf("kept: %+v", got)
		}
		s.OpenDraft(id)
		synctest.Wait()
		s.Attach("b.txt", "text/plain", []byte("two"))
		time.Sleep(keepDelay)
		synctest.Wait()
		if got := s.draft(id).Mail.Attachments; len(got) != 2 || string(got[0].Data) != "one" || string(got[1].Data) != "two" {
			t.Errorf("kept: %+v", got)
		}
	})
}

func TestDraftsAreListedOpenedAndSent(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		if e := s.Drafts().Empty; e.Title != "No drafts" {
			t.Errorf("empty: %+v", e)
		}
		for _, subject := range []string{"first", "second"} {
			s.WriteTo("author@example.net", subject, "quoted", "<id@example.net>")
			s.SetBody("text of " + subject)
			time.Sleep(time.Minute)
		}
		s.SetAside()
		synctest.Wait()
		rows := s.Drafts().Rows
		if len(rows) != 2 || rows[0].Subject != "second" || rows[0].Title != "author@example.net" || rows[0].Note != "00:02" && rows[0].Note != "00:01" {
			t.Fatalf("rows: %+v", rows)
		}
		if s.Draft().Subject != "" || !s.Draft().Blank {
			t.Errorf("set aside: %+v", s.Draft())
		}
		s.OpenDraft(rows[1].ID)
		synctest.Wait()
		d := s.Draft()
		if s.Page() != PageWrite || d.Subject != "first" || d.Body != "text of first" || !d.Ready {
			t.Fatalf("opened: %+v", d)
		}
		s.SetBody("changed a moment before it is sent")
		s.Send()
		synctest.Wait()
		if drafts := s.drafts(); len(drafts) != 1 || drafts[0].Mail.Subject != "second" || len(s.Drafts().Rows) != 1 {
			t.Errorf("after sending: %+v", drafts)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(s.drafts()) != 1 {
			t.Error("a draft that was sent came back")
		}
	})
}

func TestAMailSentWhileItsDraftIsBeingKeptLeavesNoDraft(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		release := s.agent.Hold("SaveDraft")
		s.Write()
		s.addressed("author@example.net")
		s.SetSubject("Hello")
		s.SetBody("Text")
		time.Sleep(keepDelay)
		synctest.Wait()
		s.Send()
		synctest.Wait()
		if s.count("Send") != 2 {
			t.Error("it was sent before its draft had an id")
		}
		release()
		synctest.Wait()
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(s.sent()) != 3 || len(s.drafts()) != 0 {
			t.Errorf("sent %d, drafts %+v", len(s.sent()), s.drafts())
		}
	})
}

func TestAMailOfWhichNobodyKnowsWhetherItWentDoesNotComeBackAsADraft(t *testing.T) {
	var agent *agenttest.Agent
	play(t, agenttest.Scene, func(s *stage) {
		agent = s.agent
		s.Write()
		s.addressed("author@example.net")
		s.SetSubject("Hello")
		s.agent.Hold("Send") // and the window closes
		s.Send()
		synctest.Wait()
		if drafts := s.drafts(); len(drafts) != 1 || drafts[0].Mail.Subject != "Hello" {
			t.Errorf("before it is paid it is not kept: %+v", drafts)
		}
		if err := s.agent.DeleteDraft(context.Background(), s.drafts()[0].ID); err != nil { // as the agent does that took it over
			t.Fatal(err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		if drafts, err := agent.Drafts(context.Background()); err != nil || len(drafts) != 0 {
			t.Errorf("after closing: %+v, %v", drafts, err)
		}
	})
}

func TestADeletedDraftCanBeHadBack(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.WriteTo("author@example.net", "kept", "quoted", "")
		s.SetAside()
		synctest.Wait()
		if len(s.drafts()) != 0 {
			t.Error("an answer to which nothing was typed was kept")
		}
		s.WriteTo("author@example.net", "kept", "", "")
		s.SetBody("text")
		s.SetAside()
		synctest.Wait()
		s.Show(PageDrafts)
		id := s.drafts()[0].ID
		s.DeleteDraft(id)
		v := s.Drafts()
		if len(v.Rows) != 0 || v.Undo != "Draft deleted." || s.count("DeleteDraft") != 0 {
			t.Errorf("deleted: %+v", v)
		}
		if !s.UndoDelete() || len(s.Drafts().Rows) != 1 || s.Drafts().Undo != "" {
			t.Errorf("had back: %+v", s.Drafts())
		}
		time.Sleep(2 * undoDelete)
		synctest.Wait()
		if len(s.drafts()) != 1 {
			t.Error("it was deleted all the same")
		}
		s.DeleteDraft(id)
		time.Sleep(undoDelete + time.Second)
		synctest.Wait()
		if len(s.drafts()) != 0 || s.Drafts().Undo != "" || s.UndoDelete() {
			t.Errorf("not deleted: %+v", s.Drafts())
		}
		// The one that is being written, before it was ever kept.
		s.Write()
		s.SetBody("text")
		s.Discard()
		synctest.Wait()
		if s.Page() != PageDrafts || !s.Draft().Blank {
			t.Errorf("discarded: %+v", s.Draft())
		}
		time.Sleep(5 * time.Second)
		if len(s.drafts()) != 0 {
			t.Error("a discarded draft was kept")
		}
		s.UndoDelete()
		if s.Draft().Body != "text" {
			t.Error("the text is gone")
		}
		time.Sleep(keepDelay)
		synctest.Wait()
		if len(s.drafts()) != 1 {
			t.Error("it is not kept again")
		}
	})
}

func TestADraftThatCannotBeOpenedLosesNothing(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.WriteTo("", "one", "", "")
		s.SetBody("text")
		s.SetAside()
		synctest.Wait()
		s.Write()
		s.SetBody("being written")
		s.agent.Fail("DraftByID", errAway)
		s.Show(PageDrafts)
		s.OpenDraft(s.drafts()[len(s.drafts())-1].ID)
		synctest.Wait()
		s.has("notice", s.Drafts().Notice, "No agent answers.")
		if s.Draft().Body != "being written" || s.Page() != PageDrafts {
			t.Errorf("draft: %+v", s.Draft())
		}
	})
}

func TestAnAnswerLeavesWhatIsBeingSentAlone(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.WriteTo("author@example.net", "one", "", "")
		s.SetBody("text")
		synctest.Wait()
		s.agent.Fail("Send", &agentclient.Failure{Code: "sold_out", Happened: "There is no key left."})
		release := s.agent.Hold("Send")
		s.Send()
		synctest.Wait()
		s.WriteTo("recipient@example.org", "Re: two", "", "<two>")
		s.SetBody("answer")
		synctest.Wait()
		if d := s.Draft(); d.Sending || d.Subject != "Re: two" {
			t.Errorf("answer: %+v", d)
		}
		release()
		synctest.Wait()
		if d := s.Draft(); d.Subject != "Re: two" || d.Body != "answer" || s.Page() != PageWrite {
			t.Errorf("answer: %+v", d)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(s.drafts()) != 2 {
			t.Errorf("drafts: %+v", s.drafts())
		}
	})
}
