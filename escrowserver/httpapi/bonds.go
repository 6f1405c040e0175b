package httpapi

import (
	"context"
	"net/http"
	"time"

	"earnest/escrow"
	"earnest/escrow/wire"
)

const tagBond = "bond"

// bondInput names a bond. Inputs with a body repeat its field: huma does not see
// into embedded types that are not exported, and would leave the id empty.
type bondInput struct {
	ID escrow.BondID `path:"id" minLength:"1" maxLength:"64" doc:"The bond's id"`
}

// listInput asks for changed bonds.
type listInput struct {
	After int64 `query:"after" minimum:"0" doc:"Cursor of the page before; 0 begins with the oldest"`
	Wait  int64 `query:"wait" minimum:"0" maximum:"60" doc:"Seconds to wait for a change if there is none"`
}

func (a *API) bondOperations() {
	register(a, operation{method: http.MethodPut, path: "/v1/bonds/{id}", id: "buy", tag: tagBond,
		summary: "Buy a quote: claim a key and hold the money; the id is made by the buyer and is the operation id"},
		func(ctx context.Context, in *struct {
			ID   escrow.BondID `path:"id" minLength:"1" maxLength:"64" doc:"The bond's id"`
			Body wire.BuyBody
		}) (*output[escrow.Purchase], error) {
			return answer(a.service(ctx).Buy(ctx, in.Body.Request(in.ID)))
		})
	register(a, operation{method: http.MethodPost, path: "/v1/bonds/{id}/acknowledge", id: "acknowledge", tag: tagBond,
		summary: "Say that the sold key was received; the escrow forgets it"},
		func(ctx context.Context, in *bondInput) (*struct{}, error) {
			return nil, a.service(ctx).Acknowledge(ctx, in.ID)
		})
	register(a, operation{method: http.MethodPost, path: "/v1/bonds/{id}/withdraw", id: "withdraw", tag: tagBond,
		summary: "Ask for the bond back before it arrived"},
		func(ctx context.Context, in *bondInput) (*output[escrow.BondView], error) {
			return answer(a.service(ctx).AskWithdraw(ctx, in.ID))
		})
	register(a, operation{method: http.MethodGet, path: "/v1/bonds", id: "bonds", tag: tagBond,
		summary: "List the account's bonds that changed, oldest change first; waits for one if asked to"}, a.bonds)
	register(a, operation{method: http.MethodGet, path: "/v1/bonds/{id}", id: "bond", tag: tagBond,
		summary: "Return one bond of the account"},
		func(ctx context.Context, in *bondInput) (*output[escrow.BondView], error) {
			return answer(a.service(ctx).Bond(ctx, in.ID))
		})
	register(a, operation{method: http.MethodGet, path: "/v1/bonds/{id}/receipts", id: "receipts", tag: tagBond,
		summary: "Return the bond's chain of receipts"},
		func(ctx context.Context, in *bondInput) (*output[wire.ReceiptsBody], error) {
			receipts, err := a.service(ctx).Receipts(ctx, in.ID)
			if receipts == nil {
				receipts = []escrow.Signed{}
			}
			return answer(wire.ReceiptsBody{Receipts: receipts}, err)
		})
}

// bonds is the long poll. A stopping server lets go of it at once.
func (a *API) bonds(ctx context.Context, in *listInput) (*output[escrow.BondPage], error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(a.stopping, cancel)()
	page, err := a.service(ctx).Bonds(ctx, in.After, time.Duration(in.Wait)*time.Second)
	if err != nil && a.stopping.Err() != nil {
		return nil, escrow.Errorf(escrow.Unavailable, "the escrow is stopping; ask again in a moment")
	}
	if page.Bonds == nil {
		page.Bonds = []escrow.BondView{}
	}
	if err == nil {
		err = a.roomForPage(ctx, page)
	}
	return answer(page, err)
}
