package wire

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/dunglas/httpsfv"
	"github.com/remitly-oss/httpsig-go"

	"earnest/escrow"
)

// MaxSkew is how far a request's time may be from the escrow's clock.
const MaxSkew = 5 * time.Minute

// VerifierConfig sets up a [Verifier].
type VerifierConfig struct {
	// Hosts are the names that this escrow answers to, with the port unless it
	// is 443. A request to the very address and port that it came in at is taken
	// too. Without this check another escrow could pass on, here, what was
	// signed for it.
	Hosts []string
	// Now is the escrow's clock; Started is when it started.
	Now     func() time.Time
	Started time.Time
	// MaxNonces bounds the memory for nonces; 0 means a million.
	MaxNonces int
}

// Verifier checks the signatures of requests.
type Verifier struct {
	hosts  []string
	now    func() time.Time
	nonces *nonces
}

// NewVerifier is a verifier that takes nothing signed before it started: it
// could not know whether it was seen before.
func NewVerifier(cfg VerifierConfig) *Verifier {
	if cfg.MaxNonces == 0 {
		cfg.MaxNonces = 1 << 20
	}
	v := &Verifier{now: cfg.Now, nonces: newNonces(cfg.Started, cfg.MaxNonces)}
	for _, host := range cfg.Hosts {
		v.hosts = append(v.hosts, Authority(host))
	}
	return v
}

// Signed reports whether the request claims to be signed.
func Signed(r *http.Request) bool {
	return r.Header.Get(headerInput) != "" || r.Header.Get(headerSignature) != ""
}

// Verify returns the account that signed the request. It reads the body and
// puts it back.
func (v *Verifier) Verify(r *http.Request) (escrow.PublicKey, error) {
	input, err := readInput(r.Header)
	if err != nil {
		return nil, err
	}
	if !v.ownHost(r) {
		return nil, escrow.Errorf(escrow.Unauthorized, "the request is signed for a host name that is not this escrow's; its operator can add names with --host")
	}
	// The library signs req.URL.Path as decoded and req.Host as written; the
	// copy that it gets has both in the form of the RFC.
	shadow := &http.Request{
		Method: r.Method, Host: Authority(r.Host), Header: r.Header, Body: r.Body,
		URL: &url.URL{Path: signedPath(r.URL), RawQuery: r.URL.RawQuery},
	}
	_, err = httpsig.Verify(shadow, keyOf(input.key), httpsig.VerifyProfile{
		SignatureLabel:         label,
		AllowedAlgorithms:      []httpsig.Algorithm{httpsig.Algo_ED25519},
		RequiredFields:         httpsig.Fields(components()...),
		RequiredMetadata:       metadata(),
		DisableTimeEnforcement: true, // its clock is not ours; see below
	})
	r.Body = shadow.Body
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge
	}
	if err != nil {
		return nil, escrow.Errorf(escrow.Unauthorized, "the request's signature or its content digest is wrong")
	}
	return input.key, v.checkTime(input)
}

func (v *Verifier) checkTime(input signatureInput) error {
	now := v.now()
	if skew := now.Sub(time.Unix(input.created, 0)); skew > MaxSkew || skew < -MaxSkew {
		return &escrow.Error{Code: escrow.ClockSkew, Time: now,
			Detail: "the request was signed more than 5 minutes from the escrow's clock; nothing was done; set the clock of this machine"}
	}
	if !v.nonces.take(input.key, input.nonce, input.created, now.Add(-MaxSkew).Unix()) {
		return &escrow.Error{Code: escrow.Replayed, Time: now,
			Detail: "the request was seen before, or signed before the escrow started; sign it anew"}
	}
	return nil
}

func (v *Verifier) ownHost(r *http.Request) bool {
	host := Authority(r.Host)
	if slices.Contains(v.hosts, host) {
		return true
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && host == Authority(local.String())
}

// signatureInput is what the Signature-Input header says.
type signatureInput struct {
	key     escrow.PublicKey
	created int64
	nonce   string
}

func metadata() []httpsig.Metadata {
	return []httpsig.Metadata{httpsig.MetaCreated, httpsig.MetaNonce, httpsig.MetaKeyID, httpsig.MetaTag}
}

// readInput holds the signature's input against the profile: exactly its
// components in its order, none with parameters, and exactly its parameters.
func readInput(h http.Header) (signatureInput, error) {
	for _, name := range []string{headerInput, headerSignature, headerDigest, headerType} {
		if len(h.Values(name)) != 1 {
			return signatureInput{}, escrow.Errorf(escrow.Unauthorized, "a request has one %s header", name)
		}
	}
	malformed := escrow.Errorf(escrow.Unauthorized, "the request's signature does not follow the profile")
	dictionary, err := httpsfv.UnmarshalDictionary(h.Values(headerInput))
	if err != nil || len(dictionary.Names()) != 1 {
		return signatureInput{}, malformed
	}
	member, _ := dictionary.Get(label)
	list, ok := member.(httpsfv.InnerList)
	if !ok || len(list.Items) != len(components()) || len(list.Params.Names()) != len(metadata()) {
		return signatureInput{}, malformed
	}
	for i, name := range components() {
		if list.Items[i].Value != name || len(list.Items[i].Params.Names()) != 0 {
			return signatureInput{}, malformed
		}
	}
	created, _ := list.Params.Get(string(httpsig.MetaCreated))
	nonce, _ := list.Params.Get(string(httpsig.MetaNonce))
	keyID, _ := list.Params.Get(string(httpsig.MetaKeyID))
	signedTag, _ := list.Params.Get(string(httpsig.MetaTag))
	var in signatureInput
	var idText string
	var okays [3]bool
	in.created, okays[0] = created.(int64)
	in.nonce, okays[1] = nonce.(string)
	idText, okays[2] = keyID.(string)
	if okays != [3]bool{true, true, true} || signedTag != tag || len(in.nonce) < 16 || len(in.nonce) > 64 {
		return signatureInput{}, malformed
	}
	if in.key, err = parseKeyID(idText); err != nil {
		return signatureInput{}, malformed
	}
	return in, nil
}

// keyOf gives the library the key that the signature names: an account is its key.
type keyOf escrow.PublicKey

func (k keyOf) FetchByKeyID(context.Context, http.Header, string) (httpsig.KeySpecer, error) {
	return httpsig.KeySpec{Algo: httpsig.Algo_ED25519, PubKey: ed25519.PublicKey(k)}, nil
}

func (k keyOf) Fetch(context.Context, http.Header, httpsig.MetadataProvider) (httpsig.KeySpecer, error) {
	return nil, escrow.Errorf(escrow.Unauthorized, "the signature names no key")
}
