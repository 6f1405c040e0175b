package viewmodel

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"earnest/agentclient"
	"earnest/agentclient/agenttest"
)

// addressed types an address and waits for its offer.
func (s *stage) addressed(to string) Draft {
	s.Helper()
	s.SetTo(to)
	time.Sleep(time.Second)
	synctest.Wait()
	return s.Draft()
}

func (s *stage) sent() []agentclient.Sent {
	s.Helper()
	sent, err := s.agent.Sent(context.Background())
	if err != nil {
		s.Fatal(err)
	}
	return sent
}

func TestK2_ThePriceIsShownBeforeAnythingIsWritten(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Write()
		synctest.Wait()
		s.has("price", s.Draft().PriceText, "its price is shown here before you write")
		prices := s.count("Price")
		for _, typed := range []string{"author", "author@example.n", "author@example.net"} {
			s.SetTo(typed)
			time.Sleep(300 * time.Millisecond)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := s.count("Price") - prices; n != 1 {
			t.Errorf("typing an address asked for %d prices", n)
		}
		d := s.Draft()
		if d.Price != "€0.50" || d.Submit != "Send for €0.50" || !d.Ready || len(d.Recipients) != 1 {
			t.Fatalf("draft: %+v", d)
		}
		r := d.Recipients[0]
		if !r.Typing || r.Cost != "€0.50" || !slices.Equal(r.Ways, []string{"€0.50 at escrow.example · €4.25 left", "€1.00 at escrow.example · €3.75 left"}) {
			t.Errorf("recipient: %+v", r)
		}
		s.has("offer", r.Text, "€0.50 is held until author@example.net decides, at the latest Sat 15 Jan if it arrives today; then it comes back.",
			"Only a reject sends it to Example Escrow Society.", "when it is read", "New: no mail of yours was accepted there yet.")
		if d.PriceText != "" {
			t.Errorf("the balance is said twice: %q", d.PriceText)
		}
		s.SetOption("author@example.net", 1)
		s.SetSubject("A remark")
		s.SetBody("Text")
		s.has("submit", s.Draft().Submit, "€1.00")
		s.Send()
		s.Send()
		if d := s.Draft(); !d.Sending || d.Submit != "Sending…" {
			t.Errorf("while sending: %+v", d)
		}
		s.SetBody("typed too late")
		if s.Draft().Body != "Text" {
			t.Error("what is typed while the mail is sent changes it")
		}
		synctest.Wait()
		if sent := s.sent(); len(sent) != 3 || sent[0].Price.Amount != "1.00" || s.count("Send") != 3 { // the scene sent two
			t.Fatalf("sent %+v", sent)
		}
		if d := s.Draft(); s.Page() != PageSent || !d.Blank || d.Body != "" {
			t.Errorf("after sending: page %s, %+v", s.Page(), d)
		}
		m := s.SentMail()
		s.has("summary", m.Summary, "On its way. €1.00 is held. If it does not arrive by")
		if m.Fresh != "On its way. €1.00 is held." || !m.TakeBack || m.MayWithdraw || len(m.Steps) != 4 || !m.Steps[1].Done || m.Steps[2].Done || m.Money != "held" {
			t.Errorf("sent mail: %+v", m)
		}
		s.TakeBack()
		synctest.Wait()
		if m = s.SentMail(); m.Fresh != "" || m.TakeBack || s.sent()[0].State != "withdrawing" {
			t.Errorf("taken back: %+v", m)
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
		s.RemoveTo("nobody")
		s.RemoveTo("other@example.net")
		// Sending before the price was seen asks for it instead.
		s.SetTo("author@example.net")
		s.Send()
		synctest.Wait()
		s.has("fault", s.Draft().ErrTo, "Nothing is sent before you have seen it")
		if s.count("Send") != 2 {
			t.Error("it was sent all the same")
		}
		if d := s.Draft(); !d.Ready || d.Recipients[0].Typing {
			t.Errorf("the price was not asked for: %+v", d)
		}
		s.RemoveTo("author@example.net")
		d = s.addressed("stranger@example.net")
		if r := d.Recipients[0]; r.Tone != Against || !strings.Contains(r.Text, "Nobody set a price") || d.Ready || !r.Retry {
			t.Errorf("no offer: %+v", d)
		}
		s.agent.SetOffer("stranger@example.net", "0.10")
		s.AskAgain("stranger@example.net")
		synctest.Wait()
		if d := s.Draft(); d.Price != "€0.10" {
			t.Errorf("asked again: %+v", d)
		}
	})
}

