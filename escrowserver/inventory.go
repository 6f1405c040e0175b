package escrowserver

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"earnest/escrow"
)

// kindInventory is the escrow's word on which rows of value an account has. Each of them
// is signed, but so was one that is gone, and so was what stood in its place before.
const kindInventory escrow.Kind = "earnest-inventory+jws"

// kindInventories is its word on the log of inventories.
const kindInventories escrow.Kind = "earnest-inventories+jws"

// The kinds of rows that inventories of an older program do not list.
const (
	// RowKey is the account's key and since when it is frozen: a row that nothing signs.
	RowKey = "key"
	// RowChange is a change, and what became of it.
	RowChange = "change"
)

// ValueRow is what an inventory has of a row: its own signature, and what that does not
// tell: the state of a payout, since when an account is frozen, when and how a change ended.
type ValueRow struct {
	Kind   string        `json:"kind"`
	Name   string        `json:"name"`
	Signed escrow.Signed `json:"signed"`
	State  string        `json:"state"`
}

// InventoryLine is an account's rows of value as stored, and the word on them; none if
// it is not there.
type InventoryLine struct {
	Account escrow.KeyID
	Rows    []ValueRow
	Signed  escrow.Signed
	// Logged is the newest of the account in the log, First the number of its oldest
	// there, and Cited the log's row that the inventory cites; zero if there is none.
	Logged InventoryLogLine
	First  int64
	Cited  LogEnd
}

// LogEnd is how long the log of inventories was, and the hash of its newest row.
type LogEnd struct {
	N    int64  `json:"n"`
	Hash string `json:"hash"`
}

// InventoryLogLine is a row of the log of inventories.
type InventoryLogLine struct {
	LogEnd  `json:"-"`
	Account escrow.KeyID `json:"account"`
	Number  int64        `json:"number"`
	Signed  string       `json:"signed"` // the inventory's hash
}

// HashAfter is the hash that the row must have after the one before it.
func (l InventoryLogLine) HashAfter(before string) (string, error) {
	text, err := json.Marshal(l)
	return escrow.Hash(append([]byte(before+"\x00"), text...)), err
}

// inventoryStatement counts up, so that an older one is told from a newer. It cites the
// log, so that who cuts that off has everybody's newer ones against him.
type inventoryStatement struct {
	Account escrow.KeyID `json:"account"`
	Number  int64        `json:"number"`
	Rows    string       `json:"rows"` // their hash
	Log     LogEnd       `json:"log"`
	Lists   listing      `json:"lists,omitempty"`
}

// listing is which kinds of rows an inventory lists.
type listing int

const (
	listsValue listing = iota // by an older program
	listsKeys                 // and [RowKey] and [RowChange]
)

// of are the rows that such an inventory lists.
func (l listing) of(rows []ValueRow) []ValueRow {
	return slices.DeleteFunc(slices.Clone(rows), func(row ValueRow) bool {
		return l == listsValue && (row.Kind == RowKey || row.Kind == RowChange)
	})
}

// InventoryAnchor is how long the log of inventories was, and how many accounts had theirs
// signed when that was begun.
type InventoryAnchor struct {
	LogEnd
	Time  time.Time `json:"time"`
	Begun Sealed    `json:"begun"`
}

// Inventory signs which rows the account has, as the first or the next after before;
// none after one that was not right: verify tells of those until an operator has looked
// and takes stock ([TakeStock]).
func (s Seal) Inventory(before *InventoryLine, now InventoryLine, log LogEnd) (escrow.Signed, error) {
	number := int64(0)
	if before != nil {
		st, right := inventoryOf(*before, s, listsKeys)
		if !right {
			return before.Signed, nil
		}
		number = st.Number
	}
	return s.numbered(number+1, now, log)
}

func (s Seal) numbered(number int64, line InventoryLine, log LogEnd) (escrow.Signed, error) {
	rows, err := hashOf(line.Rows)
	if err != nil {
		return "", err
	}
	return s.sign(kindInventory, inventoryStatement{line.Account, number, rows, log, listsKeys})
}

// Relist signs anew an inventory of an older program, with the rows that that one did not
// list. It gives false for one that is not right as that program signed it, or is none.
func (s Seal) Relist(line InventoryLine, log LogEnd) (signed escrow.Signed, older bool, err error) {
	st, right := inventoryOf(line, s, listsValue)
	if !right {
		return "", false, nil
	}
	signed, err = s.numbered(st.Number+1, line, log)
	return signed, true, err
}

// ListsKeys reports an inventory that no older program has signed, right or not.
func (s Seal) ListsKeys(signed escrow.Signed) bool {
	var st inventoryStatement
	return escrow.Verify(signed, kindInventory, s.key, &st) == nil && st.Lists == listsKeys
}

// ToLog is the inventory's row in the log; false if the escrow has not signed it.
func (s Seal) ToLog(line InventoryLine) (InventoryLogLine, bool) {
	var st inventoryStatement
	err := escrow.Verify(line.Signed, kindInventory, s.key, &st)
	return InventoryLogLine{Account: line.Account, Number: st.Number, Signed: line.Signed.Hash()}, err == nil && st.Account == line.Account
}

// Inventories signs how long the log of inventories is.
func (s Seal) Inventories(a InventoryAnchor) (escrow.Signed, error) {
	return s.sign(kindInventories, a)
}

// InventoriesRead reads that.
func (s Seal) InventoriesRead(signed escrow.Signed) (a InventoryAnchor, err error) {
	err = escrow.Verify(signed, kindInventories, s.key, &a)
	return a, err
}

