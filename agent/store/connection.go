package store

import (
	"slices"
	"time"

	"earnest/escrow"
)

// Connection is somebody with whom keys were exchanged: mail goes both ways
// encrypted and signed, with neither money nor server.
type Connection struct {
	ID      string // blinded address
	Account string
	Number  int64 // when it began, in milliseconds
	Address escrow.Address
	Name    string // as their mails say
	Why     string // accepted, paid or both
	// Free is what they may write from now on: always, or how many are left.
	Free string
	// FreeThere is the same for us, as they have told and as is left. Nothing told
	// is none.
	FreeThere      string
	Bond           escrow.BondID // that it began with
	Received, Sent int           // free mails
	Last           time.Time     // of them
	// Pairs are the keys of each accept, the newest last. Mail goes out with the
	// newest; what comes may still be for an older one.
	Pairs []Pair
}

// Pair is one own key and the other side's certificate, of one bond.
type Pair struct {
	Bond        escrow.BondID
	Name        string // of the own key in the keyring
	Fingerprint string // of the own key
	// Their signs what comes to the own key, and is encrypted to by us.
	Their            []byte
	TheirFingerprint string
	// Received and Sent count the free mails of this pair, as both sides can: so a
	// number that crosses a mail on its way is still understood.
	Received, Sent int
	// Heard is when the mail was written that said last how many may go.
	Heard time.Time
}

func (c Connection) place() place { return place{"connection", c.ID, c.Account, c.Number} }

// Pair finds the pair that came of a bond, or nil.
func (c Connection) Pair(bond escrow.BondID) *Pair {
	i := slices.IndexFunc(c.Pairs, func(p Pair) bool { return p.Bond == bond })
	if i < 0 {
		return nil
	}
	return &c.Pairs[i]
}

// PairOf finds the pair of an own key, or nil.
func (c Connection) PairOf(fingerprint string) *Pair {
	i := slices.IndexFunc(c.Pairs, func(p Pair) bool { return p.Fingerprint == fingerprint })
	if i < 0 {
		return nil
	}
	return &c.Pairs[i]
}

// Seen names what a free mail cannot have again: its Message-ID, and the digest
// that its signature signs.
type Seen struct {
	ID         string
	Connection string
}

func (s Seen) place() place { return place{"seen", s.ID, s.Connection, 0} }
