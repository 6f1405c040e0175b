package viewmodel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/words"
)

// oneSent sends a mail and chooses it.
func (s *stage) oneSent() string {
	s.Helper()
	sent, err := s.agent.Send(context.Background(), agentclient.Compose{To: []string{"author@example.net"}, Subject: "Hi"})
	if err != nil {
		s.Fatal(err)
	}
	synctest.Wait()
	s.Show(PageSent)
	s.SelectSent(sent[0].ID)
	return sent[0].ID
}

func TestTheLifeOfASentMail(t *testing.T) {
	for state, want := range map[string][]string{
		"submitted": {"On its way. €0.50 is held. If it does not arrive by", "Paid ✓, Handed to your mail server ✓, Arrived, Decided"},
		"arrived":   {"Delivered. €0.50 is held until author@example.net decides, by ", "Paid ✓, Handed to your mail server ✓, Arrived ✓, Decided"},
		"accepted":  {"Accepted. Your €0.50 is back and can be spent.", "Paid ✓, Handed to your mail server ✓, Accepted ✓, Refunded ✓"},
		"rejected":  {"Rejected. €0.50 went to Example Escrow Society. Your key was deleted.", "Paid ✓, Handed to your mail server ✓, Rejected ✓, Forfeited ✓"},
		"expired":   {"Your €0.50 is back and can be spent.", "Paid ✓, Handed to your mail server ✓, Expired ✓, Refunded ✓"},
		"withdrawn": {"Withdrawn. Your €0.50 is back and can be spent. The mail will not be opened.", "Paid ✓, Handed to your mail server ✓, Withdrawn ✓, Refunded ✓"},
	} {
		play(t, agenttest.Scene, func(s *stage) {
			s.agent.MoveSent(s.oneSent(), state)
			synctest.Wait()
			m := s.SentMail()
			s.has(state, m.Summary, want[0])
			var line []string
			for _, step := range m.Steps {
				if line = append(line, step.Title); step.Done {
					line[len(line)-1] += " ✓"
				}
			}
			if got := strings.Join(line, ", "); got != want[1] {
				t.Errorf("%s: %s", state, got)
			}
			if last := m.Steps[len(m.Steps)-1]; !last.Last || m.MayWithdraw != (state == "submitted") {
				t.Errorf("%s: %+v", state, m)
			}
		})
	}
}

func TestTheLifeOfASentMailTellsOfOutagesThatMovedItsDeadline(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		id := s.oneSent()
		began := time.Now().Add(-30 * time.Hour)
		change := func(outages int, do func(m *agentclient.Sent)) {
			s.agent.ChangeSent(id, func(m *agentclient.Sent) {
				m.Outages = nil
				for i := range outages {
					at := began.Add(time.Duration(i) * 10 * time.Hour)
					m.Outages = append(m.Outages, agentclient.Outage{Escrow: "escrow.example", Began: at, Ended: at.Add(3 * time.Hour)})
				}
				do(m)
			})
			synctest.Wait()
		}
		steps := func() string {
			var all []string
			for _, step := range s.SentMail().Steps {
				all = append(all, step.Title+" "+step.Time)
			}
			return strings.Join(all, ", ")
		}
		change(1, func(m *agentclient.Sent) { m.At = began.Add(-time.Hour); m.SubmittedAt = m.At })
		s.has("summary", s.SentMail().Summary, "If it does not arrive by", "it comes back. escrow.example was away from 30 Dec 1999 18:00 until 30 Dec 1999 21:00, and the deadline moved with it.")
		s.has("line of life", steps(), "escrow.example away until 30 Dec 1999 21:00 30 Dec 1999 18:00, Arrived by")
		change(2, func(m *agentclient.Sent) { m.State, m.ArrivedAt = "arrived", began.Add(5*time.Hour) })
		s.has("summary", s.SentMail().Summary, "escrow.example was away 2 times, last from")
		if got := steps(); strings.Count(got, " away until ") != 2 || strings.Index(got, "Arrived") < strings.Index(got, " away until ") || strings.Index(got, "Arrived") > strings.LastIndex(got, " away until ") {
			t.Errorf("line of life: %s", got)
		}
		for _, read := range []time.Duration{6 * time.Hour, 20 * time.Hour} {
			change(2, func(m *agentclient.Sent) { m.ReadAt = began.Add(read) })
			if got := steps(); strings.Count(got, " away until ") != 2 || (strings.Index(got, "Read") > strings.LastIndex(got, " away until ")) != (read == 20*time.Hour) {
				t.Errorf("read after %s: %s", read, got)
			}
		}
		s.Speak(words.German)
		s.has("summary", s.SentMail().Summary, "escrow.example war 2-mal nicht erreichbar, zuletzt von", "die Frist ist entsprechend später.")
		change(2, func(m *agentclient.Sent) { m.State, m.Money, m.EndedAt = "accepted", "refunded", time.Now() })
		if m := s.SentMail(); strings.Contains(m.Summary, "erreichbar") || strings.Count(steps(), "nicht erreichbar bis") != 2 {
			t.Errorf("ended: %q, %s", m.Summary, steps())
		}
	})
}

