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
		s.has("offer", r.Text, "€0.50 is held until author@example.net decides, by Sun 16 Jan at the latest if it arrives today; then it comes back.",
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
		release := s.agent.Hold("Preview")
		s.OpenPreview()
		if p := s.Preview(); p.Loading == "" || !s.Draft().Preview {
			t.Errorf("while it is asked: %+v", p)
		}
		release()
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
