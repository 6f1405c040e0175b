package viewmodel

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/words"
)

// TestK17_OrdinaryMailIsAnsweredOnlyWhereTheOwnerSaysSo: off by default, and both the
// switch and the words go to the agent and nowhere else.
func TestK17_OrdinaryMailIsAnsweredOnlyWhereTheOwnerSaysSo(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		before, _ := s.agent.Price(context.Background(), "")
		v := s.Answer()
		if v.On || v.Count != "" || v.Changed || v.Text != "" {
			t.Fatalf("at first: %+v", v)
		}
		s.TypeAnswer("  Dear stranger!\n")
		v = s.Answer()
		s.has("preview", v.Preview, "Dear stranger!\n\nTo be read for sure", "€0.25")
		if !v.Changed {
			t.Error("there is nothing to save")
		}
		s.SetExclusive(true)
		if v := s.Answer(); !v.Busy || !v.On {
			t.Errorf("while it is asked: %+v", v)
		}
		synctest.Wait()
		v = s.Answer()
		if !v.On || v.Text != "Dear stranger!" || v.Changed || v.Busy || v.Count != "Nobody was answered in the last 7 days." {
			t.Errorf("on: %+v", v)
		}
		s.has("said", v.Done, "from now on is answered")
		after, _ := s.agent.Price(context.Background(), "")
		if !after.Exclusive || after.Answer != "Dear stranger!" || after.DecideWithin != before.DecideWithin || len(after.Options) != len(before.Options) {
			t.Errorf("the agent has %+v", after)
		}
		s.agent.ChangeOffer("recipient@example.org", func(p *agentclient.Price) { p.Answered = 3 })
		s.agent.Emit(agentclient.Event{Type: agentclient.EventPrice})
		synctest.Wait()
		s.has("count", s.Answer().Count, "3 people were answered")
		s.Speak(words.German)
		s.has("count", s.Answer().Count+s.Answer().Done, "bekamen 3 Personen", "wird beantwortet")
		s.Speak(words.English)
		s.TypeAnswer("")
		s.SaveAnswer()
		synctest.Wait()
		s.SetExclusive(false)
		synctest.Wait()
		after, _ = s.agent.Price(context.Background(), "")
		if after.Exclusive || after.Answer != "" || s.Answer().On {
			t.Errorf("off: %+v", after)
		}
		s.has("said", s.Answer().Done, "no longer answered")
	})
}

func TestK17_WordsThatCannotBeSentAreSaidBesideTheField(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.TypeAnswer(strings.Repeat("x", agentclient.MaxAnswer-7))
		s.has("room", s.Answer().Left, "7 more characters")
		s.TypeAnswer(strings.Repeat("x", agentclient.MaxAnswer+1))
		s.has("fault", s.Answer().Fault, "longer than 2000 characters")
		s.SaveAnswer()
		s.SetExclusive(true)
		synctest.Wait()
		if v := s.Answer(); v.On || v.Fault == "" || len(v.Text) != agentclient.MaxAnswer+1 || s.count("SetPrice") != 0 {
			t.Errorf("words that cannot be sent were handed over, or are gone: on %v, %d letters", v.On, len(v.Text))
		}
		s.UndoAnswer()
		if v := s.Answer(); v.Text != "" || v.Fault != "" || v.Changed {
			t.Errorf("taken back: %+v", v)
		}
		s.agent.Fail("SetPrice", errAway)
		s.TypeAnswer("Hello")
		s.SaveAnswer()
		synctest.Wait()
		v := s.Answer()
		s.has("error", v.Error, "No agent answers.")
		if v.Text != "Hello" || !v.Changed || v.Busy {
			t.Errorf("what was typed: %+v", v)
		}
	})
}

func TestK17_WithoutAPriceNobodyIsAnswered(t *testing.T) {
	play(t, agenttest.New, func(s *stage) {
		if _, err := s.agent.AddAccount(context.Background(), agentclient.AddAccount{Address: "me@example.org", Password: "x"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s.SetExclusive(true)
		synctest.Wait()
		v := s.Answer()
		s.has("error", v.Error, "no price yet")
		if v.On || v.Preview != "" || s.count("SetPrice") != 0 {
			t.Errorf("without a price: %+v", v)
		}
	})
}
