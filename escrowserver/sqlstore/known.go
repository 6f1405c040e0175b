package sqlstore

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/ledger"
)

// known is what a batch has read of the rows that its operations are about, with
// what the operations before have changed of them. A row that is asked for and not
// there is known to be absent.
//
// An account's row is the lock of all that is its own: its balances, the bonds of
// which it is a party or the beneficiary, its addresses and their keys. A batch locks the accounts of
// its operations before it reads anything else, in the order of their ids; so
// several processes can work on the same books, and what a batch has read stays true
// until it has committed. The books' own holders (the company, the issuance) are
// never read, only added to: their rows are held from the writes of a batch to its
// commit, and not while it decides.
type known struct {
	accounts   map[escrow.KeyID]*knownAccount
	balances   map[bucketKey]*knownBalance
	bonds      map[escrow.BondID]*knownBond
	transfers  map[string]*ledger.Transfer
	heads      map[escrow.BondID]receiptHead
	operations map[operationKey]knownOperation
	offers     map[escrow.Address]*knownOffer
	addresses  map[escrow.Address]provenBy
	open       map[pair][]escrow.BondID
	outcomes   map[outcomeKey]string
	proofs     map[string]knownProof
	used       map[escrow.BondID]usedID // ids of bonds that there are
	keys       map[escrow.Address][]freeKey
	sold       map[escrow.BondID]freeKey       // of this batch; empty: acknowledged
	paid       map[escrow.BondID]escrow.Signed // the first receipts of this batch's purchases
	ended      map[endedKey][]time.Time
	groups     map[group]int
	limits     map[limitKey]*knownLimit
	vouchers   map[string]*escrowserver.VoucherLine
	blocked    map[pair][]span
	blocks     map[escrow.BondID]*newBlockRow
}

type knownAccount struct {
	change  int64
	changed string       // the operation that changed it
	key     escrow.KeyID // of the key that it has now; none: it is deleted
	frozen  bool
	open    int // bonds that it bought
}

type knownBalance struct {
	read, now ledger.Balance
	fresh     bool // there is no row yet
	own       bool // one of the books' own: it was not read, so both are differences
	changed   string
}

type knownBond struct {
	bond
	group   string
	dueAt   int64 // as it is stored
	listed  listed
	hash    string // of the request that bought it, of one that is fresh
	fresh   bool   // there is no row yet
	changed string
	err     error // it cannot be read
}

// listed is a bond's place in the lists of its parties: the number of its newest
// change in each.
type listed struct{ sender, recipient int64 }

// usedID is a bond's id that is taken: by whom, and the hash of the request.
type usedID struct {
	account  escrow.KeyID
	bodyHash string
}

type receiptHead struct {
	n    int64
	hash string
}

type operationKey struct {
	account escrow.KeyID
	id      string
}

type knownOperation struct {
	there              bool
	bodyHash, response string
}

// answer is what the operation answered before; the same id with another body is a
// conflict.
func (o knownOperation) answer(bodyHash string) (string, bool, error) {
	if o.there && o.bodyHash != bodyHash {
		return "", false, escrow.Errorf(escrow.Conflict, "that operation id was used for something else")
	}
	return o.response, o.there, nil
}

type provenBy struct {
	account escrow.KeyID
	renewBy int64
}

type pair struct{ sender, recipient escrow.Address }

// pairOf is what one bond is open of: plus-tags and dots make no other people.
func pairOf(sender, recipient escrow.Address) pair {
	return pair{sender.Folded(), recipient.Folded()}
}

type outcomeKey struct {
	hash string
	bond escrow.BondID
}

type freeKey struct {
	id                 int64
	fingerprint, batch string
	certificate        []byte
}

// knownProof is the arrival that a mail has brought about.
type knownProof struct {
	bond    escrow.BondID
	outcome string
}

type knownOffer struct {
	escrowserver.OfferRecord
	renewBy int64
}

func (o *knownOffer) scan(scan func(...any) error) error {
	var public int64
	err := scan(&o.Account, &o.Signed, &public, &o.renewBy)
	o.Public = public != 0
	return err
}

