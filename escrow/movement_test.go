package escrow

import (
	"errors"
	"testing"

	"earnest/ledger"
	"earnest/payment"
)

func TestKindOf(t *testing.T) {
	for _, c := range []struct {
		payer           ledger.Holder
		available, held int64
		kind            MovementKind
		amount          payment.Amount
	}{
		{ledger.Issuance, 500, 0, MoveTopUp, 500},
		{"anna", -25, 25, MoveHold, 25},
		{"anna", 25, -25, MoveRefund, 25},
		{"anna", 0, -25, MoveForfeit, 25},
		{"anna", 25, 0, MoveReceived, 25},
		{"anna", 0, 0, "", 0},
		{"anna", -25, 0, "", 0},
		{"anna", -25, 24, "", 0},
		{"anna", 0, 25, "", 0},
	} {
		kind, amount, ok := KindOf(c.payer, c.available, c.held)
		if kind != c.kind || amount != c.amount || ok != (c.kind != "") {
			t.Errorf("%s %d %d is %s of %d, %v", c.payer, c.available, c.held, kind, amount, ok)
		}
	}
}

// The deadline that the recipient promised is the one that is bought: an escrow
// cannot give longer.
func TestQuoteKeepsTheOffersDecisionDeadline(t *testing.T) {
	offer := testOffer()
	offer.DecideWithin = MinDecide
	for decide, ok := range map[Seconds]bool{MinDecide: true, MinDecide - 1: true, MinDecide + 1: false, DefaultTerms().Decide: false} {
		quote := testQuote(t)
		quote.Offer = mustSign(t, testKey("bob"), KindOffer, offer)
		quote.Terms.Decide = decide
		_, _, err := VerifyQuote(mustSign(t, testKey("escrow"), KindQuote, quote), public(testKey("escrow")))
		if ok != (err == nil) || !ok && !errors.Is(err, Invalid) {
			t.Errorf("%d seconds: %v", decide, err)
		}
	}
}
