package stripe_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	apiKey        = "sk_test_0123456789"
	webhookSecret = "whsec_0123456789"
)

// standIn speaks the API's wire as its public documentation has it.
type standIn struct {
	t        testing.TB
	mu       sync.Mutex
	sessions []map[string]any
	byKey    map[string]idempotent
	requests []string
	fail     int // answer this status
	url      string
}

type idempotent struct {
	form    string
	session int
}

func newStandIn(t testing.TB) *standIn {
	s := &standIn{t: t, byKey: map[string]idempotent{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/checkout/sessions", s.create)
	mux.HandleFunc("GET /v1/checkout/sessions/{id}", func(w http.ResponseWriter, r *http.Request) {
		for _, session := range s.sessions {
			if session["id"] == r.PathValue("id") {
				s.answer(w, 200, session)
				return
			}
		}
		s.answer(w, 404, map[string]any{"error": map[string]any{"type": "invalid_request_error", "code": "resource_missing"}})
	})
	mux.HandleFunc("GET /v1/checkout/sessions", func(w http.ResponseWriter, r *http.Request) {
		found := []any{}
		for _, session := range s.sessions {
			if session["payment_intent"] == r.URL.Query().Get("payment_intent") {
				found = append(found, session)
			}
		}
		s.answer(w, 200, map[string]any{"object": "list", "data": found, "has_more": false})
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.requests = append(s.requests, r.Method+" "+r.URL.RequestURI())
		user, password, ok := r.BasicAuth()
		if !ok || user != apiKey || password != "" {
			s.answer(w, 401, map[string]any{"error": map[string]any{"type": "invalid_request_error", "message": "Invalid API Key provided: " + user}})
			return
		}
		if s.fail != 0 {
			s.answer(w, s.fail, map[string]any{"error": map[string]any{"type": "api_error", "message": "words of the API"}})
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *standIn) answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		s.t.Error(err)
	}
}

func (s *standIn) create(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		s.t.Errorf("content type %q", r.Header.Get("Content-Type"))
	}
	if err := r.ParseForm(); err != nil {
		s.t.Error(err)
	}
	key := r.Header.Get("Idempotency-Key")
	if before, ok := s.byKey[key]; ok && key != "" {
		if before.form != r.PostForm.Encode() {
			s.answer(w, 400, map[string]any{"error": map[string]any{"type": "idempotency_error"}})
			return
		}
		s.answer(w, 200, s.sessions[before.session])
		return
	}
	amount, err := strconv.ParseInt(r.PostForm.Get("line_items[0][price_data][unit_amount]"), 10, 64)
	if err != nil || r.PostForm.Get("mode") != "payment" || r.PostForm.Get("success_url") == "" ||
		r.PostForm.Get("line_items[0][price_data][product_data][name]") == "" || r.PostForm.Get("line_items[0][quantity]") != "1" {
		s.answer(w, 400, map[string]any{"error": map[string]any{"type": "invalid_request_error", "code": "parameter_missing"}})
		return
	}
	n := len(s.sessions)
	s.byKey[key] = idempotent{r.PostForm.Encode(), n}
	s.sessions = append(s.sessions, map[string]any{
		"id": fmt.Sprintf("cs_test_%d", n), "object": "checkout.session", "mode": "payment", "status": "open", "payment_status": "unpaid",
		"amount_total": amount, "currency": r.PostForm.Get("line_items[0][price_data][currency]"), "payment_intent": nil,
		"client_reference_id": r.PostForm.Get("client_reference_id"), "url": fmt.Sprintf("https://checkout.example/c/pay/cs_test_%d", n),
		"metadata": map[string]any{"checkout": r.PostForm.Get("metadata[checkout]")}, "livemode": false,
	})
	s.answer(w, 200, s.sessions[n])
}

// set changes a session and returns it as it is then.
func (s *standIn) set(n int, changes map[string]any) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	session := map[string]any{}
	for key, value := range s.sessions[n] {
		session[key] = value
	}
	for key, value := range changes {
		session[key] = value
	}
	s.sessions[n] = session
	return session
}

func (s *standIn) paid(n int) map[string]any {
	return s.set(n, map[string]any{"status": "complete", "payment_status": "paid", "payment_intent": fmt.Sprintf("pi_%d", n)})
}

// event is the body of an event.
func event(id, kind string, object map[string]any) []byte {
	body, err := json.MarshalIndent(map[string]any{"id": id, "object": "event", "type": kind, "api_version": "2026-01-28",
		"created": 1, "data": map[string]any{"object": object}, "livemode": false, "pending_webhooks": 1}, "", "  ")
	if err != nil {
		panic(err)
	}
	return body
}

func mac(secret string, at time.Time, body []byte) string {
	h := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(h, "%d.%s", at.Unix(), body)
	return hex.EncodeToString(h.Sum(nil))
}

// signed is the header over the body.
func signed(secret string, at time.Time, body []byte) http.Header {
	return header(at, mac(secret, at, body))
}

func header(at time.Time, signatures ...string) http.Header {
	text := fmt.Sprintf("t=%d", at.Unix())
	for _, signature := range signatures {
		text += ",v1=" + signature
	}
	return http.Header{"Stripe-Signature": {text + ",v0=" + strings.Repeat("0", 64)}}
}
