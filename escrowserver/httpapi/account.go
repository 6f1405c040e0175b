package httpapi

import (
	"context"
	"net/http"

	"earnest/escrow"
)

const tagAccount = "account"

// patternOpen is the one operation that a key without account may ask.
const patternOpen = "POST /v1/account"

func (a *API) accountOperations() {
	register(a, operation{method: http.MethodPost, path: "/v1/account", id: "open-account", tag: tagAccount,
		summary: "Make the account of the signing key, or return it as it is"},
		func(ctx context.Context, in *input[escrow.OpenAccount]) (*output[escrow.Account], error) {
			return answer(a.service(ctx).OpenAccount(ctx, in.Body))
		})
	register(a, operation{method: http.MethodGet, path: "/v1/account", id: "account", tag: tagAccount,
		summary: "Return the account with balances and addresses"},
		func(ctx context.Context, _ *struct{}) (*output[escrow.Account], error) {
			return answer(a.service(ctx).Account(ctx))
		})
	register(a, operation{method: http.MethodPost, path: "/v1/topups", id: "top-up", tag: tagAccount,
		summary: "Redeem a voucher; id is the operation id"},
		func(ctx context.Context, in *input[escrow.TopUp]) (*output[escrow.Balance], error) {
			return answer(a.service(ctx).TopUp(ctx, in.Body))
		})
}
