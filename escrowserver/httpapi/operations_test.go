package httpapi_test

import (
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrow/wire"
	"earnest/payment"
)

// decision is a signed decision.
func decision(t *testing.T, bond escrow.BondID, verdict escrow.Verdict) escrow.Signed {
	t.Helper()
	s, err := escrow.Sign(account(1), escrow.KindDecision, escrow.Decision{Bond: bond, Verdict: verdict, N: 1, Time: now()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestEveryOperationReachesTheService: what is asked arrives as it was meant,
// under the account that signed it, and the answer comes back.
func TestEveryOperationReachesTheService(t *testing.T) {
	key := escrow.PublicKey(account(1).Public().(ed25519.PublicKey))
	accept := decision(t, "b1", escrow.Accept)
	upload := escrow.KeyUpload{Batch: "a.b.c", Certificates: [][]byte{{1}, {2, 3}}}
	claim := escrow.AddressClaim{Address: "Ann@d.example", Nonce: "nonce"}
	proof := escrow.AddressProof{Address: "ann@d.example", Nonce: "nonce", Token: "token"}
	quote := escrow.QuoteRequest{Sender: "bob@d.example", Recipient: "ann@d.example",
		Option: payment.Option{System: payment.SystemEscrow, Currency: "escrow.example", Amount: 25, Scale: 2}}
	checkout := escrow.CheckoutRequest{ID: "c1", Currency: "escrow.example", Amount: 500}
	payout := escrow.PayoutRequest{ID: "p1", Currency: "escrow.example", Amount: 500, To: "IBAN"}
	arrival := escrow.Arrival{Proof: escrow.ArrivalProof{Signature: []byte{1}, Digest: []byte{2}}, Statement: "s.t.u"}
	for _, tt := range []struct {
		method, target string
		body           any
		status         int
		want           []any
		answer         string
	}{
		{"GET", "/v1/info", nil, 200, []any{"info"}, `"name":"escrow.example"`},
		{"POST", "/v1/account", escrow.OpenAccount{Key: key}, 200, []any{"open", escrow.OpenAccount{Key: key}}, string(key.ID())},
		{"GET", "/v1/account", nil, 200, []any{"account"}, string(key.ID())},
		{"POST", "/v1/topups", escrow.TopUp{ID: "t1", Voucher: "v"}, 200, []any{"topup", escrow.TopUp{ID: "t1", Voucher: "v"}}, `"available":500`},
		{"PUT", "/v1/account/limit", escrow.SetLimit{Currency: "escrow.example"}, 200, []any{"limit", escrow.SetLimit{Currency: "escrow.example"}}, `"id"`},
		{"GET", "/v1/movements?after=3&limit=2", nil, 200, []any{"movements", int64(3), 2}, `{"movements":[],"cursor":3,"more":false}`},
		{"GET", "/v1/movements", nil, 200, []any{"movements", int64(0), 0}, `"cursor":0`},
		{"POST", "/v1/checkouts", checkout, 200, []any{"checkout", checkout}, `"state":"open"`},
		{"GET", "/v1/checkouts/c1", nil, 200, []any{"paid?", "c1"}, `"state":"paid"`},
		{"POST", "/v1/payouts", payout, 200, []any{"payout", payout}, `"state":"asked"`},
		{"POST", "/v1/payouts/p1/cancel", nil, 200, []any{"unpay", "p1"}, `"state":"refused"`},
		{"GET", "/v1/payouts", nil, 200, []any{"payouts"}, `{"payouts":[]}`},
		{"POST", "/v1/claims", claim, 204, []any{"claim", claim}, ""},
		{"POST", "/v1/claims/proof", proof, 200, []any{"prove", proof}, `"id"`},
		{"PUT", "/v1/offers", wire.OfferBody{Offer: "o.f.f"}, 204, []any{"publish", escrow.Signed("o.f.f")}, ""},
		{"GET", "/v1/offers/a%2Fb+c@d.example", nil, 200, []any{"offer", escrow.Address("a/b+c@d.example")}, `{"offer":"an.offer.signed"}`},
		{"GET", "/v1/offers/j%C3%B6rg@d.example", nil, 200, []any{"offer", escrow.Address("jörg@d.example")}, `an.offer.signed`},
		{"POST", "/v1/keys", upload, 200, []any{"keys", upload}, `"free":2`},
		{"GET", "/v1/pools/ann@d.example", nil, 200, []any{"pool", escrow.Address("ann@d.example")}, `"free":7`},
		{"POST", "/v1/quotes", quote, 200, []any{"quote", quote}, `{"quote":"a.quote.signed"}`},
		{"PUT", "/v1/bonds/b1", wire.BuyBody{Quote: "q", Verification: []byte{1}, Reply: []byte{2}}, 200,
			[]any{"buy", escrow.BuyRequest{ID: "b1", Quote: "q", Verification: []byte{1}, Reply: []byte{2}}}, `"certificate":"AQI="`},
		{"POST", "/v1/bonds/b1/acknowledge", nil, 204, []any{"acknowledge", escrow.BondID("b1")}, ""},
		{"POST", "/v1/bonds/b1/withdraw", nil, 200, []any{"withdraw", escrow.BondID("b1")}, `"id":"b1"`},
		{"GET", "/v1/bonds?after=3&wait=2", nil, 200, []any{"bonds", int64(3), 2 * time.Second}, `{"bonds":[],"cursor":3,"more":false}`},
		{"GET", "/v1/bonds", nil, 200, []any{"bonds", int64(0), time.Duration(0)}, `"cursor":0`},
		{"GET", "/v1/bonds/b1", nil, 200, []any{"bond", escrow.BondID("b1")}, `"id":"b1"`},
		{"POST", "/v1/bonds/b1/arrive", arrival, 200, []any{"arrive", escrow.BondID("b1"), arrival}, `"id":"b1"`},
		{"POST", "/v1/bonds/b1/read", wire.StatementBody{Statement: "s"}, 200, []any{"read", escrow.BondID("b1"), escrow.Signed("s")}, `"id":"b1"`},
		{"POST", "/v1/bonds/b1/destroyed", wire.StatementBody{Statement: "s"}, 200, []any{"destroyed", escrow.BondID("b1"), escrow.Signed("s")}, `"id":"b1"`},
		{"POST", "/v1/bonds/b1/accept", wire.DecisionBody{Decision: accept}, 200, []any{"decide", escrow.BondID("b1"), escrow.Accept, accept}, `"id":"b1"`},
		{"GET", "/v1/bonds/b1/receipts", nil, 200, []any{"receipts", escrow.BondID("b1")}, `{"receipts":[]}`},
		{"POST", "/v1/heartbeat", nil, 204, []any{"heartbeat"}, ""},
	} {
		f := &fake{}
		w := ask(t, newAPI(t, f, nil).Handler(), 1, tt.method, tt.target, tt.body)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.answer) {
			t.Errorf("%s %s: status %d, body %s", tt.method, tt.target, w.Code, w.Body)
			continue
		}
		if !reflect.DeepEqual(f.calls, tt.want) {
			t.Errorf("%s %s asked %#v, want %#v", tt.method, tt.target, f.calls, tt.want)
		}
		if tt.target != "/v1/info" && f.account.ID() != key.ID() {
			t.Errorf("%s %s asked as another account", tt.method, tt.target)
		}
		if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Access-Control-Allow-Origin") != "" ||
			strings.Contains(w.Body.String(), "$schema") || w.Header().Get("Link") != "" {
			t.Errorf("%s %s: headers %v, body %s", tt.method, tt.target, w.Header(), w.Body)
		}
	}
}

// TestVerdictOfThePathIsTheDecisions: a signed accept is no reject, and a
// decision about one bond none about another.
func TestVerdictOfThePathIsTheDecisions(t *testing.T) {
	verdicts := []escrow.Verdict{escrow.Accept, escrow.Reject, escrow.Undo}
	for _, path := range verdicts {
		for _, inside := range verdicts {
			f := &fake{}
			w := ask(t, newAPI(t, f, nil).Handler(), 1, "POST", "/v1/bonds/b1/"+string(path), wire.DecisionBody{Decision: decision(t, "b1", inside)})
			if path == inside {
				if w.Code != http.StatusOK || f.calls[2] != path {
					t.Errorf("%s to %s: %d %v", inside, path, w.Code, f.calls)
				}
			} else if err := problem(t, w); err.Code != escrow.Invalid || f.calls != nil {
				t.Errorf("%s to %s: %v, asked %v", inside, path, err, f.calls)
			}
		}
	}
	f := &fake{}
	w := ask(t, newAPI(t, f, nil).Handler(), 1, "POST", "/v1/bonds/b2/accept", wire.DecisionBody{Decision: decision(t, "b1", escrow.Accept)})
	if err := problem(t, w); err.Code != escrow.Invalid || f.calls != nil {
		t.Errorf("decision about another bond: %v, asked %v", err, f.calls)
	}
}

func TestEveryCodeComesBackFromAnOperation(t *testing.T) {
	for _, row := range wire.Table() {
		have := payment.Amount(1)
		f := &fake{err: &escrow.Error{Code: row.Code, Have: &have, Need: &have, RetryAfter: time.Minute, Time: now()}}
		w := ask(t, newAPI(t, f, nil).Handler(), 1, "PUT", "/v1/bonds/b1", wire.BuyBody{Quote: "q", Verification: []byte{1}, Reply: []byte{2}})
		got := problem(t, w)
		if got.Code != row.Code || w.Code != row.Status || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v, status %d", row.Code, got, w.Code)
		}
		if row.Code != escrow.Internal && (!reflect.DeepEqual(got, f.err) || w.Header().Get("Retry-After") != "60") {
			t.Errorf("%s came back as %+v with %v", row.Code, got, w.Header())
		}
	}
}

// TestEmptyDataReachesTheEscrow, which says what is missing with its own code.
func TestEmptyDataReachesTheEscrow(t *testing.T) {
	f := &fake{err: &escrow.Error{Code: escrow.BadProof}}
	h := newAPI(t, f, nil).Handler()
	w := ask(t, h, 1, "POST", "/v1/bonds/b1/arrive", `{"proof":{"signature":"","digest":""},"statement":"s"}`)
	if err := problem(t, w); err.Code != escrow.BadProof {
		t.Errorf("empty proof: %v", err)
	}
	f.calls = nil
	w = ask(t, h, 1, "POST", "/v1/bonds/b1/arrive", `{"proof":{"signature":"?!","digest":""},"statement":"s"}`)
	if err := problem(t, w); err.Code != escrow.Invalid || f.calls != nil {
		t.Errorf("no base64: %v, asked %v", err, f.calls)
	}
}

func TestHealth(t *testing.T) {
	w := ask(t, newAPI(t, &fake{}, nil).Handler(), 0, "GET", "/healthz", nil)
	var body map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != 200 || body["status"] != "ok" {
		t.Errorf("healthz: %d %s", w.Code, w.Body)
	}
}
