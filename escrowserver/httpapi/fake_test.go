package httpapi_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrow/wire"
	"earnest/escrowserver/httpapi"
	"earnest/payment"
)

func now() time.Time { return time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC) }

func account(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

// fake is an escrow that notes what it was asked and answers with err.
type fake struct {
	account escrow.PublicKey
	calls   []any // read only after the answer
	err     error
	// polled is closed when Bonds is asked, which then waits until it is given up.
	polled chan struct{}
}

func (f *fake) note(args ...any) error {
	f.calls = append(f.calls, args...)
	return f.err
}

func (f *fake) Info(context.Context) (escrow.Info, error) {
	return escrow.Info{Name: "escrow.example"}, f.note("info")
}
func (f *fake) OpenAccount(_ context.Context, req escrow.OpenAccount) (escrow.Account, error) {
	return escrow.Account{ID: req.Key.ID()}, f.note("open", req)
}
func (f *fake) Account(context.Context) (escrow.Account, error) {
	return escrow.Account{ID: f.account.ID()}, f.note("account")
}
func (f *fake) TopUp(_ context.Context, req escrow.TopUp) (escrow.Balance, error) {
	return escrow.Balance{Currency: payment.Currency{Name: "escrow.example", Scale: 2, Unit: "EUR"}, Available: 500}, f.note("topup", req)
}
func (f *fake) Movements(_ context.Context, after int64, limit int) (escrow.MovementPage, error) {
	return escrow.MovementPage{Cursor: after}, f.note("movements", after, limit)
}
func (f *fake) ClaimAddress(_ context.Context, req escrow.AddressClaim) error {
	return f.note("claim", req)
}
func (f *fake) ProveAddress(_ context.Context, req escrow.AddressProof) (escrow.Account, error) {
	return escrow.Account{}, f.note("prove", req)
}
func (f *fake) PublishOffer(_ context.Context, offer escrow.Signed) error {
	return f.note("publish", offer)
}
func (f *fake) Offer(_ context.Context, address escrow.Address) (escrow.Signed, error) {
	return "an.offer.signed", f.note("offer", address)
}
func (f *fake) AddKeys(_ context.Context, req escrow.KeyUpload) (escrow.Pool, error) {
	return escrow.Pool{Free: len(req.Certificates)}, f.note("keys", req)
}
func (f *fake) Pool(_ context.Context, address escrow.Address) (escrow.Pool, error) {
	return escrow.Pool{Address: address, Free: 7}, f.note("pool", address)
}
func (f *fake) Quote(_ context.Context, req escrow.QuoteRequest) (escrow.Signed, error) {
	return "a.quote.signed", f.note("quote", req)
}
func (f *fake) Buy(_ context.Context, req escrow.BuyRequest) (escrow.Purchase, error) {
	return escrow.Purchase{Bond: escrow.BondView{ID: req.ID}, Certificate: []byte{1, 2}}, f.note("buy", req)
}
func (f *fake) Acknowledge(_ context.Context, id escrow.BondID) error {
	return f.note("acknowledge", id)
}
func (f *fake) AskWithdraw(_ context.Context, id escrow.BondID) (escrow.BondView, error) {
	return escrow.BondView{ID: id}, f.note("withdraw", id)
}
func (f *fake) Bonds(ctx context.Context, after int64, wait time.Duration) (escrow.BondPage, error) {
	err := f.note("bonds", after, wait)
	if f.polled != nil {
		close(f.polled)
		<-ctx.Done()
		return escrow.BondPage{}, ctx.Err()
	}
	return escrow.BondPage{Cursor: after}, err
}
func (f *fake) Bond(_ context.Context, id escrow.BondID) (escrow.BondView, error) {
	return escrow.BondView{ID: id}, f.note("bond", id)
}
func (f *fake) Arrive(_ context.Context, id escrow.BondID, req escrow.Arrival) (escrow.Outcome, error) {
	return escrow.Outcome{Bond: escrow.BondView{ID: id}}, f.note("arrive", id, req)
}
func (f *fake) Read(_ context.Context, id escrow.BondID, s escrow.Signed) (escrow.Outcome, error) {
	return escrow.Outcome{Bond: escrow.BondView{ID: id}}, f.note("read", id, s)
}
func (f *fake) Destroyed(_ context.Context, id escrow.BondID, s escrow.Signed) (escrow.Outcome, error) {
	return escrow.Outcome{Bond: escrow.BondView{ID: id}}, f.note("destroyed", id, s)
}
func (f *fake) Decide(_ context.Context, id escrow.BondID, v escrow.Verdict, d escrow.Signed) (escrow.Outcome, error) {
	return escrow.Outcome{Bond: escrow.BondView{ID: id}}, f.note("decide", id, v, d)
}
func (f *fake) Receipts(_ context.Context, id escrow.BondID) ([]escrow.Signed, error) {
	return nil, f.note("receipts", id)
}
func (f *fake) Heartbeat(context.Context) error { return f.note("heartbeat") }

// newAPI is an API before the fake.
func newAPI(t *testing.T, f *fake, change func(*httpapi.Config)) *httpapi.API {
	t.Helper()
	cfg := httpapi.Config{
		As:    func(key escrow.PublicKey) escrow.Service { f.account = key; return f },
		Hosts: []string{"escrow.example"}, Now: now, Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&cfg)
	}
	api, err := httpapi.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// ask sends a request signed by the account with that seed; 0 leaves it unsigned.
func ask(t *testing.T, h http.Handler, seed byte, method, target string, body any) *httptest.ResponseRecorder {
	t.Helper()
	var text []byte
	switch b := body.(type) {
	case nil:
	case string:
		text = []byte(b)
	default:
		var err error
		if text, err = json.Marshal(b); err != nil {
			t.Fatal(err)
		}
	}
	r := httptest.NewRequest(method, target, bytes.NewReader(text))
	r.Host = "escrow.example"
	r.Header.Set("Content-Type", wire.MediaType)
	if seed != 0 {
		signer, err := wire.NewSigner(account(seed))
		if err != nil {
			t.Fatal(err)
		}
		if err := signer.Sign(r, text, now()); err != nil {
			t.Fatal(err)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// problem reads the response as the client does, and checks that it is one.
func problem(t *testing.T, w *httptest.ResponseRecorder) *escrow.Error {
	t.Helper()
	if got := w.Header().Get("Content-Type"); got != wire.ProblemType {
		t.Fatalf("status %d, content type %q, body %s", w.Code, got, w.Body)
	}
	var p wire.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != w.Code ||
		!strings.HasSuffix(p.Type, ":"+string(p.Code)) {
		t.Fatalf("status %d, problem %s (%v)", w.Code, w.Body, err)
	}
	body, _ := io.ReadAll(bytes.NewReader(w.Body.Bytes()))
	return wire.ReadProblem(w.Code, wire.ProblemType, body)
}
