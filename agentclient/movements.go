package agentclient

import (
	"context"
	"net/url"
	"time"
)

// MoneyAgent is what a client can ask about money beside balances and prices.
type MoneyAgent interface {
	PayingAgent
	// Movements lists what happened to the money of an own address at its escrow,
	// the newest first, as the escrow's books have it. An empty address asks for
	// every account.
	Movements(ctx context.Context, account string) ([]Movement, error)
	// Limits are what mails may cost, one for each currency of the own escrows.
	Limits(ctx context.Context) ([]Limit, error)
	// SetLimit changes the limits of a currency.
	SetLimit(ctx context.Context, req SetLimit) ([]Limit, error)
	// PriceHistory lists the prices that an own address had, the newest first.
	PriceHistory(ctx context.Context, account string) ([]PriceChange, error)
	// CheckReceipts holds exported receipts against their own escrow's key, with
	// no network. Verified, Fault and Steps of the answer say what they prove.
	CheckReceipts(ctx context.Context, receipts Receipts) (Receipts, error)
}

// Kinds of [Movement].
const (
	MoveTopUp   = "top-up"   // value came in
	MoveHold    = "hold"     // available became held
	MoveRefund  = "refund"   // held became available again
	MoveForfeit = "forfeit"  // held went to the beneficiary
	MoveGain    = "received" // somebody's forfeit or transfer came here

	MovePayout        = "payout"         // available became held, to be paid out
	MovePayoutPaid    = "payout-paid"    // held was paid out
	MovePayoutRefused = "payout-refused" // held became available again

	MovePayoutCancelled = "payout-cancelled" // the same, and the account's owner did it
)

// Grounds of a top-up.
const (
	GroundVoucher  = "voucher"
	GroundPayment  = "payment"  // it was paid to a provider, by card for example
	GroundOperator = "operator" // the escrow's operator said so
	GroundWelcome  = "welcome"  // for proving the first address
)

// Movement is one change of an account's balance.
type Movement struct {
	Account string    `json:"account"` // own address
	Escrow  string    `json:"escrow"`
	N       int64     `json:"n"` // grows from movement to movement of an account
	Time    time.Time `json:"time"`
	Kind    string    `json:"kind"`
	Amount  Money     `json:"amount"` // never negative; the kind says which way
	// Available and Held are the balance after it.
	Available Money `json:"available"`
	Held      Money `json:"held"`
	// Bond, and with whom and what about where the agent knows the mail.
	Bond    string `json:"bond,omitempty"`
	With    string `json:"with,omitempty"`
	Subject string `json:"subject,omitempty"`
	// Ground says why a top-up came; empty where the escrow does not tell.
	Ground string `json:"ground,omitempty"`
	// Reason is what the escrow's operator said: of a top-up why, of a payout under
	// which reference it was paid, or why not. SayReason is the same where it is no
	// words of the operator's.
	Reason    string `json:"reason,omitempty"`
	SayReason Said   `json:"sayReason,omitempty"`
}

// Limit is how much mails in one currency may cost. An empty amount is no limit.
type Limit struct {
	Currency string `json:"currency"`
	Unit     string `json:"unit,omitempty"`
	PerMail  string `json:"perMail"`
	PerDay   string `json:"perDay"`
	// Spent is what was held in the last 24 hours and has not come back.
	Spent string `json:"spent"`
	// AtEscrow: the escrow holds to them, too, as soon as it has answered. Without it
	// they bind this machine only.
	AtEscrow bool `json:"atEscrow"`
}

// HereOnly tells that there is a limit, and that only this machine holds to it.
func (l Limit) HereOnly() bool { return !l.AtEscrow && (l.PerMail != "" || l.PerDay != "") }

// SetLimit sets the limits of a currency; an empty amount takes one away.
type SetLimit struct {
	Currency string `json:"currency"`
	PerMail  string `json:"perMail"`
	PerDay   string `json:"perDay"`
	// HereOnly leaves the escrow out: a limit that it has stays as it is, also one that
	// is lower. Else it holds to this one, too, from now on, whoever has the machine: it
	// takes a higher one, or none, only after 48 hours.
	HereOnly bool `json:"hereOnly,omitempty"`
}

// PriceChange is a price as it was from a time on.
type PriceChange struct {
	Time  time.Time `json:"time"`
	Price Price     `json:"price"`
}

// Movements implements [Agent].
func (c *Client) Movements(ctx context.Context, account string) ([]Movement, error) {
	return get[[]Movement](ctx, c, "/v1/movements?"+url.Values{"account": {account}}.Encode())
}

// Limits implements [Agent].
func (c *Client) Limits(ctx context.Context) ([]Limit, error) {
	return get[[]Limit](ctx, c, "/v1/limits")
}

// SetLimit implements [Agent].
func (c *Client) SetLimit(ctx context.Context, req SetLimit) ([]Limit, error) {
	return post[[]Limit](ctx, c, "/v1/limits", req)
}

// PriceHistory implements [Agent].
func (c *Client) PriceHistory(ctx context.Context, account string) ([]PriceChange, error) {
	return get[[]PriceChange](ctx, c, "/v1/price/history?"+url.Values{"account": {account}}.Encode())
}

// CheckReceipts implements [Agent].
func (c *Client) CheckReceipts(ctx context.Context, receipts Receipts) (Receipts, error) {
	return post[Receipts](ctx, c, "/v1/receipts/check", receipts)
}
