// Package wire is the escrow's HTTP wire as client and server share it: the
// JSON forms that differ from the structs of package escrow, the one table of
// error codes and HTTP statuses (RFC 9457), and the profile by which requests
// are signed (RFC 9421 with RFC 9530 digests).
package wire

import "earnest/escrow"

// MaxBody is the largest request body, in bytes. The largest is a batch of
// one-time keys: 100 certificates of under 1 KiB each as our agent makes them,
// sent as base64. Responses may be larger: a page of bonds carries certificates.
const MaxBody = 1 << 20

// MediaType is the type of every body, and of requests without one: the
// signature covers the Content-Type, so there must always be one.
const MediaType = "application/json"

// OfferBody carries an offer as signed, up and down.
type OfferBody struct {
	Offer escrow.Signed `json:"offer" maxLength:"65536" doc:"The offer as the identity signed it: a compact JWS"`
}

// QuoteBody carries a quote as signed.
type QuoteBody struct {
	Quote escrow.Signed `json:"quote" doc:"The quote as the escrow signed it: a compact JWS"`
}

// BuyBody is an [escrow.BuyRequest] whose ID stands in the path.
type BuyBody struct {
	Quote        escrow.Signed `json:"quote" maxLength:"65536" doc:"The quote to buy, as it was received"`
	Verification []byte        `json:"verification" doc:"OpenPGP certificate that the mail will be signed by, binary"`
	Reply        []byte        `json:"reply" doc:"OpenPGP certificate for the answer, given to the recipient on accept, binary"`
}

// Request is the body as the service takes it.
func (b BuyBody) Request(id escrow.BondID) escrow.BuyRequest {
	return escrow.BuyRequest{ID: id, Quote: b.Quote, Verification: b.Verification, Reply: b.Reply}
}

// StatementBody carries the statement that a mail was read, or that a key was
// destroyed unopened.
type StatementBody struct {
	Statement escrow.Signed `json:"statement" maxLength:"65536" doc:"The statement as the identity signed it: a compact JWS"`
}

// DecisionBody carries a decision as signed.
type DecisionBody struct {
	Decision escrow.Signed `json:"decision" maxLength:"65536" doc:"The decision as the identity signed it: a compact JWS"`
}

// ReceiptsBody carries a bond's chain.
type ReceiptsBody struct {
	Receipts []escrow.Signed `json:"receipts" nullable:"false" doc:"The chain, oldest first, each as the escrow signed it"`
}

// PayoutsBody carries an account's payouts.
type PayoutsBody struct {
	Payouts []escrow.Payout `json:"payouts" nullable:"false" doc:"The payouts, the newest first"`
}
