package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"earnest/escrow"
	"earnest/escrowserver/httpapi"
)

func (f *fake) StartCheckout(_ context.Context, req escrow.CheckoutRequest) (escrow.Checkout, error) {
	return escrow.Checkout{ID: req.ID, State: escrow.CheckoutOpen}, f.note("checkout", req)
}
func (f *fake) Checkout(_ context.Context, id string) (escrow.Checkout, error) {
	return escrow.Checkout{ID: id, State: escrow.CheckoutPaid}, f.note("paid?", id)
}
func (f *fake) AskPayout(_ context.Context, req escrow.PayoutRequest) (escrow.Payout, error) {
	return escrow.Payout{ID: req.ID, State: escrow.PayoutAsked}, f.note("payout", req)
}
func (f *fake) CancelPayout(_ context.Context, id string) (escrow.Payout, error) {
	return escrow.Payout{ID: id, State: escrow.PayoutRefused}, f.note("unpay", id)
}
func (f *fake) Payouts(context.Context) ([]escrow.Payout, error) {
	return nil, f.note("payouts")
}

// TestWebhooksAreTheProvidersOwn: their bytes and headers come through as they are,
// without a signature of ours; what is refused is told as a problem, without a word
// of why to whom it does not concern.
func TestWebhooksAreTheProvidersOwn(t *testing.T) {
	for name, tt := range map[string]struct {
		err    error
		status int
	}{
		"taken":    {nil, 200},
		"forged":   {errors.New("secret reason"), 401},
		"internal": {escrow.Errorf(escrow.Internal, "the escrow failed"), 500},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			api := newAPI(t, &fake{}, func(c *httpapi.Config) {
				c.Webhook = func(_ context.Context, provider string, header http.Header, body []byte) error {
					got = provider + " " + header.Get("Stripe-Signature") + " " + string(body)
					return tt.err
				}
			})
			r := httptest.NewRequest("POST", "/v1/webhooks/stripe", strings.NewReader("{ \"a\": 1}"))
			r.Header.Set("Stripe-Signature", "t=1,v1=ab")
			w := httptest.NewRecorder()
			api.Handler().ServeHTTP(w, r)
			if w.Code != tt.status || got != "stripe t=1,v1=ab { \"a\": 1}" || strings.Contains(w.Body.String(), "secret reason") {
				t.Errorf("status %d, %s, came through: %q", w.Code, w.Body, got)
			}
		})
	}
	w := httptest.NewRecorder()
	newAPI(t, &fake{}, nil).Handler().ServeHTTP(w, httptest.NewRequest("POST", "/v1/webhooks/stripe", strings.NewReader("{}")))
	if w.Code != 404 {
		t.Errorf("without a provider: %d", w.Code)
	}
}
