package faults

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"earnest/escrow"
	"earnest/escrow/wire"
	"earnest/test/overlay"
)

// The components that the profile signs, and the same without the path.
func profile() []string {
	return []string{"@method", "@authority", "@path", "@query", "content-digest", "content-type"}
}

func pathless() []string {
	return []string{"@method", "@authority", "@query", "content-digest", "content-type"}
}

// signed is a request as an eavesdropper inside TLS would have it: everything
// that was sent, to be sent again or elsewhere.
type signed struct {
	path   string
	header http.Header
	body   []byte
}

// request signs a POST by hand (RFC 9421), so that a test chooses what is signed.
func (p *person) request(path string, body any, components []string) (signed, error) {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return signed{}, err
		}
	}
	header, err := p.headers(http.MethodPost, path, "", text, components)
	return signed{path, header, text}, err
}

// headers are those of a request signed over the components.
func (p *person) headers(method, path, query string, text []byte, components []string) (http.Header, error) {
	digest := sha256.Sum256(text)
	nonce := make([]byte, 18)
	_, _ = rand.Read(nonce)
	header := http.Header{"Content-Type": {wire.MediaType}}
	header.Set("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(digest[:])+":")
	values := map[string]string{"@method": method, "@authority": strings.TrimPrefix(p.r.EscrowURL, "https://"), "@path": path,
		"@query": "?" + query, "content-digest": header.Get("Content-Digest"), "content-type": header.Get("Content-Type")}
	params := fmt.Sprintf(`("%s");created=%d;nonce="%s";keyid="%s";tag="earnest"`, strings.Join(components, `" "`),
		time.Now().Unix(), base64.RawURLEncoding.EncodeToString(nonce), base64.RawURLEncoding.EncodeToString(p.public()))
	var base strings.Builder
	for _, name := range components {
		fmt.Fprintf(&base, "%q: %s\n", name, values[name])
	}
	base.WriteString(`"@signature-params": ` + params)
	signature, err := p.key.Sign(nil, []byte(base.String()), crypto.Hash(0))
	header.Set("Signature-Input", "earnest="+params)
	header.Set("Signature", "earnest=:"+base64.StdEncoding.EncodeToString(signature)+":")
	return header, err
}

// signsAnew signs a client's requests over other components than the profile's,
// as everybody does in a system that has another profile.
type signsAnew struct{ p *person }

// RoundTrip implements http.RoundTripper.
func (s signsAnew) RoundTrip(req *http.Request) (*http.Response, error) {
	text, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	again := req.Clone(req.Context())
	again.Body = io.NopCloser(bytes.NewReader(text))
	if again.Header, err = s.p.headers(req.Method, req.URL.EscapedPath(), req.URL.RawQuery, text, s.p.r.components); err != nil {
		return nil, err
	}
	return overTLS(s.p.r).RoundTrip(again)
}

func overTLS(r *rig) *http.Transport {
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots(r)}, DisableKeepAlives: true}
}

// post sends it to the escrow over TLS, to the path given, and returns the
// status and the problem's code.
func (s signed) post(ctx context.Context, r *rig, path string) (int, escrow.Code, error) {
	client := &http.Client{Transport: overTLS(r)}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.EscrowURL+path, bytes.NewReader(s.body))
	if err != nil {
		return 0, "", err
	}
	req.Header = s.header.Clone()
	answer, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	var problem struct {
		Code escrow.Code `json:"code"`
	}
	_ = json.Unmarshal(text, &problem) // an answer that is no problem has no code
	return answer.StatusCode, problem.Code, err
}

// withoutNonces is the escrow that forgets which requests it has seen.
func withoutNonces() overlay.Patch {
	return overlay.Patch{File: "escrow/wire/nonces.go", Edits: []overlay.Edit{{
		Old: "	if _, seen := k.seen[created][id]; seen || created < k.floor {\n",
		New: "	if _, seen := k.seen[created][id]; seen && false || created < k.floor {\n",
	}}}
}

