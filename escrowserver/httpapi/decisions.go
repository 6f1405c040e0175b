package httpapi

import (
	"context"
	"net/http"

	"earnest/escrow"
	"earnest/escrow/wire"
)

// decisionInput carries a decision about a bond.
type decisionInput struct {
	ID   escrow.BondID `path:"id" minLength:"1" maxLength:"64" doc:"The bond's id"`
	Body wire.DecisionBody
}

func (a *API) decisionOperations() {
	for _, row := range []struct {
		verdict escrow.Verdict
		summary string
	}{
		{escrow.Accept, "Accept: the money goes back at once and the reply certificate is released"},
		{escrow.Reject, "Reject: the money is forfeit once the time to undo is over"},
		{escrow.Undo, "Take back a reject that has not taken effect"},
	} {
		register(a, operation{method: http.MethodPost, path: "/v1/bonds/{id}/" + string(row.verdict),
			id: string(row.verdict), tag: tagRecipient, summary: row.summary},
			func(ctx context.Context, in *decisionInput) (*output[escrow.Outcome], error) {
				return a.decide(ctx, row.verdict, in)
			})
	}
}

// decide holds the signed decision against the path before anything else reads
// it: what the request's signature is about and what the decision says must be
// one and the same.
func (a *API) decide(ctx context.Context, verdict escrow.Verdict, in *decisionInput) (*output[escrow.Outcome], error) {
	var decision escrow.Decision
	if err := escrow.Peek(in.Body.Decision, &decision); err != nil {
		return nil, err
	}
	if decision.Verdict != verdict {
		return nil, escrow.Errorf(escrow.Invalid, "the signed decision has another verdict than the request; nothing was decided")
	}
	if decision.Bond != in.ID {
		return nil, escrow.Errorf(escrow.Invalid, "the signed decision is about another bond than the request; nothing was decided")
	}
	return answer(a.service(ctx).Decide(ctx, in.ID, verdict, in.Body.Decision))
}
