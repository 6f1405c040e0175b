package escrowclient

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"earnest/escrow"
	"earnest/escrow/wire"
)

// ask makes a call whose answer is a T.
func ask[T any](ctx context.Context, c *Client, k call) (T, error) {
	var out T
	k.out = &out
	err := c.do(ctx, k)
	return out, err
}

// Info describes the escrow.
func (c *Client) Info(ctx context.Context) (escrow.Info, error) {
	return ask[escrow.Info](ctx, c, call{name: "info", method: http.MethodGet, path: "/v1/info"})
}

// OpenAccount makes the account of the signing key.
func (c *Client) OpenAccount(ctx context.Context, req escrow.OpenAccount) (escrow.Account, error) {
	return ask[escrow.Account](ctx, c, call{name: "open account", method: http.MethodPost, path: "/v1/account", in: req})
}

// Account returns the account.
func (c *Client) Account(ctx context.Context) (escrow.Account, error) {
	return ask[escrow.Account](ctx, c, call{name: "account", method: http.MethodGet, path: "/v1/account"})
}

// TopUp redeems a voucher.
func (c *Client) TopUp(ctx context.Context, req escrow.TopUp) (escrow.Balance, error) {
	return ask[escrow.Balance](ctx, c, call{name: "top up", method: http.MethodPost, path: "/v1/topups", in: req})
}

// Movements lists what happened to the account's money.
func (c *Client) Movements(ctx context.Context, after int64, limit int) (escrow.MovementPage, error) {
	query := url.Values{"after": {strconv.FormatInt(after, 10)}}
	if limit != 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	return ask[escrow.MovementPage](ctx, c, call{name: "movements", method: http.MethodGet, path: "/v1/movements", query: query})
}

// ClaimAddress has a token mailed.
func (c *Client) ClaimAddress(ctx context.Context, req escrow.AddressClaim) error {
	return c.do(ctx, call{name: "claim address", method: http.MethodPost, path: "/v1/claims", in: req})
}

// ProveAddress ends a claim.
func (c *Client) ProveAddress(ctx context.Context, req escrow.AddressProof) (escrow.Account, error) {
	return ask[escrow.Account](ctx, c, call{name: "prove address", method: http.MethodPost, path: "/v1/claims/proof", in: req})
}

// PublishOffer sets a price.
func (c *Client) PublishOffer(ctx context.Context, offer escrow.Signed) error {
	return c.do(ctx, call{name: "publish offer", method: http.MethodPut, path: "/v1/offers", in: wire.OfferBody{Offer: offer}})
}

// Offer looks up a price.
func (c *Client) Offer(ctx context.Context, address escrow.Address) (escrow.Signed, error) {
	body, err := ask[wire.OfferBody](ctx, c, call{name: "offer", method: http.MethodGet, path: "/v1/offers/" + url.PathEscape(string(address))})
	return body.Offer, err
}

// AddKeys uploads one-time keys.
func (c *Client) AddKeys(ctx context.Context, req escrow.KeyUpload) (escrow.Pool, error) {
	return ask[escrow.Pool](ctx, c, call{name: "add keys", method: http.MethodPost, path: "/v1/keys", in: req})
}

// Pool tells how many keys are unsold.
func (c *Client) Pool(ctx context.Context, address escrow.Address) (escrow.Pool, error) {
	return ask[escrow.Pool](ctx, c, call{name: "pool", method: http.MethodGet, path: "/v1/pools/" + url.PathEscape(string(address))})
}

// Quote says what it costs to write there.
func (c *Client) Quote(ctx context.Context, req escrow.QuoteRequest) (escrow.Signed, error) {
	body, err := ask[wire.QuoteBody](ctx, c, call{name: "quote", method: http.MethodPost, path: "/v1/quotes", in: req})
	return body.Quote, err
}

// Buy claims a key and holds the money.
func (c *Client) Buy(ctx context.Context, req escrow.BuyRequest) (escrow.Purchase, error) {
	body := wire.BuyBody{Quote: req.Quote, Verification: present(req.Verification), Reply: present(req.Reply)}
	return ask[escrow.Purchase](ctx, c, call{name: "buy", method: http.MethodPut, path: bond(req.ID, ""), in: body})
}

