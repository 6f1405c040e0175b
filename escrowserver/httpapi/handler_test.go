package httpapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"earnest/escrow"
	"earnest/escrow/wire"
	"earnest/escrowserver/httpapi"
)

func TestOnlySomeOperationsAreAskedUnsigned(t *testing.T) {
	unsigned := map[string]bool{"/v1/info": true, "/healthz": true, "/v1/offers/ann@d.example": true, "/openapi.json": true}
	for _, target := range []string{
		"GET /v1/info", "GET /healthz", "GET /openapi.json", "GET /v1/offers/ann@d.example",
		"POST /v1/account", "GET /v1/account", "POST /v1/topups", "POST /v1/claims", "POST /v1/claims/proof",
		"PUT /v1/offers", "POST /v1/keys", "GET /v1/pools/ann@d.example", "POST /v1/quotes", "PUT /v1/bonds/b1",
		"POST /v1/bonds/b1/acknowledge", "POST /v1/bonds/b1/withdraw", "GET /v1/bonds", "GET /v1/bonds/b1",
		"POST /v1/bonds/b1/arrive", "POST /v1/bonds/b1/read", "POST /v1/bonds/b1/destroyed",
		"POST /v1/bonds/b1/accept", "POST /v1/bonds/b1/reject", "POST /v1/bonds/b1/undo",
		"GET /v1/bonds/b1/receipts", "POST /v1/heartbeat",
	} {
		method, path, _ := strings.Cut(target, " ")
		f := &fake{}
		w := ask(t, newAPI(t, f, nil).Handler(), 0, method, path, nil)
		if unsigned[path] {
			if w.Code != http.StatusOK || f.account != nil {
				t.Errorf("%s: status %d %s, account %v", target, w.Code, w.Body, f.account)
			}
			continue
		}
		if err := problem(t, w); err.Code != escrow.Unauthorized || f.calls != nil {
			t.Errorf("%s unsigned: %v, asked %v", target, err, f.calls)
		}
	}
}

// TestWrongSignatureIsNoSignature: where a signature may be missing, a wrong one
// is still refused.
func TestWrongSignatureIsNoSignature(t *testing.T) {
	f := &fake{}
	r := httptest.NewRequest("GET", "/v1/offers/ann@d.example", nil)
	r.Host = "escrow.example"
	r.Header.Set("Signature", "earnest=:AAAA:")
	w := httptest.NewRecorder()
	newAPI(t, f, nil).Handler().ServeHTTP(w, r)
	if err := problem(t, w); err.Code != escrow.Unauthorized || f.calls != nil {
		t.Errorf("wrong signature: %v, asked %v", err, f.calls)
	}
}

func TestMovedAndReplayedRequestsNeverReachTheService(t *testing.T) {
	f := &fake{}
	h := newAPI(t, f, nil).Handler()
	body := wire.DecisionBody{Decision: decision(t, "b1", escrow.Accept)}
	first := ask(t, h, 1, "POST", "/v1/bonds/b1/accept", body)
	if first.Code != http.StatusOK {
		t.Fatal(first.Body)
	}
	sent := httptest.NewRequest("POST", "/v1/bonds/b1/accept", nil)
	sent.Host = "escrow.example"
	text := fmt.Sprintf(`{"decision":%q}`, body.Decision)
	signer, _ := wire.NewSigner(account(1))
	if err := signer.Sign(sent, []byte(text), now()); err != nil {
		t.Fatal(err)
	}
	asked := len(f.calls)
	for _, tt := range []struct {
		target string
		want   escrow.Code
	}{
		{"/v1/bonds/b1/reject", escrow.Unauthorized},
		{"/v1/bonds/b2/accept", escrow.Unauthorized},
		{"/v1/bonds/b1/accept", ""},
		{"/v1/bonds/b1/accept", escrow.Replayed},
	} {
		r := httptest.NewRequest("POST", tt.target, strings.NewReader(text))
		r.Host, r.Header = sent.Host, sent.Header.Clone()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if tt.want == "" {
			if w.Code != 200 {
				t.Errorf("%s: %s", tt.target, w.Body)
			}
			asked = len(f.calls)
			continue
		}
		if err := problem(t, w); err.Code != tt.want || len(f.calls) != asked {
			t.Errorf("%s: %v, asked %v", tt.target, err, f.calls[asked:])
		}
	}
}

