package escrowclient_test

import (
	"crypto/ed25519"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"earnest/escrow"
	"earnest/escrowclient"
	"earnest/escrowserver/httpapi"
	"earnest/escrowserver/servicetest"
	"earnest/escrowserver/sqlstore"
)

// TestConformanceOverHTTP: what the escrow does in process it does over the
// wire, with every error the same.
func TestConformanceOverHTTP(t *testing.T) {
	servicetest.Run(t, func(t *testing.T) servicetest.Harness {
		store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "escrow.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		h := servicetest.NewHarness(t, store)
		api, err := httpapi.New(httpapi.Config{
			As: h.Server.As, Now: h.Clock.Now, Log: slog.New(slog.DiscardHandler),
			// The clock stands still, so nothing would ever be allowed again.
			PerAccount: httpapi.Rate{PerSecond: -1}, PerRemote: httpapi.Rate{PerSecond: -1},
		})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(api.Handler())
		t.Cleanup(server.Close)
		h.As = func(key ed25519.PrivateKey) escrow.Service {
			return client(t, server.URL, func(cfg *escrowclient.Config) {
				cfg.Now, cfg.Signer = h.Clock.Now, nil
				if key != nil {
					cfg.Signer = key
				}
			})
		}
		return h
	})
}
