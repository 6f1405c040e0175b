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

func TestK2_ThePriceIsShownBeforeAnythingIsWritten(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Write()
		s.has("price", s.Draft().PriceText, "its price is shown here before you write")
		prices := s.count("Price")
		for _, typed := range []string{"author", "author@example", "author@example.net"} {
			s.SetTo(typed)
			time.Sleep(400 * time.Millisecond)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := s.count("Price") - prices; n != 1 {
			t.Errorf("typing an address asked for %d prices", n)
		}
		d := s.Draft()
		if d.Price != "€0.50" || d.Submit != "Send for €0.50" || !d.Ready || len(d.Options) != 2 || d.Options[1] != "€1.00  at escrow.example" {
			t.Errorf("draft: %+v", d)
		}
		s.has("promise", d.PriceText, "is held when you send", "unless author@example.net rejects", "goes to Example Escrow Society", "within 14 days, it comes back too")
		s.SetOption(1)
		s.SetSubject("A remark")
		s.SetBody("Text")
		s.has("submit", s.Draft().Submit, "€1.00")
		s.Send()
		s.Send()
		synctest.Wait()
		sent, err := s.agent.Sent(context.Background())
		if err != nil || len(sent) != 3 || sent[0].Price.Amount != "1.00" || s.count("Send") != 3 { // the scene sent two
			t.Fatalf("sent %+v, %v", sent, err)
		}
		if s.Page() != PageSent || s.Draft().To != "" || s.Draft().Body != "" {
			t.Error("after sending the draft is still there")
		}
		m := s.SentMail()
		s.has("summary", m.Summary, "On its way. €1.00 is held. If it does not arrive by")
		if !m.MayWithdraw || len(m.Steps) != 4 || !m.Steps[1].Done || m.Steps[2].Done || m.Money != "held" {
			t.Errorf("sent mail: %+v", m)
		}
	})
}

func TestEverythingIsCheckedAgainOnSubmit(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Send()
		d := s.Draft()
		if d.ErrTo == "" || d.ErrSubject == "" {
			t.Errorf("an empty mail: %+v", d)
		}
		s.SetTo("nobody, other@example.net")
		s.SetSubject("x")
		s.Send()
		s.has("fault", s.Draft().ErrTo, "“nobody” is not an address")
		// Sending before the price was seen asks for it instead.
		s.SetTo("author@example.net")
		s.Send()
		synctest.Wait()
		s.has("fault", s.Draft().ErrTo, "Nothing is sent before you have seen it")
		if s.count("Send") != 2 {
			t.Error("it was sent all the same")
		}
		if !s.Draft().Ready {
			t.Errorf("the price was not asked for: %+v", s.Draft())
		}
		s.SetTo("stranger@example.net")
		time.Sleep(time.Second)
		synctest.Wait()
		if d := s.Draft(); d.PriceTone != Against || !strings.Contains(d.PriceText, "Nobody set a price") || d.Ready {
			t.Errorf("no offer: %+v", d)
		}
	})
}

func TestAnOfferThatChangedIsShownAnewBeforeItIsPaid(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.SetTo("author@example.net")
		s.SetSubject("A remark")
		time.Sleep(time.Second)
		synctest.Wait()
		s.SetOption(1)
		s.agent.SetOffer("author@example.net", "0.75")
		s.agent.Fail("Send", &agentclient.Failure{Code: "quote_expired", Happened: "The price has changed."})
		s.Send()
		synctest.Wait()
		d := s.Draft()
		s.has("error", d.Error, "The price has changed. Nothing was sent; your text is kept.")
		if d.Price != "€0.75" || d.Option != 0 || len(d.Options) != 0 {
			t.Errorf("draft: %+v", d)
		}
		s.agent.Fail("Send", nil)
		s.Send()
		synctest.Wait()
		if sent, err := s.agent.Sent(context.Background()); err != nil || len(sent) != 3 || sent[0].Price.Amount != "0.75" {
			t.Errorf("sent %+v, %v", sent, err)
		}
	})
}

func TestTooLittleMoneySaysHowMuchAndKeepsTheText(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.agent.SetBalance("escrow.example", "EUR", "0.10", "0.00")
		s.SetTo("author@example.net")
		s.SetSubject("A remark")
		s.SetBody("Long text")
		time.Sleep(time.Second)
		synctest.Wait()
		s.Send()
		synctest.Wait()
		d := s.Draft()
		if d.Error != "This costs €0.50 and you have €0.10. Nothing was sent; your text is kept." || !d.MayTopUp || d.Body != "Long text" {
			t.Errorf("draft: %+v", d)
		}
		if s.count("Send") != 2 {
			t.Error("the agent was asked to pay")
		}
	})
}

func TestSeveralRecipientsPayEachAndNobodyTwice(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.SetTo("author@example.net; recipient@example.org, AUTHOR@example.net")
		s.SetSubject("Hello")
		time.Sleep(time.Second)
		synctest.Wait()
		d := s.Draft()
		if d.Price != "€0.75" || len(d.Options) != 0 {
			t.Errorf("draft: %+v", d)
		}
		s.has("promise", d.PriceText, "2 mails with a bond each")
		m := s.Model
		m.update(func() {
			m.sendFailed(agentclient.Compose{To: recipients(m.draft.to)}, []agentclient.Sent{{To: "author@example.net"}}, errors.New("the line broke"))
		})
		if d = s.Draft(); d.To != "recipient@example.org" {
			t.Errorf("who has their mail still stands in the address field: %q", d.To)
		}
		s.has("error", d.Error, "The line broke. 1 mail of 2 went out")
	})
}

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

func TestTheLifeOfASentMail(t *testing.T) {
	for state, want := range map[string]string{
		"arrived":  "Delivered. €0.50 is held until author@example.net decides, at the latest until",
		"accepted": "Accepted. Your €0.50 is back and can be spent.",
		"rejected": "Rejected. €0.50 went to Example Escrow Society. Your key was deleted.",
		"expired":  "Your €0.50 is back and can be spent.",
	} {
		play(t, agenttest.Scene, func(s *stage) {
			sent, err := s.agent.Send(context.Background(), agentclient.Compose{To: []string{"author@example.net"}, Subject: "Hi"})
			if err != nil {
				t.Fatal(err)
			}
			s.agent.MoveSent(sent[0].ID, state)
			synctest.Wait()
			s.Show(PageSent)
			s.Move(1)
			m := s.SentMail()
			s.has(state, m.Summary, want)
			if last := m.Steps[len(m.Steps)-1]; !last.Last || last.Done == (state == "arrived") || m.MayWithdraw {
				t.Errorf("%s: %+v", state, m)
			}
		})
	}
	play(t, agenttest.Scene, func(s *stage) {
		sent, err := s.agent.Send(context.Background(), agentclient.Compose{To: []string{"author@example.net"}, Subject: "Hi"})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s.Show(PageSent)
		s.SelectSent(sent[0].ID)
		s.Withdraw()
		synctest.Wait()
		s.has("summary", s.SentMail().Summary, "You asked for it back. €0.50 is held until the mail's key is destroyed unopened")
	})
}