// TestErrorsNeverEchoWhatWasSent: a voucher's code typed into the wrong place
// does not come back, nor is it logged.
func TestErrorsNeverEchoWhatWasSent(t *testing.T) {
	const secret = "VOUCHER-S3CRET"
	for name, body := range map[string]string{
		"wrong type":        `{"id":"t1","voucher":["` + secret + `"]}`,
		"unexpected name":   `{"id":"t1","voucher":"v","` + secret + `":1}`,
		"no JSON":           secret,
		"JSON with garbage": `{"id":"t1","voucher":"` + secret + `"} ` + secret,
		"other form":        `"` + secret + `"`,
		"missing":           `{"voucher":"` + secret + `"}`,
	} {
		var log bytes.Buffer
		f := &fake{}
		h := newAPI(t, f, func(cfg *httpapi.Config) {
			cfg.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		}).Handler()
		w := ask(t, h, 1, "POST", "/v1/topups", body)
		if err := problem(t, w); err.Code != escrow.Invalid || f.calls != nil {
			t.Errorf("%s: %v, asked %v", name, err, f.calls)
		}
		if seen := w.Body.String() + log.String(); strings.Contains(seen, "S3CRET") {
			t.Errorf("%s echoes it: %s", name, seen)
		}
	}
	w := ask(t, newAPI(t, &fake{}, nil).Handler(), 1, "GET", "/v1/bonds?wait="+secret, nil)
	if problem(t, w); strings.Contains(w.Body.String(), "S3CRET") {
		t.Errorf("query echoes it: %s", w.Body)
	}
	w = ask(t, newAPI(t, &fake{}, nil).Handler(), 1, "GET", "/v1/offers/"+secret, nil)
	if problem(t, w); strings.Contains(w.Body.String(), "S3CRET") {
		t.Errorf("path echoes it: %s", w.Body)
	}
}

func TestUnknownPathsAndMethodsAreProblems(t *testing.T) {
	h := newAPI(t, &fake{}, nil).Handler()
	for _, tt := range []struct {
		method, target string
		status         int
		code           escrow.Code
	}{
		{"GET", "/", 404, escrow.NotFound},
		{"GET", "/v1/nothing", 404, escrow.NotFound},
		{"GET", "/docs", 404, escrow.NotFound},
		{"GET", "/schemas/Problem.json", 404, escrow.NotFound},
		{"DELETE", "/v1/account", 405, escrow.Invalid},
		{"GET", "/v1/topups", 405, escrow.Invalid},
	} {
		w := ask(t, h, 1, tt.method, tt.target, nil)
		if err := problem(t, w); w.Code != tt.status || err.Code != tt.code {
			t.Errorf("%s %s: %d %v", tt.method, tt.target, w.Code, err)
		}
		if (tt.status == 405) != (w.Header().Get("Allow") != "") {
			t.Errorf("%s %s: Allow %q", tt.method, tt.target, w.Header().Get("Allow"))
		}
	}
}

func TestLargeRequestsAreRefused(t *testing.T) {
	f := &fake{}
	w := ask(t, newAPI(t, f, nil).Handler(), 1, "POST", "/v1/topups",
		`{"id":"t1","voucher":"`+strings.Repeat("x", wire.MaxBody)+`"}`)
	if err := problem(t, w); w.Code != http.StatusRequestEntityTooLarge || err.Code != escrow.Invalid || f.calls != nil {
		t.Errorf("too large: %d %v, asked %v", w.Code, err, len(f.calls))
	}
	full := escrow.KeyUpload{Batch: escrow.Signed(strings.Repeat("x", 20<<10))}
	for range escrow.PoolSize {
		full.Certificates = append(full.Certificates, make([]byte, 2<<10))
	}
	if w := ask(t, newAPI(t, f, nil).Handler(), 1, "POST", "/v1/keys", full); w.Code != 200 {
		t.Errorf("a full batch: %d %s", w.Code, w.Body)
	}
}

func TestInnerFailuresAreLoggedAndNotTold(t *testing.T) {
	var log bytes.Buffer
	f := &fake{err: errors.New("disk on fire")}
	h := newAPI(t, f, func(cfg *httpapi.Config) {
		cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
		cfg.Health = func(context.Context) error { return errors.New("disk on fire") }
	}).Handler()
	w := ask(t, h, 1, "GET", "/v1/account", nil)
	if err := problem(t, w); err.Code != escrow.Internal || strings.Contains(w.Body.String(), "fire") {
		t.Errorf("told: %s", w.Body)
	}
	if !strings.Contains(log.String(), "disk on fire") || !strings.Contains(log.String(), "operation=account") {
		t.Errorf("log: %s", log.String())
	}
	w = ask(t, h, 0, "GET", "/healthz", nil)
	if err := problem(t, w); w.Code != 503 || err.Code != escrow.Unavailable || strings.Contains(w.Body.String(), "fire") {
		t.Errorf("healthz: %s", w.Body)
	}
}

func TestPanicsEndOneRequestOnly(t *testing.T) {
	h := newAPI(t, &fake{}, func(cfg *httpapi.Config) {
		cfg.As = func(escrow.PublicKey) escrow.Service { panic("defect") }
	}).Handler()
	if err := problem(t, ask(t, h, 1, "GET", "/v1/account", nil)); err.Code != escrow.Internal {
		t.Errorf("a panic: %v", err)
	}
}
