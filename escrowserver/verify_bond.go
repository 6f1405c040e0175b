package escrowserver

import (
	"crypto/ed25519"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"earnest/escrow"
	"earnest/ledger"
)

// bond holds every column of a bond against what is signed: its quote with the
// offer in it, its receipts, and what the recipient said.
func (a *audit) bond(b BondLine) error {
	a.bonds++
	a.receipts += len(b.Receipts)
	chain, err := escrow.VerifyChain(b.Quote, b.Receipts, a.receiptKey, a.outages...)
	if err != nil {
		a.fault("bond %s: %v", b.ID, err)
		return nil
	}
	var offer escrow.Offer
	if err := escrow.Peek(chain.Quote.Offer, &offer); err != nil { // VerifyChain has verified it
		return err
	}
	c := bondAudit{audit: a, b: b, chain: chain, offer: offer, at: map[escrow.Event]time.Time{}, said: map[escrow.Event]escrow.Signed{}}
	for _, r := range chain.Receipts {
		c.at[r.Event], c.said[r.Event] = r.Time, r.Statement
	}
	c.money()
	c.who()
	c.times()
	c.certificates()
	c.decision()
	c.parties()
	c.statements()
	return nil
}

type bondAudit struct {
	*audit
	b     BondLine
	chain escrow.Verified
	offer escrow.Offer
	at    map[escrow.Event]time.Time
	said  map[escrow.Event]escrow.Signed
}

// must is a fault of the bond unless ok.
func (c *bondAudit) must(ok bool, text string) {
	if !ok {
		c.fault("bond %s: %s", c.b.ID, text)
	}
}

func (c *bondAudit) has(event escrow.Event) bool { return !c.at[event].IsZero() }

// money holds the bond against its transfer and its receipts.
func (c *bondAudit) money() {
	b, q := c.b, c.chain.Quote
	state, money, event := endOf(b.State)
	if t := b.Transfer; t == nil {
		c.must(false, "it has no transfer")
	} else {
		c.must(t.From == q.Account.Holder() && t.To == q.Beneficiary && t.Currency == q.Option.Currency && t.Amount == int64(q.Option.Amount),
			"its transfer is about other money than its quote")
		c.must(t.State == state, "it is "+string(b.State)+", but its transfer is "+string(t.State))
	}
	c.must(c.chain.Receipts[0].Bond == b.ID, "it has the receipts of another bond")
	c.must(c.chain.Money == money, "it is "+string(b.State)+", but its receipts say that the money is "+string(c.chain.Money))
	c.must(c.has(event) == (event != ""), "it is "+string(b.State)+", but no receipt says so")
}

// who holds names and keys against the quote and the offer in it.
func (c *bondAudit) who() {
	b, q := c.b, c.chain.Quote
	c.must(b.Sender == q.Sender && b.SenderAccount == q.Account, "its sender is not the quote's")
	c.must(b.Recipient == q.Recipient && b.RecipientAccount == c.accountOf(c.offer.Identity.ID()), "its recipient is not the one of the offer")
	c.must(b.Option == q.Option && b.Beneficiary == q.Beneficiary && b.Terms == q.Terms, "its terms are not the quote's")
	c.must(b.SenderFolded == q.Sender.Folded(), "its sender's address is counted as another")
	c.must(b.RecipientFolded == q.Recipient.Folded() || b.RecipientFolded == "" && b.State.Ended(), "its recipient's address is counted as another")
	// Which domains are organisations changes with the years.
	group := b.SenderGroup == string(q.Sender.Folded()) || b.SenderGroup != "" && strings.HasSuffix("."+q.Sender.Domain(), "."+b.SenderGroup)
	c.must(group, "its sender counts with others than its domain")
	c.must(b.KeyAddress == q.Recipient, "its key was not the recipient's")
}

