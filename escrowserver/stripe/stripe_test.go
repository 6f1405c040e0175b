package stripe_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/httpapi"
	"earnest/escrowserver/servicetest"
	"earnest/escrowserver/sqlstore"
	"earnest/escrowserver/stripe"
	"earnest/payment"
)

func provider(t testing.TB, s *standIn) *stripe.Provider {
	t.Helper()
	p, err := stripe.New(stripe.Config{BaseURL: s.url, ReturnURL: "https://escrow.example/paid"}, apiKey, webhookSecret)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestUnitsAreTheApisOwn(t *testing.T) {
	p := provider(t, newStandIn(t))
	for _, tt := range []struct {
		unit   string
		scale  uint8
		amount payment.Amount
		units  int64 // 0: refused
	}{
		{"EUR", 2, 500, 500}, {"EUR", 0, 5, 500}, {"EUR", 4, 50000, 500}, {"EUR", 4, 50001, 0}, {"EUR", 8, 500_000_000, 500},
		{"JPY", 0, 500, 500}, {"JPY", 2, 50000, 500}, {"JPY", 2, 50001, 0}, {"KWD", 3, 5000, 5000}, {"KWD", 3, 5001, 0}, {"KWD", 2, 500, 5000},
		{"ISK", 0, 5, 500}, {"ISK", 2, 550, 0}, {"UGX", 2, 500, 500}, {"eur", 2, 1, 1}, {"EUR", 2, 0, 0}, {"EUR", 2, -1, 0},
		{"", 2, 500, 0}, {"€", 2, 500, 0}, {"PTS1", 2, 500, 0}, {"EUR", 0, 1 << 60, 0}, {"EUR", 2, 1 << 60, 0},
	} {
		unit, units, err := p.Units(payment.Currency{Name: "x.example", Scale: tt.scale, Unit: tt.unit}, tt.amount)
		if units != tt.units || (err == nil) != (tt.units != 0) || err == nil && unit != strings.ToLower(tt.unit) {
			t.Errorf("%s with %d digits, %d: %q %d, %v", tt.unit, tt.scale, tt.amount, unit, units, err)
		}
	}
}

func TestEventSignatures(t *testing.T) {
	p := provider(t, newStandIn(t))
	now := time.Unix(1_700_000_000, 0)
	body := event("evt_1", "checkout.session.completed", map[string]any{"object": "checkout.session", "id": "cs_1", "mode": "payment", "payment_status": "paid"})
	right := mac(webhookSecret, now, body)
	for name, tt := range map[string]struct {
		header http.Header
		body   []byte
		ok     bool
	}{
		"right":              {header(now, right), body, true},
		"the second of two":  {header(now, strings.Repeat("ab", 32), right), body, true},
		"5 minutes old":      {signed(webhookSecret, now.Add(-5*time.Minute), body), body, true},
		"over 5 minutes old": {signed(webhookSecret, now.Add(-5*time.Minute-time.Second), body), body, false},
		"of the future":      {signed(webhookSecret, now.Add(6*time.Minute), body), body, false},
		"another secret":     {signed("whsec_another", now, body), body, false},
		"another time":       {header(now.Add(time.Second), right), body, false},
		"another body":       {header(now, right), append(bytes.Clone(body), '\n'), false},
		"none":               {http.Header{}, body, false},
		"no v1":              {http.Header{"Stripe-Signature": {fmt.Sprintf("t=%d,v0=%s", now.Unix(), right)}}, body, false},
		"no time":            {http.Header{"Stripe-Signature": {"v1=" + right}}, body, false},
		"no hexadecimal":     {header(now, "zz"), body, false},
		"too many":           {header(now, append(make([]string, 11), right)...), body, false},
	} {
		got, err := p.Event(tt.header, tt.body, now)
		if (err == nil) != tt.ok || !tt.ok && !errors.Is(err, escrowserver.ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
		if tt.ok && (got.ID != "evt_1" || got.Kind != escrowserver.EventSession || got.Session.ID != "cs_1" || !got.Session.Paid) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	s := newStandIn(t)
	p := provider(t, s)
	if text := fmt.Sprintf("%v %+v %#v", p, *p, *p); strings.Contains(text, apiKey) || strings.Contains(text, webhookSecret) {
		t.Errorf("printed: %s", text)
	}
	wrong, err := stripe.New(stripe.Config{BaseURL: s.url, ReturnURL: "https://escrow.example"}, "sk_test_wrong_key", webhookSecret)
	if err != nil {
		t.Fatal(err)
	}
	_, err = wrong.Open(t.Context(), escrowserver.Order{Reference: "r", Unit: "eur", Units: 5, Title: "t"})
	if err == nil || strings.Contains(err.Error(), "sk_test_wrong_key") || !strings.Contains(err.Error(), "401") {
		t.Errorf("with a wrong key: %v", err)
	}
	for _, bad := range []stripe.Config{{BaseURL: "http://api.example", ReturnURL: "https://x.example"}, {ReturnURL: "javascript:x"}, {}} {
		if _, err := stripe.New(bad, apiKey, webhookSecret); err == nil {
			t.Errorf("taken: %+v", bad)
		}
	}
}

// till is an escrow that takes cards at the stand-in, and a person at it.
type till struct {
	t     *testing.T
	s     *standIn
	h     servicetest.Harness
	srv   *escrowserver.Server
	http  http.Handler
	anna  escrow.Service
	count int
}

func newTill(t *testing.T) *till {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "books.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	c := &till{t: t, s: newStandIn(t), h: servicetest.NewHarness(t, store)}
	cfg := servicetest.Config(store, c.h.Clock, c.h.Mails, c.h.ReceiptSigner)
	cfg.Provider = provider(t, c.s)
	if c.srv, err = escrowserver.New(cfg); err != nil {
		t.Fatal(err)
	}
	api, err := httpapi.New(httpapi.Config{As: c.srv.As, Now: c.h.Clock.Now, Log: slog.New(slog.DiscardHandler), Webhook: c.srv.Webhook,
		PerRemote: httpapi.Rate{PerSecond: -1}})
	if err != nil {
		t.Fatal(err)
	}
	c.http = api.Handler()
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	c.anna = c.srv.As(escrow.PublicKey(public))
	if _, err := c.anna.OpenAccount(t.Context(), escrow.OpenAccount{Key: escrow.PublicKey(public)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		report, err := escrowserver.Verify(t.Context(), store, c.srv.ReceiptKey())
		if err != nil && t.Context().Err() == nil || len(report.Faults) > 0 {
			t.Errorf("the books: %v, %q", err, report.Faults)
		}
	})
	return c
}

func (c *till) start(amount payment.Amount) escrow.Checkout {
	c.t.Helper()
	c.count++
	checkout, err := c.anna.StartCheckout(c.t.Context(), escrow.CheckoutRequest{ID: fmt.Sprintf("checkout-%d", c.count), Currency: servicetest.Currency, Amount: amount})
	if err != nil {
		c.t.Fatal(err)
	}
	return checkout
}

// post is an event over HTTP.
func (c *till) post(header http.Header, body []byte) int {
	r := httptest.NewRequest("POST", "/v1/webhooks/stripe", bytes.NewReader(body))
	for key, values := range header {
		r.Header[key] = values
	}
	w := httptest.NewRecorder()
	c.http.ServeHTTP(w, r)
	return w.Code
}

func (c *till) tell(id, kind string, object map[string]any) {
	c.t.Helper()
	body := event(id, kind, object)
	if code := c.post(signed(webhookSecret, c.h.Clock.Now(), body), body); code != 200 {
		c.t.Fatalf("%s: status %d", kind, code)
	}
}

func (c *till) has(want payment.Amount) {
	c.t.Helper()
	account, err := c.anna.Account(c.t.Context())
	if err != nil || account.Balances[0].Available != want {
		c.t.Fatalf("the account has %+v, %v, want %d", account.Balances, err, want)
	}
}

// TestCardPaymentIsCreditedOnce: whatever is told twice, in parallel or in another
// order, and nothing that is signed by another.
func TestCardPaymentIsCreditedOnce(t *testing.T) {
	c := newTill(t)
	checkout := c.start(500)
	if checkout.URL != "https://checkout.example/c/pay/cs_test_0" || checkout.State != escrow.CheckoutOpen {
		t.Fatalf("started: %+v", checkout)
	}
	c.tell("evt_unpaid", "checkout.session.completed", c.s.set(0, map[string]any{"status": "complete", "payment_intent": "pi_0"}))
	c.has(0)
	paid := c.s.paid(0)
	forged := event("evt_forged", "checkout.session.completed", paid)
	if code := c.post(signed("whsec_of_somebody", c.h.Clock.Now(), forged), forged); code != 401 {
		t.Errorf("a forged event is answered with %d", code)
	}
	c.has(0)
	var group sync.WaitGroup
	for i := range 24 {
		kind := []string{"checkout.session.completed", "checkout.session.async_payment_succeeded"}[i%2]
		group.Go(func() { c.tell(fmt.Sprint("evt_", i%6), kind, paid) })
	}
	group.Wait()
	c.has(500)
	c.tell("evt_expired", "checkout.session.expired", c.s.set(0, map[string]any{"status": "expired"}))
	c.tell("evt_other", "invoice.paid", map[string]any{"object": "invoice"})
	c.has(500)
	// Over first, and paid then all the same.
	c.start(70)
	c.tell("evt_e1", "checkout.session.expired", c.s.set(1, map[string]any{"status": "expired"}))
	c.has(500)
	c.tell("evt_p1", "checkout.session.completed", c.s.paid(1))
	c.has(570)
	// Other money than was asked for.
	c.start(80)
	c.s.paid(2)
	c.tell("evt_w", "checkout.session.completed", c.s.set(2, map[string]any{"amount_total": 8000}))
	c.has(570)
}

// TestCardPaymentOfAnUnknownSession: the escrow was killed between asking for the
// page and keeping it; the event names a session that it has to look up.
func TestCardPaymentOfAnUnknownSession(t *testing.T) {
	c := newTill(t)
	req := escrow.CheckoutRequest{ID: "checkout-lost", Currency: servicetest.Currency, Amount: 500}
	c.s.fail = 500
	if _, err := c.anna.StartCheckout(t.Context(), req); !errors.Is(err, escrow.Unavailable) || strings.Contains(err.Error(), "words of the API") {
		t.Fatalf("while the API fails: %v", err)
	}
	c.s.fail = 0
	waiting, err := c.anna.Checkout(t.Context(), req.ID)
	if err != nil || waiting.State != escrow.CheckoutAsked {
		t.Fatalf("%+v, %v", waiting, err)
	}
	// As the escrow would have: the same form under the same key.
	account, err := c.anna.Account(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	reference := "checkout:" + escrow.Hash([]byte(string(account.ID)+"\x00"+req.ID))
	if _, err := provider(t, c.s).Open(t.Context(), escrowserver.Order{Reference: reference, Unit: "eur", Units: 500, Title: "Top-up at escrow.example: 5.00 eur"}); err != nil {
		t.Fatal(err)
	}
	paid := c.s.paid(0)
	c.s.fail = 503
	c.tell("evt_1", "checkout.session.completed", paid)
	c.has(0)
	c.s.fail = 0
	if err := c.srv.DealWithEvents(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.has(500)
	// A session of somebody else's shop on the same account is none of ours.
	c.tell("evt_2", "checkout.session.completed", map[string]any{"object": "checkout.session", "id": "cs_of_another", "mode": "payment", "payment_status": "paid"})
	c.has(500)
}

// TestRefundsAndDisputesAreDebts of the account to the operator, never a balance
// below zero.
func TestRefundsAndDisputesAreDebts(t *testing.T) {
	c := newTill(t)
	c.start(500)
	c.s.paid(0)
	charge := func(refunded int64) map[string]any {
		return map[string]any{"object": "charge", "id": "ch_1", "payment_intent": map[string]any{"id": "pi_0", "object": "payment_intent"},
			"currency": "eur", "amount": 500, "amount_refunded": refunded}
	}
	c.tell("evt_r2", "charge.refunded", charge(200)) // before the payment
	c.has(500)
	c.tell("evt_r1", "charge.refunded", charge(100))
	c.tell("evt_p", "checkout.session.completed", c.s.paid(0))
	dispute := func(status string) map[string]any {
		return map[string]any{"object": "dispute", "id": "dp_1", "charge": "ch_1", "payment_intent": "pi_0", "currency": "eur", "amount": 300, "status": status}
	}
	c.tell("evt_d0", "charge.dispute.created", dispute("warning_needs_response"))
	c.tell("evt_d1", "charge.dispute.created", dispute("needs_response"))
	open, err := c.h.Store.Debts(t.Context(), false)
	if err != nil || len(open) != 2 || open[0].Amount != 200 || open[1].Amount != 300 || open[1].Kind != "dispute" {
		t.Fatalf("debts %+v, %v", open, err)
	}
	c.tell("evt_d2", "charge.dispute.closed", dispute("won"))
	c.tell("evt_d3", "charge.dispute.created", dispute("needs_response"))
	if open, err = c.h.Store.Debts(t.Context(), false); err != nil || len(open) != 1 {
		t.Fatalf("debts %+v, %v", open, err)
	}
	c.has(500)
	c.tell("evt_x", "charge.refunded", map[string]any{"object": "charge", "id": "ch_9", "payment_intent": "pi_unknown", "currency": "eur", "amount_refunded": 5})
}
