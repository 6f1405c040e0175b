package escrow

import (
	"crypto/ed25519"
	"fmt"
	"time"

	"earnest/ledger"
	"earnest/payment"
)

// Receipt is the escrow's signed record of one step of one bond. Each names the
// one before by its hash; the chain begins with the quote's hash.
type Receipt struct {
	Bond  BondID `json:"bond"`
	N     int64  `json:"n"`    // 1 is paid; 0 is outside of the chain
	Prev  string `json:"prev"` // hash of the receipt before, or of the quote
	Event Event  `json:"event"`
	Money Money  `json:"money,omitempty"`
	// From and To are salted hashes of the addresses; the salt is in the quote.
	From        string         `json:"from"`
	To          string         `json:"to"`
	Option      payment.Option `json:"option"`
	Beneficiary ledger.Holder  `json:"beneficiary"`
	// Statement is what the recipient signed: the decision, or that it arrived.
	Statement Signed    `json:"statement,omitempty"`
	Time      time.Time `json:"time"`
}

// NewReceipt is the receipt of a step. Prev is the hash of the receipt before,
// and n how many the chain will have with this one.
func NewReceipt(b Bond, salt string, step Step, n int64, prev string) Receipt {
	at := step.At.UTC().Truncate(time.Second)
	switch step.Event {
	case EventArrived, EventRead, EventLateArrived:
		// Times told to the sender are rounded to the hour: when somebody reads
		// mail is nobody's business.
		at = at.Truncate(time.Hour)
	}
	if !step.Event.Chained() {
		n = 0
	}
	return Receipt{
		Bond: b.ID, N: n, Prev: prev, Event: step.Event, Money: step.Money,
		From: b.Sender.SaltedHash(salt), To: b.Recipient.SaltedHash(salt),
		Option: b.Option, Beneficiary: b.Beneficiary, Statement: step.Statement, Time: at,
	}
}

// Verified is what a chain of receipts proves.
type Verified struct {
	Quote    Quote
	Receipts []Receipt
	// Money is where it is after the last receipt.
	Money Money
}

// VerifyChain checks a bond's receipts offline against the escrow's receipt key
// as pinned: signatures, order, that each names the one before, that the parties
// and amounts are the quote's, that an accept or a forfeit carries the recipient's
// own signed decision, and that no step came before or after its deadline, which
// nothing moves but the outages. The error says which receipt is at fault.
func VerifyChain(quote Signed, receipts []Signed, receiptKey ed25519.PublicKey, outages ...SignedOutage) (Verified, error) {
	q, offer, err := VerifyQuote(quote, receiptKey)
	if err != nil {
		return Verified{}, fmt.Errorf("quote: %w", err)
	}
	v := Verified{Quote: q}
	prev := quote.Hash()
	for i, signed := range receipts {
		var r Receipt
		if err := Verify(signed, KindReceipt, receiptKey, &r); err != nil {
			return Verified{}, fmt.Errorf("receipt %d: %w", i+1, err)
		}
		if err := v.next(r, int64(i+1), prev, quote.Hash(), offer); err != nil {
			return Verified{}, fmt.Errorf("receipt %d: %w", i+1, err)
		}
		if err := v.checkTime(r, outages); err != nil {
			return Verified{}, fmt.Errorf("receipt %d: %w", i+1, err)
		}
		v.Receipts = append(v.Receipts, r)
		prev = signed.Hash()
	}
	if len(receipts) == 0 {
		return Verified{}, Errorf(Invalid, "there are no receipts")
	}
	return v, nil
}

func (v *Verified) next(r Receipt, n int64, prev, quoteHash string, offer Offer) error {
	q := v.Quote
	switch {
	case r.N != n || r.Prev != prev:
		return Errorf(Invalid, "it does not name the receipt before it")
	case n > 1 && r.Bond != v.Receipts[0].Bond:
		return Errorf(Invalid, "it belongs to another bond")
	case r.From != q.Sender.SaltedHash(q.Salt) || r.To != q.Recipient.SaltedHash(q.Salt):
		return Errorf(Invalid, "it is about other addresses than the quote")
	case r.Option != q.Option || r.Beneficiary != q.Beneficiary:
		return Errorf(Invalid, "it is about other money than the quote")
	case (n == 1) != (r.Event == EventPaid):
		return Errorf(Invalid, "a chain begins with paid, once")
	}
	if err := v.checkMoney(r); err != nil {
		return err
	}
	return checkStatement(r, quoteHash, ed25519.PublicKey(offer.Identity))
}

// checkMoney holds the money of a receipt against its event and what went before.
func (v *Verified) checkMoney(r Receipt) error {
	want := map[Event]Money{
		EventPaid: MoneyHeld, EventAccepted: MoneyRefunded, EventExpired: MoneyRefunded,
		EventWithdrawn: MoneyRefunded, EventRejected: MoneyForfeit,
	}[r.Event]
	if r.Money != want {
		return Errorf(Invalid, "%s says that the money is %q, it should be %q", r.Event, r.Money, want)
	}
	if want == MoneyStays {
		return nil
	}
	if want != MoneyHeld && v.Money != MoneyHeld {
		return Errorf(Invalid, "the money was already %s", v.Money)
	}
	v.Money = want
	return nil
}

// checkStatement holds a step that only the recipient can bring about against
// the recipient's signature.
func checkStatement(r Receipt, quoteHash string, identity ed25519.PublicKey) error {
	verdict := map[Event]Verdict{EventAccepted: Accept, EventLateAccepted: Accept, EventRejected: Reject}[r.Event]
	switch r.Event {
	case EventAccepted, EventLateAccepted, EventRejected:
		d, err := VerifyDecision(r.Statement, identity)
		if err != nil {
			return fmt.Errorf("%s without the recipient's signed decision: %w", r.Event, err)
		}
		if d.Bond != r.Bond || d.Quote != quoteHash || d.Verdict != verdict {
			return Errorf(Invalid, "%s contains a decision about something else", r.Event)
		}
	case EventArrived, EventRead, EventWithdrawn, EventLateArrived:
		event := r.Event
		if event == EventLateArrived {
			event = EventArrived
		}
		var st Statement
		if err := Verify(r.Statement, KindStatement, identity, &st); err != nil {
			return fmt.Errorf("%s without the recipient's signed statement: %w", r.Event, err)
		}
		if st.Bond != r.Bond || st.Quote != quoteHash || st.Event != event {
			return Errorf(Invalid, "%s contains a statement about something else", r.Event)
		}
	}
	return nil
}
