package httpapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"earnest/escrow"
)

func (f *fake) Order(_ context.Context, order escrow.Signed) (escrow.Account, error) {
	return escrow.Account{ID: "k"}, f.note("order", order)
}
func (f *fake) Export(context.Context) (json.RawMessage, error) {
	return json.RawMessage(`{"all":1}`), f.note("export")
}

// An order needs no signed request: who gives it may have lost the account's key.
func TestAnOrderNeedsNoSignedRequest(t *testing.T) {
	f := &fake{}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/v1/orders", strings.NewReader(`{"order":"an.order.signed"}`))
	r.Header.Set("Content-Type", "application/json")
	newAPI(t, f, nil).Handler().ServeHTTP(w, r)
	if w.Code != http.StatusOK || len(f.calls) != 2 || f.calls[1] != escrow.Signed("an.order.signed") || f.account != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, f.calls)
	}
	w = httptest.NewRecorder()
	newAPI(t, f, nil).Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/account/export", nil))
	if w.Code != http.StatusUnauthorized {
		t.Fatalf("all that is stored is told to anybody: %d", w.Code)
	}
}
