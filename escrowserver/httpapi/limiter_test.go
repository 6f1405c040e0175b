package httpapi_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrowserver/httpapi"
)

func TestRateOfAnAccount(t *testing.T) {
	clock := now()
	h := newAPI(t, &fake{}, func(cfg *httpapi.Config) {
		cfg.Now = func() time.Time { return clock }
		cfg.PerAccount = httpapi.Rate{PerSecond: 0.5, Burst: 2}
		cfg.PerRemote = httpapi.Rate{PerSecond: -1}
	}).Handler()
	for i := range 2 {
		if w := ask(t, h, 1, "GET", "/v1/account", nil); w.Code != 200 {
			t.Fatalf("request %d: %s", i, w.Body)
		}
	}
	w := ask(t, h, 1, "GET", "/v1/account", nil)
	if err := problem(t, w); err.Code != escrow.Limited || err.RetryAfter != 2*time.Second || w.Header().Get("Retry-After") != "2" {
		t.Errorf("over the rate: %+v, header %q", err, w.Header().Get("Retry-After"))
	}
	if w := ask(t, h, 2, "GET", "/v1/account", nil); w.Code != 200 {
		t.Errorf("another account: %s", w.Body)
	}
	clock = clock.Add(2 * time.Second)
	if w := ask(t, h, 1, "GET", "/v1/account", nil); w.Code != 200 {
		t.Errorf("after the wait: %s", w.Body)
	}
}

func TestRateOfANetwork(t *testing.T) {
	h := newAPI(t, &fake{}, func(cfg *httpapi.Config) {
		cfg.PerRemote = httpapi.Rate{PerSecond: 1, Burst: 1}
	}).Handler()
	for _, tt := range []struct {
		remote string
		status int
	}{
		{"192.0.2.1:1000", 200}, {"192.0.2.1:2000", 429}, {"192.0.2.2:1000", 200}, {"[::ffff:192.0.2.1]:1", 429},
		{"[2001:db8:1:1::1]:1", 200}, {"[2001:db8:1:1:ffff::2]:1", 429}, {"[2001:db8:1:2::1]:1", 200},
	} {
		r := httptest.NewRequest("GET", "/healthz", nil)
		r.RemoteAddr = tt.remote
		// A header that anybody can write names no network.
		r.Header.Set("X-Forwarded-For", "198.51.100."+tt.remote)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tt.status {
			t.Errorf("%s: status %d, want %d", tt.remote, w.Code, tt.status)
		}
	}
}
