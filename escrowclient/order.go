package escrowclient

import (
	"context"
	"encoding/json"
	"net/http"

	"earnest/escrow"
	"earnest/escrow/wire"
)

// Order gives the escrow what an owner has signed about an account.
func (c *Client) Order(ctx context.Context, order escrow.Signed) (escrow.Account, error) {
	return ask[escrow.Account](ctx, c, call{name: "order", method: http.MethodPost, path: "/v1/orders", in: wire.OrderBody{Order: order}})
}

// Export returns all that the escrow stores about the account.
func (c *Client) Export(ctx context.Context) (json.RawMessage, error) {
	return ask[json.RawMessage](ctx, c, call{name: "export", method: http.MethodGet, path: "/v1/account/export"})
}