// times holds each time against the terms and the receipts, which have seconds,
// or hours where the sender is told no more.
func (c *bondAudit) times() {
	b := c.b
	same := func(event escrow.Event, stored time.Time, unit time.Duration) bool {
		return stored.Truncate(unit).Equal(c.at[event]) || stored.IsZero() && !c.has(event)
	}
	c.must(same(escrow.EventPaid, b.BoughtAt, time.Second), "it was bought at another time than its receipt says")
	c.must(b.BoughtAt.Before(c.chain.Quote.Expires), "it was bought after its quote ended")
	c.must(b.DeliverBy.Equal(b.BoughtAt.Add(b.Terms.Deliver.Duration())), "its delivery deadline is not the quote's")
	c.must(b.FinalAt.Equal(b.BoughtAt.Add(b.Terms.Final.Duration())), "its final deadline is not the quote's")
	arrived := escrow.EventArrived
	if c.has(escrow.EventLateArrived) {
		arrived = escrow.EventLateArrived
	}
	c.must(same(arrived, b.ArrivedAt, time.Hour), "it and its receipts disagree about arrived")
	decideBy := time.Time{}
	if arrived == escrow.EventArrived && !b.ArrivedAt.IsZero() {
		decideBy = b.ArrivedAt.Add(b.Terms.Decide.Duration())
	}
	c.must(b.DecideBy.Equal(decideBy), "its decision deadline is not the quote's")
	c.must(same(escrow.EventRead, b.ReadAt, time.Hour), "it and its receipts disagree about read")
	c.must(same(escrow.EventLateAccepted, b.LateAcceptedAt, time.Second), "it and its receipts disagree about accepted late")
	if _, _, event := endOf(b.State); event != "" {
		c.must(same(event, b.EndedAt, time.Second), "it ended at another time than its receipt says")
	} else {
		c.must(b.EndedAt.IsZero(), "it has not ended, but has the time of an end")
	}
	rejected := b.State == escrow.Rejecting || b.State == escrow.Rejected
	c.must(rejected != b.EffectiveAt.IsZero(), "it and the time when its reject takes effect do not fit")
	c.must(b.State != escrow.Rejected || b.EffectiveAt.Equal(b.EndedAt), "its reject took effect at another time than it ended")
	asked := !b.WithdrawAskedAt.IsZero()
	c.must(b.State != escrow.Withdrawn || asked, "it was withdrawn, but nobody asked for that")
	c.must(!asked || b.State == escrow.Held || b.State == escrow.Withdrawn || b.State == escrow.Expired, "its withdrawal was asked for after its mail arrived")
	c.moved()
	c.must(b.DueAt.Equal(b.Due()), "it is due at another time than its deadlines say")
}

// certificates holds the sender's certificates against the buy request.
func (c *bondAudit) certificates() {
	b := c.b
	c.must((b.Verification == nil) == (b.Reply == nil), "one of the sender's certificates is lost")
	switch {
	case b.Verification != nil:
		c.must(b.State != escrow.Rejected && b.State != escrow.Withdrawn, "it still has the sender's certificates")
		hash, err := buyHash(escrow.BuyRequest{ID: b.ID, Quote: b.Quote, Verification: b.Verification, Reply: b.Reply})
		c.must(err == nil && hash == b.BuyHash, "the sender's certificates are not those of its purchase")
	default:
		c.must(b.State.Ended(), "the sender's certificates are lost")
	}
}

// decision holds the newest decision against the state.
func (c *bondAudit) decision() {
	b := c.b
	var verdict escrow.Verdict
	if b.LastDecision == "" {
		c.must(b.DecisionN == 0, "its newest decision is lost")
	} else {
		d, err := escrow.VerifyDecision(b.LastDecision, ed25519.PublicKey(c.offer.Identity))
		c.must(err == nil && d.Bond == b.ID && d.Quote == b.Quote.Hash() && d.N == b.DecisionN, "its newest decision is not the recipient's on this bond")
		verdict = d.Verdict
	}
	want := map[escrow.State][]escrow.Verdict{
		escrow.Held: {""}, escrow.Withdrawn: {""}, escrow.Arrived: {"", escrow.Undo},
		escrow.Rejecting: {escrow.Reject}, escrow.Rejected: {escrow.Reject}, escrow.Accepted: {escrow.Accept},
		escrow.Expired: {"", escrow.Undo, escrow.Accept},
	}[b.State]
	c.must(slices.Contains(want, verdict), "it is "+string(b.State)+", which its newest decision does not say")
	for _, event := range []escrow.Event{escrow.EventAccepted, escrow.EventLateAccepted, escrow.EventRejected} {
		c.must(!c.has(event) || c.said[event] == b.LastDecision, "its receipt has another decision")
	}
}