func TestAddressesArePutApart(t *testing.T) {
	for typed, want := range map[string]string{
		"a@x.org":                             "|a@x.org",
		"a@x.org,":                            "a@x.org|",
		"a@x.org, b@y.org; c":                 "a@x.org b@y.org|c",
		"a@x.org b":                           "a@x.org|b",
		"two words":                           "|two words",
		"Ada Lovelace <ada@x.org>":            "ada@x.org|",
		`"Lovelace, Ada" <ada@x.org>, `:       "ada@x.org|",
		"Ada <a@x.org>, Bob <b@y.org>":        "a@x.org b@y.org|",
		"a@x.org\nb@y.org\n":                  "a@x.org b@y.org|",
		"nobody,":                             "nobody|",
		",,; ,":                               "|",
		"earnest:a@x.org?escrow=e&fp=k1-abc,": "a@x.org|",
		"mailto:a@x.org,":                     "a@x.org|",
		"":                                    "|",
	} {
		whole, rest := splitTo(typed)
		if got := strings.Join(whole, " ") + "|" + rest; got != want {
			t.Errorf("%q is %q, want %q", typed, got, want)
		}
	}
	for a, want := range map[string]bool{"a@x.org": true, "a@x": false, "@x.org": false, "a@": false, "a@.org": false, "a@x.org.": false, "a@b@c.org": false, "ü@bücher.example": true, strings.Repeat("a", 250) + "@x.org": false} {
		if addressLike(a) != want {
			t.Errorf("%q", a)
		}
	}
}

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

func TestEnterTakesAnAddressAndBackspaceGivesItBack(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		if s.CommitTo() {
			t.Error("an empty field was taken for an address")
		}
		s.SetTo("nobody")
		if !s.CommitTo() || s.Draft().ErrTo == "" || s.Draft().To != "nobody" {
			t.Errorf("draft: %+v", s.Draft())
		}
		s.SetTo("author@example.net")
		s.CommitTo()
		synctest.Wait()
		if d := s.Draft(); d.To != "" || len(d.Recipients) != 1 || d.Recipients[0].Typing || !d.Ready {
			t.Errorf("draft: %+v", d)
		}
		s.TakeLastTo()
		if d := s.Draft(); d.To != "author@example.net" || !d.Recipients[0].Typing {
			t.Errorf("draft: %+v", d)
		}
		var many []string
		for i := range maxRecipients + 2 {
			many = append(many, strings.Repeat("x", i+1)+"@example.org")
		}
		s.SetTo(strings.Join(many, ",") + ",")
		s.has("fault", s.Draft().ErrTo, "50 people at most; 2 addresses were left out")
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

func TestTooLittleMoneySaysHowMuchAndKeepsTheText(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.agent.SetBalance("escrow.example", "EUR", "0.10", "0.00")
		s.Write()
		d := s.addressed("author@example.net")
		if d.PriceText != "This costs €0.50 and you have €0.10." || d.PriceTone != Against || !d.MayTopUp {
			t.Errorf("before sending: %+v", d)
		}
		s.SetSubject("A remark")
		s.SetBody("Long text")
		s.Send()
		synctest.Wait()
		d = s.Draft()
		if d.Error != "This costs €0.50 and you have €0.10. Nothing was sent; your text is kept." || !d.MayTopUp || d.Body != "Long text" {
			t.Errorf("draft: %+v", d)
		}
		if s.count("Send") != 2 {
			t.Error("the agent was asked to pay")
		}
		s.Show(PageMoney)
		s.Write()
		if d := s.Draft(); d.Body != "Long text" || d.Subject != "A remark" || len(d.Recipients) != 1 {
			t.Errorf("after a look at the money: %+v", d)
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

func TestPartOfTheRecipientsKeepsTheRestInTheDraft(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.agent.SetOffer("third@example.net", "0.25")
		s.agent.SetOffer("fourth@example.net", "0.25")
		s.agent.Refuse("fourth@example.net", "Nothing was paid and nothing was sent: sold out.")
		s.Write()
		s.addressed("third@example.net, fourth@example.net,")
		s.SetSubject("Hello")
		s.SetBody("Text")
		s.Send()
		synctest.Wait()
		d := s.Draft()
		s.has("error", d.Error, "fourth@example.net: Nothing was paid and nothing was sent: sold out.", "1 of 2 mails went out")
		if len(d.Recipients) != 1 || d.Recipients[0].Address != "fourth@example.net" || d.Body != "Text" || d.Sending || s.Page() != PageWrite {
			t.Fatalf("draft: %+v", d)
		}
		s.Send()
		synctest.Wait()
		got := map[string]int{}
		for _, one := range s.sent() {
			if one.State != "failed" {
				got[one.To]++
			}
		}
		if got["third@example.net"] != 1 || got["fourth@example.net"] != 1 {
			t.Errorf("paid: %v", got)
		}
	})
}

func TestALostAgentDoesNotClaimThatNothingWasSent(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Write()
		s.addressed("author@example.net")
		s.SetSubject("Hello")
		s.agent.Fail("Send", context.DeadlineExceeded)
		s.Send()
		synctest.Wait()
		d := s.Draft()
		s.has("error", d.Error, "It is not certain whether the mail went out.")
		if strings.Contains(d.Error, "Nothing was sent") || d.Sending {
			t.Errorf("draft: %+v", d)
		}
	})
}

