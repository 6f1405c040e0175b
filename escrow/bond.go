package escrow

import (
	"slices"
	"time"

	"earnest/ledger"
	"earnest/payment"
)

// BondID names a bond. The buyer makes it (a UUID version 7) and stores it
// before the first try: it is the operation id of the buy.
type BondID string

// State is where a bond is in its life. The last four never change.
type State string

// The states of a bond.
const (
	Held      State = "held"      // paid; the mail has not arrived
	Arrived   State = "arrived"   // the recipient's agent has it and proved it
	Rejecting State = "rejecting" // a reject that can still be undone
	Accepted  State = "accepted"  // refunded, reply certificate released
	Rejected  State = "rejected"  // forfeited, sender's certificates deleted
	Expired   State = "expired"   // refunded by a deadline
	Withdrawn State = "withdrawn" // refunded, the key was destroyed unopened
)

// Ended reports a state that never changes.
func (s State) Ended() bool {
	return s == Accepted || s == Rejected || s == Expired || s == Withdrawn
}

// Event is what a step of a bond's life is called in its receipt.
type Event string

// The events. Rejecting and undone are told to the recipient alone and are not
// in the chain: the sender learns of a reject when it takes effect.
const (
	EventPaid         Event = "paid"
	EventArrived      Event = "arrived"
	EventRead         Event = "read"
	EventRejecting    Event = "rejecting"
	EventUndone       Event = "undone"
	EventAccepted     Event = "accepted"
	EventRejected     Event = "rejected"
	EventExpired      Event = "expired"
	EventWithdrawn    Event = "withdrawn"
	EventLateArrived  Event = "arrived_late"
	EventLateAccepted Event = "accepted_late"
)

// Chained reports whether the event's receipt is part of the bond's chain.
func (e Event) Chained() bool { return e != EventRejecting && e != EventUndone }

// Money is what a step does to the bond's pending transfer.
type Money string

// What can happen to the held money.
const (
	MoneyStays    Money = ""
	MoneyHeld     Money = "held"
	MoneyRefunded Money = "refunded" // void, or expire
	MoneyForfeit  Money = "forfeited"
)

// Step is one change of a bond: the caller books the money, appends the receipt
// and stores the bond in one transaction.
type Step struct {
	Event Event
	Money Money
	// At is the moment of the step; for a reject it is when it took effect.
	At time.Time
	// Statement is what the recipient signed for this step, if anything.
	Statement Signed
	// HiddenFromSender: the sender's view does not change with this step.
	HiddenFromSender bool
}

// Bond is the money held for one mail, bound to one one-time key.
// Its methods decide every change of its life and do nothing else: they take
// the escrow's clock and return the bond after the step.
type Bond struct {
	ID               BondID
	Quote            Signed
	Sender           Address
	SenderAccount    KeyID
	Recipient        Address
	RecipientAccount KeyID
	Option           payment.Option
	Beneficiary      ledger.Holder
	KeyFingerprint   string
	State            State
	Terms            Terms

	BoughtAt    time.Time
	DeliverBy   time.Time
	DecideBy    time.Time // zero until arrived
	FinalAt     time.Time
	ArrivedAt   time.Time
	ReadAt      time.Time
	EffectiveAt time.Time // of a reject in Rejecting
	EndedAt     time.Time

	// WithdrawAskedAt: the sender asked for it back; it waits for Destroyed.
	WithdrawAskedAt time.Time
	// LateAcceptedAt: accepted after it had expired; no money moved.
	LateAcceptedAt time.Time

	// LastDecision is the newest decision taken from the recipient, and its number.
	LastDecision Signed
	DecisionN    int64

	// DeliverMoved and DecideMoved are the deadlines as outages of the escrow have
	// moved them; zero if none has. FinalAt is never moved.
	DeliverMoved time.Time
	DecideMoved  time.Time
	// Outages are the escrow's signed statements of those outages, in order.
	Outages []Signed

	// Verification checks the mail's signature and goes to the recipient with
	// the sale. Reply is given on accept. Both are deleted on reject.
	Verification []byte
	Reply        []byte
}

