package viewmodel

import (
	"testing"

	"earnest/agentclient/agenttest"
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
