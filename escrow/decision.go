package escrow

import (
	"crypto/ed25519"
	"strconv"
	"time"
)

// Verdict is what a recipient decides.
type Verdict string

// The verdicts. Undo takes back a reject that has not taken effect.
const (
	Accept Verdict = "accept"
	Reject Verdict = "reject"
	Undo   Verdict = "undo"
)

// Decision is signed by the recipient's identity. A forfeit without one is
// invalid, so the rejected and accepted receipts contain it as signed.
type Decision struct {
	Bond    BondID  `json:"bond"`
	Quote   string  `json:"quote"` // hash of the quote
	Verdict Verdict `json:"verdict"`
	// N grows from decision to decision on one bond, so that an old reject cannot
	// be played again after an undo, whatever the clocks say. It need not count.
	N    int64     `json:"n"`
	Time time.Time `json:"time"`
	// Free tells the sender, with an accept, how many further mails are read
	// without a bond: [FreeAlways] or a count. Where it is absent none was granted.
	Free string `json:"free,omitempty"`
	// Block, with a reject: the sender gets no quote for this recipient for a year.
	Block bool `json:"block,omitempty"`
}

// FreeAlways in a [Decision]: every further mail.
const FreeAlways = "always"

// MaxFree bounds a count of free mails.
const MaxFree = 1_000_000

// validFree reports whether the text is always or a count, written as counts are.
func validFree(text string) bool {
	n, err := strconv.Atoi(text)
	return text == FreeAlways || err == nil && n >= 0 && n <= MaxFree && strconv.Itoa(n) == text
}

// VerifyDecision reads a decision and checks that the identity signed it.
func VerifyDecision(s Signed, identity ed25519.PublicKey) (Decision, error) {
	var d Decision
	if err := Verify(s, KindDecision, identity, &d); err != nil {
		return Decision{}, err
	}
	if d.Verdict != Accept && d.Verdict != Reject && d.Verdict != Undo {
		return Decision{}, Errorf(Invalid, "a verdict is accept, reject or undo")
	}
	if d.Free != "" && (d.Verdict != Accept || !validFree(d.Free)) {
		return Decision{}, Errorf(Invalid, "free mails come with an accept, and are always or a count")
	}
	if d.Block && d.Verdict != Reject {
		return Decision{}, Errorf(Invalid, "a sender is blocked with a reject, and with nothing else")
	}
	return d, nil
}

// Statement is what else a recipient's agent says about a bond, signed by the
// identity: arrived, read, or withdrawn (it destroyed the private key unopened).
type Statement struct {
	Bond  BondID `json:"bond"`
	Quote string `json:"quote"`
	Event Event  `json:"event"`
	// Proof is [ArrivalProof.Hash], with arrived.
	Proof string `json:"proof,omitempty"`
	// Time is rounded down to the hour: the sender will read it.
	Time time.Time `json:"time"`
}

// VerifyStatement reads a statement about the bond and event, and checks that
// the identity signed it.
func VerifyStatement(s Signed, identity ed25519.PublicKey, bond Bond, event Event) (Statement, error) {
	var st Statement
	if err := Verify(s, KindStatement, identity, &st); err != nil {
		return Statement{}, err
	}
	if st.Bond != bond.ID || st.Quote != bond.Quote.Hash() || st.Event != event {
		return Statement{}, Errorf(Invalid, "the statement is about something else")
	}
	return st, nil
}

// ArrivalProof shows the escrow that a mail signed by the buyer exists, without
// showing anything of the mail: the OpenPGP signature packet and the digest
// that it signs. The escrow checks it against the verification certificate.
type ArrivalProof struct {
	Signature []byte `json:"signature"` // one signature packet, binary (RFC 4880 section 5.2)
	Digest    []byte `json:"digest"`    // the hash of the signed data and trailer
}

// Hash names the proof. Each counts once. It is of the digest: a signature
// packet can be written in many ways that all verify, the digest in one.
func (p ArrivalProof) Hash() string { return Hash(p.Digest) }
