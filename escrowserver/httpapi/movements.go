package httpapi

import (
	"context"
	"net/http"

	"earnest/escrow"
)

// movementsInput asks for a page of movements.
type movementsInput struct {
	After int64 `query:"after" minimum:"0" doc:"Cursor of the page before; 0 begins with the oldest"`
	Limit int   `query:"limit" minimum:"0" doc:"How many at most; 0, and what is over the most of a page, is that most"`
}

func (a *API) movementOperations() {
	register(a, operation{method: http.MethodGet, path: "/v1/movements", id: "movements", tag: tagAccount,
		summary: "List what happened to the account's money, oldest first, with the balance after each"},
		func(ctx context.Context, in *movementsInput) (*output[escrow.MovementPage], error) {
			page, err := a.service(ctx).Movements(ctx, in.After, in.Limit)
			if page.Movements == nil {
				page.Movements = []escrow.Movement{}
			}
			return answer(page, err)
		})
}
