package agentclient

import (
	"context"
	"net/url"
	"time"
)

// PayingAgent is how money comes to an escrow by card, and leaves it.
type PayingAgent interface {
	// PayByCard begins a payment; it is paid at the answer's URL, in a browser.
	PayByCard(ctx context.Context, req PayByCard) (CardPayment, error)
	// CardPayment tells how far it is.
	CardPayment(ctx context.Context, account, id string) (CardPayment, error)
	// PayOut asks the escrow for money in the world outside.
	PayOut(ctx context.Context, req PayOut) (Payout, error)
	// Payouts lists what was asked for, the newest first.
	Payouts(ctx context.Context, account string) ([]Payout, error)
}

// PayByCard says how much. The currency may be left out where the escrow has one.
type PayByCard struct {
	Account  string `json:"account,omitempty"`
	Amount   string `json:"amount"`
	Currency string `json:"currency,omitempty"`
}

// CardPayment is a page where money is paid. State is asked, open, paid, over or wrong.
type CardPayment struct {
	ID      string `json:"id"`
	Account string `json:"account"`
	State   string `json:"state"`
	Amount  Money  `json:"amount"`
	URL     string `json:"url,omitempty"`
}

// PayOut says how much, and where it shall go in words for the escrow's operator.
type PayOut struct {
	Account  string `json:"account,omitempty"`
	Amount   string `json:"amount"`
	Currency string `json:"currency,omitempty"`
	To       string `json:"to"`
}

// Payout is money on its way out. State is asked, paid or refused; Note says under
// which reference it was paid, or why not.
type Payout struct {
	ID        string    `json:"id"`
	Account   string    `json:"account"`
	State     string    `json:"state"`
	Amount    Money     `json:"amount"`
	To        string    `json:"to"`
	AskedAt   time.Time `json:"askedAt"`
	NotBefore time.Time `json:"notBefore"`
	EndedAt   time.Time `json:"endedAt,omitzero"`
	Note      string    `json:"note,omitempty"`
}

// PayByCard implements [Agent].
func (c *Client) PayByCard(ctx context.Context, req PayByCard) (CardPayment, error) {
	return post[CardPayment](ctx, c, "/v1/card", req)
}

// CardPayment implements [Agent].
func (c *Client) CardPayment(ctx context.Context, account, id string) (CardPayment, error) {
	return get[CardPayment](ctx, c, "/v1/card/"+url.PathEscape(id)+"?"+url.Values{"account": {account}}.Encode())
}

// PayOut implements [Agent].
func (c *Client) PayOut(ctx context.Context, req PayOut) (Payout, error) {
	return post[Payout](ctx, c, "/v1/payouts", req)
}

// Payouts implements [Agent].
func (c *Client) Payouts(ctx context.Context, account string) ([]Payout, error) {
	return get[[]Payout](ctx, c, "/v1/payouts?"+url.Values{"account": {account}}.Encode())
}