// LateAccept is how long the sender's certificates stay after an expiry or an accept,
// and the keys of an expired bond on both sides: so long a late accept can connect them.
const LateAccept = 90 * 24 * time.Hour

// NewBond is a bond bought at now for the quote.
func NewBond(id BondID, signed Signed, quote Quote, recipient KeyID, fingerprint string, verification, reply []byte, now time.Time) Bond {
	return Bond{
		ID: id, Quote: signed,
		Sender: quote.Sender, SenderAccount: quote.Account,
		Recipient: quote.Recipient, RecipientAccount: recipient,
		Option: quote.Option, Beneficiary: quote.Beneficiary,
		KeyFingerprint: fingerprint, State: Held, Terms: quote.Terms,
		BoughtAt:     now,
		DeliverBy:    now.Add(quote.Terms.Deliver.Duration()),
		FinalAt:      now.Add(quote.Terms.Final.Duration()),
		Verification: verification, Reply: reply,
	}
}

// Due is the next moment at which a deadline ends something about the bond; zero
// when nothing is due any more. The sweeper looks for bonds whose Due has come.
func (b Bond) Due() time.Time {
	switch b.State {
	case Held:
		return earlier(later(b.DeliverBy, b.DeliverMoved), b.FinalAt)
	case Arrived:
		return earlier(later(b.DecideBy, b.DecideMoved), b.FinalAt)
	case Rejecting:
		// A reject that was received in time is decided: expiry waits for it.
		return b.EffectiveAt
	}
	return time.Time{}
}

// Extend moves the running deadline of an open bond by the outages that the escrow
// had. It gives the same however often it is done, so that no deadline depends on
// when. The second result is false if nothing moved.
func (b Bond) Extend(outages Outages) (Bond, bool) {
	if len(outages) == 0 || b.State.Ended() {
		return b, false
	}
	start, deadline, moved := b.ArrivedAt, b.DecideBy, &b.DecideMoved
	if b.State == Held {
		start, deadline, moved = b.BoughtAt, b.DeliverBy, &b.DeliverMoved
	}
	at, by := outages.Move(start, deadline)
	if len(by) == 0 || !at.After(*moved) {
		return b, false
	}
	*moved = at
	all := slices.Clone(b.Outages)
	for _, signed := range by {
		if !slices.Contains(all, signed) {
			all = append(all, signed)
		}
	}
	b.Outages = all
	return b, true
}

// Advance does what a deadline has brought about by now. Every operation on a
// bond advances it first, so that no ending depends on when a sweeper runs.
// The second result is false if nothing was due.
func (b Bond) Advance(now time.Time) (Bond, Step, bool) {
	due := b.Due()
	if due.IsZero() || now.Before(due) {
		return b, Step{}, false
	}
	if b.State == Rejecting {
		b.State, b.EndedAt = Rejected, due
		b.Verification, b.Reply = nil, nil
		return b, Step{Event: EventRejected, Money: MoneyForfeit, At: due, Statement: b.LastDecision}, true
	}
	b.State, b.EndedAt = Expired, now
	return b, Step{Event: EventExpired, Money: MoneyRefunded, At: now}, true
}

// Arrive records that the recipient's agent has the mail. The proof has been
// checked; statement is the agent's signed word for it. An arrival cancels a
// withdrawal that was only asked for.
func (b Bond) Arrive(now time.Time, statement Signed) (Bond, Step, error) {
	switch {
	case b.State == Held:
		b.State, b.ArrivedAt, b.WithdrawAskedAt = Arrived, now, time.Time{}
		b.DecideBy = now.Add(b.Terms.Decide.Duration())
		return b, Step{Event: EventArrived, At: now, Statement: statement}, nil
	case b.State == Expired && b.ArrivedAt.IsZero() && now.Before(b.EndedAt.Add(LateAccept)):
		b.ArrivedAt = now
		return b, Step{Event: EventLateArrived, At: now, Statement: statement}, nil
	case b.State.Ended():
		return b, Step{}, Errorf(Ended, "the bond is %s", b.State)
	}
	return b, Step{}, Errorf(Conflict, "another mail has taken this bond")
}

