package viewmodel

import (
	"strings"
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
		s.has("second question", asked().Title+asked().Text+asked().Remove, "Leave the money behind?", "€4.75 of this account is available at escrow.example", "Remove it anyway",
			"If escrow.example answers then, it releases the address", "If not, the address stays bound there")
		s.Speak(words.German)
		s.has("second question", asked().Text, "verfügbar", "Antwortet escrow.example dabei", "Wenn nicht, bleibt sie dort gebunden")
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
		s.has("said", v.Done, "recipient@example.org was removed", "If escrow.example answered, the address is released there", "If not, it stays bound there")
		s.Speak(words.German)
		s.has("said", s.Settings().Done, "Hat escrow.example geantwortet, ist die Adresse dort frei", "Wenn nicht, bleibt sie dort gebunden")
	})
}

// What the escrow has answered is promised; what is done without its answer is not.
func TestW_OnlyARemovalThatWaitsForTheEscrowPromisesToReleaseTheAddress(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		decided(s)
		s.agent.SetBalance("escrow.example", "EUR", "0.00", "0.00")
		s.agent.SetStatus(func(st *agentclient.Status) { st.Accounts[0].EscrowUp = false })
		synctest.Wait()
		s.AskRemoveAccount("recipient@example.org")
		asked := func() string { return s.Settings().Accounts[0].Removal.Text }
		if s.has("question", asked(), "If escrow.example answers then"); strings.Contains(asked(), "example releases the address") {
			t.Errorf("the escrow is away: %q", asked())
		}
		s.agent.SetStatus(func(st *agentclient.Status) { st.Accounts[0].EscrowUp = true })
		synctest.Wait()
		if s.has("question", asked(), "escrow.example releases the address"); strings.Contains(asked(), "If not") {
			t.Errorf("the escrow answers: %q", asked())
		}
		s.RemoveAccount()
		synctest.Wait()
		if done := s.Settings().Done; !strings.Contains(done, "was removed") || strings.Contains(done, "If ") {
			t.Errorf("it was released: %q", done)
		}
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
		s.has("question", s.Settings().Accounts[0].Removal.Text, "escrow.example does not answer", "nobody can use it again", "If not, the address stays bound there until its proof lapses")
	})
}
