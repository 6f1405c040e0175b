package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"

	"earnest/escrow"
	"earnest/escrow/wire"
)

const tagMoney = "money"

// moneyOperations are how value comes in beside vouchers, and how it goes out.
func (a *API) moneyOperations() {
	register(a, operation{method: http.MethodPost, path: "/v1/checkouts", id: "start-checkout", tag: tagMoney,
		summary: "Ask for a page where an amount can be paid; id is the operation id"},
		func(ctx context.Context, in *input[escrow.CheckoutRequest]) (*output[escrow.Checkout], error) {
			return answer(a.service(ctx).StartCheckout(ctx, in.Body))
		})
	register(a, operation{method: http.MethodGet, path: "/v1/checkouts/{id}", id: "checkout", tag: tagMoney,
		summary: "Tell whether it was paid"},
		func(ctx context.Context, in *struct {
			ID string `path:"id" minLength:"1" maxLength:"64" doc:"The operation id that it was asked for with"`
		}) (*output[escrow.Checkout], error) {
			return answer(a.service(ctx).Checkout(ctx, in.ID))
		})
	register(a, operation{method: http.MethodPost, path: "/v1/payouts", id: "ask-payout", tag: tagMoney,
		summary: "Hold an amount until the operator has paid it out, or refuses to; id is the operation id"},
		func(ctx context.Context, in *input[escrow.PayoutRequest]) (*output[escrow.Payout], error) {
			return answer(a.service(ctx).AskPayout(ctx, in.Body))
		})
	register(a, operation{method: http.MethodPost, path: "/v1/payouts/{id}/cancel", id: "cancel-payout", tag: tagMoney,
		summary: "Take back a payout that the operator has not begun to pay, also of a frozen account; the same again gives the same"},
		func(ctx context.Context, in *struct {
			ID string `path:"id" minLength:"1" maxLength:"64" doc:"The operation id that it was asked for with"`
		}) (*output[escrow.Payout], error) {
			return answer(a.service(ctx).CancelPayout(ctx, in.ID))
		})
	register(a, operation{method: http.MethodGet, path: "/v1/payouts", id: "payouts", tag: tagMoney,
		summary: "List the account's payouts, the newest first"},
		func(ctx context.Context, _ *struct{}) (*output[wire.PayoutsBody], error) {
			list, err := a.service(ctx).Payouts(ctx)
			if list == nil {
				list = []escrow.Payout{}
			}
			return answer(wire.PayoutsBody{Payouts: list}, err)
		})
	a.webhook()
}

// maxEvent bounds what a payment provider posts.
const maxEvent = 256 << 10

// webhook is where a payment provider says what was paid. It signs in a way of its
// own, over the bytes as they come.
func (a *API) webhook() {
	const pattern = "POST /v1/webhooks/{provider}"
	a.unsigned[pattern] = open
	a.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEvent))
		switch {
		case err != nil:
			err = escrow.Errorf(escrow.Invalid, "the event cannot be read")
		case a.cfg.Webhook == nil:
			err = escrow.Errorf(escrow.NotFound, "there is no such provider here")
		default:
			err = a.cfg.Webhook(r.Context(), r.PathValue("provider"), r.Header, body)
		}
		if err == nil {
			w.WriteHeader(http.StatusOK)
			return
		}
		if _, ok := errors.AsType[*escrow.Error](err); !ok {
			a.cfg.Log.Warn("an event of a payment provider was refused", "error", err)
			err = escrow.Errorf(escrow.Unauthorized, "the event is not signed as the provider signs")
		}
		a.writeProblem(w, wire.ProblemOf(err))
	})
}
