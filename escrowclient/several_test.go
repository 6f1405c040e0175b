package escrowclient_test

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"earnest/escrow"
	"earnest/escrowclient"
	"earnest/escrowserver"
	"earnest/escrowserver/httpapi"
	"earnest/escrowserver/servicetest"
	"earnest/escrowserver/sqlstore"
	"earnest/internal/pgtest"
)

// TestConformanceOfThreeProcesses: an escrow of three processes on one database does
// what one does, whichever of them a request comes to.
func TestConformanceOfThreeProcesses(t *testing.T) {
	cluster := pgtest.For(t)
	servicetest.RunOfSeveral(t, func(t *testing.T) servicetest.Harness { return threeProcesses(t, cluster) })
}

func threeProcesses(t *testing.T, cluster *pgtest.Cluster) servicetest.Harness {
	url, err := cluster.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var stores []escrowserver.Store
	var nonces []*sqlstore.Nonces
	for range 3 {
		store, err := sqlstore.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		stores, nonces = append(stores, store), append(nonces, store.Nonces())
	}
	h, servers := servicetest.Several(t, stores...)
	ctx, stop := context.WithCancel(context.Background())
	var joined sync.WaitGroup
	t.Cleanup(func() { stop(); joined.Wait() })
	var handlers []http.Handler
	for i, server := range servers {
		joined.Go(func() { server.Join(ctx) })
		api, err := httpapi.New(httpapi.Config{
			As: server.As, Now: h.Clock.Now, Log: slog.New(slog.DiscardHandler), Nonces: nonces[i],
			PerAccount: httpapi.Rate{PerSecond: -1}, PerRemote: httpapi.Rate{PerSecond: -1},
		})
		if err != nil {
			t.Fatal(err)
		}
		handlers = append(handlers, api.Handler())
	}
	var next atomic.Int64
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handlers[int(next.Add(1))%len(handlers)].ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	h.As = func(key ed25519.PrivateKey) escrow.Service {
		return client(t, front.URL, func(cfg *escrowclient.Config) {
			cfg.Now, cfg.Signer = h.Clock.Now, nil
			if key != nil {
				cfg.Signer = key
			}
		})
	}
	return h
}