func TestK19_TheAbsenceOfAReadIsNotNews(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		id := s.oneSent()
		if m := s.SentMail(); m.Silence != "" {
			t.Errorf("before it arrived: %q", m.Silence)
		}
		s.agent.MoveSent(id, "arrived")
		synctest.Wait()
		s.has("silence", s.SentMail().Silence, "That proves nothing")
		s.agent.ChangeSent(id, func(m *agentclient.Sent) { m.ReadAt = time.Now() })
		synctest.Wait()
		if m := s.SentMail(); m.Silence != "" || m.Steps[3].Title != "Read" || !m.Steps[3].Done {
			t.Errorf("read: %+v", m)
		}
	})
}

func TestRefundedIsSaidOnlyWhenItCanBeSpent(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		id := s.oneSent()
		for state, want := range map[string]string{"accepted": "on its way back", "expired": "on its way back", "withdrawn": "on its way back"} {
			s.agent.ChangeSent(id, func(m *agentclient.Sent) { m.State, m.EndedAt = state, time.Now() })
			synctest.Wait()
			m := s.SentMail()
			s.has(state, m.Summary, want)
			if m.Money != "held" || m.Steps[len(m.Steps)-1].Done {
				t.Errorf("%s: %+v", state, m)
			}
		}
	})
}

func TestASentMailCanBeTakenBackUntilItArrives(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		id := s.oneSent()
		s.agent.Fail("Withdraw", &agentclient.Failure{Code: agentclient.CodeState, Happened: "It has arrived."})
		s.Withdraw()
		synctest.Wait()
		s.has("notice", s.SentMail().Notice, "It has arrived.")
		s.agent.Fail("Withdraw", nil)
		s.Withdraw()
		s.Withdraw()
		synctest.Wait()
		s.has("summary", s.SentMail().Summary, "You asked for it back. €0.50 is held until the mail's key is destroyed unopened")
		if n := s.count("Withdraw"); n != 2 {
			t.Errorf("asked %d times", n)
		}
		s.agent.MoveSent(id, "withdrawn")
		synctest.Wait()
		s.has("summary", s.SentMail().Summary, "Withdrawn. Your €0.50 is back")
	})
}

func TestAMailThatNeverWentOutIsWrittenAgain(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		id := s.oneSent()
		s.agent.MoveSent(id, "failed")
		s.agent.ChangeSent(id, func(m *agentclient.Sent) { m.Kept, m.SubmittedAt = true, time.Time{} })
		synctest.Wait()
		if !s.SentMail().MayRedraft {
			t.Fatalf("sent: %+v", s.SentMail())
		}
		s.agent.Fail("Redraft", errAway)
		s.Redraft()
		synctest.Wait()
		s.has("notice", s.SentMail().Notice, "No agent answers.")
		s.agent.Fail("Redraft", nil)
		s.Redraft()
		synctest.Wait()
		d := s.Draft()
		if s.Page() != PageWrite || d.Subject != "Hi" || d.Body != "The text that was kept.\n" || len(d.Recipients) != 1 || d.Price != "€0.50" {
			t.Errorf("draft: %+v", d)
		}
	})
}

func TestSentMailsAreFoundBySearchAndFilter(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		id := s.oneSent()
		s.agent.MoveSent(id, "rejected")
		synctest.Wait()
		for filter, want := range map[SentFilter]int{SentAll: 3, SentOnWay: 0, SentHeld: 2, SentRejected: 1, SentAccepted: 0, SentExpired: 0, SentFree: 0, SentFailed: 0} {
			s.FilterSent(filter)
			if v := s.SentView(); v.Count != want || v.Filter != filter || (v.Empty.Title == "") != (want > 0) {
				t.Errorf("%s: %+v", filter, v)
			}
		}
		s.FilterSent(SentAll)
		s.SearchSent("PATCH review")
		if v := s.SentView(); v.Count != 1 || s.SentRow(0).Subject != "Would you review my patch?" {
			t.Errorf("found: %+v", v)
		}
		s.Move(1)
		if s.SentMail().Subject != "Would you review my patch?" || s.SentView().Selected != 0 {
			t.Error("the only row found is not the next one")
		}
		s.SearchSent("nobody")
		s.has("empty", s.SentView().Empty.Text, "“nobody”")
		s.Move(1)
	})
}

