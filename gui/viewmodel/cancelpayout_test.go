package viewmodel

import (
	"testing"
	"testing/synctest"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/words"
)

// asks asks for a payout, and returns its row.
func (s *stage) asks(amount string) PayoutRow {
	s.SetPayOutAmount(amount)
	s.SetPayOutTo("IBAN NL91")
	s.AskPayOut()
	synctest.Wait()
	return s.PayOut().Rows[0]
}

func TestAPayoutIsTakenBackOnceItIsConfirmed(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Show(PageMoney)
		row := s.asks("3.00")
		s.CancelPayOut()
		if synctest.Wait(); !row.MayCancel || row.Asking || s.count("CancelPayout") != 0 {
			t.Fatalf("before: %+v, cancelled %d times", row, s.count("CancelPayout"))
		}
		s.AskCancelPayOut(row.ID)
		s.has("means", s.PayOut().Rows[0].Means, "€3.00 is then available again", "48 hours")
		s.KeepPayOut()
		s.CancelPayOut()
		if synctest.Wait(); s.count("CancelPayout") != 0 || s.PayOut().Rows[0].Asking {
			t.Fatal("kept, and taken back")
		}
		s.AskCancelPayOut(row.ID)
		s.CancelPayOut()
		s.CancelPayOut()
		synctest.Wait()
		row = s.PayOut().Rows[0]
		if s.count("CancelPayout") != 1 || row.MayCancel || row.Asking || row.Busy {
			t.Fatalf("taken back %d times: %+v", s.count("CancelPayout"), row)
		}
		s.has("row", row.State+". "+row.Text, "taken back. You took it back. The money is available again.")
		s.has("available", s.Purse().Rows[0].Available, "€4.75")
		s.Speak(words.German)
		s.has("row", s.PayOut().Rows[0].State, "zurückgenommen")
	})
}

func TestAPayoutThatWasPaidMeanwhileSaysSo(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Show(PageMoney)
		row := s.asks("3.00")
		s.AskCancelPayOut(row.ID)
		s.agent.Fail("CancelPayout", &agentclient.Failure{Code: "ended", Happened: "The escrow's operator has paid this payout already."})
		s.CancelPayOut()
		synctest.Wait()
		row = s.PayOut().Rows[0]
		if row.Asking || row.Busy {
			t.Errorf("it is still asked: %+v", row)
		}
		s.has("fault", row.Fault, "paid this payout already")
		s.agent.EndPayout(true, "transfer 1")
		synctest.Wait()
		if row = s.PayOut().Rows[0]; row.MayCancel {
			t.Errorf("what is paid can be taken back: %+v", row)
		}
		s.AskCancelPayOut(row.ID)
		s.CancelPayOut()
		if synctest.Wait(); s.PayOut().Rows[0].Asking || s.count("CancelPayout") != 1 {
			t.Error("what is paid was taken back")
		}
	})
}

func TestAPayoutThatTheEscrowMayNotKnowIsBeingTakenBack(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Show(PageMoney)
		eur := agentclient.Money{Amount: "1.00", Currency: "escrow.example", Unit: "EUR"}
		s.agent.AddPayout(agentclient.Payout{ID: "u", Account: "recipient@example.org", State: agentclient.PayoutUnsure, Amount: eur})
		synctest.Wait()
		s.AskCancelPayOut(s.PayOut().Rows[0].ID)
		s.CancelPayOut()
		synctest.Wait()
		row := s.PayOut().Rows[0]
		s.has("row", row.State+row.Text, "being taken back", "it is not known whether the escrow has it")
		if row.MayCancel || row.Tone != Waits {
			t.Errorf("%+v", row)
		}
	})
}

func TestTheStatementTellsWhoEndedAPayout(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		if got := s.say.kindWords(agentclient.MovePayoutCancelled); got != "payout taken back" || sign(agentclient.MovePayoutCancelled) != "+" {
			t.Errorf("it is called %q, its sign is %q", got, sign(agentclient.MovePayoutCancelled))
		}
		s.has("title", s.say.moveTitle(agentclient.Movement{Kind: agentclient.MovePayoutCancelled, Escrow: "escrow.example"}), "Payout from escrow.example")
	})
}
