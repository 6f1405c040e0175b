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
	"earnest/gui/words"
)

func (s *stage) price() OwnPrice { return s.Model.OwnPrice() }

func (s *stage) ownPrice() agentclient.Price {
	s.Helper()
	p, err := s.agent.Price(context.Background(), "")
	if err != nil {
		s.Fatal(err)
	}
	return p
}

func TestThePriceOfTheInboxIsCheckedAndChanged(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		p := s.price()
		if p.Now != "€0.25" || len(p.Options) != 1 || p.Options[0].Text != "0.25" || p.Changed || p.Preview.Price != "€0.25" {
			t.Fatalf("price: %+v", p)
		}
		row := p.Options[0].Key
		for _, bad := range []string{"", "free", "0", "0.00", "-1", "1e3", "0.123", "99999999999999999999"} {
			s.SetAmount(row, bad)
			s.SavePrice()
			synctest.Wait()
			if o := s.price().Options[0]; o.Error == "" || o.Text != bad || s.count("SetPrice") != 0 || s.price().Preview.Price != "" {
				t.Errorf("%q: %+v", bad, o)
			}
		}
		s.SetAmount(row, "0")
		s.SavePrice()
		s.has("fault", s.price().Options[0].Error, "free for all")
		s.SetAmount(row, "0,40")
		s.agent.Emit(agentclient.Event{Type: agentclient.EventPrice}) // does not take away what is being typed
		synctest.Wait()
		p = s.price()
		if p.Options[0].Text != "0,40" || !p.Changed || p.Preview.Price != "€0.40" || !slices.Equal(p.Changes, []string{"It costs €0.40 instead of €0.25."}) || p.From == "" || p.Else != "" {
			t.Errorf("while typing: %+v", p)
		}
		s.SavePrice()
		synctest.Wait()
		p = s.price()
		if p.Now != "€0.40" || p.Error != "" || p.Changed || p.Options[0].Text != "0.40" || s.ownPrice().Options[0].Price.Amount != "0.40" {
			t.Errorf("price: %+v", p)
		}
		s.has("done", p.Done, "costs €0.40 from now on", "keep their terms")
		s.has("card", s.CardOf("").Text, "€0.40")
	})
}

func TestWhatStrangersWillSeeIsWhatComposeShows(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.SetAmount(s.price().Options[0].Key, "0.75")
		s.SetTellRead(false)
		s.SetDecide(1)
		preview := s.price().Preview
		s.SavePrice()
		synctest.Wait()
		s.update(func() { // as somebody else's window asks for it
			if want := s.terms("recipient@example.org", s.own.price, s.own.price.Options[0].Price, true); preview.Text != want {
				t.Errorf("previewed %q, offered %q", preview.Text, want)
			}
		})
	})
}

func TestTheWaysToPayAreAddedMovedAndRemoved(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.agent.SetBalance("tokens.example", "", "5.00", "0.00")
		synctest.Wait()
		s.AddOption()
		p := s.price()
		if len(p.Options) != 2 || p.Options[1].Currency != 1 || p.Options[1].Currencies[1] != "tokens.example" || p.Options[1].Last != true || p.Preview.Price != "" {
			t.Fatalf("added: %+v", p.Options)
		}
		second := p.Options[1].Key
		s.SetAmount(second, "2")
		s.MoveOption(second, 1) // it is the last: nothing moves
		s.MoveOption(second, -1)
		p = s.price()
		if p.Options[0].Key != second || p.Preview.Price != "2.00 tokens.example" || p.Preview.Or != "or €0.25" {
			t.Errorf("moved: %+v", p)
		}
		s.SavePrice()
		synctest.Wait()
		o := s.ownPrice().Options
		if len(o) != 2 || o[0].Instruction != "ESCROW/1 tokens.example 2.00" || o[1].Instruction != "ESCROW/1 escrow.example 0.25" {
			t.Errorf("saved: %+v", o)
		}
		s.AddOption()
		third := s.price().Options[2].Key
		s.SetAmount(third, "0,250")
		s.SavePrice()
		s.has("fault", s.price().Options[2].Error, "2 digits")
		s.SetAmount(third, "2.00")
		s.SetRowCurrency(third, 1)
		s.SavePrice()
		s.has("fault", s.price().Options[2].Error, "twice")
		s.RemoveOption(third)
		if p := s.price(); len(p.Options) != 2 || p.Changed {
			t.Errorf("removed: %+v", p)
		}
		s.RemoveOption(s.price().Options[0].Key)
		s.RemoveOption(s.price().Options[0].Key) // the last one stays
		if p := s.price(); len(p.Options) != 1 || !p.Changed {
			t.Errorf("the last: %+v", p)
		}
		s.UndoPrice()
		if p := s.price(); len(p.Options) != 2 || p.Changed {
			t.Errorf("taken back: %+v", p)
		}
		for range 2 * mostOptions {
			s.AddOption()
		}
		if p := s.price(); len(p.Options) != mostOptions || p.MayAdd {
			t.Errorf("%d options", len(p.Options))
		}
	})
}

