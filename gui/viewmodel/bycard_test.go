package viewmodel

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/words"
)

// taking is the scene at an escrow that takes cards.
func taking(now func() time.Time) *agenttest.Agent {
	a := agenttest.Scene(now)
	a.TakeCards(true)
	return a
}

func TestCardsAreOfferedOnlyWhereTheEscrowTakesThem(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		if s.ByCard().Offered {
			t.Error("offered where no cards are taken")
		}
		s.PayByCard()
		synctest.Wait()
		if s.count("PayByCard") != 0 {
			t.Error("asked for nevertheless")
		}
		s.agent.TakeCards(true)
		synctest.Wait()
		if v := s.ByCard(); !v.Offered || v.Chosen || v.Purses != nil {
			t.Errorf("offered: %+v", v)
		}
	})
}

func TestHowLongCardMoneyIsHeldIsToldBeforeItIsPaid(t *testing.T) {
	play(t, taking, func(s *stage) {
		if hint := s.ByCard().Hint; hint == "" || strings.Contains(hint, "paid out") {
			t.Errorf("without a hold: %q", hint)
		}
		s.agent.HoldCards(14 * 24 * 60 * 60)
		synctest.Wait()
		s.has("hint", s.ByCard().Hint, "It can be paid out only after 14 days.")
		s.Speak(words.German)
		s.has("hint", s.ByCard().Hint, "einer Frist: 14 Tage.")
	})
}

func TestACardsAmountIsFaultedBesideItsField(t *testing.T) {
	play(t, taking, func(s *stage) {
		s.ChooseByCard(true)
		for typed, want := range map[string]string{"": "Type an amount", "0": "more than nothing", "1.234": "2 digits", "five": "not an amount"} {
			s.SetCardAmount(typed)
			s.PayByCard()
			s.has("fault of "+typed, s.ByCard().Error, want)
		}
		synctest.Wait()
		if n := s.count("PayByCard"); n != 0 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestACardPaymentIsWaitedForAndTellsTheNewBalance(t *testing.T) {
	play(t, taking, func(s *stage) {
		s.SetCardAmount("5,00")
		s.PayByCard()
		if !s.ByCard().Busy {
			t.Error("nothing shows that the page is asked for")
		}
		s.PayByCard() // a second press asks nothing more
		synctest.Wait()
		v := s.ByCard()
		if !v.Waiting || !v.Open || v.URL == "" || v.Amount != "" || s.count("PayByCard") != 1 {
			t.Fatalf("begun: %+v", v)
		}
		s.has("waiting", v.Text, "Waiting for the payment of €5.00")
		s.CardNotOpened(errors.New("no browser"))
		s.has("shut", s.ByCard().Shut, "could not be opened", "No browser.", "Copy the link")
		s.agent.EndCard(s.agent.Cards()[0].ID, agentclient.CardPaid)
		synctest.Wait()
		v = s.ByCard()
		if v.Waiting {
			t.Errorf("paid: %+v", v)
		}
		s.has("paid", v.Done, "€5.00 was paid by card", "€9.75 available")
		s.Speak(words.German)
		s.has("paid", s.ByCard().Done, "mit Karte bezahlt")
		s.SetCardAmount("1")
		synctest.Wait()
		if v := s.ByCard(); v.Done != "" || s.count("LeaveCardPayment") != 1 {
			t.Errorf("typed on: %+v, left %d times", v, s.count("LeaveCardPayment"))
		}
	})
}

func TestACardPaymentThatEndsOtherwiseSaysSo(t *testing.T) {
	for state, want := range map[string]string{agentclient.CardOver: "can be paid no longer", agentclient.CardWrong: "nothing was credited"} {
		play(t, taking, func(s *stage) {
			s.SetCardAmount("5")
			s.PayByCard()
			synctest.Wait()
			s.agent.EndCard(s.agent.Cards()[0].ID, state)
			synctest.Wait()
			s.has(state, s.ByCard().Fault, want, "€5.00")
		})
	}
}

func TestAWaitForACardCanBeStopped(t *testing.T) {
	play(t, taking, func(s *stage) {
		s.SetCardAmount("5")
		s.PayByCard()
		synctest.Wait()
		s.StopCard()
		synctest.Wait()
		v := s.ByCard()
		if v.Waiting || len(s.agent.Cards()) != 0 {
			t.Errorf("stopped: %+v", v)
		}
		s.has("stopped", v.Done, "credited")
	})
}

// A payment that was begun before the window opens is waited for, and its page is
// opened only when asked for.
func TestACardPaymentOfBeforeIsShownAndNotOpened(t *testing.T) {
	play(t, func(now func() time.Time) *agenttest.Agent {
		a := taking(now)
		if _, err := a.PayByCard(t.Context(), agentclient.PayByCard{Amount: "2.00"}); err != nil {
			t.Fatal(err)
		}
		return a
	}, func(s *stage) {
		if v := s.ByCard(); !v.Waiting || v.URL == "" || v.Open {
			t.Errorf("%+v", v)
		}
		s.agent.ChangeCard(func(p *agentclient.CardPayment) {
			p.State, p.URL, p.Error = agentclient.CardAsked, "", "There is no page to pay at yet."
		})
		synctest.Wait()
		s.has("without a page", s.ByCard().Text, "no page to pay at yet")
	})
}

// An agent that went away with the question may have asked the escrow: what is asked
// again is the same payment.
func TestACardPaymentIsAskedAgainUnderItsNumber(t *testing.T) {
	play(t, taking, func(s *stage) {
		s.SetCardAmount("5")
		s.agent.Fail("PayByCard", errAway)
		s.PayByCard()
		synctest.Wait()
		s.has("fault", s.ByCard().Fault, "No agent answers")
		first := s.Model.byCard.id
		s.agent.Fail("PayByCard", nil)
		if first == "" {
			t.Fatal("its number is forgotten")
		}
		s.PayByCard()
		synctest.Wait()
		if got := s.agent.Cards()[0].ID; got != first {
			t.Errorf("asked as %s, then as %s", first, got)
		}
	})
}