// Acknowledge says that the sold key was received.
func (c *Client) Acknowledge(ctx context.Context, id escrow.BondID) error {
	return c.do(ctx, call{name: "acknowledge", method: http.MethodPost, path: bond(id, "/acknowledge")})
}

// AskWithdraw asks for the bond back.
func (c *Client) AskWithdraw(ctx context.Context, id escrow.BondID) (escrow.BondView, error) {
	return ask[escrow.BondView](ctx, c, call{name: "withdraw", method: http.MethodPost, path: bond(id, "/withdraw")})
}

// maxWait is how long the escrow waits at most.
const maxWait = time.Minute

// Bonds lists changed bonds, and waits for one in whole seconds.
func (c *Client) Bonds(ctx context.Context, after int64, wait time.Duration) (escrow.BondPage, error) {
	wait = min(max(wait, 0), maxWait)
	query := url.Values{"after": {strconv.FormatInt(after, 10)}}
	if seconds := int64((wait + time.Second - 1) / time.Second); seconds > 0 {
		query.Set("wait", strconv.FormatInt(seconds, 10))
	}
	return ask[escrow.BondPage](ctx, c, call{name: "bonds", method: http.MethodGet, path: "/v1/bonds", query: query, wait: wait})
}

// Bond returns one bond.
func (c *Client) Bond(ctx context.Context, id escrow.BondID) (escrow.BondView, error) {
	return ask[escrow.BondView](ctx, c, call{name: "bond", method: http.MethodGet, path: bond(id, "")})
}

// Arrive reports a mail with proof.
func (c *Client) Arrive(ctx context.Context, id escrow.BondID, req escrow.Arrival) (escrow.Outcome, error) {
	req.Proof = escrow.ArrivalProof{Signature: present(req.Proof.Signature), Digest: present(req.Proof.Digest)}
	return ask[escrow.Outcome](ctx, c, call{name: "arrive", method: http.MethodPost, path: bond(id, "/arrive"), in: req})
}

// Read reports that a person saw the mail.
func (c *Client) Read(ctx context.Context, id escrow.BondID, statement escrow.Signed) (escrow.Outcome, error) {
	return c.state(ctx, "read", id, statement)
}

// Destroyed confirms that a private key is gone unopened.
func (c *Client) Destroyed(ctx context.Context, id escrow.BondID, statement escrow.Signed) (escrow.Outcome, error) {
	return c.state(ctx, "destroyed", id, statement)
}

func (c *Client) state(ctx context.Context, name string, id escrow.BondID, statement escrow.Signed) (escrow.Outcome, error) {
	body := wire.StatementBody{Statement: statement}
	return ask[escrow.Outcome](ctx, c, call{name: name, method: http.MethodPost, path: bond(id, "/"+name), in: body})
}

// Decide sends an accept, a reject or an undo.
func (c *Client) Decide(ctx context.Context, id escrow.BondID, verdict escrow.Verdict, decision escrow.Signed) (escrow.Outcome, error) {
	switch verdict {
	case escrow.Accept, escrow.Reject, escrow.Undo:
	default:
		return escrow.Outcome{}, escrow.Errorf(escrow.Invalid, "a verdict is accept, reject or undo")
	}
	body := wire.DecisionBody{Decision: decision}
	return ask[escrow.Outcome](ctx, c, call{name: string(verdict), method: http.MethodPost, path: bond(id, "/"+string(verdict)), in: body})
}

// Receipts returns the bond's chain.
func (c *Client) Receipts(ctx context.Context, id escrow.BondID) ([]escrow.Signed, error) {
	body, err := ask[wire.ReceiptsBody](ctx, c, call{name: "receipts", method: http.MethodGet, path: bond(id, "/receipts")})
	return body.Receipts, err
}

// Heartbeat says that the account's agent is alive.
func (c *Client) Heartbeat(ctx context.Context) error {
	return c.do(ctx, call{name: "heartbeat", method: http.MethodPost, path: "/v1/heartbeat"})
}

// present is data as an empty text where there is none: null is no form of it,
// and the escrow itself shall say what is wrong with it.
func present(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

func bond(id escrow.BondID, rest string) string {
	return "/v1/bonds/" + url.PathEscape(string(id)) + rest
}
