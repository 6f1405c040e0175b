package main

import (
	"crypto/sha256"
	"slices"
	"time"
)

// checked is what a sound bond says.
type checked struct {
	id, quoteHash string
	quote         quote
	identity      keyring
	ending        string // the event, or the state in which it is open
	held, ended   time.Time
	money         string // what became of what was held
	proofs        []string
	receipts      int
	decisions     int
	signatures    int
	outages       []outage
}

// checkBond checks a bond from its quote to its last receipt. The first fault
// ends it: behind it a chain proves nothing.
func checkBond(keys keyring, outages []outage, id, signedQuote string, chain, asides []string) (*checked, *fault) {
	b := &checked{id: id, quoteHash: hashOf(signedQuote), receipts: len(chain) + len(asides), outages: outages}
	if f := b.openQuote(keys, signedQuote); f != nil {
		return b, f
	}
	receipts := make([]receipt, len(chain))
	hashes := []string{b.quoteHash}
	for i, text := range chain {
		r := &receipts[i]
		if f := b.openReceipt(keys, text, r); f != nil {
			return b, f
		}
		if r.N != int64(i+1) {
			return b, because(whyNumber, "receipt %d of the chain has number %d", i+1, r.N)
		}
		if r.Prev != hashes[i] {
			return b, because(whyLink, "receipt %d does not name the one before", r.N)
		}
		hashes = append(hashes, hashOf(text))
	}
	events := make([]step, len(receipts))
	for i, r := range receipts {
		events[i] = step{receipt: r, after: i}
	}
	sides := make([]step, len(asides))
	for i, text := range asides {
		r := &sides[i].receipt
		if f := b.openReceipt(keys, text, r); f != nil {
			return b, f
		}
		if r.N != 0 {
			return b, because(whyNumber, "a receipt outside of the chain has number %d", r.N)
		}
		sides[i].after = slices.Index(hashes, r.Prev)
		if sides[i].after < 1 {
			return b, because(whyLink, "%s does not name a receipt of the chain", r.Event)
		}
		if i > 0 && sides[i].after < sides[i-1].after {
			return b, because(whyLink, "%s names an older receipt than the one outside of the chain before it", r.Event)
		}
	}
	return b, b.live(merge(events, sides))
}

// step is a receipt at its place: after as many receipts of the chain.
type step struct {
	receipt
	after int
	said  said // what the recipient signed for it
}

// merge puts receipts outside of the chain behind the one that they name.
func merge(chain, asides []step) []step {
	all := make([]step, 0, len(chain)+len(asides))
	for _, s := range chain {
		for len(asides) > 0 && asides[0].after <= s.after {
			all, asides = append(all, asides[0]), asides[1:]
		}
		all = append(all, s)
	}
	return append(all, asides...)
}

// openQuote checks quote and offer against each other.
func (b *checked) openQuote(keys keyring, signed string) *fault {
	q := &b.quote
	if err := keys.open(signed, "quote", q); err != nil {
		return because(whySignature, "the quote %v", err)
	}
	var o offer
	if err := peek(q.Offer, &o); err != nil {
		return because(whyForm, "the offer %v", err)
	}
	identity, err := parseKey(o.Identity)
	if err != nil {
		return because(whyForm, "the offer's identity: %v", err)
	}
	b.identity = ringOf(identity)
	if err := b.identity.open(q.Offer, "offer", &o); err != nil {
		return because(whySignature, "the offer %v", err)
	}
	b.signatures += 2
	t := q.Terms
	switch {
	case o.Address != q.Recipient:
		return because(whyQuote, "the offer is for another address")
	case o.Beneficiary != q.Beneficiary:
		return because(whyBeneficiary, "the quote has %q and the offer %q", q.Beneficiary, o.Beneficiary)
	case o.Beneficiary == "" || o.Beneficiary == keyID(identity):
		return because(whyBeneficiary, "%q cannot get a forfeit", o.Beneficiary)
	case !slices.Contains(o.Options, q.Option):
		return because(whyQuote, "the price is none of the offer")
	case q.Option.Amount < 0 || q.Option.Scale < 0 || q.Option.Scale > 8 || q.Option.Currency == "":
		return because(whyForm, "the price cannot be")
	case t.Quote <= 0 || t.Deliver <= 0 || t.Decide <= 0 || t.Undo < 0 || t.Final <= 0:
		return because(whyForm, "the terms cannot be")
	case o.DecideWithin != 0 && t.Decide > o.DecideWithin:
		return because(whyQuote, "the decision deadline is longer than the recipient's own")
	case !q.Expires.Equal(q.Made.Add(seconds(t.Quote))):
		return because(whyQuote, "it does not expire when its terms say")
	}
	return nil
}

