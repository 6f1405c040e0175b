package linear

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/escrowserver/servicetest"
	"earnest/escrowserver/stripe"
)

const (
	cardKey    = "sk_test_0123456789"
	cardSecret = "whsec_0123456789"
)

// till is the card provider: it makes a page for each reference, and tells how far it is.
type till struct {
	*httptest.Server
	mu    sync.Mutex
	pages map[string]map[string]any // by the session's id
}

func newTill(t testing.TB) *till {
	s := &till{pages: map[string]map[string]any{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/checkout/sessions", func(w http.ResponseWriter, r *http.Request) {
		reference := r.PostFormValue("client_reference_id")
		s.answer(w, "cs_"+reference, map[string]any{"object": "checkout.session", "mode": "payment", "status": "open", "payment_status": "unpaid",
			"id": "cs_" + reference, "url": "https://pay.example/cs_" + reference, "client_reference_id": reference,
			"amount_total": json.Number(r.PostFormValue("line_items[0][price_data][unit_amount]")), "currency": r.PostFormValue("line_items[0][price_data][currency]")})
	})
	mux.HandleFunc("GET /v1/checkout/sessions/{id}", func(w http.ResponseWriter, r *http.Request) { s.answer(w, r.PathValue("id"), nil) })
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// answer shows a page; made is what it is where it is not there yet.
func (s *till) answer(w http.ResponseWriter, id string, made map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pages[id] == nil {
		s.pages[id] = made
	}
	if s.pages[id] == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(s.pages[id]) // who asked may be dead
}

// paid has somebody pay a page. It is told twice, as two events.
func (s *till) paid(id string) (events [][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := s.pages[id]
	page["status"], page["payment_status"], page["payment_intent"] = "complete", "paid", "pi_"+id
	for _, kind := range []string{"completed", "async_payment_succeeded"} {
		body, err := json.Marshal(map[string]any{"id": "evt_" + kind + "_" + id, "type": "checkout.session." + kind, "data": map[string]any{"object": page}})
		if err != nil {
			panic(err) // texts and numbers
		}
		events = append(events, body)
	}
	return events
}

// settings are the program's, for this till.
func (s *till) settings(t testing.TB, dir string) string {
	t.Helper()
	for name, secret := range map[string]string{"card.key": cardKey, "card.webhook": cardSecret} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf("\n[card]\nprovider = \"stripe\"\nhold = \"0s\"\nkey_file = %q\nwebhook_secret_file = %q\nurl = %q\n",
		filepath.Join(dir, "card.key"), filepath.Join(dir, "card.webhook"), s.URL)
}

// provider is the till as a server past the program asks it.
func (s *till) provider(t testing.TB) escrowserver.Provider {
	t.Helper()
	p, err := stripe.New(stripe.Config{BaseURL: s.URL, ReturnURL: "https://escrow.example/"}, cardKey, cardSecret)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// tell posts an event to the program, as the provider does.
func (p *process) tell(ctx context.Context, event []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.listen+"/v1/webhooks/stripe", bytes.NewReader(event))
	if err != nil {
		return err
	}
	at := time.Now().Unix()
	mac := hmac.New(sha256.New, []byte(cardSecret))
	fmt.Fprintf(mac, "%d.%s", at, event)
	r.Header.Set("Stripe-Signature", fmt.Sprintf("t=%d,v1=%s", at, hex.EncodeToString(mac.Sum(nil))))
	answer, err := (&http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		return escrow.Errorf(escrow.Unavailable, "%v", err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	switch answer.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusServiceUnavailable:
		return escrow.Errorf(escrow.Unavailable, "%s", text)
	}
	return fmt.Errorf("the event was answered with %d: %s", answer.StatusCode, text)
}

// card tops the buyer up by card. The provider posts its events until each is
// acknowledged, the first of them once more than that, and never again: from then on the
// escrow has to see to it that the money is credited, once.
func (w *worker) card() bool {
	id, page := w.id(), ""
	if !w.answer("checkout", nil, nil, func(ctx context.Context) error {
		c, err := w.buyer.StartCheckout(ctx, escrow.CheckoutRequest{ID: id, Currency: servicetest.Currency, Amount: price})
		page = path.Base(c.URL)
		return err
	}) {
		return false
	}
	events := w.till.paid(page)
	events = append(events, events[0])
	acknowledged := &entry{session: page}
	if !w.answer("webhook", func(s *sums) { s.byCard++ }, acknowledged, func(ctx context.Context) error {
		for len(events) > 0 {
			if err := w.tell(ctx, events[0]); err != nil {
				return err
			}
			events = events[1:]
		}
		return nil
	}) {
		return false
	}
	since := time.Now()
	return w.answer("card", func(s *sums) { s.credited++ }, nil, func(ctx context.Context) error {
		c, err := w.buyer.Checkout(ctx, id)
		if err == nil && c.State != escrow.CheckoutPaid {
			err = escrow.Errorf(escrow.Unavailable, "it was paid and told, and it is %s", c.State)
		}
		// A program that lives on looks once a minute at what waits: here another
		// process does, which has to be safe, too.
		if err != nil && time.Since(since) > time.Second {
			_ = w.Server.DealWithEvents(ctx) // it is asked again
		}
		return err
	})
}

// credited demands of a page whose payment was acknowledged that it is credited, or that
// its event waits. The event is looked for first: it ends after the credit.
func (l *load) credited(ctx context.Context, session string) error {
	waiting, err := l.Store.Events(ctx, 1000)
	if err != nil || slices.ContainsFunc(waiting, func(e escrowserver.EventRecord) bool { return e.Event.Session.ID == session }) {
		return err
	}
	c, there, err := l.Store.CheckoutOf(ctx, "stripe", session, "")
	if err == nil && (!there || c.State != escrow.CheckoutPaid) {
		err = fmt.Errorf("the payment of %s was acknowledged, no event of it waits, and it is %q", session, c.State)
	}
	return err
}
