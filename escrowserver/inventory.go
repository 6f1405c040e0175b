package escrowserver

import (
	"cmp"
	"encoding/json"
	"slices"

	"earnest/escrow"
)

// kindInventory is the escrow's word on which rows of value an account has. Each of them
// is signed, but so was one that is gone, and so was what stood in its place before.
const kindInventory escrow.Kind = "earnest-inventory+jws"

// NoteInventories is the note that holds the escrow's word on when the inventories of
// older books were signed.
const NoteInventories = "inventories"

const kindInventories escrow.Kind = "earnest-inventories+jws"

// ValueRow is what an inventory has of a row: its own signature, and of a payout its
// state, which that does not tell.
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
}

// inventoryStatement counts up, so that of two one can be told to be older.
type inventoryStatement struct {
	Account escrow.KeyID `json:"account"`
	N       int64        `json:"n"`
	Rows    string       `json:"rows"` // their hash
}

// Inventory signs which rows the account has, as the first or the next after before;
// none after one that was not of the rows then: verify is to tell of those for good.
func (s Seal) Inventory(before *InventoryLine, now InventoryLine) (escrow.Signed, error) {
	n := int64(0)
	if before != nil {
		st, genuine := inventoryOf(*before, s)
		if !genuine {
			return before.Signed, nil
		}
		n = st.N
	}
	rows, err := hashOf(now.Rows)
	if err != nil {
		return "", err
	}
	return s.sign(kindInventory, inventoryStatement{now.Account, n + 1, rows})
}

// Inventories signs when those of older books were signed, and how many.
func (s Seal) Inventories(what Sealed) (escrow.Signed, error) { return s.sign(kindInventories, what) }

// inventoryOf reads the word on the rows, and reports whether it is of these.
func inventoryOf(line InventoryLine, s Seal) (st inventoryStatement, genuine bool) {
	rows, err := hashOf(line.Rows)
	if err == nil {
		err = escrow.Verify(line.Signed, kindInventory, s.key, &st)
	}
	return st, err == nil && st.Account == line.Account && st.Rows == rows
}

// hashOf is of the rows in whatever order they were read.
func hashOf(rows []ValueRow) (string, error) {
	rows = slices.SortedFunc(slices.Values(rows), func(a, b ValueRow) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	text, err := json.Marshal(rows)
	return escrow.Hash(text), err
}

func (a *audit) inventory(line InventoryLine) error {
	a.inventories++
	if _, genuine := inventoryOf(line, Seal{key: a.receiptKey}); !genuine {
		a.fault("account %s has other limits, addresses, payouts or another recovery key than the escrow wrote last: a row was deleted, or an old one put back", line.Account)
	}
	return nil
}

func (a *audit) inventoriesNote(text string) error {
	if escrow.Verify(escrow.Signed(text), kindInventories, a.receiptKey, &a.counted) != nil {
		a.fault("the books do not say when their inventories were begun; serve them once with this program, and if they were served, somebody took it away")
	}
	return nil
}
