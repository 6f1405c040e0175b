package httpapi

import (
	"context"
	"net/http"

	"earnest/escrow"
	"earnest/escrow/wire"
)

func (a *API) orderOperations() {
	register(a, operation{method: http.MethodPost, path: "/v1/orders", id: "order", tag: tagAccount, access: open,
		summary: "Take what an account's key, or its recovery key, has signed about the account; the request itself needs no signature"},
		func(ctx context.Context, in *input[wire.OrderBody]) (*output[escrow.Account], error) {
			return answer(a.service(ctx).Order(ctx, in.Body.Order))
		})
	register(a, operation{method: http.MethodGet, path: "/v1/account/export", id: "export-account", tag: tagAccount,
		summary: "Return all that is stored about the account"}, a.export)
}
