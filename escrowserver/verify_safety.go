package escrowserver

import (
	"crypto/ed25519"
	"strings"
	"time"

	"earnest/escrow"
	"earnest/ledger"
)

// SafetyVisitor sees what keeps accounts from thieves, in this order, before
// anything else of the books.
type SafetyVisitor struct {
	Order    func(OrderLine) error
	Change   func(ChangeLine) error
	Replaced func(ReplacedLine) error
	Owner    func(OwnerLine) error
	Block    func(BlockLine) error
}

// OrderLine is an order as stored.
type OrderLine struct {
	Hash    string
	Account escrow.KeyID
	Action  escrow.Action
	Signer  escrow.PublicKey
	Signed  escrow.Signed
	Made    time.Time
	Taken   escrow.Signed // the escrow's word on it
}

// ReplacedLine is a replaced key as stored.
type ReplacedLine struct {
	ReplacedKey
	Public   escrow.PublicKey
	Ordered  escrow.Signed
	Replaced time.Time
}

// OwnerLine is what an account's row says of its key.
type OwnerLine struct {
	Account         escrow.KeyID
	Key             escrow.PublicKey
	KeyID           escrow.KeyID
	Recovery        escrow.PublicKey
	RecoverySigned  escrow.Signed
	Frozen, Deleted time.Time
}

// BlockLine is a block, and the bond whose reject made it.
type BlockLine struct {
	Recipient, Sender escrow.Address
	From, Until       time.Time
	Bond              escrow.Bond
}

// safetyAudit is what is known of accounts before their money is looked at.
type safetyAudit struct {
	orders map[string]OrderLine
	given  map[string]escrow.Order // deletions by hash
	// account of a key that was replaced, or is not the account's first.
	account map[escrow.KeyID]escrow.KeyID
	keys    map[escrow.KeyID][]escrow.PublicKey // that were replaced, of accounts
	next    map[escrow.KeyID]escrow.KeyID       // which key an account must have now
	freezes map[escrow.KeyID][]time.Time
	thaws   map[escrow.KeyID]time.Time // the newest
	// unfreezes act at once where the recovery key has signed them.
	unfreezes map[escrow.KeyID][]OrderLine
	changes   int
	named     map[escrow.KeyID][]OrderLine // that may name a recovery key
	// recoveries are the newest recovery keys by order.
	recoveries map[escrow.KeyID]recoveryAt
	deleted    map[escrow.KeyID]bool
}

func newSafetyAudit() safetyAudit {
	return safetyAudit{orders: map[string]OrderLine{}, given: map[string]escrow.Order{}, account: map[escrow.KeyID]escrow.KeyID{},
		keys: map[escrow.KeyID][]escrow.PublicKey{}, next: map[escrow.KeyID]escrow.KeyID{},
		freezes: map[escrow.KeyID][]time.Time{}, thaws: map[escrow.KeyID]time.Time{}, unfreezes: map[escrow.KeyID][]OrderLine{},
		recoveries: map[escrow.KeyID]recoveryAt{}, deleted: map[escrow.KeyID]bool{}, named: map[escrow.KeyID][]OrderLine{}}
}

func (a *audit) safetyVisitor() *SafetyVisitor {
	return &SafetyVisitor{Order: a.order, Change: a.change, Replaced: a.replacedKey, Owner: a.owner, Block: a.block}
}

// accountOf is whose the key is: the account keeps the id of its first.
func (a *audit) accountOf(key escrow.KeyID) escrow.KeyID {
	if account, ok := a.safety.account[key]; ok {
		return account
	}
	return key
}

func (a *audit) order(o OrderLine) error {
	var order escrow.Order
	err := escrow.Verify(o.Signed, escrow.KindOrder, ed25519.PublicKey(o.Signer), &order)
	if err != nil || o.Signed.Hash() != o.Hash || order.Account != o.Account || order.Action != o.Action || OrderInTime(order, o.Made) != nil {
		a.fault("order %s is not as its owner signed it", o.Hash)
		return nil
	}
	if !signedAs(o.Taken, kindTaken, a.receiptKey, takenOf(o)) {
		a.fault("order %s of account %s is none that the escrow took: somebody made it up, or changed it", o.Hash, o.Account)
		return nil
	}
	a.safety.orders[o.Hash] = o
	switch o.Action {
	case escrow.ActionFreeze:
		a.safety.freezes[o.Account] = append(a.safety.freezes[o.Account], o.Made)
	case escrow.ActionUnfreeze:
		a.safety.unfreezes[o.Account] = append(a.safety.unfreezes[o.Account], o)
	case escrow.ActionRotate, escrow.ActionRecovery:
		a.safety.named[o.Account] = append(a.safety.named[o.Account], o)
	case escrow.ActionDelete:
		a.safety.given[o.Hash] = order
	}
	return nil
}

func (a *audit) thawed(account escrow.KeyID, at time.Time) {
	if at.After(a.safety.thaws[account]) {
		a.safety.thaws[account] = at
	}
}

