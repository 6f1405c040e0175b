package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"earnest/escrow"
	"earnest/escrowserver/httpapi"
)

// networked notes from which network it is asked.
type networked struct {
	fake
	network string
}

func (n *networked) Info(ctx context.Context) (escrow.Info, error) {
	n.network = escrow.NetworkOf(ctx)
	return escrow.Info{}, nil
}

// TestTheEscrowKnowsTheNetwork that a request comes from: it counts by it.
func TestTheEscrowKnowsTheNetwork(t *testing.T) {
	for _, tt := range []struct {
		remote, forwarded string
		proxied           bool
		want              string
	}{
		{"192.0.2.7:1234", "198.51.100.1", false, "192.0.2.7"},
		{"[2001:db8:1:2:3:4:5:6]:1", "", false, "2001:db8:1:2::/64"},
		{"127.0.0.1:9", "203.0.113.9, 198.51.100.1", true, "198.51.100.1"},
		{"127.0.0.1:9", "", true, ""},
	} {
		n := &networked{}
		api := newAPI(t, &n.fake, func(cfg *httpapi.Config) {
			cfg.As = func(escrow.PublicKey) escrow.Service { return n }
			cfg.Proxied = tt.proxied
		})
		r := httptest.NewRequest(http.MethodGet, "/v1/info", nil)
		r.RemoteAddr, r.Host = tt.remote, "escrow.example"
		if tt.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tt.forwarded)
		}
		api.Handler().ServeHTTP(httptest.NewRecorder(), r)
		if n.network != tt.want {
			t.Errorf("%+v: from %q", tt, n.network)
		}
	}
}
