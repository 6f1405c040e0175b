package httpapi_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrow/wire"
	"earnest/escrowserver/httpapi"
)

// slow is a body that comes only when the test lets it.
type slow struct {
	begun chan struct{}
	rest  io.Reader
	free  chan struct{}
}

func (s *slow) Read(p []byte) (int, error) {
	if s.begun != nil {
		close(s.begun)
		s.begun = nil
		<-s.free
	}
	return s.rest.Read(p)
}

// TestBodiesOfOneAccountAreBounded: who sends many large bodies slowly is
// refused, and others are not.
func TestBodiesOfOneAccountAreBounded(t *testing.T) {
	h := newAPI(t, &fake{}, nil).Handler()
	text := []byte(`{"id":"t1","voucher":"` + strings.Repeat("x", wire.MaxBody-100) + `"}`)
	signer, err := wire.NewSigner(account(1))
	if err != nil {
		t.Fatal(err)
	}
	release, done := make(chan struct{}), make(chan struct{}, 2)
	for range 2 {
		body := &slow{begun: make(chan struct{}), rest: bytes.NewReader(text), free: release}
		begun := body.begun
		r := httptest.NewRequest("POST", "/v1/topups", body)
		r.Host, r.ContentLength = "escrow.example", int64(len(text))
		if err := signer.Sign(r, text, now()); err != nil {
			t.Fatal(err)
		}
		go func() {
			h.ServeHTTP(httptest.NewRecorder(), r)
			done <- struct{}{}
		}()
		<-begun
	}
	if err := problem(t, ask(t, h, 1, "POST", "/v1/topups", string(text))); err.Code != escrow.Limited || err.RetryAfter == 0 {
		t.Errorf("a third at once: %v", err)
	}
	if w := ask(t, h, 1, "GET", "/v1/account", nil); w.Code != 200 {
		t.Errorf("a request without body: %s", w.Body)
	}
	if w := ask(t, h, 2, "POST", "/v1/topups", string(text)); w.Code == http.StatusTooManyRequests {
		t.Errorf("another account: %s", w.Body)
	}
	close(release)
	<-done
	<-done
	if w := ask(t, h, 1, "POST", "/v1/topups", string(text)); w.Code == http.StatusTooManyRequests {
		t.Errorf("afterwards: %s", w.Body)
	}
}

func TestAStrangerSendsLittle(t *testing.T) {
	f := &fake{}
	h := newAPI(t, f, openers(f, nil)).Handler()
	w := ask(t, h, 1, "POST", "/v1/account", `{"key":"`+strings.Repeat("x", 8<<10)+`"}`)
	if problem(t, w); w.Code != http.StatusRequestEntityTooLarge || f.calls != nil {
		t.Errorf("a large opening: %d, asked %v", w.Code, f.calls)
	}
}

// TestConnectionsAreBounded, by network and in all, and closing makes room.
func TestConnectionsAreBounded(t *testing.T) {
	for name, change := range map[string]func(*httpapi.Config){
		"of one network": func(cfg *httpapi.Config) { cfg.MaxConnsPerRemote = 2 },
		"in all":         func(cfg *httpapi.Config) { cfg.MaxConns = 2 },
		"behind a proxy": func(cfg *httpapi.Config) { cfg.MaxConns, cfg.MaxConnsPerRemote, cfg.Proxied = 2, 1, true },
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			served := make(chan error, 1)
			go func() { served <- newAPI(t, &fake{}, change).Serve(ctx, listener, nil) }()
			defer func() {
				stop()
				<-served
			}()
			var conns []net.Conn
			for i := range 2 {
				conn, ok := connect(t, listener.Addr().String())
				if !ok {
					t.Fatalf("connection %d is refused", i)
				}
				conns = append(conns, conn)
			}
			if _, ok := connect(t, listener.Addr().String()); ok {
				t.Error("a third connection is served")
			}
			conns[0].Close()
			for range 100 {
				if _, ok := connect(t, listener.Addr().String()); ok {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
			t.Error("a closed connection makes no room")
		})
	}
}

// connect opens a connection, keeps it, and reports whether it is served.
func connect(t *testing.T, address string) (net.Conn, bool) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: escrow.example\r\n\r\n")
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	begin := make([]byte, 12)
	_, err = io.ReadFull(conn, begin)
	return conn, err == nil && string(begin) == "HTTP/1.1 200"
}

// TestBehindAProxyNetworksAreLimited by the proxy's word, of which the client
// can write only what stands before the last entry.
func TestBehindAProxyNetworksAreLimited(t *testing.T) {
	h := newAPI(t, &fake{}, func(cfg *httpapi.Config) {
		cfg.PerRemote, cfg.Proxied = httpapi.Rate{PerSecond: 1, Burst: 1}, true
	}).Handler()
	for i, tt := range []struct {
		forwarded []string
		status    int
	}{
		{[]string{"192.0.2.1"}, 200}, {[]string{"192.0.2.1"}, 429}, {[]string{"198.51.100.1, 192.0.2.1"}, 429},
		{[]string{"198.51.100.2", "192.0.2.1"}, 429}, {[]string{"192.0.2.2:4711"}, 200}, {[]string{"192.0.2.2"}, 429},
		{[]string{"2001:db8::1"}, 200}, {[]string{"[2001:db8::2]:80"}, 429}, {nil, 200}, {nil, 200},
	} {
		r := httptest.NewRequest("GET", "/healthz", nil)
		r.RemoteAddr = "127.0.0.1:1000"
		r.Header["X-Forwarded-For"] = tt.forwarded
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tt.status {
			t.Errorf("request %d: status %d, want %d", i, w.Code, tt.status)
		}
	}
}