// withoutPath is the system that does not sign where a request goes.
func withoutPath() overlay.Patch {
	return overlay.Patch{File: "escrow/wire/sign.go", Edits: []overlay.Edit{
		{Old: `"@method", "@authority", "@path", "@query"`, New: `"@method", "@authority", "@query"`},
		{Old: "		{\"@path\", signedPath(req.URL)},\n", New: ""},
	}}
}

// replayed sends a signed accept twice.
func replayed(ctx context.Context, r *rig) error {
	anna, bob, b, err := r.strangers(ctx)
	if err == nil {
		err = bob.receive(ctx, anna, b)
	}
	if err != nil {
		return err
	}
	decision, err := bob.decision(b.Bond, escrow.Accept, 1)
	if err != nil {
		return err
	}
	accept, err := bob.request("/v1/bonds/"+string(b.Bond.ID)+"/accept", wire.DecisionBody{Decision: decision}, profile())
	if err != nil {
		return err
	}
	if status, code, err := accept.post(ctx, r, accept.path); err != nil || status != http.StatusOK {
		return fmt.Errorf("the accept itself was answered with %d %s (%v)", status, code, err)
	}
	status, code, err := accept.post(ctx, r, accept.path)
	if err == nil && code != escrow.Replayed {
		return found("the same bytes again were answered with %d %q", status, code)
	}
	return err
}

// moved sends a signed accept to /reject, and a signed acknowledgement to
// /withdraw, which has no body that would tell them apart.
func moved(components []string) func(context.Context, *rig) error {
	return func(ctx context.Context, r *rig) error {
		r.components = components
		anna, bob, b, err := r.strangers(ctx)
		if err != nil {
			return err
		}
		bond := "/v1/bonds/" + string(b.Bond.ID)
		for _, to := range []string{"/withdraw", "/acknowledge"} {
			request, err := anna.request(bond+"/acknowledge", nil, components)
			if err != nil {
				return err
			}
			status, code, err := request.post(ctx, r, bond+to)
			if err != nil {
				return err
			}
			if to == "/withdraw" && code != escrow.Unauthorized {
				return found("an acknowledgement sent to /withdraw was answered with %d %q", status, code)
			}
			if to == "/acknowledge" && status >= 300 {
				return fmt.Errorf("the acknowledgement itself was answered with %d %s", status, code)
			}
		}
		if after, err := anna.Bond(ctx, b.Bond.ID); err != nil || !after.WithdrawAskedAt.IsZero() {
			return errors.Join(err, found("a withdrawal was asked for at %v", after.WithdrawAskedAt))
		}
		if err := bob.receive(ctx, anna, b); err != nil {
			return err
		}
		decision, err := bob.decision(b.Bond, escrow.Accept, 1)
		if err != nil {
			return err
		}
		accept, err := bob.request(bond+"/accept", wire.DecisionBody{Decision: decision}, components)
		if err != nil {
			return err
		}
		status, code, err := accept.post(ctx, r, bond+"/reject")
		if err != nil {
			return err
		}
		after, err := bob.Bond(ctx, b.Bond.ID)
		if err == nil && (code != escrow.Unauthorized || after.State != escrow.Arrived) {
			err = found("an accept sent to /reject was answered with %d %q, the bond is %s", status, code, after.State)
		}
		return err
	}
}

func TestSignedRequestsStandForOnePlaceAndOneTime(t *testing.T) {
	for _, variant := range []struct {
		name, build string
		more        []overlay.Patch
		attack      func(context.Context, *rig) error
		holds       bool
	}{
		{"replayed", "faults", nil, replayed, true},
		{"moved", "faults", nil, moved(profile()), true},
		{"control: replayed, nonces forgotten", "no-nonces", []overlay.Patch{withoutNonces()}, replayed, false},
		{"control: moved, path not signed", "no-path", []overlay.Patch{withoutPath()}, moved(pathless()), false},
	} {
		t.Run(variant.name, func(t *testing.T) {
			r, err := bareRig(t.Context(), programs.build(t, variant.build, variant.more...), t.TempDir(), paths()[0].terms)
			if err != nil {
				t.Fatal(err)
			}
			defer r.close()
			// The escrow takes nothing that was signed in the second of its start.
			time.Sleep(time.Second)
			settled(t, variant.attack(t.Context(), r), variant.holds)
		})
	}
}
