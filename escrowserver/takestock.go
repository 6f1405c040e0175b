package escrowserver

import (
	"context"

	"earnest/escrow"
)

// Stock is what an account has of value, and whether its inventory said so.
type Stock struct {
	Rows  []ValueRow
	Right bool
}

// TakeStock signs an account's inventory anew if it is not right: an operator has looked
// at what the account has. It gives a [Stock].
type TakeStock struct {
	Account escrow.KeyID
	Seal    Seal
}

// Name begins the label of each write that the operation makes.
func (TakeStock) Name() string { return "stock" }

// Stock is what an account has according to its inventory and its rows.
func (s Seal) Stock(line InventoryLine) Stock {
	_, right := inventoryOf(line, s, listsKeys)
	return Stock{line.Rows, right}
}

// NextInventory signs which rows the account has, whatever its inventory said before:
// with a higher number than the log has of it, or it had itself.
func (s Seal) NextInventory(line InventoryLine, log LogEnd) (escrow.Signed, error) {
	number := line.Logged.Number
	if row, signed := s.ToLog(line); signed {
		number = max(number, row.Number)
	}
	return s.numbered(number+1, line, log)
}

// NoStock is the error for an account that is not in the books.
func NoStock(account escrow.KeyID) error {
	return escrow.Errorf(escrow.NotFound, "there is no account %s in these books; nothing was changed; see the key-id in what verify says", account)
}

// TakeStock signs an account's inventory anew if it is not right.
func (s *Server) TakeStock(ctx context.Context, account escrow.KeyID) (Stock, error) {
	stock, err := do[Stock](ctx, s, TakeStock{account, s.seal})
	if err == nil {
		s.logInventories(ctx)
	}
	return stock, err
}