func TestAFailureStandsBesideItsField(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Write()
		s.addressed("author@example.net")
		s.SetSubject("Hello")
		for field, got := range map[string]func(Draft) string{
			"to":          func(d Draft) string { return d.ErrTo },
			"subject":     func(d Draft) string { return d.ErrSubject },
			"attachments": func(d Draft) string { return d.ErrFiles },
		} {
			s.agent.Fail("Send", &agentclient.Failure{Code: agentclient.CodeUsage, Happened: "Wrong " + field + ".", Field: field})
			s.Send()
			synctest.Wait()
			s.has(field, got(s.Draft()), "Wrong "+field+". Nothing was sent; your text is kept.")
			if s.Draft().Error != "" {
				t.Errorf("%s: %q", field, s.Draft().Error)
			}
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

func TestAttachmentsAreBoundedAndToldApart(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Write()
		s.Attach("a.txt", "text/plain", []byte("one"))
		s.Attach("a.txt", "text/plain", []byte("two"))
		d := s.Draft()
		if len(d.Files) != 2 || d.Files[1].Name != "a (2).txt" || d.FilesNote != "6 bytes of 26.2 MB that a mail can have, the text included" {
			t.Errorf("files: %+v %q", d.Files, d.FilesNote)
		}
		s.Attach("big.bin", "", make([]byte, agentclient.MaxMail))
		d = s.Draft()
		s.has("fault", d.ErrFiles, "big.bin (26.2 MB) was not attached")
		if len(d.Files) != 2 {
			t.Errorf("files: %+v", d.Files)
		}
		s.AttachFailed("gone.txt", &agentclient.Failure{Happened: "It is not there."})
		s.has("fault", s.Draft().ErrFiles, "gone.txt could not be read, so it was not attached. It is not there.")
		s.Detach(0)
		if d = s.Draft(); len(d.Files) != 1 || d.Files[0].Name != "a (2).txt" || d.ErrFiles != "" {
			t.Errorf("files: %+v", d)
		}
	})
}

func TestTheDryRunSendsNothing(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Write()
		s.OpenPreview()
		s.has("fault", s.Draft().ErrTo, "Type an address first")
		s.addressed("author@example.net, recipient@example.org,")
		s.SetSubject("A remark")
		s.SetBody("Text\u202e")
		s.Attach("a.txt", "text/plain", []byte("one"))
		s.OpenPreview()
		if p := s.Preview(); p.Loading == "" || !s.Draft().Preview {
			t.Errorf("while it is asked: %+v", p)
		}
		synctest.Wait()
		p := s.Preview()
		if p.Title != "What author@example.net sees" || p.Which != "1 of 2" || p.Row.Subject != "A remark" || p.Text[0].Text != "Text\ufffd" || len(p.Files) != 1 || p.Amount != "€0.50" {
			t.Errorf("preview: %+v", p)
		}
		s.has("outside", strings.Join(p.Outside, "\n"), "From: recipient@example.org", "To: author@example.net", "Subject: [...]")
		s.TurnPreview(1)
		if p = s.Preview(); p.Which != "2 of 2" || p.Amount != "€0.25" {
			t.Errorf("preview: %+v", p)
		}
		s.ClosePreview()
		if d := s.Draft(); d.Preview || d.Body != "Text\u202e" || s.count("Send") != 2 {
			t.Errorf("draft: %+v", d)
		}
		s.agent.Fail("Preview", &agentclient.Failure{Happened: "There is no key."})
		s.OpenPreview()
		synctest.Wait()
		s.has("error", s.Preview().Error, "There is no key.")
	})
}
