package viewmodel

import (
	"testing"

	"earnest/agentclient/agenttest"
	"earnest/gui/words"
)

// TestW_EachCommonPriceHasAPlaceOfItsOwn: on the page of prices and at the first start,
// also while the currency is not known.
func TestW_EachCommonPriceHasAPlaceOfItsOwn(t *testing.T) {
	play(t, agenttest.Scene, func(s *stage) {
		for at, price := range commonPrices() {
			s.SetAmount(0, price)
			if got := s.OwnPrice().Options[0].Slider; got != at {
				t.Errorf("%s stands at %d, not %d", price, got, at)
			}
			s.update(func() { s.setups.price.text = price })
			if got := s.setupPrice().At; got != at {
				t.Errorf("at the first start %s stands at %d, not %d", price, got, at)
			}
			s.update(func() { s.setups.price.text = price + "x" })
			if got := s.setupPrice().At; got != 0 {
				t.Errorf("what is no amount stands at %d", got)
			}
		}
		s.SetAmount(0, "0.505") // too many digits
		if got := s.OwnPrice().Options[0]; got.Slider != 3 || got.Error == "" {
			t.Errorf("half right: %+v", got)
		}
	})
}

// TestTheSuggestedPriceIsWrittenAsTheLanguageDoes: what was typed stays as it is.
func TestTheSuggestedPriceIsWrittenAsTheLanguageDoes(t *testing.T) {
	play(t, discovers(foundServers), func(s *stage) {
		s.update(func() { s.setups.price = setupPrice{text: suggestedPrice} })
		text := func() string { return s.setupPrice().Text }
		if s.Speak(words.German); text() != "0,25" {
			t.Errorf("in German it is %q", text())
		}
		s.SetSetupPrice("0,25") // the field's echo
		if s.Speak(words.English); text() != "0.25" {
			t.Errorf("in English it is %q", text())
		}
		s.Speak(words.German)
		if s.SlideSetupPrice(6); text() != "5,00" {
			t.Errorf("the slider writes %q", text())
		}
		if s.SetSetupPrice("1.50"); text() != "1.50" {
			t.Errorf("typed was 1.50, and it became %q", text())
		}
	})
}
