package httpapi

import (
	"context"
	"net/http"

	"earnest/escrow"
)

func (a *API) limitOperations() {
	register(a, operation{method: http.MethodPut, path: "/v1/account/limit", id: "set-limit", tag: tagAccount,
		summary: "Bound what the account may spend in a currency: lower at once, higher after 48 hours"},
		func(ctx context.Context, in *input[escrow.SetLimit]) (*output[escrow.Account], error) {
			return answer(a.service(ctx).SetLimit(ctx, in.Body))
		})
}
