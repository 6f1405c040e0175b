package wire

import "earnest/escrow"

// OrderBody carries an order about an account.
type OrderBody struct {
	Order escrow.Signed `json:"order"`
}
