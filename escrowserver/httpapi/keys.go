package httpapi

import (
	"context"
	"net/http"

	"earnest/escrow"
)

const tagKeys = "keys"

func (a *API) keyOperations() {
	register(a, operation{method: http.MethodPost, path: "/v1/keys", id: "add-keys", tag: tagKeys,
		summary: "Upload one-time keys; the batch's id is the operation id"},
		func(ctx context.Context, in *input[escrow.KeyUpload]) (*output[escrow.Pool], error) {
			return answer(a.service(ctx).AddKeys(ctx, in.Body))
		})
	register(a, operation{method: http.MethodGet, path: "/v1/pools/{address}", id: "pool", tag: tagKeys,
		summary: "Tell how many unsold keys an own address has"},
		func(ctx context.Context, in *addressInput) (*output[escrow.Pool], error) {
			address, err := in.address()
			if err != nil {
				return nil, err
			}
			return answer(a.service(ctx).Pool(ctx, address))
		})
}
