package escrowclient_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrow/wire"
	"earnest/escrowclient"
)

func account(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

// server answers with handle after checking that the request is signed.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	seen   []string // method, path with query, body
	nonces []string
}

func serve(t *testing.T, handle http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.mu.Lock()
		s.seen = append(s.seen, r.Method+" "+r.RequestURI+" "+string(body))
		s.nonces = append(s.nonces, r.Header.Get("Signature-Input"))
		s.mu.Unlock()
		handle(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.seen...)
}

func client(t *testing.T, url string, change func(*escrowclient.Config)) *escrowclient.Client {
	t.Helper()
	cfg := escrowclient.Config{BaseURL: url, Signer: account(1)}
	if change != nil {
		change(&cfg)
	}
	c, err := escrowclient.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", wire.MediaType)
	_ = json.NewEncoder(w).Encode(body)
}

func info() escrow.Info {
	return escrow.Info{Name: "n", ReceiptKey: escrow.PublicKey(account(9).Public().(ed25519.PublicKey))}
}

// TestEveryOperationIsAskedOnItsOwnPath: what goes out, and that the answer is
// what comes back.
func TestEveryOperationIsAskedOnItsOwnPath(t *testing.T) {
	view := escrow.BondView{ID: "b1", State: escrow.Held}
	outcome := escrow.Outcome{Bond: view, Receipt: "r"}
	one := func(v any, err error) ([]any, error) { return []any{v}, err }
	none := func(err error) ([]any, error) { return nil, err }
	ctx := t.Context()
	for _, tt := range []struct {
		want   string
		answer any
		ask    func(*escrowclient.Client) ([]any, error)
		got    any
	}{
		{"GET /v1/info ", info(), func(c *escrowclient.Client) ([]any, error) { return one(c.Info(ctx)) }, info()},
		{`POST /v1/account {"key":""}`, escrow.Account{ID: "k"}, func(c *escrowclient.Client) ([]any, error) { return one(c.OpenAccount(ctx, escrow.OpenAccount{})) }, escrow.Account{ID: "k"}},
		{"GET /v1/account ", escrow.Account{ID: "k"}, func(c *escrowclient.Client) ([]any, error) { return one(c.Account(ctx)) }, escrow.Account{ID: "k"}},
		{`POST /v1/topups {"id":"t","voucher":"v"}`, escrow.Balance{Held: 2}, func(c *escrowclient.Client) ([]any, error) {
			return one(c.TopUp(ctx, escrow.TopUp{ID: "t", Voucher: "v"}))
		}, escrow.Balance{Held: 2}},
		{`PUT /v1/account/limit {"currency":"c"}`, escrow.Account{ID: "k"}, func(c *escrowclient.Client) ([]any, error) {
			return one(c.SetLimit(ctx, escrow.SetLimit{Currency: "c"}))
		}, escrow.Account{ID: "k"}},
		{`POST /v1/claims {"address":"A@b.c","nonce":"n"}`, nil, func(c *escrowclient.Client) ([]any, error) {
			return none(c.ClaimAddress(ctx, escrow.AddressClaim{Address: "A@b.c", Nonce: "n"}))
		}, nil},
		{`POST /v1/claims/proof {"address":"a@b.c","nonce":"n","token":"t"}`, escrow.Account{ID: "k"}, func(c *escrowclient.Client) ([]any, error) {
			return one(c.ProveAddress(ctx, escrow.AddressProof{Address: "a@b.c", Nonce: "n", Token: "t"}))
		}, escrow.Account{ID: "k"}},
		{`PUT /v1/offers {"offer":"o"}`, nil, func(c *escrowclient.Client) ([]any, error) { return none(c.PublishOffer(ctx, "o")) }, nil},
		{"GET /v1/offers/a%2Fb%3Fc+d@e.f ", wire.OfferBody{Offer: "o"}, func(c *escrowclient.Client) ([]any, error) { return one(c.Offer(ctx, "a/b?c+d@e.f")) }, escrow.Signed("o")},
		{`POST /v1/keys {"batch":"b","certificates":["AQ=="]}`, escrow.Pool{Free: 1}, func(c *escrowclient.Client) ([]any, error) {
			return one(c.AddKeys(ctx, escrow.KeyUpload{Batch: "b", Certificates: [][]byte{{1}}}))
		}, escrow.Pool{Free: 1}},
		{"GET /v1/pools/a@b.c ", escrow.Pool{Free: 1}, func(c *escrowclient.Client) ([]any, error) { return one(c.Pool(ctx, "a@b.c")) }, escrow.Pool{Free: 1}},
		{`POST /v1/quotes {"sender":"s","recipient":"r","option":{"system":"","currency":"","amount":0,"scale":0}}`, wire.QuoteBody{Quote: "q"}, func(c *escrowclient.Client) ([]any, error) {
			return one(c.Quote(ctx, escrow.QuoteRequest{Sender: "s", Recipient: "r"}))
		}, escrow.Signed("q")},
		{`PUT /v1/bonds/b1 {"quote":"q","verification":"AQ==","reply":"Ag=="}`, escrow.Purchase{Bond: view, Certificate: []byte{3}}, func(c *escrowclient.Client) ([]any, error) {
			return one(c.Buy(ctx, escrow.BuyRequest{ID: "b1", Quote: "q", Verification: []byte{1}, Reply: []byte{2}}))
		}, escrow.Purchase{Bond: view, Certificate: []byte{3}}},
		{"POST /v1/bonds/b1/acknowledge ", nil, func(c *escrowclient.Client) ([]any, error) { return none(c.Acknowledge(ctx, "b1")) }, nil},
		{"POST /v1/bonds/b1/withdraw ", view, func(c *escrowclient.Client) ([]any, error) { return one(c.AskWithdraw(ctx, "b1")) }, view},
		{"GET /v1/bonds?after=3 ", escrow.BondPage{Cursor: 4}, func(c *escrowclient.Client) ([]any, error) { return one(c.Bonds(ctx, 3, 0)) }, escrow.BondPage{Cursor: 4}},
		{"GET /v1/bonds?after=3&wait=2 ", escrow.BondPage{Cursor: 4}, func(c *escrowclient.Client) ([]any, error) { return one(c.Bonds(ctx, 3, 1500*time.Millisecond)) }, escrow.BondPage{Cursor: 4}},
		{"GET /v1/bonds?after=0&wait=60 ", escrow.BondPage{}, func(c *escrowclient.Client) ([]any, error) { return one(c.Bonds(ctx, 0, time.Hour)) }, escrow.BondPage{}},
		{"GET /v1/bonds/b%2F1 ", view, func(c *escrowclient.Client) ([]any, error) { return one(c.Bond(ctx, "b/1")) }, view},
		{`POST /v1/bonds/b1/arrive {"proof":{"signature":"AQ==","digest":"Ag=="},"statement":"s"}`, outcome, func(c *escrowclient.Client) ([]any, error) {
			return one(c.Arrive(ctx, "b1", escrow.Arrival{Proof: escrow.ArrivalProof{Signature: []byte{1}, Digest: []byte{2}}, Statement: "s"}))
		}, outcome},
		{`POST /v1/bonds/b1/read {"statement":"s"}`, outcome, func(c *escrowclient.Client) ([]any, error) { return one(c.Read(ctx, "b1", "s")) }, outcome},
		{`POST /v1/bonds/b1/destroyed {"statement":"s"}`, outcome, func(c *escrowclient.Client) ([]any, error) { return one(c.Destroyed(ctx, "b1", "s")) }, outcome},
		{`POST /v1/bonds/b1/accept {"decision":"d"}`, outcome, func(c *escrowclient.Client) ([]any, error) { return one(c.Decide(ctx, "b1", escrow.Accept, "d")) }, outcome},
		{`POST /v1/bonds/b1/reject {"decision":"d"}`, outcome, func(c *escrowclient.Client) ([]any, error) { return one(c.Decide(ctx, "b1", escrow.Reject, "d")) }, outcome},
		{`POST /v1/bonds/b1/undo {"decision":"d"}`, outcome, func(c *escrowclient.Client) ([]any, error) { return one(c.Decide(ctx, "b1", escrow.Undo, "d")) }, outcome},
		{"GET /v1/bonds/b1/receipts ", wire.ReceiptsBody{Receipts: []escrow.Signed{"r"}}, func(c *escrowclient.Client) ([]any, error) { return one(c.Receipts(ctx, "b1")) }, []escrow.Signed{"r"}},
		{"POST /v1/heartbeat ", nil, func(c *escrowclient.Client) ([]any, error) { return none(c.Heartbeat(ctx)) }, nil},
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if tt.answer == nil {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			reply(w, tt.answer)
		})
		got, err := tt.ask(client(t, s.URL, nil))
		if err != nil || tt.got != nil && !reflect.DeepEqual(got, []any{tt.got}) {
			t.Errorf("%s: got %+v, %v", tt.want, got, err)
		}
		if requests := s.requests(); len(requests) != 1 || requests[0] != tt.want {
			t.Errorf("asked %q, want %q", requests, tt.want)
		}
	}
}

