package wire_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/remitly-oss/httpsig-go"

	"earnest/escrow"
	"earnest/escrow/wire"
)

// now is a whole second: signatures carry no parts of one.
func now() time.Time { return time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC) }

func account(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func verifier() *wire.Verifier {
	return wire.NewVerifier(wire.VerifierConfig{Hosts: []string{"Escrow.example"}, Now: now, Started: now().Add(-time.Hour)})
}

const body = `{"decision":"x"}`

// request is a signed request as the server gets it.
func request(t *testing.T, method, target string, at time.Time) *http.Request {
	t.Helper()
	return requestOf(t, 1, method, target, at)
}

func requestOf(t *testing.T, seed byte, method, target string, at time.Time) *http.Request {
	t.Helper()
	signer, err := wire.NewSigner(account(seed))
	if err != nil {
		t.Fatal(err)
	}
	client, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := signer.Sign(client, []byte(body), at); err != nil {
		t.Fatal(err)
	}
	return received(client)
}

// received is the client's request after its way over the wire.
func received(client *http.Request) *http.Request {
	r := httptest.NewRequest(client.Method, client.URL.RequestURI(), strings.NewReader(body))
	r.Host = client.URL.Host
	r.Header = client.Header.Clone()
	return r
}

func TestSignedRequestIsTakenAndItsBodyStays(t *testing.T) {
	for _, target := range []string{
		"https://escrow.example/v1/bonds/b1/accept",
		"https://ESCROW.example:443/v1/bonds?after=3&wait=60",
		"https://escrow.example/v1/offers/a%2Fb+c@d.example",
		"https://escrow.example/v1/offers/j%C3%B6rg@d.example?",
		"https://escrow.example",
	} {
		r := request(t, "POST", target, now())
		key, err := verifier().Verify(r)
		if err != nil {
			t.Errorf("%s: %v", target, err)
			continue
		}
		if want := escrow.KeyIDOf(account(1).Public().(ed25519.PublicKey)); key.ID() != want {
			t.Errorf("%s: signed by %s, want %s", target, key.ID(), want)
		}
		if got, _ := io.ReadAll(r.Body); string(got) != body {
			t.Errorf("%s: the body is %q after verifying", target, got)
		}
	}
}

func TestChangedRequestsAreRefused(t *testing.T) {
	const accept = "https://escrow.example/v1/bonds/b1/accept?x=1"
	for name, change := range map[string]func(*http.Request){
		"moved from accept to reject": func(r *http.Request) { r.URL.Path = "/v1/bonds/b1/reject" },
		"slash moved into a segment":  func(r *http.Request) { r.URL.RawPath = "/v1/bonds%2Fb1/accept" },
		"other method":                func(r *http.Request) { r.Method = "PUT" },
		"other query":                 func(r *http.Request) { r.URL.RawQuery = "x=2" },
		"no query":                    func(r *http.Request) { r.URL.RawQuery = "" },
		"other body":                  func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"decision":"y"}`)) },
		"no body":                     func(r *http.Request) { r.Body = http.NoBody },
		"other digest": func(r *http.Request) {
			other := `{"decision":"y"}`
			r.Body = io.NopCloser(strings.NewReader(other))
			signer, _ := wire.NewSigner(account(2))
			o, _ := http.NewRequest("POST", accept, nil)
			_ = signer.Sign(o, []byte(other), now())
			r.Header.Set("Content-Digest", o.Header.Get("Content-Digest"))
		},
		"two digests":         func(r *http.Request) { r.Header.Add("Content-Digest", r.Header.Get("Content-Digest")) },
		"no digest":           func(r *http.Request) { r.Header.Del("Content-Digest") },
		"unsupported digest":  func(r *http.Request) { r.Header.Set("Content-Digest", "md5=:AAAA:") },
		"other content type":  func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		"other host of ours":  func(r *http.Request) { r.Host = "also.example" },
		"host of another":     func(r *http.Request) { r.Host = "evil.example" },
		"no signature":        func(r *http.Request) { r.Header.Del("Signature") },
		"no signature input":  func(r *http.Request) { r.Header.Del("Signature-Input") },
		"two signatures":      func(r *http.Request) { r.Header.Add("Signature", r.Header.Get("Signature")) },
		"other time":          replace("created=", "created=9"),
		"other nonce":         replace(`nonce="`, `nonce="A`),
		"other tag":           replace(`tag="earnest"`, `tag="other"`),
		"no tag":              replace(`;tag="earnest"`, ``),
		"alg added":           replace(`;tag=`, `;alg="ed25519";tag=`),
		"component missing":   replace(` "content-type"`, ``),
		"path missing":        replace(` "@path"`, ``),
		"component twice":     replace(`"content-type"`, `"content-type" "content-type"`),
		"extra component":     replace(`"content-type"`, `"content-type" "accept"`),
		"components reversed": replace(`"@method" "@authority"`, `"@authority" "@method"`),
		"component parameter": replace(`"@path"`, `"@path";req`),
		"other label":         replace(`earnest=(`, `sig1=(`),
		"keyid of another": func(r *http.Request) {
			signer, _ := wire.NewSigner(account(2))
			o, _ := http.NewRequest("POST", accept, nil)
			_ = signer.Sign(o, nil, now())
			r.Header.Set("Signature-Input", strings.Replace(r.Header.Get("Signature-Input"),
				keyIDIn(r.Header.Get("Signature-Input")), keyIDIn(o.Header.Get("Signature-Input")), 1))
		},
		"keyid malformed": replace(`keyid="`, `keyid="A`),
	} {
		t.Run(name, func(t *testing.T) {
			v := wire.NewVerifier(wire.VerifierConfig{
				Hosts: []string{"escrow.example", "also.example"}, Now: now, Started: now().Add(-time.Hour)})
			r := request(t, "POST", accept, now())
			change(r)
			if key, err := v.Verify(r); !errors.Is(err, escrow.Unauthorized) {
				t.Errorf("verified as %v, %v; want %v", key, err, escrow.Unauthorized)
			}
		})
	}
}

func replace(old, with string) func(*http.Request) {
	return func(r *http.Request) {
		input := r.Header.Get("Signature-Input")
		changed := strings.Replace(input, old, with, 1)
		if changed == input {
			panic("nothing to replace: " + old)
		}
		r.Header.Set("Signature-Input", changed)
	}
}

func keyIDIn(input string) string {
	_, rest, _ := strings.Cut(input, `keyid="`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

// TestSignedWithFewerOrMoreComponents: signatures that are right in themselves,
// made by the library over lists that are not ours.
func TestSignedWithFewerOrMoreComponents(t *testing.T) {
	full := []string{"@method", "@authority", "@path", "@query", "content-digest", "content-type"}
	key := account(1)
	ours, _ := wire.NewSigner(key)
	probe, _ := http.NewRequest("POST", "https://escrow.example/v1/x", nil)
	_ = ours.Sign(probe, nil, now())
	tag := "earnest"
	sign := func(t *testing.T, fields []string) *http.Request {
		t.Helper()
		client, _ := http.NewRequest("POST", "https://escrow.example/v1/bonds/b1/accept", strings.NewReader(body))
		client.Header.Set("Content-Type", "application/json")
		client.Header.Set("Accept", "application/json")
		err := httpsig.Sign(client, httpsig.SigningProfile{
			Algorithm: httpsig.Algo_ED25519, Fields: httpsig.Fields(fields...), Label: "earnest",
			Metadata: []httpsig.Metadata{httpsig.MetaCreated, httpsig.MetaNonce, httpsig.MetaKeyID, httpsig.MetaTag},
		}, httpsig.SigningKey{Key: key, MetaKeyID: keyIDIn(probe.Header.Get("Signature-Input")), MetaTag: tag})
		if err != nil {
			t.Fatal(err)
		}
		return received(client)
	}
	clock := wire.VerifierConfig{Hosts: []string{"escrow.example"}, Now: time.Now, Started: time.Now().Add(-time.Hour)}
	if _, err := wire.NewVerifier(clock).Verify(sign(t, full)); err != nil {
		t.Errorf("the library's own signature over our list: %v", err)
	}
	for i, missing := range full {
		fields := append(append([]string{}, full[:i]...), full[i+1:]...)
		if _, err := wire.NewVerifier(clock).Verify(sign(t, fields)); !errors.Is(err, escrow.Unauthorized) {
			t.Errorf("without %s: %v", missing, err)
		}
	}
	reordered := slices.Clone(full)
	slices.Reverse(reordered)
	if _, err := wire.NewVerifier(clock).Verify(sign(t, reordered)); !errors.Is(err, escrow.Unauthorized) {
		t.Errorf("in another order: %v", err)
	}
	tag = "another-application"
	if _, err := wire.NewVerifier(clock).Verify(sign(t, full)); !errors.Is(err, escrow.Unauthorized) {
		t.Errorf("for another application: %v", err)
	}
	tag = "earnest"
	for _, extra := range []string{"accept", "@target-uri", "@scheme"} {
		if _, err := wire.NewVerifier(clock).Verify(sign(t, append(append([]string{}, full...), extra))); !errors.Is(err, escrow.Unauthorized) {
			t.Errorf("with %s: %v", extra, err)
		}
	}
}

func TestReplayIsRefused(t *testing.T) {
	v := verifier()
	r := request(t, "POST", "https://escrow.example/v1/bonds/b1/accept", now())
	again := r.Clone(t.Context())
	again.Body = io.NopCloser(strings.NewReader(body))
	if _, err := v.Verify(r); err != nil {
		t.Fatal(err)
	}
	_, err := v.Verify(again)
	if e, ok := errors.AsType[*escrow.Error](err); !ok || e.Code != escrow.Replayed || !e.Time.Equal(now()) {
		t.Errorf("the same request again: %v", err)
	}
	if _, err := v.Verify(request(t, "POST", "https://escrow.example/v1/bonds/b1/accept", now())); err != nil {
		t.Errorf("signed anew: %v", err)
	}
}

func TestTimeOfSigning(t *testing.T) {
	for _, tt := range []struct {
		at      time.Duration
		started time.Duration
		want    escrow.Code
	}{
		{0, -time.Hour, ""},
		{-5 * time.Minute, -time.Hour, ""},
		{5 * time.Minute, -time.Hour, ""},
		{-5*time.Minute - time.Second, -time.Hour, escrow.ClockSkew},
		{5*time.Minute + time.Second, -time.Hour, escrow.ClockSkew},
		{0, 0, ""},
		{-time.Second, 0, escrow.Replayed},
		{-2 * time.Second, -1500 * time.Millisecond, escrow.Replayed},
		{-time.Second, -1500 * time.Millisecond, ""},
	} {
		v := wire.NewVerifier(wire.VerifierConfig{Hosts: []string{"escrow.example"}, Now: now, Started: now().Add(tt.started)})
		_, err := v.Verify(request(t, "POST", "https://escrow.example/v1/x", now().Add(tt.at)))
		if escrow.CodeOf(err) != tt.want {
			t.Errorf("signed at %v, started at %v: %v, want %q", tt.at, tt.started, err, tt.want)
		}
		if e, ok := errors.AsType[*escrow.Error](err); ok && !e.Time.Equal(now()) {
			t.Errorf("the error does not tell the escrow's time: %+v", e)
		}
	}
}

func TestOversizeIsTold(t *testing.T) {
	r := request(t, "POST", "https://escrow.example/v1/x", now())
	r.Body = http.MaxBytesReader(httptest.NewRecorder(), r.Body, 3)
	if _, err := verifier().Verify(r); err == nil || wire.ProblemOf(err).Status != http.StatusRequestEntityTooLarge {
		t.Errorf("a body over the limit: %v", err)
	}
}

func TestRequestToTheListeningAddress(t *testing.T) {
	var got error
	v := wire.NewVerifier(wire.VerifierConfig{Hosts: []string{"escrow.example"}, Now: now, Started: now().Add(-time.Hour)})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, got = v.Verify(r) }))
	defer server.Close()
	for _, tt := range []struct {
		host string
		want escrow.Code
	}{{"", ""}, {"escrow.example", ""}, {"evil.example", escrow.Unauthorized}, {"127.0.0.1:1", escrow.Unauthorized}} {
		req, _ := http.NewRequest("GET", server.URL+"/v1/account", nil)
		if tt.host != "" {
			req.Host = tt.host
		}
		signer, _ := wire.NewSigner(account(1))
		if err := signer.Sign(req, nil, now()); err != nil {
			t.Fatal(err)
		}
		resp, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if escrow.CodeOf(got) != tt.want {
			t.Errorf("host %q: %v, want %q", tt.host, got, tt.want)
		}
	}
}

func ExampleAuthority() {
	fmt.Println(wire.Authority("Escrow.Example:443"), wire.Authority("escrow.example:8443"))
	// Output: escrow.example escrow.example:8443
}
