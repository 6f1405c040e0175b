package httpapi_test

import (
	"context"

	"earnest/escrow"
)

func (f *fake) SetLimit(_ context.Context, req escrow.SetLimit) (escrow.Account, error) {
	return escrow.Account{ID: f.account.ID()}, f.note("limit", req)
}
