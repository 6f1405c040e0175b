package httpapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrow/wire"
	"earnest/escrowserver/httpapi"
)

// longList lists a bond with a large certificate.
type longList struct {
	*fake
	size int
}

func (l longList) Bonds(context.Context, int64, time.Duration) (escrow.BondPage, error) {
	return escrow.BondPage{Bonds: []escrow.BondView{{ID: "b", Verification: make([]byte, l.size)}}}, nil
}

func (l longList) Export(context.Context) (json.RawMessage, error) {
	return json.RawMessage(`{}`), nil
}

// slowReader takes an answer only when the test lets it.
type slowReader struct {
	*httptest.ResponseRecorder
	begun, free chan struct{}
}

func (s slowReader) Write(p []byte) (int, error) {
	select {
	case <-s.begun:
	default:
		close(s.begun)
	}
	<-s.free
	return s.ResponseRecorder.Write(p)
}

// readSlowly asks, and returns once the answer is being written; finish has it read.
func readSlowly(t *testing.T, h http.Handler, seed byte, target string) (finish func()) {
	t.Helper()
	signer, err := wire.NewSigner(account(seed))
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Host = "escrow.example"
	if err := signer.Sign(r, nil, now()); err != nil {
		t.Fatal(err)
	}
	w, done := slowReader{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}, make(chan struct{})
	go func() {
		h.ServeHTTP(w, r)
		close(done)
	}()
	<-w.begun
	return func() {
		close(w.free)
		<-done
		if w.Code != http.StatusOK {
			t.Errorf("%s: %s", target, w.Body)
		}
	}
}

// An export is in memory several times over, until it is read.
func TestExportsAreMadeOneAtATimeAndSeldom(t *testing.T) {
	clock := now()
	list := longList{fake: &fake{}}
	h := newAPI(t, &fake{}, func(c *httpapi.Config) {
		c.As = func(escrow.PublicKey) escrow.Service { return list }
		c.Now = func() time.Time { return clock }
	}).Handler()
	const target = "/v1/account/export"
	finish := readSlowly(t, h, 1, target)
	if err := problem(t, ask(t, h, 2, "GET", target, nil)); err.Code != escrow.Limited || err.RetryAfter == 0 {
		t.Errorf("while another reads: %v", err)
	}
	finish()
	if w := ask(t, h, 2, "GET", target, nil); w.Code != http.StatusOK {
		t.Errorf("afterwards: %s", w.Body)
	}
	if err := problem(t, ask(t, h, 1, "GET", target, nil)); err.Code != escrow.Limited || err.RetryAfter != time.Minute {
		t.Errorf("the same account at once: %v", err)
	}
	clock = clock.Add(time.Minute)
	if w := ask(t, h, 1, "GET", target, nil); w.Code != http.StatusOK {
		t.Errorf("a minute later: %s", w.Body)
	}
}

// Whoever reads long lists slowly fills the memory with those of nobody else.
func TestLongListsOfOneAccountAreBounded(t *testing.T) {
	list := longList{&fake{}, 4 << 20}
	h := newAPI(t, &fake{}, func(c *httpapi.Config) { c.As = func(escrow.PublicKey) escrow.Service { return list } }).Handler()
	const target = "/v1/bonds?after=0"
	finish := readSlowly(t, h, 1, target)
	if err := problem(t, ask(t, h, 1, "GET", target, nil)); err.Code != escrow.Limited || err.RetryAfter == 0 {
		t.Errorf("a second at once: %v", err)
	}
	if w := ask(t, h, 2, "GET", target, nil); w.Code != http.StatusOK {
		t.Errorf("another account: %s", w.Body)
	}
	finish()
	if w := ask(t, h, 1, "GET", target, nil); w.Code != http.StatusOK {
		t.Errorf("afterwards: %s", w.Body)
	}
}
