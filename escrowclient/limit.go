package escrowclient

import (
	"context"
	"net/http"

	"earnest/escrow"
)

// SetLimit bounds what the account may spend in a currency.
func (c *Client) SetLimit(ctx context.Context, req escrow.SetLimit) (escrow.Account, error) {
	return ask[escrow.Account](ctx, c, call{name: "set limit", method: http.MethodPut, path: "/v1/account/limit", in: req})
}