func TestOneEventAsksForOneMail(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		id := s.oneSent()
		whole, one := s.count("Sent"), s.count("SentByID")
		s.agent.MoveSent(id, "arrived")
		synctest.Wait()
		if s.count("Sent") != whole || s.count("SentByID") != one+1 || s.SentRow(0).Note != "held" {
			t.Errorf("asked for %d lists and %d mails", s.count("Sent")-whole, s.count("SentByID")-one)
		}
		release := s.agent.Hold("SentByID")
		for range 100 {
			s.agent.ChangeSent(id, func(*agentclient.Sent) {})
		}
		for i := range 100 {
			s.agent.Emit(agentclient.Event{Type: agentclient.EventSent, ID: fmt.Sprint(i)})
		}
		synctest.Wait()
		release()
		synctest.Wait()
		if n := s.count("SentByID") - one; n > manyNews+2 {
			t.Errorf("a burst asked for %d mails", n)
		}
	})
}

func TestReceiptsAreCheckedShownAndExported(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.oneSent()
		if !s.SentMail().MayProve {
			t.Fatal("no receipts are offered")
		}
		release := s.agent.Hold("Receipts")
		s.CheckReceipts()
		s.has("loading", s.SentMail().Proof.Loading, "Checking")
		release()
		synctest.Wait()
		p := s.SentMail().Proof
		if p.Tone != Good || len(p.Steps) != 1 || p.Steps[0].Title != "Paid: held" || !p.MaySave || !strings.HasSuffix(p.FileName, ".json") {
			t.Fatalf("proof: %+v", p)
		}
		s.has("verdict", p.Verdict, "The chain is whole")
		var file []byte
		s.SaveReceipts(func(data []byte) error { file = data; return nil })
		synctest.Wait()
		var saved agentclient.Receipts
		if err := json.Unmarshal(file, &saved); err != nil || saved.Bond != p.Bond || s.SentMail().Proof.Saved != "The receipts were saved." {
			t.Fatalf("saved %+v, %v", saved, err)
		}
		s.SaveReceipts(func([]byte) error { return errors.New("the disk is full") })
		synctest.Wait()
		s.has("saved", s.SentMail().Proof.Saved, "not saved. The disk is full.")

		s.CheckReceiptFile("mine.json", file)
		synctest.Wait()
		if p = s.SentMail().Proof; !p.File || p.Tone != Good || p.Title != "mine.json" || s.SentMail().Show {
			t.Errorf("file: %+v", p)
		}
		saved.Receipts[0] = "forged"
		forged, err := json.Marshal(saved)
		if err != nil {
			t.Fatal(err)
		}
		s.CheckReceiptFile("forged.json", forged)
		synctest.Wait()
		p = s.SentMail().Proof
		s.has("verdict", p.Verdict, "do not prove what they say")
		if p.Tone != Against || p.Steps[0].Done {
			t.Errorf("forged: %+v", p)
		}
		for _, bad := range []string{"", "{}", "[1]", "not json", string(file) + "{}"} {
			s.CheckReceiptFile("bad.json", []byte(bad))
			s.has("verdict", s.SentMail().Proof.Verdict, "bad.json holds no receipts")
		}
		s.CloseReceipts()
		if m := s.SentMail(); m.Proof.Show || !m.Show {
			t.Errorf("closed: %+v", m)
		}
	})
}

// thousands is an agent with many sent mails.
func thousands(n int) func(func() time.Time) *agenttest.Agent {
	return func(now func() time.Time) *agenttest.Agent {
		a := agenttest.Scene(now)
		mails := make([]agentclient.Sent, n)
		for i := range mails {
			mails[i] = agentclient.Sent{ID: fmt.Sprintf("m%d", i), To: fmt.Sprintf("person%d@example.org", i), Subject: fmt.Sprintf("Subject %d", i),
				Price: agentclient.Money{Amount: "0.25", Currency: "escrow.example", Unit: "EUR"}, State: "accepted", Money: "refunded", At: now()}
		}
		a.AddSent(mails...)
		return a
	}
}

func TestTenThousandSentMailsStaySmooth(t *testing.T) {
	play(t, thousands(10_000), func(s *stage) {
		s.Show(PageSent)
		s.SelectSent("m9999")
		screen := func() {
			v := s.SentView()
			for i := range min(v.Count, 20) {
				s.SentRow(i)
			}
			s.SentMail()
		}
		screen()
		if v := s.SentView(); v.Count != 10_002 || v.Selected != 9999 {
			t.Fatalf("view: %+v", v)
		}
		draw := testing.AllocsPerRun(10, screen)
		s.SearchSent("person77")
		if v := s.SentView(); v.Count != 111 {
			t.Errorf("found %d", v.Count)
		}
		if draw > 2000 {
			t.Errorf("drawing the list anew costs %.0f allocations", draw)
		}
	})
}

func BenchmarkSentRefresh(b *testing.B) {
	m := New(Config{Agent: thousands(10_000)(time.Now)})
	m.loadSent(context.Background())
	b.Run("redraw", func(b *testing.B) {
		for b.Loop() {
			for i := range m.SentView().Count {
				if i == 20 {
					break
				}
				m.SentRow(i)
			}
			m.SentMail()
		}
	})
	b.Run("search", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			m.SearchSent(fmt.Sprint("person", i%10))
			m.SentView()
		}
	})
}
