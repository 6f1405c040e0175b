package escrow

import (
	"crypto/ed25519"
	"time"

	"earnest/ledger"
	"earnest/payment"
)

// Offer is what a recipient asks of strangers, signed by the identity: the
// options to pay and the policy. A sender pins the identity when first seen.
type Offer struct {
	Address  Address          `json:"address"`
	Identity PublicKey        `json:"identity"`
	Options  []payment.Option `json:"options"`
	// Beneficiary of a forfeit: one of the escrow's list. Never the recipient.
	Beneficiary ledger.Holder `json:"beneficiary"`
	// TellRead: the recipient's agent tells when a person saw a mail.
	TellRead bool `json:"tellRead"`
	// Public: the price is told to anybody, not only to accounts within their limit.
	Public bool `json:"public"`
	// DecideWithin is the recipient's own decision deadline, where it is shorter
	// than the escrow's: at least MinDecide.
	DecideWithin Seconds `json:"decideWithin,omitempty"`
	// Follows are the rotations that led to Identity, oldest first, at most MaxFollows,
	// each an [Order] signed by the identity before or by its recovery key; Recovery is
	// the recovery key. By both, who knows an earlier identity knows this one.
	Follows  []Signed  `json:"follows,omitempty"`
	Recovery PublicKey `json:"recovery,omitempty"`
	// Made orders the offers of an address: an older one never replaces a newer.
	Made time.Time `json:"made"`
}

// MaxFollows bounds what an offer says of the past.
const MaxFollows = 8

// Succeeds reports whether the offer's identity follows from one that was seen
// before, and the recovery key that its offer named, if any.
func (o Offer) Succeeds(identity, recovery PublicKey) bool {
	var account KeyID
	for _, follow := range o.Follows {
		order, _, err := VerifyOrder(follow, identity, recovery)
		if err != nil || order.Action != ActionRotate || account != "" && order.Account != account {
			continue // it is of before, or of nobody
		}
		account, identity = order.Account, order.Key
		if len(order.Recovery) > 0 {
			recovery = order.Recovery
		}
	}
	return account != "" && identity.ID() == o.Identity.ID()
}

// maxOptions bounds an offer.
const maxOptions = 16

// MinDecide is the shortest decision deadline that an offer may set: a sender is
// told times by the hour.
const MinDecide Seconds = 60 * 60

// VerifyOffer reads an offer and checks that its own identity signed it.
// Whether that identity is the right one is for the caller to say.
func VerifyOffer(s Signed) (Offer, error) {
	var offer Offer
	if err := Peek(s, &offer); err != nil {
		return Offer{}, err
	}
	if err := Verify(s, KindOffer, ed25519.PublicKey(offer.Identity), &offer); err != nil {
		return Offer{}, err
	}
	if !offer.Address.Valid() || len(offer.Options) == 0 || len(offer.Options) > maxOptions {
		return Offer{}, Errorf(Invalid, "an offer has an address and 1 to %d options", maxOptions)
	}
	for _, option := range offer.Options {
		if err := option.Check(); err != nil {
			return Offer{}, Errorf(Invalid, "option %q: %v", option, err)
		}
	}
	if offer.Beneficiary == "" || offer.Beneficiary == offer.Identity.ID().Holder() {
		return Offer{}, Errorf(Invalid, "a forfeit never goes to the recipient")
	}
	if len(offer.Follows) > MaxFollows || len(offer.Recovery) > 0 && !strong(ed25519.PublicKey(offer.Recovery)) {
		return Offer{}, Errorf(Invalid, "an offer names at most %d rotations, and a recovery key that is one", MaxFollows)
	}
	if offer.DecideWithin != 0 && offer.DecideWithin < MinDecide {
		return Offer{}, Errorf(Invalid, "the decision deadline of an offer is an hour at least")
	}
	return offer, nil
}

// Terms are the durations that a quote promises. They travel as whole seconds.
type Terms struct {
	Quote   Seconds `json:"quote"`   // the quote can be bought
	Deliver Seconds `json:"deliver"` // from buy: the mail must have arrived
	Decide  Seconds `json:"decide"`  // from arrived: a reject must have been received
	Undo    Seconds `json:"undo"`    // from a reject: it can be taken back
	Final   Seconds `json:"final"`   // from buy: an undecided bond is refunded whatever happened
}

// Seconds is a duration in whole seconds.
type Seconds int64

// Duration converts for the clock.
func (s Seconds) Duration() time.Duration { return time.Duration(s) * time.Second }

// DefaultTerms are the durations of the protocol.
func DefaultTerms() Terms {
	const day = 24 * 60 * 60
	return Terms{Quote: 10 * 60, Deliver: 30 * day, Decide: 14 * day, Undo: 10 * 60, Final: 60 * day}
}

// For are the terms under which a bond on the offer is bought.
func (t Terms) For(offer Offer) Terms {
	if offer.DecideWithin != 0 {
		t.Decide = min(t.Decide, offer.DecideWithin)
	}
	return t
}

// Quote is the escrow's signed answer to "what does it cost to write there". It
// is stateless: the escrow recognises its own signature when it is bought.
type Quote struct {
	ID string `json:"id"`
	// Offer is the recipient's offer as signed.
	Offer     Signed         `json:"offer"`
	Sender    Address        `json:"sender"`
	Account   KeyID          `json:"account"` // who may buy it
	Recipient Address        `json:"recipient"`
	Option    payment.Option `json:"option"`
	// Beneficiary gets a forfeit; it is the offer's.
	Beneficiary ledger.Holder `json:"beneficiary"`
	// BeneficiaryName is how a person knows it.
	BeneficiaryName string `json:"beneficiaryName"`
	// RefundFee is added at buy where the refund of a foreign currency costs one.
	RefundFee payment.Amount `json:"refundFee"`
	Terms     Terms          `json:"terms"`
	// Salt hides the addresses in this bond's receipts.
	Salt    string    `json:"salt"`
	Made    time.Time `json:"made"`
	Expires time.Time `json:"expires"`
}

// VerifyQuote checks that the escrow's receipt key signed the quote and that its
// offer is signed and for this recipient.
func VerifyQuote(s Signed, receiptKey ed25519.PublicKey) (Quote, Offer, error) {
	quote, offer, err := VerifyOwnQuote(s, receiptKey)
	if err == nil {
		_, err = VerifyOffer(quote.Offer)
	}
	if err != nil {
		return Quote{}, Offer{}, err
	}
	return quote, offer, nil
}

// VerifyOwnQuote is VerifyQuote for the escrow, which has verified the offer before
// it signed the quote.
func VerifyOwnQuote(s Signed, receiptKey ed25519.PublicKey) (Quote, Offer, error) {
	var quote Quote
	if err := Verify(s, KindQuote, receiptKey, &quote); err != nil {
		return Quote{}, Offer{}, err
	}
	var offer Offer
	if err := Peek(quote.Offer, &offer); err != nil {
		return Quote{}, Offer{}, err
	}
	if offer.Address != quote.Recipient || offer.Beneficiary != quote.Beneficiary {
		return Quote{}, Offer{}, Errorf(Invalid, "the quote does not match the recipient's offer")
	}
	if quote.Terms.For(offer) != quote.Terms {
		return Quote{}, Offer{}, Errorf(Invalid, "the quote gives the recipient longer to decide than the offer asks for")
	}
	for _, option := range offer.Options {
		if option == quote.Option {
			return quote, offer, nil
		}
	}
	return Quote{}, Offer{}, Errorf(Invalid, "the quote's option is not one that the recipient offers")
}
