package escrowclient_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrow/wire"
	"earnest/escrowserver/httpapi"
	"earnest/escrowserver/servicetest"
	"earnest/escrowserver/sqlstore"
)

// TestUnknownAndUnlistedAddressesAnswerTheSame: byte for byte, headers too, and in
// about the same time, so that nobody learns who has an account here.
func TestUnknownAndUnlistedAddressesAnswerTheSame(t *testing.T) {
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "escrow.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	h := servicetest.NewHarness(t, store)
	api, err := httpapi.New(httpapi.Config{As: h.Server.As, Now: h.Clock.Now, Log: slog.New(slog.DiscardHandler),
		PerAccount: httpapi.Rate{PerSecond: -1}, PerRemote: httpapi.Rate{PerSecond: -1}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(api.Handler())
	t.Cleanup(server.Close)
	servicetest.Unlisted(t, h, "unlisted@recipient.example")
	signer := account(7)
	if _, err := h.As(signer).OpenAccount(t.Context(), escrow.OpenAccount{Key: escrow.PublicKey(signer.Public().(ed25519.PublicKey))}); err != nil {
		t.Fatal(err)
	}
	lookup := func(signed bool, address string) (string, time.Duration) {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, server.URL+"/v1/offers/"+address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if signed {
			s, err := wire.NewSigner(signer)
			if err == nil {
				err = s.Sign(request, nil, h.Clock.Now())
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		response, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		took := time.Since(began)
		if err != nil {
			t.Fatal(err)
		}
		for _, each := range []string{"Date", "Request-Id"} { // of each request its own
			response.Header.Del(each)
		}
		return fmt.Sprintln(response.Status, response.Header, string(body)), took
	}
	for _, signed := range []bool{true, false} {
		times := map[string][]time.Duration{}
		first := ""
		for range 101 {
			for _, address := range []string{"unlisted@recipient.example", "nobody.here@recipient.example"} {
				got, took := lookup(signed, address)
				if first == "" {
					first = got
				}
				if got != first {
					t.Fatalf("signed %v: %s answers\n%s and another\n%s", signed, address, got, first)
				}
				times[address] = append(times[address], took)
			}
		}
		var medians []time.Duration
		for _, all := range times {
			slices.Sort(all)
			medians = append(medians, all[len(all)/2])
		}
		if ratio := float64(max(medians[0], medians[1])) / float64(min(medians[0], medians[1])); ratio > 2 {
			t.Errorf("signed %v: the two take %v", signed, medians)
		}
	}
}
