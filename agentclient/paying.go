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
	// CardPayments lists those that were begun and not left, the newest first. One
	// that has ended stays for a day.
	CardPayments(ctx context.Context) ([]CardPayment, error)
	// LeaveCardPayment lists one no more. What is paid there is credited all the same.
	LeaveCardPayment(ctx context.Context, id string) error
	// PayOut asks the escrow for money in the world outside.
	PayOut(ctx context.Context, req PayOut) (Payout, error)
	// CancelPayout takes back what the operator has not begun to pay. The same again
	// gives the same. What the escrow may not know yet is not asked for any more, and
	// cancelled as soon as the escrow has it, or as soon as it is certain that it never
	// will.
	CancelPayout(ctx context.Context, account, id string) (Payout, error)
	// Payouts lists what was asked for, the newest first.
	Payouts(ctx context.Context, account string) ([]Payout, error)
}

// PayByCard says how much. The currency may be left out where the escrow has one.
type PayByCard struct {
	// ID, if set, names the operation: the same again is one payment.
	ID       string `json:"id,omitempty"`
	Account  string `json:"account,omitempty"`
	Amount   string `json:"amount"`
	Currency string `json:"currency,omitempty"`
}

// States of a [CardPayment].
const (
	CardAsked  = "asked"  // the page is not there yet; it is asked for again
	CardOpen   = "open"   // it can be paid at its URL
	CardPaid   = "paid"   // and credited
	CardOver   = "over"   // it can be paid no longer
	CardWrong  = "wrong"  // other money came; nothing was credited
	CardFailed = "failed" // the escrow made no page: see SayError
)

// CardPayment is a page where money is paid.
type CardPayment struct {
	ID      string    `json:"id"`
	Account string    `json:"account"`
	State   string    `json:"state"`
	Amount  Money     `json:"amount"`
	URL     string    `json:"url,omitempty"`
	At      time.Time `json:"at"`
	// Error says why there is no page (yet).
	Error    string `json:"error,omitempty"`
	SayError Said   `json:"sayError,omitempty"`
}

// PayOut says how much, and where it shall go in words for the escrow's operator.
type PayOut struct {
	// ID, if set, names the operation: the same again is one payout.
	ID       string `json:"id,omitempty"`
	Account  string `json:"account,omitempty"`
	Amount   string `json:"amount"`
	Currency string `json:"currency,omitempty"`
	To       string `json:"to"`
}

// CancelPayout says whose payout is taken back.
type CancelPayout struct {
	Account string `json:"account,omitempty"`
}

// States of a [Payout].
const (
	PayoutUnsure  = "unsure"  // no answer of the escrow; it is asked again, under the same id
	PayoutAsked   = "asked"   // on hold
	PayoutPaying  = "paying"  // on hold, and the operator is paying it: it cannot be taken back
	PayoutPaid    = "paid"    // the operator has paid it
	PayoutRefused = "refused" // by the operator: the money is available again
	PayoutFailed  = "failed"  // the escrow did not take it: see SayError

	PayoutCancelling = "cancelling" // taken back, and the escrow has not answered, or could still hear of it
	PayoutCancelled  = "cancelled"  // taken back: the money is available again
)

// Payout is money on its way out. Note says under which reference it was paid, or
// why it was refused; SayNote the same where it is no words of the operator's.
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
	SayNote   Said      `json:"sayNote,omitempty"`
	Error     string    `json:"error,omitempty"`
	SayError  Said      `json:"sayError,omitempty"`
}

// PayByCard implements [Agent].
func (c *Client) PayByCard(ctx context.Context, req PayByCard) (CardPayment, error) {
	return post[CardPayment](ctx, c, "/v1/card", req)
}

// CardPayment implements [Agent].
func (c *Client) CardPayment(ctx context.Context, account, id string) (CardPayment, error) {
	return get[CardPayment](ctx, c, "/v1/card/"+url.PathEscape(id)+"?"+url.Values{"account": {account}}.Encode())
}

// CardPayments implements [Agent].
func (c *Client) CardPayments(ctx context.Context) ([]CardPayment, error) {
	return get[[]CardPayment](ctx, c, "/v1/card")
}

// LeaveCardPayment implements [Agent].
func (c *Client) LeaveCardPayment(ctx context.Context, id string) error {
	_, err := post[struct{}](ctx, c, "/v1/card/"+url.PathEscape(id)+"/leave", struct{}{})
	return err
}

// PayOut implements [Agent].
func (c *Client) PayOut(ctx context.Context, req PayOut) (Payout, error) {
	return post[Payout](ctx, c, "/v1/payouts", req)
}

// CancelPayout implements [Agent].
func (c *Client) CancelPayout(ctx context.Context, account, id string) (Payout, error) {
	return post[Payout](ctx, c, "/v1/payouts/"+url.PathEscape(id)+"/cancel", CancelPayout{Account: account})
}

// Payouts implements [Agent].
func (c *Client) Payouts(ctx context.Context, account string) ([]Payout, error) {
	return get[[]Payout](ctx, c, "/v1/payouts?"+url.Values{"account": {account}}.Encode())
}
