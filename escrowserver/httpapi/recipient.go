package httpapi

import (
	"context"
	"net/http"

	"earnest/escrow"
	"earnest/escrow/wire"
)

const tagRecipient = "recipient"

// statementInput carries a statement about a bond.
type statementInput struct {
	ID   escrow.BondID `path:"id" minLength:"1" maxLength:"64" doc:"The bond's id"`
	Body wire.StatementBody
}

func (a *API) recipientOperations() {
	register(a, operation{method: http.MethodPost, path: "/v1/bonds/{id}/arrive", id: "arrive", tag: tagRecipient,
		summary: "Report a mail with proof that the buyer signed it"},
		func(ctx context.Context, in *struct {
			ID   escrow.BondID `path:"id" minLength:"1" maxLength:"64" doc:"The bond's id"`
			Body escrow.Arrival
		}) (*output[escrow.Outcome], error) {
			return answer(a.service(ctx).Arrive(ctx, in.ID, in.Body))
		})
	register(a, operation{method: http.MethodPost, path: "/v1/bonds/{id}/read", id: "read", tag: tagRecipient,
		summary: "Report that a person saw the mail"},
		func(ctx context.Context, in *statementInput) (*output[escrow.Outcome], error) {
			return answer(a.service(ctx).Read(ctx, in.ID, in.Body.Statement))
		})
	register(a, operation{method: http.MethodPost, path: "/v1/bonds/{id}/destroyed", id: "destroyed", tag: tagRecipient,
		summary: "Confirm that the private key of a bond asked back was destroyed unopened"},
		func(ctx context.Context, in *statementInput) (*output[escrow.Outcome], error) {
			return answer(a.service(ctx).Destroyed(ctx, in.ID, in.Body.Statement))
		})
}
