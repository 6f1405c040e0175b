package viewmodel

import (
	"testing"
	"testing/synctest"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/words"
)

// decided has nothing open, so that the account can go.
func decided(s *stage) {
	s.Helper()
	s.agent.SetBalance("escrow.example", "EUR", "4.75", "0.00")
	for _, id := range []string{agenttest.SceneQuestion, agenttest.SceneTalk, agenttest.SceneHeld} {
		s.agent.ChangeMail(id, func(m *agentclient.Message) { m.State = "accepted" })
	}
	synctest.Wait()
}

func TestW_RemovingAnAccountIsAskedTwiceWhereMoneyIsThere(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		decided(s)
		asked := func() Removal { return s.Settings().Accounts[0].Removal }
		s.RemoveAccount()
		synctest.Wait()
		if s.count("RemoveAccount") != 0 || asked().Asked {
			t.Fatal("removed without a question")
		}
		s.AskRemoveAccount("recipient@example.org")
		s.has("question", asked().Title+asked().Text, "Remove recipient@example.org", "keys", "provider stays", "releases the address: it can be set up there again")
		s.KeepAccount()
		if asked().Asked {
			t.Error("no is no answer")
		}
		s.AskRemoveAccount("recipient@example.org")
		s.RemoveAccount()
		synctest.Wait()
		s.has("second question", asked().Title+asked().Text+asked().Remove, "Leave the money behind?", "€4.75 of this account is available at escrow.example", "Remove it anyway")
		s.Speak(words.German)
		s.has("second question", asked().Text, "verfügbar")
		s.Speak(words.English)
		if len(s.Settings().Accounts) != 1 {
			t.Fatal("removed at the first question")
		}
		s.RemoveAccount()
		synctest.Wait()
		v := s.Settings()
		if len(v.Accounts) != 0 || s.Page() != PageAccount || s.Folder().Len != 0 {
			t.Errorf("after it: %+v, page %s, %d mails", v.Accounts, s.Page(), s.Folder().Len)
		}
		s.has("said", v.Done, "recipient@example.org was removed")
	})
}

func TestW_AnAccountWithOpenBondsStaysAndSaysWhy(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.AskRemoveAccount("recipient@example.org")
		s.RemoveAccount()
		if r := s.Settings().Accounts[0].Removal; !r.Busy {
			t.Errorf("while it is asked: %+v", r)
		}
		synctest.Wait()
		r := s.Settings().Accounts[0].Removal
		s.has("fault", r.Error, "still open")
		if !r.Asked || r.Busy || len(s.Settings().Accounts) != 1 {
			t.Errorf("refused: %+v", r)
		}
		s.agent.SetStatus(func(st *agentclient.Status) { st.Accounts[0].EscrowUp = false })
		s.agent.Fail("RemoveAccount", &agentclient.Failure{Code: agentclient.CodeState, Field: "force", Happened: "No answer."})
		s.RemoveAccount()
		synctest.Wait()
		s.has("question", s.Settings().Accounts[0].Removal.Text, "escrow.example does not answer", "nobody can use it again")
	})
}