func TestTheSliderTakesCommonPricesAndLeavesTypedOnes(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		row := s.price().Options[0].Key
		s.SetAmount(row, "0.27")
		at := s.price().Options[0].Slider
		s.Slide(row, at) // where it stands already
		if o := s.price().Options[0]; o.Text != "0.27" || commonPrices()[at] != "0.25" {
			t.Errorf("the slider took a typed price: %+v", o)
		}
		s.Slide(row, len(commonPrices())-1)
		if o := s.price().Options[0]; o.Text != "5.00" || o.Hint != "" {
			t.Errorf("slid: %+v", o)
		}
		s.Slide(row, 99)
		s.SetAmount(row, "5.01")
		s.has("hint", s.price().Options[0].Hint, "Few will pay that")
		s.SetAmount(row, "0.01")
		s.has("hint", s.price().Options[0].Hint, "keeps hardly anybody away")
	})
}

func TestThePolicyIsSavedAndWhatIsNotChangedIsNotSent(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		p := s.price()
		if len(p.Decide) != 4 || p.Decide[3] != "14 days (the escrow’s longest)" || p.DecideAt != 3 || p.FreeAt != 2 || !p.TellRead || p.Public || len(p.Beneficiaries) != 3 {
			t.Fatalf("policy: %+v", p)
		}
		s.SetDecide(2)
		s.SetFreeKind(1)
		for _, bad := range []string{"", "0", "many", "-3", "1.5", "1000001"} {
			s.SetFreeCount(bad)
			s.SavePrice()
			if p := s.price(); p.FreeError == "" || p.FreeText != bad {
				t.Errorf("%q free mails: %+v", bad, p)
			}
		}
		s.SetFreeCount(" 5 ")
		s.SetBeneficiary(1)
		s.SetTellRead(false)
		s.SetPublic(true)
		if c := s.price().Changes; len(c) != 5 {
			t.Errorf("changes: %q", c)
		}
		s.SavePrice()
		synctest.Wait()
		own := s.ownPrice()
		if own.DecideWithin != 7*24*3600 || own.FreeAfter != "5" || own.Beneficiary != "Example Library Fund" || own.TellRead || !own.Public {
			t.Errorf("saved: %+v", own)
		}
		if p := s.price(); p.Changed || p.DecideAt != 2 || p.Beneficiary != 1 || p.FreeText != "5" {
			t.Errorf("after: %+v", p)
		}
		s.update(func() {
			price, f := s.ownForm()
			if req, ok := s.check(price, f); !ok || req.DecideWithin != 0 || req.Beneficiary != "" || req.FreeAfter != "" || req.TellRead != nil || req.Public != nil {
				t.Errorf("with nothing changed it asks for %+v", req)
			}
		})
	})
}