func (a *audit) change(c ChangeLine) error {
	a.safety.changes++
	ended := !c.Ended.IsZero()
	switch {
	case !genuineChange(c, a.receiptKey):
		a.fault("change %s is not as the escrow promised it", c.ID)
	case ended != (c.Ending != "") || c.Ending == "applied" && c.Ended.Before(c.DueAt):
		a.fault("change %s has an end that does not fit", c.ID)
	case c.Ending == "applied" && c.Kind == string(escrow.ActionUnfreeze):
		a.thawed(c.Account, c.Ended)
	case c.Ending == "applied" && (c.Kind == string(escrow.ActionRotate) || c.Kind == string(escrow.ActionRecovery)):
		var order escrow.Order
		if escrow.Peek(escrow.Signed(c.Value), &order) == nil {
			a.newRecovery(c.Account, order, c.Ended)
		}
	}
	return nil
}

func (a *audit) replacedKey(k ReplacedLine) error {
	o, ok := a.safety.orders[k.Ordered.Hash()]
	var order escrow.Order
	if ok {
		ok = escrow.Peek(k.Ordered, &order) == nil
	}
	next := escrow.KeyID("")
	if order.Action == escrow.ActionRotate {
		next = order.Key.ID()
	}
	must, later := a.safety.next[k.Account]
	if !later {
		must = k.Account
	}
	if !ok || o.Account != k.Account || next != k.Next || order.Action != escrow.ActionRotate && order.Action != escrow.ActionDelete ||
		k.Public.ID() != k.Key || k.Key != must {
		a.fault("key %s was taken from account %s by no order of its owner", k.Key, k.Account)
	}
	a.safety.account[k.Key], a.safety.next[k.Account] = k.Account, k.Next
	if k.Next != "" {
		a.safety.account[k.Next] = k.Account
	}
	a.safety.keys[k.Account] = append(a.safety.keys[k.Account], k.Public)
	a.thawed(k.Account, k.Replaced)
	return nil
}

func (a *audit) owner(o OwnerLine) error {
	for _, order := range a.safety.named[o.Account] {
		var given escrow.Order
		if a.accountOf(order.Signer.ID()) != o.Account && escrow.Peek(order.Signed, &given) == nil { // the recovery key's act at once
			a.newRecovery(o.Account, given, order.Made)
		}
	}
	a.recovery(o)
	must, replaced := a.safety.next[o.Account]
	if !replaced {
		must = o.Account
	}
	deleted := !o.Deleted.IsZero()
	if o.KeyID != must || deleted != (must == "") || !deleted && o.Key.ID() != o.KeyID || deleted && len(o.Key) > 0 {
		a.fault("account %s has another key than its owner's orders say", o.Account)
	}
	for _, order := range a.safety.unfreezes[o.Account] {
		if a.accountOf(order.Signer.ID()) != o.Account {
			a.thawed(o.Account, order.Made)
		}
	}
	frozen := time.Time{}
	for _, at := range a.safety.freezes[o.Account] {
		if at.After(a.safety.thaws[o.Account]) && (frozen.IsZero() || at.Before(frozen)) {
			frozen = at
		}
	}
	// Within one moment of the clock nothing tells which was first.
	same := !o.Frozen.IsZero() && o.Frozen.Equal(a.safety.thaws[o.Account])
	if !deleted && !same && !o.Frozen.Equal(frozen) {
		a.fault("account %s is frozen, or not, by no order of its owner", o.Account)
	}
	return nil
}

func (a *audit) block(l BlockLine) error {
	var d escrow.Decision
	b := l.Bond
	err := escrow.Peek(b.LastDecision, &d) // the bond's own audit verifies it
	if err != nil || d.Verdict != escrow.Reject || !d.Block || l.Recipient != b.Recipient || l.Sender != b.Sender.Folded() ||
		!l.From.Equal(b.EffectiveAt) || !l.Until.Equal(l.From.Add(escrow.BlockLife)) {
		a.fault("the block of bond %s is not what its reject says", b.ID)
	}
	return nil
}

// givenUp reports a transfer of what an owner gave up with the account.
func (a *audit) givenUp(t ledger.Transfer) bool {
	rest, ok := strings.CutPrefix(t.ID, "given-up:")
	hash, currency, _ := strings.Cut(rest, ":")
	order, known := a.safety.given[hash]
	if !ok || !known || t.From != order.Account.Holder() || t.To != ledger.Company || t.State != ledger.Posted || t.Currency != currency {
		return false
	}
	for _, g := range order.GiveUp {
		if g.Currency == currency && int64(g.Amount) == t.Amount {
			return true
		}
	}
	return false
}

// signedBatch reads a batch of keys that one of the account's keys has signed.
func (a *audit) signedBatch(c CertificateLine) (escrow.KeyBatch, bool) {
	keys := a.safety.keys[c.Account]
	if len(c.Key) > 0 {
		keys = append([]escrow.PublicKey{c.Key}, keys...)
	}
	for _, key := range keys {
		var batch escrow.KeyBatch
		if escrow.Verify(c.Batch, escrow.KindKeys, ed25519.PublicKey(key), &batch) == nil {
			return batch, c.Batch.Hash() == c.BatchHash && a.accountOf(key.ID()) == c.Account
		}
	}
	return escrow.KeyBatch{}, false
}
