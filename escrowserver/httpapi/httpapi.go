// Package httpapi serves escrow.Service over HTTP: it checks signatures, sizes
// and rates, and turns every error into problem+json (RFC 9457). It holds no
// rule of the escrow itself. There is one file for each group of operations,
// and the OpenAPI document is generated from them.
package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"earnest/escrow"
	"earnest/escrow/wire"
	"earnest/internal/trace"
)

// Config sets up an [API].
type Config struct {
	// As is the escrow as the account of that key sees it. Info, which needs no
	// account, and lookups of public prices are asked with a nil key.
	As func(escrow.PublicKey) escrow.Service
	// Known reports whether the key has an account. Others are refused, but for
	// opening one, before anything is kept of their request. Nil: the escrow is
	// left to refuse them.
	Known func(context.Context, escrow.PublicKey) (bool, error)
	// Nonces are what all processes of the escrow have seen; nil if there is one only.
	Nonces wire.Shared
	// Hosts are the names that requests may be signed for; see wire.VerifierConfig.
	Hosts []string
	Now   func() time.Time
	Log   *slog.Logger
	// Health says why the escrow cannot work; nil means that nothing is checked.
	Health func(context.Context) error
	// Observe, if set, is told of every request: the pattern of its operation, the
	// status of its answer, and how long it took.
	Observe func(pattern string, status int, took time.Duration)
	// Trace traces requests; nil: none.
	Trace *trace.Tracer
	// PerAccount and PerRemote limit requests by signing key and by the address
	// that they come from. Zero means the defaults, a negative rate no limit.
	PerAccount, PerRemote Rate
	// MaxConns and MaxConnsPerRemote bound the connections that are open at once,
	// in all and of one network; 0 means the defaults, a negative number no limit.
	MaxConns, MaxConnsPerRemote int
	// Webhook takes what a payment provider posts; nil: there is none.
	Webhook func(ctx context.Context, provider string, header http.Header, body []byte) error
	// Proxied: everybody comes through a proxy on this machine, which says in
	// X-Forwarded-For from where. Connections of one network are then its work.
	Proxied bool
}

// API is the escrow's HTTP API.
type API struct {
	cfg      Config
	mux      *http.ServeMux
	huma     huma.API
	verifier *wire.Verifier
	unsigned map[string]access // by pattern of the mux
	known    *knownKeys
	bodies   *bodies
	answers  *answers
	accounts *limiter
	remotes  *limiter
	document []byte
	// stopping ends when the server stops, so that long polls do not hold it up.
	stopping context.Context
	stop     context.CancelFunc
}

// New builds the API. It takes no request signed before now.
func New(cfg Config) (*API, error) {
	perAccount := cfg.PerAccount.or(Rate{PerSecond: 20, Burst: 200})
	a := &API{
		cfg: cfg,
		mux: http.NewServeMux(),
		verifier: wire.NewVerifier(wire.VerifierConfig{Hosts: cfg.Hosts, Now: cfg.Now, Started: cfg.Now(),
			Shared: cfg.Nonces, MaxPerKey: perAccount.noncesWithin(2 * wire.MaxSkew)}),
		unsigned: map[string]access{},
		known:    newKnownKeys(cfg.Known),
		bodies:   newBodies(),
		answers:  newAnswers(cfg.Now),
		accounts: newLimiter(perAccount, cfg.Now),
		remotes:  newLimiter(cfg.PerRemote.or(Rate{PerSecond: 50, Burst: 500}), cfg.Now),
	}
	a.stopping, a.stop = context.WithCancel(context.Background())
	a.huma = humago.New(a.mux, humaConfig())
	a.infoOperations()
	a.accountOperations()
	a.orderOperations()
	a.limitOperations()
	a.movementOperations()
	a.moneyOperations()
	a.addressOperations()
	a.offerOperations()
	a.keyOperations()
	a.quoteOperations()
	a.bondOperations()
	a.recipientOperations()
	a.decisionOperations()
	if err := a.makeDocument(); err != nil {
		return nil, fmt.Errorf("http api: %w", err)
	}
	return a, nil
}