func TestVerdictsAreThree(t *testing.T) {
	c := client(t, "http://127.0.0.1:1", nil)
	if _, err := c.Decide(t.Context(), "b1", "../x", "d"); !errors.Is(err, escrow.Invalid) {
		t.Errorf("a made up verdict: %v", err)
	}
}

// TestClockOfTheEscrowIsFollowed: a client whose clock is off adopts the
// escrow's, once, and its next requests are right at once.
func TestClockOfTheEscrowIsFollowed(t *testing.T) {
	theirs := time.Now()
	s := serve(t, nil)
	verifier := wire.NewVerifier(wire.VerifierConfig{
		Hosts: []string{s.Listener.Addr().String()}, Now: func() time.Time { return theirs }, Started: theirs.Add(-time.Hour)})
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r.RequestURI)
		s.mu.Unlock()
		if _, err := verifier.Verify(r); err != nil {
			_ = wire.ProblemOf(err).WriteTo(w)
			return
		}
		reply(w, escrow.Account{ID: "k"})
	})
	c := client(t, s.URL, func(cfg *escrowclient.Config) {
		cfg.Now = func() time.Time { return theirs.Add(-3 * time.Hour) }
	})
	for i, want := range []int{2, 3} {
		if _, err := c.Account(t.Context()); err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
		if got := len(s.requests()); got != want {
			t.Errorf("after call %d there were %d requests, want %d", i, got, want)
		}
	}
}

