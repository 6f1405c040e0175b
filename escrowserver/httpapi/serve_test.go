package httpapi_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrow/wire"
)

// TestStopLetsGoOfLongPolls: a stopping server does not wait a minute for an
// agent that listens, and tells it to ask again.
func TestStopLetsGoOfLongPolls(t *testing.T) {
	f := &fake{polled: make(chan struct{})}
	api := newAPI(t, f, nil)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- api.Serve(ctx, listener, nil) }()

	type result struct {
		status int
		body   []byte
		err    error
	}
	polled := make(chan result, 1)
	go func() {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+listener.Addr().String()+"/v1/bonds?wait=60", nil)
		signer, _ := wire.NewSigner(account(1))
		_ = signer.Sign(req, nil, now())
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			polled <- result{err: err}
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		polled <- result{resp.StatusCode, body, err}
	}()
	<-f.polled
	began := time.Now()
	stop()
	select {
	case err := <-served:
		if err != nil {
			t.Errorf("serve: %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the server does not stop")
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("stopping took %v", took)
	}
	got := <-polled
	if got.err != nil || !errors.Is(wire.ReadProblem(got.status, wire.ProblemType, got.body), escrow.Unavailable) {
		t.Errorf("the poll got %d %s %v", got.status, got.body, got.err)
	}
}

func TestServeTellsThatTheListenerBroke(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	if err := newAPI(t, &fake{}, nil).Serve(t.Context(), listener, nil); err == nil {
		t.Error("no error from a closed listener")
	}
}
