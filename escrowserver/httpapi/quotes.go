package httpapi

import (
	"context"
	"net/http"

	"earnest/escrow"
	"earnest/escrow/wire"
)

func (a *API) quoteOperations() {
	register(a, operation{method: http.MethodPost, path: "/v1/quotes", id: "quote", tag: tagBond,
		summary: "Say what it costs to write there, signed and for a few minutes"},
		func(ctx context.Context, in *input[escrow.QuoteRequest]) (*output[wire.QuoteBody], error) {
			quote, err := a.service(ctx).Quote(ctx, in.Body)
			return answer(wire.QuoteBody{Quote: quote}, err)
		})
}
