package viewmodel

import (
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/words"
)

func TestAPayoutIsAskedForAndTellsHowFarItIs(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Show(PageMoney)
		synctest.Wait()
		if v := s.PayOut(); !v.Loaded || len(v.Rows) != 0 || v.Hint != "€4.75 available at escrow.example." {
			t.Fatalf("before: %+v", v)
		}
		s.AskPayOut()
		v := s.PayOut()
		s.has("faults", v.ErrSum+v.ErrTo, "Type an amount", "Say where the money shall go")
		s.SetPayOutAmount("5")
		s.SetPayOutTo("  IBAN\tNL91  A. Student\n")
		s.AskPayOut()
		s.has("fault", s.PayOut().ErrSum, "more than the €4.75")
		s.SetPayOutAmount("3,00")
		s.AskPayOut()
		s.AskPayOut()
		synctest.Wait()
		v = s.PayOut()
		if s.count("PayOut") != 1 || len(v.Rows) != 1 || v.Amount+v.To != "" {
			t.Fatalf("asked %d times: %+v", s.count("PayOut"), v)
		}
		s.has("done", v.Done, "€3.00 is on hold")
		s.has("row", v.Rows[0].Amount+v.Rows[0].To+v.Rows[0].State+v.Rows[0].Text, "€3.00", "IBAN NL91 A. Student", "on hold", "not before")
		s.has("available", s.Purse().Rows[0].Available, "€1.75")
		s.agent.EndPayout(false, "there is no such bank account")
		synctest.Wait()
		row := s.PayOut().Rows[0]
		if row.State != "refused" || row.Tone != Against {
			t.Errorf("refused: %+v", row)
		}
		s.has("row", row.Text, "there is no such bank account", "available again")
		s.Speak(words.German)
		s.has("row", s.PayOut().Rows[0].Text, "abgelehnt: there is no such bank account")
	})
}

func TestTheLeastPayoutIsShownBeforeAndWhereLessIsAskedFor(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Show(PageMoney)
		s.agent.PayOutFrom("escrow.example", "2.00")
		synctest.Wait()
		if v := s.PayOut(); v.Hint != "€4.75 available at escrow.example. The least that is paid out is €2.00." {
			t.Errorf("before: %q", v.Hint)
		}
		s.SetPayOutAmount("1.50")
		s.SetPayOutTo("IBAN NL91")
		s.AskPayOut()
		synctest.Wait()
		s.has("fault", s.PayOut().ErrSum, "The least that escrow.example pays out is €2.00.", "Ask for €2.00 or more.")
		s.Speak(words.German)
		s.has("hint", s.PayOut().Hint, "Ausgezahlt wird ab 2,00")
		s.has("fault", s.PayOut().ErrSum, "zahlt escrow.example nicht aus")
	})
}

func TestAPayoutTellsWhatTheOperatorPaidAndWhatIsNotKnown(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Show(PageMoney)
		eur := agentclient.Money{Amount: "1.00", Currency: "escrow.example", Unit: "EUR"}
		for _, p := range []agentclient.Payout{
			{State: agentclient.PayoutPaid, Amount: eur, AskedAt: time.Now(), EndedAt: time.Now(), Note: "transfer 2026-7"},
			{State: agentclient.PayoutAsked, Amount: eur, AskedAt: time.Now(), NotBefore: time.Now()},
			{State: agentclient.PayoutPaying, Amount: eur, AskedAt: time.Now(), NotBefore: time.Now()},
			{State: agentclient.PayoutFailed, Amount: eur, AskedAt: time.Now(), Error: "The escrow did not take it: no."},
			{State: agentclient.PayoutUnsure, Amount: eur, AskedAt: time.Now(), Error: "It is not known."},
		} {
			p.Account = "recipient@example.org"
			s.agent.AddPayout(p)
		}
		synctest.Wait()
		rows := s.PayOut().Rows
		if len(rows) != 5 {
			t.Fatalf("%+v", rows)
		}
		s.has("unsure", rows[0].State+rows[0].Text, "not known", "It is not known.")
		s.has("failed", rows[1].State+rows[1].Text, "not taken", "did not take it")
		s.has("paying", rows[2].State+rows[2].Text, "being paid", "cannot be taken back any more")
		s.has("asked", rows[3].State+rows[3].Text, "on hold", "The operator pays by hand.")
		s.has("paid", rows[4].State+rows[4].Text, "paid", "transfer 2026-7")
	})
}

func TestAPayoutThatTheRecoveryKeyEndedWasRefusedByNobody(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Show(PageMoney)
		// Its English is beside the agent, and no words of an operator's.
		say := agentclient.Said{{ID: "payout.by-recovery", Text: "The recovery key ended it."}}
		s.agent.AddPayout(agentclient.Payout{Account: "recipient@example.org", State: agentclient.PayoutRefused, Note: say.String(), SayNote: say,
			Amount: agentclient.Money{Amount: "1.00", Currency: "escrow.example", Unit: "EUR"}, AskedAt: time.Now(), EndedAt: time.Now()})
		synctest.Wait()
		if row := s.PayOut().Rows[0]; row.State != "ended" || row.Text != "The recovery key ended it." {
			t.Errorf("%+v", row)
		}
		move := agentclient.Movement{Kind: agentclient.MovePayoutRefused, Reason: say.String(), SayReason: say}
		if words := s.say.quotedReason(move); words != "The recovery key ended it." {
			t.Errorf("the statement has %q", words)
		}
		s.Speak(words.German)
		const german = "Der Wiederherstellungsschlüssel hat sie beendet"
		s.has("row", s.PayOut().Rows[0].State+s.PayOut().Rows[0].Text, "beendet", german)
		s.has("statement", s.say.quotedReason(move), german)
	})
}

func TestAPayoutIsAskedAgainUnderItsNumber(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.SetPayOutAmount("3")
		s.SetPayOutTo("IBAN NL91")
		s.agent.Fail("PayOut", errAway)
		s.AskPayOut()
		synctest.Wait()
		first := s.Model.payout.id
		s.has("fault", s.PayOut().Fault, "No agent answers")
		s.agent.Fail("PayOut", nil)
		s.AskPayOut()
		synctest.Wait()
		list, err := s.agent.Payouts(t.Context(), "")
		if err != nil || len(list) != 1 || first == "" || list[0].ID != first {
			t.Errorf("asked as %q, then: %+v, %v", first, list, err)
		}
		s.SetPayOutAmount("1") // another payout has another number
		if s.Model.payout.id != "" {
			t.Error("another payout has the number of the first")
		}
	})
}

func TestWhatIsTypedWhileAPayoutIsAskedForStays(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.SetPayOutAmount("1")
		s.SetPayOutTo("IBAN NL91")
		release := s.agent.Hold("PayOut")
		s.AskPayOut()
		s.SetPayOutAmount("2")
		release()
		synctest.Wait()
		if v := s.PayOut(); v.Amount != "2" || v.To != "IBAN NL91" || len(v.Rows) != 1 {
			t.Errorf("%+v", v)
		}
	})
}

func TestAPayoutThatTheEscrowRefusesIsFaultedBesideItsAmount(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.SetPayOutAmount("3")
		s.SetPayOutTo("IBAN NL91")
		s.agent.Fail("PayOut", &agentclient.Failure{Code: "insufficient_funds", Field: "amount", Happened: "€1.00 can be paid out."})
		s.AskPayOut()
		synctest.Wait()
		s.has("fault", s.PayOut().ErrSum, "€1.00 can be paid out")
		if s.PayOut().Amount != "3" {
			t.Error("what was typed is gone")
		}
	})
}
