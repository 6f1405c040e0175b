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
	// MaxNonces bounds the memory for nonces, MaxPerKey what one key may have of
	// it; 0 means a million, and a quarter of all.
	MaxNonces, MaxPerKey int
	// Shared is what all processes of the escrow have seen; nil if there is one
	// only. With it a start refuses nothing: it knows what was seen before.
	Shared Shared
}

// Verifier checks the signatures of requests.
type Verifier struct {
	hosts []string
	now   func() time.Time
	// nonces are those of accounts. Requests to open one have a memory of their
	// own: keys cost nothing, and however many there are, they fill only that.
	nonces, openings *nonces
	shared           Shared
}

// NewVerifier is a verifier that takes nothing signed before it started, unless it
// shares a memory: it could not know whether it was seen before.
func NewVerifier(cfg VerifierConfig) *Verifier {
	if cfg.MaxNonces == 0 {
		cfg.MaxNonces = 1 << 20
	}
	if cfg.MaxPerKey == 0 {
		cfg.MaxPerKey = max(cfg.MaxNonces/4, 2)
	}
	if cfg.Shared != nil {
		cfg.Started = time.Unix(0, 0)
	}
	const openingsPerKey = 64
	v := &Verifier{now: cfg.Now, shared: cfg.Shared,
		nonces:   newNonces(cfg.Started, cfg.MaxNonces, cfg.MaxPerKey),
		openings: newNonces(cfg.Started, max(cfg.MaxNonces/8, 2), openingsPerKey)}
	for _, host := range cfg.Hosts {
		v.hosts = append(v.hosts, Authority(host))
	}
	return v
}

// Caller is who signed a request. Its body is not checked yet: see
// [Verifier.Complete].
type Caller struct {
	Key   escrow.PublicKey
	input signatureInput
}

// Signed reports whether the request claims to be signed.
func Signed(r *http.Request) bool {
	return r.Header.Get(headerInput) != "" || r.Header.Get(headerSignature) != ""
}

// Verify returns the account that signed the request. It reads the body and
// puts it back.
func (v *Verifier) Verify(r *http.Request) (escrow.PublicKey, error) {
	caller, err := v.Caller(r)
	if err != nil {
		return nil, err
	}
	return caller.Key, v.Complete(r, caller, false)
}

// Caller returns who signed the request, and checks when and for which escrow.
// It reads no body and remembers nothing: whoever has no account costs no memory.
func (v *Verifier) Caller(r *http.Request) (Caller, error) {
	input, err := readInput(r.Header)
	if err != nil {
		return Caller{}, err
	}
	if !v.ownHost(r) {
		return Caller{}, escrow.Errorf(escrow.Unauthorized, "the request is signed for a host name that is not this escrow's; its operator can add names with --host")
	}
	if !input.signed(r) {
		return Caller{}, wrongSignature()
	}
	now := v.now()
	if skew := now.Sub(time.Unix(input.created, 0)); skew > MaxSkew || skew < -MaxSkew {
		return Caller{}, &escrow.Error{Code: escrow.ClockSkew, Time: now,
			Detail: "the request was signed more than 5 minutes from the escrow's clock; nothing was done; set the clock of this machine"}
	}
	return Caller{Key: input.key, input: input}, nil
}

// Complete reads the body, holds it against its signed digest, puts it back, and
// remembers the request so that it is taken once. Opening says that the caller
// has no account and asks for one.
func (v *Verifier) Complete(r *http.Request, caller Caller, opening bool) error {
	// The library signs req.URL.Path as decoded and req.Host as written; the
	// copy that it gets has both in the form of the RFC.
	shadow := &http.Request{
		Method: r.Method, Host: Authority(r.Host), Header: r.Header, Body: r.Body,
		URL: &url.URL{Path: signedPath(r.URL), RawQuery: r.URL.RawQuery},
	}
	_, err := httpsig.Verify(shadow, keyOf(caller.Key), httpsig.VerifyProfile{
		SignatureLabel:         label,
		AllowedAlgorithms:      []httpsig.Algorithm{httpsig.Algo_ED25519},
		RequiredFields:         httpsig.Fields(components()...),
		RequiredMetadata:       metadata(),
		DisableTimeEnforcement: true, // its clock is not ours; see Caller
	})
	r.Body = shadow.Body
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge
	}
	if err != nil {
		return wrongSignature()
	}
	return v.remember(r.Context(), caller, opening)
}

func (v *Verifier) remember(ctx context.Context, caller Caller, opening bool) error {
	now, in := v.now(), caller.input
	oldest := now.Add(-MaxSkew).Unix()
	memory := v.nonces
	if opening {
		memory = v.openings
	}
	result := again
	// What a key signed before it asked for its account was refused then, and
	// must not be done later.
	if opening || !v.openings.later(in.key, in.nonce, in.created) {
		result = memory.take(in.key, in.nonce, in.created, oldest)
	}
	if result == fresh && v.shared != nil {
		var err error
		if result, err = v.takeShared(ctx, sharedRequest(in, now.Unix(), oldest, opening)); err != nil {
			return err
		}
	}
	switch result {
	case fresh:
		return nil
	case crowded:
		return &escrow.Error{Code: escrow.Limited, RetryAfter: time.Minute,
			Detail: "more requests of this key than the escrow can remember; nothing was done"}
	}
	return &escrow.Error{Code: escrow.Replayed, Time: now,
		Detail: "the request was seen before, or signed before the escrow started; sign it anew"}
}

func wrongSignature() error {
	return escrow.Errorf(escrow.Unauthorized, "the request's signature or its content digest is wrong")
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
	params  string // as signed (RFC 9421 section 2.3)
}

// signed reports whether the key made the request's signature. The library
// checks it too, but only once it has read the whole body.
func (in signatureInput) signed(r *http.Request) bool {
	dictionary, err := httpsfv.UnmarshalDictionary(r.Header.Values(headerSignature))
	if err != nil || len(dictionary.Names()) != 1 {
		return false
	}
	member, _ := dictionary.Get(label)
	item, _ := member.(httpsfv.Item)
	signature, _ := item.Value.([]byte)
	return len(signature) == ed25519.SignatureSize &&
		ed25519.Verify(ed25519.PublicKey(in.key), []byte(signatureBase(r, in.params)), signature)
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
	if in.key, err = parseKeyID(idText); err != nil || len(in.key) != ed25519.PublicKeySize {
		return signatureInput{}, malformed
	}
	if in.params, err = httpsfv.Marshal(httpsfv.List{list}); err != nil {
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