// TestClockIsAdoptedOnlyOnce in a call, and a request taken for replayed signed
// anew three times.
func TestClockIsAdoptedOnlyOnce(t *testing.T) {
	for code, want := range map[escrow.Code]int{escrow.ClockSkew: 2, escrow.Replayed: 4} {
		at := time.Now().Add(time.Hour).Truncate(time.Second).Add(990 * time.Millisecond)
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			_ = wire.ProblemOf(&escrow.Error{Code: code, Time: at}).WriteTo(w)
		})
		_, err := client(t, s.URL, nil).Account(t.Context())
		if e, ok := errors.AsType[*escrow.Error](err); !ok || e.Code != code || !e.Time.Equal(at) {
			t.Errorf("%s: %v", code, err)
		}
		if got := len(s.requests()); got != want {
			t.Errorf("%s: %d requests, want %d", code, got, want)
		}
	}
}

// TestLostAnswersAreAskedForAgain under the same operation id and body, each
// try signed anew.
func TestLostAnswersAreAskedForAgain(t *testing.T) {
	var n int
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		switch n++; n {
		case 1: // done, but the answer is lost
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Close()
		case 2:
			http.Error(w, "<h1>Bad Gateway</h1>", http.StatusBadGateway)
		default:
			reply(w, escrow.Purchase{Certificate: []byte{1}})
		}
	})
	purchase, err := client(t, s.URL, nil).Buy(t.Context(), escrow.BuyRequest{ID: "b1", Quote: "q"})
	if err != nil || len(purchase.Certificate) != 1 {
		t.Fatalf("buy: %+v, %v", purchase, err)
	}
	seen := s.requests()
	if len(seen) != 3 || seen[0] != seen[1] || seen[1] != seen[2] || !strings.HasPrefix(seen[0], "PUT /v1/bonds/b1 ") {
		t.Errorf("requests: %q", seen)
	}
	if s.nonces[0] == s.nonces[1] || s.nonces[1] == s.nonces[2] || s.nonces[0] == "" {
		t.Errorf("signed with %q", s.nonces)
	}
}

func TestAnswersAreNotAskedForAgain(t *testing.T) {
	for _, row := range wire.Table() {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			_ = wire.ProblemOf(&escrow.Error{Code: row.Code, RetryAfter: time.Minute}).WriteTo(w)
		})
		_, err := client(t, s.URL, nil).Account(t.Context())
		if !errors.Is(err, row.Code) || len(s.requests()) != 1 {
			t.Errorf("%s: %v after %d requests", row.Code, err, len(s.requests()))
		}
	}
}