// openReceipt checks what must be the same in every receipt of the bond.
func (b *checked) openReceipt(keys keyring, text string, r *receipt) *fault {
	if err := keys.open(text, "receipt", r); err != nil {
		return because(whySignature, "a receipt %v", err)
	}
	b.signatures++
	switch {
	case r.Bond != b.id:
		return because(whyParty, "a receipt is of bond %s", r.Bond)
	case r.From != salted(b.quote.Salt, b.quote.Sender) || r.To != salted(b.quote.Salt, b.quote.Recipient):
		return because(whyParty, "%s is of another sender or recipient", r.Event)
	case r.Option != b.quote.Option:
		return because(whyParty, "%s has another price than the quote", r.Event)
	case r.Beneficiary != b.quote.Beneficiary:
		return because(whyBeneficiary, "%s is for %q and the quote for %q", r.Event, r.Beneficiary, b.quote.Beneficiary)
	}
	return nil
}

// openSaid checks what the recipient signed for a step.
func (b *checked) openSaid(s *step) *fault {
	want, decision := saidWith(s.Event)
	if want == "" {
		if s.Statement != "" {
			return because(whyDecision, "%s contains a statement", s.Event)
		}
		return nil
	}
	kind := "statement"
	if decision {
		kind = "decision"
	}
	if s.Statement == "" {
		return because(whyDecision, "%s without the recipient's signed %s", s.Event, kind)
	}
	if err := b.identity.open(s.Statement, kind, &s.said); err != nil {
		return because(whyDecision, "the %s in %s %v", kind, s.Event, err)
	}
	b.signatures++
	if s.said.Bond != b.id || s.said.Quote != b.quoteHash {
		return because(whyDecision, "the %s in %s is on another bond or quote", kind, s.Event)
	}
	if decision && s.said.Verdict != want || !decision && s.said.Event != want {
		return because(whyDecision, "%s contains a %s to %s", s.Event, kind, s.said.Verdict+s.said.Event)
	}
	if decision {
		b.decisions++
		return nil
	}
	if !wholeHour(s.said.Time) {
		return because(whyTime, "the statement in %s has a time that is no whole hour", s.Event)
	}
	if want == "arrived" {
		if s.said.Proof == "" {
			return because(whyDecision, "%s without the hash of a proof", s.Event)
		}
		b.proofs = append(b.proofs, s.said.Proof)
	}
	return nil
}

// saidWith is what the recipient has to say for a step, and whether that is a
// decision.
func saidWith(event string) (want string, decision bool) {
	switch event {
	case "arrived", "arrived_late":
		return "arrived", false
	case "read", "withdrawn":
		return event, false
	case "accepted", "accepted_late":
		return "accept", true
	case "rejecting", "rejected":
		return "reject", true
	case "undone":
		return "undo", true
	}
	return "", false
}

func salted(salt, address string) string {
	sum := sha256.Sum256([]byte(salt + "\x00" + address))
	return strict().EncodeToString(sum[:])
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

func wholeHour(t time.Time) bool { return t.Equal(hourOf(t)) }

func hourOf(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }
