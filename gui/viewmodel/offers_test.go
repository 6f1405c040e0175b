package viewmodel

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

func TestSeveralRecipientsHaveAnOfferEach(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Write()
		d := s.addressed("author@example.net; recipient@example.org, AUTHOR@example.net,")
		if d.To != "" || len(d.Recipients) != 2 || d.Price != "€0.75" || d.Recipients[1].Cost != "€0.25" {
			t.Fatalf("draft: %+v", d)
		}
		s.has("total", d.PriceText, "2 bonds in all, one for each; €4.00 stays available after that.")
		s.has("offer", d.Recipients[0].Text, "decided within 14 days · a reject sends it to Example Escrow Society")
		// Each is paid as was chosen for it.
		s.SetOption("author@example.net", 1)
		s.SetSubject("Hello")
		s.Send()
		synctest.Wait()
		sent := s.sent()
		if len(sent) != 4 || s.Draft().Error != "" || s.count("Send") != 4 {
			t.Fatalf("sent %+v, %+v", sent, s.Draft())
		}
		for _, one := range sent[:2] {
			if want := map[string]string{"author@example.net": "1.00", "recipient@example.org": "0.25"}[one.To]; one.Price.Amount != want {
				t.Errorf("%s cost %s", one.To, one.Price.Amount)
			}
		}
		if f := s.SentMail().Fresh; f != "2 mails are on their way. €1.25 is held." {
			t.Errorf("fresh: %q", f)
		}
		s.TakeBack()
		synctest.Wait()
		if sent = s.sent(); sent[0].State != "withdrawing" || sent[1].State != "withdrawing" {
			t.Errorf("taken back: %+v", sent[:2])
		}
	})
}

func TestALateOfferNeverStandsForAnotherAddress(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		release := s.agent.Hold("Price")
		s.addressed("author@example.net")
		s.SetTo("recipient@example.org")
		time.Sleep(time.Second)
		release()
		synctest.Wait()
		d := s.Draft()
		if len(d.Recipients) != 1 || d.Recipients[0].Cost != "€0.25" || d.Price != "€0.25" {
			t.Errorf("draft: %+v", d)
		}
		m := s.Model
		m.mu.Lock()
		defer m.mu.Unlock()
		if _, known := m.offers.known["author@example.net"]; known || len(m.offers.asking) != 0 {
			t.Error("a question that nobody needs was not given up")
		}
	})
}

func TestAnOfferThatChangedIsShownAnewBeforeItIsPaid(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Write()
		s.addressed("author@example.net")
		s.SetSubject("A remark")
		s.SetOption("author@example.net", 1)
		s.agent.SetOffer("author@example.net", "0.75")
		s.Send()
		synctest.Wait()
		d := s.Draft()
		s.has("error", d.Error, "has just changed", "Nothing was sent; your text is kept.")
		if d.Price != "€0.75" || len(d.Recipients[0].Ways) != 0 || s.count("Send") != 2 || d.Sending {
			t.Errorf("draft: %+v", d)
		}
		// Between question and purchase it may change too: then the agent says so.
		s.agent.Fail("Send", &agentclient.Failure{Code: "quote_expired", Happened: "The price has changed."})
		s.Send()
		synctest.Wait()
		s.has("error", s.Draft().Error, "The price has changed. Nothing was sent; your text is kept.")
		s.agent.Fail("Send", nil)
		s.Send()
		synctest.Wait()
		if sent := s.sent(); len(sent) != 3 || sent[0].Price.Amount != "0.75" {
			t.Errorf("sent %+v", sent)
		}
	})
}

func TestALimitStopsAMailBeforeItIsPaid(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		if _, err := s.agent.SetLimit(context.Background(), agentclient.SetLimit{Currency: "escrow.example", PerMail: "0.40"}); err != nil {
			t.Fatal(err)
		}
		s.Write()
		synctest.Wait()
		d := s.addressed("author@example.net")
		s.has("limit", d.PriceText, "€0.50 is more than your own limit of €0.40 for one mail")
		s.SetSubject("A remark")
		s.Send()
		synctest.Wait()
		d = s.Draft()
		s.has("error", d.Error, "your own limit of €0.40", "Nothing was sent; your text is kept.")
		if !d.MayLimits || s.count("Send") != 2 {
			t.Errorf("draft: %+v", d)
		}
	})
}