// inventoryOf reads the word on the rows, and reports whether it is of these, lists what
// it is to, and is the newest that the log knows of.
func inventoryOf(line InventoryLine, s Seal, lists listing) (st inventoryStatement, right bool) {
	rows, err := hashOf(lists.of(line.Rows))
	if err == nil {
		err = escrow.Verify(line.Signed, kindInventory, s.key, &st)
	}
	newest := st.Number > line.Logged.Number || st.Number == line.Logged.Number && line.Signed.Hash() == line.Logged.Signed
	return st, err == nil && st.Account == line.Account && st.Lists == lists && st.Rows == rows && newest && st.Log == line.Cited && !st.citesNothing(line)
}

// citesNothing reports that the log was away when the inventory was signed: an older one
// of the account was in it before.
func (st inventoryStatement) citesNothing(line InventoryLine) bool {
	return st.Log.N == 0 && line.First > 0 && line.First < st.Number
}

// hashOf is of the rows in whatever order they were read.
func hashOf(rows []ValueRow) (string, error) {
	rows = slices.SortedFunc(slices.Values(rows), func(a, b ValueRow) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	text, err := json.Marshal(rows)
	return escrow.Hash(text), err
}

// LogInventories writes into the log the inventories that came since. If the
// log is not as it was, it goes on, so that later inventories cite what they
// would if it were, and its anchor stays, so that verify tells. It gives an
// [InventoriesLogged].
type LogInventories struct {
	Now  time.Time
	Seal Seal
	// After is the account that the last one ended with, and Most how many are looked at.
	After escrow.KeyID
	Most  int
}

// InventoriesLogged is how the log was, and the last account that was looked at if there
// may be more: inventories that the escrow did not sign stay, and others come after them.
type InventoriesLogged struct {
	Whole bool
	Last  escrow.KeyID
}

// inventoriesAtOnce bounds one transaction.
const inventoriesAtOnce = 1000

// Name begins the label of each write that the operation makes.
func (LogInventories) Name() string { return "inventories" }

// InventoryStore keeps which rows of value accounts have.
type InventoryStore interface {
	// InventoryAnchor is the escrow's signed word on the log of inventories; empty before
	// there is one.
	InventoryAnchor(ctx context.Context) (string, error)
	// Inventory is what an account has of value, and the escrow's word on it.
	Inventory(ctx context.Context, account escrow.KeyID) (InventoryLine, error)
	// Sealing is the escrow's signed word that older rows of a kind were signed; empty
	// before.
	Sealing(ctx context.Context, kind string) (string, error)
}

// logInventories fails nothing: it is tried again, and verify tells what is wrong.
func (s *Server) logInventories(ctx context.Context) {
	op, whole := LogInventories{Now: s.now(), Seal: s.seal, Most: inventoriesAtOnce}, true
	for more := true; more; more = op.After != "" {
		logged, err := do[InventoriesLogged](ctx, s, op)
		if err != nil {
			return
		}
		op.After, whole = logged.Last, whole && logged.Whole
	}
	if !whole {
		s.log.Error("the log of what accounts have is not as the escrow knew it: rows were changed or cut off; run verify")
	}
}

func (a *audit) inventoryAnchor(text string) error {
	var err error
	if a.inventoryLog.anchor, err = (Seal{key: a.receiptKey}).InventoriesRead(escrow.Signed(text)); err != nil {
		a.fault("the books do not say how long the log of inventories was; serve them once with this program, and if they were served, somebody took it away")
	}
	return nil
}

// inventoryLogAudit is what the log of inventories says.
type inventoryLogAudit struct {
	anchor InventoryAnchor
	end    LogEnd
	newest map[escrow.KeyID]int64
}

func (a *audit) inventoryLogged(l InventoryLogLine) error {
	log := &a.inventoryLog
	hash, err := l.HashAfter(log.end.Hash)
	if err != nil {
		return err
	}
	if l.N != log.end.N+1 || l.Hash != hash {
		a.fault("row %d of the log of inventories was changed, or one before it is missing", l.N)
	}
	if l.Number <= log.newest[l.Account] {
		a.fault("account %s went back to an older inventory: an old state of it was put back", l.Account)
	}
	log.end, log.newest[l.Account] = l.LogEnd, l.Number
	return nil
}

func (a *audit) inventory(line InventoryLine) error {
	a.inventories++
	switch st, right := inventoryOf(line, Seal{key: a.receiptKey}, listsKeys); {
	case right:
	case st.Log != line.Cited:
		a.fault("the inventory of account %s cites row %d of their log, which is no more: the log was cut off, and an older word on it put back", line.Account, st.Log.N)
	case st.citesNothing(line):
		a.fault("the inventory of account %s was signed while their log was away: somebody took it and put it back, and may have put other accounts back with it", line.Account)
	default:
		a.fault("account %s has other limits, addresses, payouts or changes, or another key, recovery key or freeze, than the escrow wrote last: a row was deleted, or an old one put back", line.Account)
	}
	return nil
}

// inventoriesSeen holds the log against its anchor, once all of it was seen.
func (a *audit) inventoriesSeen() {
	if log := a.inventoryLog; log.end != log.anchor.LogEnd {
		a.fault("the log of inventories has %d rows, and had %d on %s: it was cut off, or changed", log.end.N, log.anchor.N, log.anchor.Time.Format(time.DateOnly))
	}
}
