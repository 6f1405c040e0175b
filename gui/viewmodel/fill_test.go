package viewmodel

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

func TestTopUpByVoucher(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.TopUp()
		s.has("error", s.Purse().Error, "Type the voucher's code")
		s.SetCode("WRONG")
		s.TopUp()
		synctest.Wait()
		if p := s.Purse(); p.Error == "" || p.Code != "WRONG" || p.Busy {
			t.Errorf("a wrong voucher: %+v", p)
		}
		s.SetCode(" VOUCHER-5 ")
		s.TopUp()
		synctest.Wait()
		if p := s.Purse(); p.Error != "" || p.Code != "" || p.Done != "The voucher was redeemed. You have €9.75 available." || p.Rows[0].Available != "€9.75" || p.Rows[0].Held != "€0.50" {
			t.Errorf("purse: %+v", p)
		}
	})
}

func TestThePriceOfTheInboxIsCheckedAndChanged(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		p := s.OwnPrice()
		if p.Now != "€0.25" || p.Text != "0.25" || p.Changed {
			t.Fatalf("price: %+v", p)
		}
		s.has("explanation", p.Explain, "when you say nothing for 14 days", "Only when you reject, it goes to Example Escrow Society; never to you")
		for _, bad := range []string{"", "free", "0", "0.00", "-1", "1e3", "0.123456789"} {
			s.SetPriceText(bad)
			s.SavePrice()
			synctest.Wait()
			if p := s.OwnPrice(); p.Error == "" || p.Text != bad || s.count("SetPrice") != 0 {
				t.Errorf("%q: %+v", bad, p)
			}
		}
		s.SetPriceText("0,40")
		s.agent.Emit(agentclient.Event{Type: agentclient.EventPrice}) // does not take away what is being typed
		synctest.Wait()
		if p := s.OwnPrice(); p.Text != "0,40" || !p.Changed {
			t.Errorf("while typing: %+v", p)
		}
		s.SavePrice()
		synctest.Wait()
		if p := s.OwnPrice(); p.Now != "€0.40" || p.Error != "" || p.Changed || !strings.Contains(p.Done, "€0.40") {
			t.Errorf("price: %+v", p)
		}
		s.SetPriceText("ESCROW/1 escrow.example 0.40\n1.00\n")
		s.SavePrice()
		synctest.Wait()
		if p := s.OwnPrice(); !p.Many || len(p.Others) != 1 || p.Others[0] != "€1.00" {
			t.Errorf("two options: %+v", p)
		}
	})
}

