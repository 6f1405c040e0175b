package viewmodel

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
	"earnest/gui/words"
)

func TestTopUpByVoucher(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.TopUp()
		s.has("error", s.Purse().Error, "Type the voucher’s code")
		s.SetCode(strings.Repeat("x", maxVoucher+1))
		s.TopUp()
		s.has("error", s.Purse().Error, "longer than any voucher")
		s.SetCode("WRONG")
		s.TopUp()
		synctest.Wait()
		if p := s.Purse(); p.Error == "" || p.Code != "WRONG" || p.Busy {
			t.Errorf("a wrong voucher: %+v", p)
		}
		s.SetCode(" VOUCHER-5 ")
		s.TopUp()
		synctest.Wait()
		p := s.Purse()
		if p.Error != "" || p.Code != "" || p.Done != "The voucher was redeemed. You have €9.75 available." || p.Rows[0].Available != "€9.75" || p.Rows[0].Held != "€0.50" || p.Accounts != nil {
			t.Errorf("purse: %+v", p)
		}
	})
}

func TestATopUpIsForTheAccountThatIsChosen(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		if _, err := s.agent.AddAccount(context.Background(), agentclient.AddAccount{Address: "second@example.org", Password: "x"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if p := s.Purse(); len(p.Accounts) != 2 || p.Account != 0 || len(p.Rows) != 2 || p.Rows[1].Account != "second@example.org" {
			t.Fatalf("purse: %+v", p)
		}
		s.SetTopUpAccount(1)
		s.SetCode("VOUCHER-5")
		release := s.agent.Hold("TopUp")
		s.TopUp()
		s.TopUp()
		synctest.Wait()
		s.SetCode("THE-NEXT") // typed while the first is redeemed: it stays
		release()
		synctest.Wait()
		p := s.Purse()
		if p.Rows[1].Available != "€5.00" || p.Rows[0].Available != "€4.75" || p.Code != "THE-NEXT" || s.count("TopUp") != 1 {
			t.Errorf("purse: %+v, asked %d times", p, s.count("TopUp"))
		}
		s.has("done", p.Done, "You have €5.00 available.")
	})
}

func TestALimitIsTypedCheckedAndSaved(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Show(PageMoney)
		synctest.Wait()
		l := s.Limits().List
		if len(l) != 1 || l[0].Name != "EUR at escrow.example" || l[0].Mail != "" || l[0].Changed {
			t.Fatalf("limits: %+v", l)
		}
		s.has("spent", l[0].Left, "€0.50 held in the last 24 hours")
		currency := l[0].Currency
		s.SetLimitMail(currency, "1,00 €")
		s.SetLimitDay(currency, "abc")
		s.SaveLimit(currency)
		synctest.Wait()
		one := func() LimitView { return s.Limits().List[0] }
		if v := one(); v.ErrMail != "" || v.ErrDay == "" || v.Day != "abc" || v.Mail != "1,00 €" || s.count("SetLimit") != 0 {
			t.Errorf("a day that is no amount: %+v", v)
		}
		s.SetLimitDay(currency, "0.50")
		s.SaveLimit(currency)
		s.has("fault", one().ErrDay, "less than one mail may cost")
		s.agent.Emit(agentclient.Event{Type: agentclient.EventBalance}) // does not take away what is typed
		synctest.Wait()
		if v := one(); v.Mail != "1,00 €" || !v.Changed {
			t.Errorf("while typing: %+v", v)
		}
		s.UndoLimit(currency)
		if v := one(); v.Mail != "" || v.ErrDay != "" || v.Changed {
			t.Errorf("taken back: %+v", v)
		}
		s.SetLimitMail(currency, "0,5")
		s.SetLimitDay(currency, "2")
		s.SaveLimit(currency)
		synctest.Wait()
		v := one()
		if v.Changed && v.Mail != "0.5" || v.Done == "" || v.Error+v.ErrMail+v.ErrDay != "" {
			t.Errorf("saved: %+v", v)
		}
		s.has("left", v.Left, "€1.50 of €2 left for now")
		if _, err := s.agent.Send(context.Background(), agentclient.Compose{To: []string{"author@example.net"}, Subject: "x", Option: 2}); err == nil {
			t.Error("the limit does not hold")
		}
	})
}

