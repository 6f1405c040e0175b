package viewmodel

import (
	"testing"
	"testing/synctest"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

// TestNobodyCanWriteToAnAccountWithoutMoney: the escrow takes no keys of it, and
// the person hears so before strangers do.
func TestNobodyCanWriteToAnAccountWithoutMoney(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		if got := s.StatusLine(); got.Trouble {
			t.Fatalf("at first: %+v", got)
		}
		s.agent.SetBalance("escrow.example", "EUR", "0.00", "0.00")
		s.agent.SetStatus(func(status *agentclient.Status) { status.Accounts[0].Pool = 0 })
		synctest.Wait()
		s.has("the status", s.StatusLine().Text, "no keys of yours to sell yet")
		s.Show(PageWaiting)
		s.Search("nobody at all")
		s.Search("")
		s.agent.SetBalance("escrow.example", "EUR", "0.00", "0.25")
		synctest.Wait()
		if got := s.StatusLine(); got.Trouble {
			t.Errorf("with money held: %+v", got)
		}
	})
}