// parties demands the bond in both lists, once.
func (c *bondAudit) parties() {
	want := map[escrow.Role]escrow.KeyID{escrow.RoleSender: c.chain.Quote.Account, escrow.RoleRecipient: c.accountOf(c.offer.Identity.ID())}
	ok := len(c.b.Parties) == len(want)
	for _, p := range c.b.Parties {
		ok = ok && want[p.Role] == p.Account && p.N > 0 && p.N <= p.Newest
	}
	c.must(ok, "it is not in the lists of its two parties")
}

// statements demands a kept answer for each thing that the recipient said.
func (c *bondAudit) statements() {
	b, identity := c.b, ed25519.PublicKey(c.offer.Identity)
	proofs := 0
	if !b.ArrivedAt.IsZero() {
		proofs = 1
		var st escrow.Statement
		arrived := c.said[escrow.EventArrived] + c.said[escrow.EventLateArrived] // one of them is empty
		err := escrow.Peek(arrived, &st)
		c.must(err == nil && len(b.Proofs) == 1 && b.Proofs[0].Hash == st.Proof && c.answered(b.Proofs[0].Outcome), "its proof of arrival is not the one that was told")
	}
	c.must(len(b.Proofs) == proofs, "it has not one proof of arrival for one arrival")
	kept := map[escrow.Signed]bool{}
	hidden := 0
	for _, s := range b.Statements {
		ok := s.Signed.Hash() == s.Hash && c.answered(s.Outcome)
		if d, err := escrow.VerifyDecision(s.Signed, identity); err == nil {
			ok = ok && d.Bond == b.ID && d.Quote == b.Quote.Hash() && string(d.Verdict) == s.Verdict && d.N == s.N && d.N <= b.DecisionN
		} else {
			_, err := escrow.VerifyStatement(s.Signed, identity, b.Bond, escrow.Event(s.Verdict))
			ok = ok && err == nil && s.N == 0
		}
		c.must(ok, "what its recipient said was changed")
		kept[s.Signed] = true
		if s.Verdict == string(escrow.Undo) || s.Verdict == string(escrow.Reject) {
			hidden++
		}
	}
	c.must(b.LastDecision == "" || kept[b.LastDecision], "the answer to its newest decision is lost")
	for _, event := range []escrow.Event{escrow.EventRead, escrow.EventWithdrawn} {
		c.must(!c.has(event) || kept[c.said[event]], "the answer to what its recipient said is lost")
	}
	c.must(len(b.Asides) == hidden, "it has not one receipt for each reject and undo")
	for _, signed := range b.Asides {
		var r escrow.Receipt
		err := escrow.Verify(signed, escrow.KindReceipt, c.receiptKey, &r)
		c.must(err == nil && r.Bond == b.ID && r.N == 0 && !r.Event.Chained() && kept[r.Statement], "a receipt outside of its chain is not the escrow's")
	}
}

// answered reports a kept answer with a receipt of the bond.
func (c *bondAudit) answered(text string) bool {
	var o escrow.Outcome
	if json.Unmarshal([]byte(text), &o) != nil || o.Bond.ID != c.b.ID {
		return false
	}
	return slices.Contains(c.b.Receipts, o.Receipt) || slices.Contains(c.b.Asides, o.Receipt)
}

// endOf is what a state means for the transfer and the receipts.
func endOf(s escrow.State) (ledger.State, escrow.Money, escrow.Event) {
	switch s {
	case escrow.Accepted:
		return ledger.Voided, escrow.MoneyRefunded, escrow.EventAccepted
	case escrow.Withdrawn:
		return ledger.Voided, escrow.MoneyRefunded, escrow.EventWithdrawn
	case escrow.Expired:
		return ledger.Expired, escrow.MoneyRefunded, escrow.EventExpired
	case escrow.Rejected:
		return ledger.Posted, escrow.MoneyForfeit, escrow.EventRejected
	}
	return ledger.Pending, escrow.MoneyHeld, ""
}