func humaConfig() huma.Config {
	cfg := huma.DefaultConfig("Earnest escrow", "1")
	cfg.Info.Description = "The escrow of Earnest over HTTP. Requests are signed as docs/protocol/http.md says."
	// The hook would add $schema links made from the Host header to every body.
	cfg.CreateHooks = nil
	cfg.Formats = plainFormats()
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath = "", "", ""
	cfg.Transformers = []huma.Transformer{ownProblems}
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"signature": {Type: "apiKey", In: "header", Name: "Signature-Input",
			Description: "HTTP message signature (RFC 9421) over exactly @method @authority @path @query content-digest content-type; see docs/protocol/http.md"},
	}
	return cfg
}

// OpenAPI is the OpenAPI 3.1 document of the API.
func (a *API) OpenAPI() []byte { return a.document }

func (a *API) makeDocument() error {
	schemas := a.huma.OpenAPI().Components.Schemas.Map()
	// huma's own error form is never sent: see ownProblems.
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	document, err := json.MarshalIndent(a.huma.OpenAPI(), "", "  ")
	if err != nil {
		return fmt.Errorf("openapi document: %w", err)
	}
	a.document = append(document, '\n')
	// The JSON decoder holds base64 to its rules. huma's own check refuses empty
	// text, and whether there must be something is for the escrow to say.
	for _, schema := range schemas {
		leaveBase64(schema)
	}
	const pattern = "GET /openapi.json"
	a.unsigned[pattern] = open
	a.mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", wire.MediaType)
		_, _ = w.Write(a.document)
	})
	return nil
}

func leaveBase64(schema *huma.Schema) {
	if schema == nil {
		return
	}
	schema.ContentEncoding = ""
	leaveBase64(schema.Items)
	for _, property := range schema.Properties {
		leaveBase64(property)
	}
}

// access says who may ask an operation without a signature.
type access int

const (
	signed   access = iota // nobody
	optional               // anybody; with a signature it is the account's
	open                   // anybody; a signature is not looked at
)

// operation is what differs from one to the next.
type operation struct {
	method, path string
	id, summary  string
	tag          string
	access       access
}

// register adds an operation. The handler's error becomes a problem; what
// failed inside is logged and told to nobody.
func register[I, O any](a *API, op operation, handler func(context.Context, *I) (*O, error)) {
	h := huma.Operation{
		OperationID: op.id, Method: op.method, Path: op.path, Summary: op.summary, Tags: []string{op.tag},
		MaxBodyBytes: wire.MaxBody,
		Responses:    map[string]*huma.Response{"default": a.problemResponse()},
	}
	switch op.access {
	case signed:
		h.Security = []map[string][]string{{"signature": {}}}
	case optional:
		h.Security = []map[string][]string{{"signature": {}}, {}}
	}
	if op.access != signed {
		a.unsigned[op.method+" "+op.path] = op.access
	}
	huma.Register(a.huma, h, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err == nil {
			return out, nil
		}
		if ctx.Err() != nil {
			err = escrow.Errorf(escrow.Unavailable, "the request was given up before it was answered; ask again")
		}
		// An internal error that is the escrow's own was logged by the escrow.
		if _, ok := errors.AsType[*escrow.Error](err); !ok && escrow.CodeOf(err) == escrow.Internal {
			a.cfg.Log.Error("operation failed", "operation", op.id, "error", err)
		}
		return nil, wire.ProblemOf(err)
	})
}

func (a *API) problemResponse() *huma.Response {
	schema := a.huma.OpenAPI().Components.Schemas.Schema(problemType(), true, "Problem")
	return &huma.Response{
		Description: "Error (RFC 9457); its code says which",
		Content:     map[string]*huma.MediaType{wire.ProblemType: {Schema: schema}},
	}
}

type accountKey struct{}

// service is the escrow as the request's account sees it.
func (a *API) service(ctx context.Context) escrow.Service {
	key, _ := ctx.Value(accountKey{}).(escrow.PublicKey)
	return a.cfg.As(key)
}

// output is a response with a body.
type output[T any] struct{ Body T }

// answer makes an operation's result of a service's.
func answer[T any](body T, err error) (*output[T], error) {
	if err != nil {
		return nil, err
	}
	return &output[T]{Body: body}, nil
}

// input is a request with nothing but a body.
type input[T any] struct{ Body T }