func TestK15_ConnectedPeopleAreWrittenToFree(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.agent.AddPerson(agentclient.Person{PersonID: agentclient.PersonID{Address: "author@example.net"}, FreeThere: agentclient.FreeMails(2)})
		s.Write()
		d := s.addressed("author@example.net")
		r := d.Recipients[0]
		if r.Cost != "free" || d.Price != "" || d.Submit != "Send free" || !r.MayPay || r.Paid || r.PaidText != "Put €0.50 down all the same" || len(r.Ways) != 0 {
			t.Errorf("draft: %+v", d)
		}
		s.has("offer", r.Text, "Free: you are connected (2 mails left).")
		s.SetPaid("author@example.net", true)
		if d = s.Draft(); d.Recipients[0].Cost != "€0.50" || d.Submit != "Send for €0.50" {
			t.Errorf("with a bond: %+v", d)
		}
		s.SetPaid("author@example.net", false)
		s.SetSubject("Hello")
		s.agent.ChangeOffer("author@example.net", func(p *agentclient.Price) { p.Options = nil }) // the escrow is away
		s.Send()
		synctest.Wait()
		m := s.SentMail()
		if !s.sent()[0].Free || m.Amount != "free" || m.MayProve || m.MayWithdraw || m.Fresh != "On its way, free." || len(m.Steps) != 1 {
			t.Errorf("sent: %+v", m)
		}
		s.has("silence", m.Silence, "no escrow takes part")
	})
}

func TestP5_TheUserModelDecidesWhatIsAsked(t *testing.T) {
	two := func(now func() time.Time) *agenttest.Agent {
		a := agenttest.Scene(now)
		a.SetBalance("other.example", "credits", "9.00", "0.00")
		a.SetOffer("author@example.net", "ESCROW/1 escrow.example 0.50", "ESCROW/1 other.example 3.00", "ESCROW/1 other.example 2.00")
		return a
	}
	settle := func(s *stage, settings agentclient.Settings) {
		s.Helper()
		if _, err := s.agent.SetSettings(context.Background(), settings); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s.Write()
	}
	play(t, two, func(s *stage) {
		settle(s, agentclient.Settings{Model: agentclient.ModelFull})
		if r := s.addressed("author@example.net").Recipients[0]; len(r.Ways) != 3 || r.Cost != "€0.50" {
			t.Errorf("full control: %+v", r)
		}
	})
	play(t, two, func(s *stage) {
		settle(s, agentclient.Settings{Model: agentclient.ModelSingle, Currency: "other.example"})
		if r := s.addressed("author@example.net").Recipients[0]; len(r.Ways) != 0 || r.Cost != "2.00 credits" {
			t.Errorf("single currency: %+v", r)
		}
		s.RemoveTo("author@example.net")
		r := s.addressed("recipient@example.org").Recipients[0]
		if r.Cost != "€0.25" {
			t.Errorf("a currency that is not offered: %+v", r)
		}
		s.has("offer", r.Text, "other.example is not taken here.")
	})
	play(t, two, func(s *stage) {
		if _, err := s.agent.SetLimit(context.Background(), agentclient.SetLimit{Currency: "escrow.example", PerMail: "0.40"}); err != nil {
			t.Fatal(err)
		}
		settle(s, agentclient.Settings{Model: agentclient.ModelAutomatic})
		s.SetTo("author@example.net")
		s.SetSubject("Hello")
		s.Send() // before its price was seen: that is what automatic means
		synctest.Wait()
		if sent := s.sent(); len(sent) != 3 || sent[0].Price.Amount != "2.00" {
			t.Fatalf("sent: %+v, %+v", sent, s.Draft())
		}
		s.Write()
		d := s.addressed("author@example.net")
		if len(d.Recipients[0].Ways) != 0 || d.Submit != "Send" {
			t.Errorf("automatic: %+v", d)
		}
		s.has("line", d.PriceText, "2.00 credits is paid without a question: it is within your limits.")
		if _, err := s.agent.SetLimit(context.Background(), agentclient.SetLimit{Currency: "other.example", PerMail: "1.00"}); err != nil {
			t.Fatal(err)
		}
		s.Write()
		synctest.Wait()
		d = s.Draft()
		if len(d.Recipients[0].Ways) != 3 || !d.MayLimits {
			t.Errorf("above the limits: %+v", d)
		}
	})
}

func TestACardThatNamesAnotherIdentityIsNotTrusted(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.agent.ChangeOffer("author@example.net", func(p *agentclient.Price) { p.Identity = "k1-real" })
		s.Write()
		d := s.addressed("earnest:author@example.net?escrow=escrow.example&fp=k1-other,")
		if r := d.Recipients[0]; r.Address != "author@example.net" || r.Tone != Against {
			t.Errorf("recipient: %+v", r)
		}
		s.has("warning", s.Draft().Recipients[0].Text, "not the identity on the card")
	})
}