// Read records the recipient's statement that a person saw the mail.
func (b Bond) Read(now time.Time, statement Signed) (Bond, Step, error) {
	if b.ArrivedAt.IsZero() {
		return b, Step{}, Errorf(NotArrived, "the mail has not arrived")
	}
	if b.State.Ended() {
		return b, Step{}, Errorf(Ended, "the bond is %s", b.State)
	}
	if !b.ReadAt.IsZero() {
		return b, Step{}, Errorf(Conflict, "the mail was read before")
	}
	b.ReadAt = now
	// While a reject waits, a receipt would tell the sender that the recipient
	// is at it; nothing else would be told, so this is no leak.
	return b, Step{Event: EventRead, At: now, Statement: statement}, nil
}

// Decide takes the recipient's decision. Signed is the decision as signed; the
// caller has verified it against the recipient's identity.
func (b Bond) Decide(now time.Time, d Decision, signed Signed) (Bond, Step, error) {
	if d.Bond != b.ID || d.Quote != b.Quote.Hash() {
		return b, Step{}, Errorf(Invalid, "the decision is about another bond")
	}
	if d.N <= b.DecisionN {
		return b, Step{}, Errorf(Stale, "decision %d on this bond is already recorded", b.DecisionN)
	}
	if b.ArrivedAt.IsZero() {
		return b, Step{}, Errorf(NotArrived, "the mail has not arrived, so there is nothing to decide")
	}
	before := b
	b.LastDecision, b.DecisionN = signed, d.N
	switch {
	case d.Verdict == Accept && b.State == Arrived:
		b.State, b.EndedAt = Accepted, now
		return b, Step{Event: EventAccepted, Money: MoneyRefunded, At: now, Statement: signed}, nil
	case d.Verdict == Reject && b.State == Arrived:
		b.State, b.EffectiveAt = Rejecting, now.Add(b.Terms.Undo.Duration())
		return b, Step{Event: EventRejecting, At: now, Statement: signed, HiddenFromSender: true}, nil
	case d.Verdict == Undo && b.State == Rejecting:
		b.State, b.EffectiveAt = Arrived, time.Time{}
		return b, Step{Event: EventUndone, At: now, Statement: signed, HiddenFromSender: true}, nil
	case d.Verdict == Accept && b.State == Expired && b.LateAcceptedAt.IsZero() && now.Before(b.EndedAt.Add(LateAccept)):
		b.LateAcceptedAt = now
		return b, Step{Event: EventLateAccepted, At: now, Statement: signed}, nil
	case b.State == Rejecting:
		return before, Step{}, Errorf(Conflict, "a reject is waiting to take effect; undo it first")
	case b.State.Ended() && d.Verdict != Accept:
		return before, Step{}, Errorf(TooLate, "the bond is %s", b.State)
	case b.State.Ended():
		return before, Step{}, Errorf(Ended, "the bond is %s", b.State)
	}
	return before, Step{}, Errorf(Invalid, "there is no reject to undo")
}

// AskWithdraw records the sender's request. It takes effect when the recipient's
// agent confirms that it destroyed the private key unopened, else at the
// delivery deadline; a mail that arrives first cancels it.
func (b Bond) AskWithdraw(now time.Time) (Bond, error) {
	switch {
	case b.State == Held:
		if b.WithdrawAskedAt.IsZero() {
			b.WithdrawAskedAt = now
		}
		return b, nil
	case b.State.Ended():
		return b, Errorf(Ended, "the bond is %s", b.State)
	}
	return b, Errorf(TooLate, "the mail has arrived; now the recipient decides")
}

// Destroyed ends a bond whose withdrawal was asked for: the recipient's agent
// says that it destroyed the private key unopened.
func (b Bond) Destroyed(now time.Time, statement Signed) (Bond, Step, error) {
	switch {
	case b.State == Held && !b.WithdrawAskedAt.IsZero():
		b.State, b.EndedAt = Withdrawn, now
		b.Verification, b.Reply = nil, nil
		return b, Step{Event: EventWithdrawn, Money: MoneyRefunded, At: now, Statement: statement}, nil
	case b.State.Ended():
		return b, Step{}, Errorf(Ended, "the bond is %s", b.State)
	}
	return b, Step{}, Errorf(Conflict, "no withdrawal was asked for")
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