func TestTheAgentsWordsAboutAPriceStandBesideTheirField(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		for field, of := range map[string]func(OwnPrice) string{
			"options": func(p OwnPrice) string { return p.OptionsError }, "decideWithin": func(p OwnPrice) string { return p.DecideError },
			"freeAfter": func(p OwnPrice) string { return p.FreeError }, "beneficiary": func(p OwnPrice) string { return p.BeneficiaryError },
			"": func(p OwnPrice) string { return p.Error },
		} {
			s.UndoPrice()
			s.agent.Fail("SetPrice", &agentclient.Failure{Code: agentclient.CodeUsage, Happened: "Not this one.", Field: field})
			s.SetAmount(s.price().Options[0].Key, "0.40")
			s.SavePrice()
			synctest.Wait()
			if p := s.price(); of(p) != "Not this one." || p.Busy || p.Options[0].Text != "0.40" || !p.Changed {
				t.Errorf("%q: %+v", field, p)
			}
		}
	})
}

func TestWhatIsTypedWhileAPriceIsSavedStays(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		row := s.price().Options[0].Key
		s.SetAmount(row, "0.40")
		release := s.agent.Hold("SetPrice")
		s.SavePrice()
		s.SavePrice()
		synctest.Wait()
		s.SetAmount(row, "0.45")
		s.Speak(words.German)
		release()
		synctest.Wait()
		if p := s.price(); p.Options[0].Text != "0.45" || !p.Changed || s.count("SetPrice") != 1 || s.ownPrice().Options[0].Price.Amount != "0.40" {
			t.Errorf("price: %+v", p)
		}
		s.has("preview", s.price().Preview.Price, "0,45\u00a0€")
		s.UndoPrice()
		if p := s.price(); p.Options[0].Text != "0,40" {
			t.Errorf("in German: %+v", p.Options)
		}
	})
}

func TestAPriceChangedElsewhereIsSaidBesideWhatIsTyped(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.SetAmount(s.price().Options[0].Key, "0.40")
		if _, err := s.agent.SetPrice(context.Background(), agentclient.SetPrice{Options: []string{"0.30"}}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		p := s.price()
		if p.Options[0].Text != "0.40" || p.Now != "€0.30" {
			t.Errorf("price: %+v", p)
		}
		s.has("notice", p.Else, "it is €0.30 now")
		s.UndoPrice()
		if p := s.price(); p.Else != "" || p.Options[0].Text != "0.30" {
			t.Errorf("taken back: %+v", p)
		}
	})
}

func TestEachAccountHasItsPriceItsPastAndItsCard(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		if _, err := s.agent.AddAccount(context.Background(), agentclient.AddAccount{Address: "second@example.org", Password: "x"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s.Show(PagePrice)
		s.SetAmount(s.price().Options[0].Key, "0.99")
		s.SetPriceAccount(1)
		synctest.Wait()
		p := s.price()
		if p.Now != "" || len(p.Accounts) != 2 || p.Account != 1 || p.Options[0].Text != "" || !p.TellRead {
			t.Fatalf("second: %+v", p)
		}
		s.has("card", p.Card.Link, "second@example.org")
		s.SetAmount(p.Options[0].Key, "3")
		s.has("changes", strings.Join(s.price().Changes, " "), "It costs €3.00 to write to you; so far there was no price.")
		s.SavePrice()
		synctest.Wait()
		second, err := s.agent.Price(context.Background(), "second@example.org")
		if err != nil || second.Options[0].Price.Amount != "3.00" || s.ownPrice().Options[0].Price.Amount != "0.25" {
			t.Errorf("prices: %+v, %v", second, err)
		}
		s.ShowPrice(PricePast)
		synctest.Wait()
		if p := s.price(); len(p.Past) != 1 || p.Past[0].Price != "€3.00" || p.Past[0].Lines[0] != "The first price." {
			t.Errorf("past: %+v", p.Past)
		}
		s.SetPriceAccount(0)
		synctest.Wait()
		if p := s.price(); p.Options[0].Text != "0.99" || p.PastEmpty != "There has been no price yet." {
			t.Errorf("first: %+v", p)
		}
	})
}

