package httpapi

import (
	"context"
	"net/http"

	"earnest/escrow"
)

const tagAddress = "address"

func (a *API) addressOperations() {
	register(a, operation{method: http.MethodPost, path: "/v1/claims", id: "claim-address", tag: tagAddress,
		summary: "Have a token mailed to an address"},
		func(ctx context.Context, in *input[escrow.AddressClaim]) (*struct{}, error) {
			return nil, a.service(ctx).ClaimAddress(ctx, in.Body)
		})
	register(a, operation{method: http.MethodPost, path: "/v1/claims/proof", id: "prove-address", tag: tagAddress,
		summary: "End a claim with the mailed token"},
		func(ctx context.Context, in *input[escrow.AddressProof]) (*output[escrow.Account], error) {
			return answer(a.service(ctx).ProveAddress(ctx, in.Body))
		})
}
