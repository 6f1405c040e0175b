package sqlstore

import (
	"testing"

	"earnest/escrowserver/servicetest"
	"earnest/ledger"
)

// What came in is summed up by kind and currency, and all of it together is what the
// issuance gave out.
func TestTopUpsOfAllKindsAreSummedUp(t *testing.T) {
	for _, s := range bothEngines(t) {
		h := servicetest.NewHarness(t, s)
		servicetest.Story(t, h)
		servicetest.MoneyStory(t, h)
		f, err := s.Figures(t.Context(), h.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		for kind, want := range map[string]Sum{"payment": {1, 500}, "operator": {1, 300}, "welcome": {1, 50}} {
			if got := f.TopUps[kind][servicetest.Currency]; got != want {
				t.Errorf("%s: %+v, want %+v", kind, got, want)
			}
		}
		var in, out int64
		for _, kind := range TopUpKinds() {
			in += int64(f.TopUps[kind][servicetest.Currency].Amount)
		}
		for _, m := range f.Money {
			if m.Holder == ledger.Issuance && m.Currency == servicetest.Currency {
				out = -m.Available
			}
		}
		if in != out || f.TopUps["voucher"][servicetest.Currency].N == 0 {
			t.Errorf("%d came in by %+v, and the issuance gave out %d", in, f.TopUps, out)
		}
	}
}