// TestALimitThatIsHereOnlyIsToldAndSavedForTheEscrow: nothing says that the escrow
// holds to what it was not told of, and to save it as it is tells the escrow.
func TestALimitThatIsHereOnlyIsToldAndSavedForTheEscrow(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		set := func(perMail string) {
			_, err := s.agent.SetLimit(context.Background(), agentclient.SetLimit{Currency: "escrow.example", PerMail: perMail, HereOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			s.agent.Emit(agentclient.Event{Type: agentclient.EventBalance})
			synctest.Wait()
		}
		s.Show(PageMoney)
		set("")
		if v := s.Limits(); !v.Escrow || v.List[0].HereOnly {
			t.Errorf("without a limit: %+v", v)
		}
		set("1.00")
		if v := s.Limits(); v.Escrow || !v.List[0].HereOnly || v.List[0].Changed {
			t.Errorf("here only: %+v", v)
		}
		s.SaveLimit("escrow.example")
		synctest.Wait()
		if v := s.Limits(); !v.Escrow || v.List[0].HereOnly || v.List[0].Mail != "1.00" {
			t.Errorf("saved: %+v", v)
		}
	})
}

func TestTheAgentsWordsAboutALimitStandBesideItsField(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Show(PageMoney)
		synctest.Wait()
		currency := s.Limits().List[0].Currency
		for field, of := range map[string]func(LimitView) string{
			"perMail": func(v LimitView) string { return v.ErrMail }, "perDay": func(v LimitView) string { return v.ErrDay },
			"": func(v LimitView) string { return v.Error },
		} {
			s.agent.Fail("SetLimit", &agentclient.Failure{Code: agentclient.CodeUsage, Happened: "Not this one.", Field: field})
			s.UndoLimit(currency)
			s.SetLimitMail(currency, "1.00")
			s.SaveLimit(currency)
			synctest.Wait()
			v := s.Limits().List[0]
			if of(v) != "Not this one." || v.Busy || v.Mail != "1.00" {
				t.Errorf("%q: %+v", field, v)
			}
		}
	})
}

func TestALimitThatIsReachedSaysWhenItFrees(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		began := time.Now()
		time.Sleep(3 * time.Hour)
		s.Show(PageMoney)
		synctest.Wait()
		currency := s.Limits().List[0].Currency
		s.SetLimitDay(currency, "0.50")
		s.SaveLimit(currency)
		synctest.Wait()
		v := s.Limits().List[0]
		if !v.Reached {
			t.Fatalf("limit: %+v", v)
		}
		s.has("left", v.Left, "Limit reached: €0.50", s.say.moment(began.Add(24*time.Hour)))
		// One that has come back does not count.
		s.update(func() {
			for i, move := range s.statement.moves {
				if i == len(s.statement.moves)-1 {
					s.statement.moves[i].Bond = "first"
					move.Bond, move.Kind = "first", agentclient.MoveRefund
					s.statement.moves = append([]agentclient.Movement{move}, s.statement.moves...)
				}
			}
			s.statement.moves[1].Time = began.Add(2 * time.Hour)
		})
		s.has("left", s.Limits().List[0].Left, s.say.moment(began.Add(26*time.Hour)))
	})
}

func TestMoneySpeaksGermanAndKeepsWhatIsTyped(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Show(PageMoney)
		synctest.Wait()
		s.ShowMoney(MoneyStatement)
		s.SetCode("HALF-A-CO")
		s.SetLimitDay("escrow.example", "3,")
		s.Speak(words.German)
		s.agent.Fail("Events", errAway)
		s.agent.CutEvents()
		synctest.Wait()
		p := s.Purse()
		if p.Code != "HALF-A-CO" || p.Tab != MoneyStatement || s.Limits().List[0].Day != "3," || p.Rows[0].Available != "4,75\u00a0€" {
			t.Errorf("purse: %+v, limits %+v", p, s.Limits())
		}
		s.SaveLimit("escrow.example")
		s.has("fault", s.Limits().List[0].ErrDay, "ist kein Betrag")
	})
}