func TestThePastSaysWhatChangedAndWhen(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		s.Show(PagePrice)
		s.ShowPrice(PricePast)
		synctest.Wait()
		yes, no := true, false
		for _, req := range []agentclient.SetPrice{{Options: []string{"0.25"}}, {Options: []string{"0.50", "1.00"}}, {Options: []string{"0.50", "1.00"}, DecideWithin: 3 * 24 * 3600, TellRead: &no, Public: &yes, FreeAfter: "1"}} {
			time.Sleep(time.Hour)
			if _, err := s.agent.SetPrice(context.Background(), req); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		past := s.price().Past
		if len(past) != 3 || past[0].When != "today 03:00" || past[1].Price != "€0.50 or €1.00" || !slices.Equal(past[1].Lines, []string{"It costs €0.50 or €1.00 instead of €0.25."}) {
			t.Fatalf("past: %+v", past)
		}
		want := []string{"You have 3 days to decide instead of 14 days.", "An accept lets the sender write 1 further mail free.", "Senders are not told when their mail was read.", "Everybody can see the price."}
		if !slices.Equal(past[0].Lines, want) {
			t.Errorf("changed: %q", past[0].Lines)
		}
	})
}

func TestAWayToPayOfAnotherSystemStaysAsItIs(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		price := s.ownPrice()
		price.Options = append(price.Options, agentclient.Option{Index: 2, Instruction: "TALER/1 taler.example 1.00", Price: agentclient.Money{Amount: "1.00", Currency: "taler.example"}})
		s.update(func() { s.own.put(price, true) })
		p := s.price()
		if len(p.Options) != 2 || p.Options[1].Fixed != "TALER/1 taler.example 1.00" || p.Options[1].Slider != -1 || p.Preview.Or != "or 1.00 taler.example" {
			t.Fatalf("options: %+v", p)
		}
		s.SetAmount(p.Options[0].Key, "0.30")
		s.update(func() {
			price, f := s.ownForm()
			if req, ok := s.check(price, f); !ok || !slices.Equal(req.Options, []string{"ESCROW/1 escrow.example 0.30", "TALER/1 taler.example 1.00"}) {
				t.Errorf("it asks for %+v", req)
			}
		})
	})
}

func TestWithoutAPriceYetNothingIsPretended(t *testing.T) {
	play(t, func(now func() time.Time) *agenttest.Agent {
		a := agenttest.New(now)
		if _, err := a.AddAccount(context.Background(), agentclient.AddAccount{Address: "me@example.org", Password: "x"}); err != nil {
			t.Fatal(err)
		}
		return a
	}, func(s *stage) {
		p := s.price()
		if p.Now != "" || p.DecideKnown || p.Beneficiaries != nil || p.Preview.Price != "" || p.Changed || len(p.Options) != 1 || p.Options[0].Error != "" {
			t.Errorf("price: %+v", p)
		}
		s.SetAmount(p.Options[0].Key, "0.25")
		s.SavePrice()
		synctest.Wait()
		if p := s.price(); p.Now != "€0.25" || !p.DecideKnown || p.DecideAt != 3 || p.Changed {
			t.Errorf("price: %+v", p)
		}
	})
}

// TestK17_ItIsSaidWhyNobodyIsAnswered, in the window's language, while the switch is on.
func TestK17_ItIsSaidWhyNobodyIsAnswered(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		why := agentclient.Say("exclusive.no-dns", "Nobody is answered: this agent asks no DNS, so it cannot find out whether a mail is from whom it says.")
		mute := func(p *agentclient.Price) { p.Mute, p.SayMute = why.String(), why }
		s.agent.ChangeOffer("recipient@example.org", mute)
		s.SetExclusive(true)
		synctest.Wait()
		v := s.Answer()
		if !v.On || v.Mute != why.String() || v.Done != "" {
			t.Errorf("switched on: %+v", v)
		}
		s.Speak(words.German)
		s.has("in German", s.Answer().Mute, "Niemand bekommt eine Antwort")
		s.SetExclusive(false)
		synctest.Wait()
		if v := s.Answer(); v.Mute != "" || v.Done == "" {
			t.Errorf("switched off: %+v", v)
		}
	})
}
