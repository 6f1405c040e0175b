package escrowclient

import (
	"context"
	"net/http"
	"net/url"

	"earnest/escrow"
	"earnest/escrow/wire"
)

// StartCheckout asks for a page where an amount can be paid.
func (c *Client) StartCheckout(ctx context.Context, req escrow.CheckoutRequest) (escrow.Checkout, error) {
	return ask[escrow.Checkout](ctx, c, call{name: "start checkout", method: http.MethodPost, path: "/v1/checkouts", in: req})
}

// Checkout tells whether it was paid.
func (c *Client) Checkout(ctx context.Context, id string) (escrow.Checkout, error) {
	return ask[escrow.Checkout](ctx, c, call{name: "checkout", method: http.MethodGet, path: "/v1/checkouts/" + url.PathEscape(id)})
}

// AskPayout holds an amount to be paid out.
func (c *Client) AskPayout(ctx context.Context, req escrow.PayoutRequest) (escrow.Payout, error) {
	return ask[escrow.Payout](ctx, c, call{name: "ask payout", method: http.MethodPost, path: "/v1/payouts", in: req})
}

// CancelPayout takes back what the operator has not begun to pay.
func (c *Client) CancelPayout(ctx context.Context, id string) (escrow.Payout, error) {
	return ask[escrow.Payout](ctx, c, call{name: "cancel payout", method: http.MethodPost, path: "/v1/payouts/" + url.PathEscape(id) + "/cancel"})
}

// Payouts lists the account's payouts.
func (c *Client) Payouts(ctx context.Context) ([]escrow.Payout, error) {
	body, err := ask[wire.PayoutsBody](ctx, c, call{name: "payouts", method: http.MethodGet, path: "/v1/payouts"})
	return body.Payouts, err
}