func TestUnreachableEscrow(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	_, err = client(t, "http://"+listener.Addr().String(), nil).Offer(t.Context(), "ann@secret.example")
	if _, cause := errors.AsType[*net.OpError](err); !errors.Is(err, escrow.Unavailable) || !cause {
		t.Errorf("nobody there: %v", err)
	}
	if strings.Contains(err.Error(), "secret.example") {
		t.Errorf("the error names the address: %v", err)
	}
}

func TestTimeoutAndGivingUp(t *testing.T) {
	release := make(chan struct{})
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-release:
		}
	})
	defer close(release)
	c := client(t, s.URL, func(cfg *escrowclient.Config) { cfg.Timeout = 50 * time.Millisecond })
	if _, err := c.Account(t.Context()); !errors.Is(err, escrow.Unavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no answer in time: %v", err)
	}
	if n := len(s.requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Account(ctx); !errors.Is(err, context.Canceled) || !errors.Is(err, escrow.Unavailable) {
		t.Errorf("given up: %v", err)
	}
}

func TestAnswersThatAreNoEscrows(t *testing.T) {
	for name, handle := range map[string]http.HandlerFunc{
		"a web page": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"no JSON": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", wire.MediaType)
			_, _ = io.WriteString(w, "{")
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"a huge one": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", wire.MediaType)
			_, _ = w.Write(bytes.Repeat([]byte(" "), 9<<20))
		},
		"not found": func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) },
		"broken early": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			w.WriteHeader(418)
		},
	} {
		s := serve(t, handle)
		if _, err := client(t, s.URL, nil).Account(t.Context()); !errors.Is(err, escrow.Unavailable) {
			t.Errorf("%s: %v", name, err)
		}
		for _, request := range s.requests() {
			if !strings.HasPrefix(request, "GET /v1/account ") {
				t.Errorf("%s led to %s", name, request)
			}
		}
	}
}

func TestBaseURL(t *testing.T) {
	for _, tt := range []struct {
		url string
		ok  bool
	}{
		{"https://escrow.example", true}, {"https://escrow.example/", true}, {"https://escrow.example:8443", true},
		{"http://127.0.0.1:8443", true}, {"http://[::1]:1", true}, {"http://localhost:1", true},
		{"http://escrow.example", false}, {"http://192.0.2.1", false}, {"ftp://localhost", false}, {"escrow.example", false},
		{"https://user:pass@escrow.example", false}, {"https://escrow.example/path", false}, {"https://escrow.example?x", false}, {"", false},
	} {
		_, err := escrowclient.New(escrowclient.Config{BaseURL: tt.url, Signer: account(1)})
		if (err == nil) != tt.ok {
			t.Errorf("%q: %v", tt.url, err)
		}
	}
}

// taken notes where requests go and whether their signature holds there.
type taken struct {
	verifier *wire.Verifier
	host     string
	err      error
}

func (k *taken) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := httptest.NewRequest(r.Method, r.URL.RequestURI(), nil)
	sent.Host, sent.Header = r.URL.Host, r.Header
	k.host = r.URL.Host
	_, k.err = k.verifier.Verify(sent)
	return nil, errors.New("noted")
}

// TestNameOfTheEscrowIsSignedAsSent: in A-labels and lower case.
func TestNameOfTheEscrowIsSignedAsSent(t *testing.T) {
	for base, host := range map[string]string{
		"https://Bücher.Example:8443": "xn--bcher-kva.example:8443", "https://Escrow.Example": "escrow.example",
		"http://[::1]:8443": "[::1]:8443", "http://127.0.0.1:1": "127.0.0.1:1",
	} {
		k := &taken{verifier: wire.NewVerifier(wire.VerifierConfig{Hosts: []string{host}, Now: time.Now, Started: time.Now().Add(-time.Hour)})}
		c := client(t, base, func(cfg *escrowclient.Config) { cfg.Transport = k })
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, _ = c.Account(ctx)
		cancel()
		// A later try is a new request: only the last one's fate is noted.
		if k.host != host || k.err != nil {
			t.Errorf("%s was asked as %s: %v", base, k.host, k.err)
		}
	}
}
