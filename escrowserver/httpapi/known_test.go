package httpapi_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrow/wire"
	"earnest/escrowserver/httpapi"
)

// openers knows the keys that opened an account, as an escrow does.
func openers(f *fake, known map[string]bool) func(*httpapi.Config) {
	return func(cfg *httpapi.Config) {
		cfg.PerRemote = httpapi.Rate{PerSecond: -1}
		cfg.Known = func(_ context.Context, key escrow.PublicKey) (bool, error) { return known[string(key)], nil }
	}
}

func public(seed byte) string { return string(account(seed).Public().(ed25519.PublicKey)) }

func TestAKeyWithoutAccountMayOnlyOpenOne(t *testing.T) {
	f, known := &fake{}, map[string]bool{}
	h := newAPI(t, f, openers(f, known)).Handler()
	for _, target := range []string{"GET /v1/account", "POST /v1/heartbeat", "GET /v1/offers/ann@d.example", "POST /v1/topups"} {
		method, path, _ := bytes.Cut([]byte(target), []byte(" "))
		if err := problem(t, ask(t, h, 1, string(method), string(path), nil)); err.Code != escrow.NotFound || f.calls != nil {
			t.Errorf("%s: %v, asked %v", target, err, f.calls)
		}
	}
	if w := ask(t, h, 1, "POST", "/v1/account", escrow.OpenAccount{Key: escrow.PublicKey(public(1))}); w.Code != 200 {
		t.Fatalf("open: %s", w.Body)
	}
	known[public(1)] = true
	if w := ask(t, h, 1, "GET", "/v1/account", nil); w.Code != 200 {
		t.Errorf("right after opening: %s", w.Body)
	}
}

// TestStrangersKeysFillNoMemory: whatever keys without account send, dated as
// far ahead as is taken, those with one are served.
func TestStrangersKeysFillNoMemory(t *testing.T) {
	f := &fake{}
	h := newAPI(t, f, openers(f, map[string]bool{public(1): true})).Handler()
	ahead := now().Add(wire.MaxSkew - time.Second)
	for i := range 500 {
		seed := make([]byte, ed25519.SeedSize)
		binary.BigEndian.PutUint32(seed, uint32(i+1))
		signer, err := wire.NewSigner(ed25519.NewKeyFromSeed(seed))
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("POST", "/v1/topups", unreadable{t})
		r.Host = "escrow.example"
		if err := signer.Sign(r, nil, ahead); err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusNotFound {
			t.Fatalf("a stranger: %s", w.Body)
		}
	}
	if w := ask(t, h, 1, "GET", "/v1/account", nil); w.Code != 200 {
		t.Errorf("an account after the flood: %s", w.Body)
	}
}

// unreadable is a body that nobody may read.
type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("a stranger's body is read")
	return 0, errors.New("read")
}

func TestAnAccountThatCannotBeLookedUpIsNotRefusedForGood(t *testing.T) {
	f := &fake{}
	h := newAPI(t, f, func(cfg *httpapi.Config) {
		cfg.Known = func(context.Context, escrow.PublicKey) (bool, error) { return false, errors.New("disk on fire") }
	}).Handler()
	if err := problem(t, ask(t, h, 1, "GET", "/v1/account", nil)); err.Code != escrow.Internal || f.calls != nil {
		t.Errorf("%v, asked %v", err, f.calls)
	}
}

// TestAKeyThatCannotBeLookedUpComesBack: who asks while the books are away is told to
// try again.
func TestAKeyThatCannotBeLookedUpComesBack(t *testing.T) {
	f := &fake{}
	var lookup error
	h := newAPI(t, f, func(cfg *httpapi.Config) {
		cfg.PerRemote = httpapi.Rate{PerSecond: -1}
		cfg.Known = func(context.Context, escrow.PublicKey) (bool, error) { return lookup == nil, lookup }
	}).Handler()
	lookup = fmt.Errorf("%w: connection refused", escrow.Errorf(escrow.Unavailable, "away"))
	if err := problem(t, ask(t, h, 1, "GET", "/v1/account", nil)); err.Code != escrow.Unavailable || err.Detail != "away" {
		t.Errorf("books that are away: %v", err)
	}
	lookup = errors.New("a damaged row")
	if err := problem(t, ask(t, h, 1, "GET", "/v1/account", nil)); err.Code != escrow.Internal {
		t.Errorf("books that are damaged: %v", err)
	}
}