// endedKey names a sender whose bonds may have ended without arrived: an account,
// or a folded address.
type endedKey struct {
	of  string
	who string
}

func accountEnded(id escrow.KeyID) endedKey { return endedKey{"account", string(id)} }
func addressEnded(sender escrow.Address) endedKey {
	return endedKey{"address", string(sender.Folded())}
}

type group struct {
	recipient escrow.Address
	group     string
}

func groupOf(recipient escrow.Address, name string) group { return group{recipient.Folded(), name} }

func newKnown() known {
	return known{
		accounts: map[escrow.KeyID]*knownAccount{}, balances: map[bucketKey]*knownBalance{},
		bonds: map[escrow.BondID]*knownBond{}, transfers: map[string]*ledger.Transfer{}, heads: map[escrow.BondID]receiptHead{},
		operations: map[operationKey]knownOperation{}, offers: map[escrow.Address]*knownOffer{},
		addresses: map[escrow.Address]provenBy{}, open: map[pair][]escrow.BondID{}, outcomes: map[outcomeKey]string{},
		proofs: map[string]knownProof{}, used: map[escrow.BondID]usedID{}, keys: map[escrow.Address][]freeKey{}, sold: map[escrow.BondID]freeKey{}, paid: map[escrow.BondID]escrow.Signed{}, ended: map[endedKey][]time.Time{}, groups: map[group]int{},
		limits:   map[limitKey]*knownLimit{},
		vouchers: map[string]*escrowserver.VoucherLine{},
		blocked:  map[pair][]span{}, blocks: map[escrow.BondID]*newBlockRow{},
	}
}

// settle keeps the writes of all rows that were changed: each once, as it is now,
// however often it was changed.
func (t *tx) settle() {
	k := &t.known
	for _, id := range slices.Sorted(maps.Keys(k.bonds)) {
		b := k.bonds[id]
		switch {
		case b == nil || b.changed == "":
		case b.fresh:
			t.put(newBond, b.changed, newBondValues(b)...)
		default:
			t.put(changeBond, b.changed, changeBondValues(b)...)
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(k.balances), bucketKey.compare) {
		t.settleBalance(key, k.balances[key])
	}
	for _, id := range slices.Sorted(maps.Keys(k.accounts)) {
		if a := k.accounts[id]; a != nil && a.changed != "" {
			t.put(setNewest, a.changed, a.change, a.open, id)
		}
	}
	t.settleBlocks()
}

// balancesCheck is what the database must say of the accounts' balances after the
// writes; the books' own are added to, not read.
type balancesCheck struct {
	keys []bucketKey
	want []ledger.Balance
	got  []ledger.Balance
	// drift is by how much the balances of each currency changed in sum.
	drift map[string]int64
}

func (t *tx) balancesCheck() *balancesCheck {
	c := &balancesCheck{drift: map[string]int64{}}
	for _, key := range slices.SortedFunc(maps.Keys(t.known.balances), bucketKey.compare) {
		b := t.known.balances[key]
		c.drift[key.currency] += b.now.Available - b.read.Available + b.now.Held - b.read.Held
		if !b.own && b.changed != "" {
			c.keys, c.want = append(c.keys, key), append(c.want, b.now)
		}
	}
	c.got = make([]ledger.Balance, len(c.keys))
	return c
}

func (c *balancesCheck) question() []question {
	if len(c.keys) == 0 {
		return nil
	}
	q := question{text: `SELECT available, held FROM balance WHERE holder = ? AND currency = ?`,
		row: func(i int, scan func(...any) error) error { return scan(&c.got[i].Available, &c.got[i].Held) }}
	for _, key := range c.keys {
		q.values = append(q.values, []any{key.holder, key.currency})
	}
	return []question{q}
}

func (c *balancesCheck) fault() error {
	for currency, sum := range c.drift {
		if sum != 0 {
			return fmt.Errorf("the books of %s would be off by %d: nothing was written", currency, sum)
		}
	}
	for i, key := range c.keys {
		if c.got[i] != c.want[i] {
			return fmt.Errorf("balance of %s: the books say %+v, computed %+v", key.currency, c.got[i], c.want[i])
		}
	}
	return nil
}
