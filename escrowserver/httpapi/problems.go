package httpapi

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"earnest/escrow"
	"earnest/escrow/wire"
)

func problemType() reflect.Type { return reflect.TypeFor[wire.Problem]() }

// ownProblems turns huma's own errors into ours. Its errors echo the offending
// value, which may be a voucher's code, and so may the names of unexpected
// properties and texts of parsers; only where a rule of the schema was broken
// is told, and which.
func ownProblems(_ huma.Context, _ string, body any) (any, error) {
	model, ok := body.(*huma.ErrorModel)
	if !ok {
		return body, nil
	}
	return schemaProblem(model), nil
}

func schemaProblem(model *huma.ErrorModel) *wire.Problem {
	code := escrow.Invalid
	if model.Status >= http.StatusInternalServerError {
		code = escrow.Internal
	}
	p := wire.ProblemOf(&escrow.Error{Code: code})
	p.Status = model.Status
	if code == escrow.Internal {
		return p
	}
	p.Detail = "the request does not have the form that the API's document describes"
	for _, detail := range model.Errors {
		// Messages about the schema begin so; the property that is missing is
		// named by the schema, all others by the request.
		if strings.HasPrefix(detail.Message, "expected required property") {
			p.Detail += ": " + detail.Message
			break
		}
	}
	return p
}

// statusProblem is a problem that the HTTP layer itself has.
func statusProblem(status int) *wire.Problem {
	var p *wire.Problem
	switch status {
	case http.StatusNotFound:
		p = wire.ProblemOf(escrow.Errorf(escrow.NotFound, "this escrow has no such operation"))
	case http.StatusMethodNotAllowed:
		p = wire.ProblemOf(escrow.Errorf(escrow.Invalid, "the operation wants another method"))
	default:
		p = wire.ProblemOf(escrow.Errorf(escrow.Invalid, "the request is malformed"))
	}
	p.Status = status
	return p
}

// unrouted answers what no pattern matches: the mux would do it in plain text.
func (a *API) unrouted(w http.ResponseWriter, r *http.Request, handler http.Handler) {
	plain := statusOnly{header: http.Header{}}
	handler.ServeHTTP(&plain, r)
	if allow := plain.header.Get("Allow"); allow != "" {
		w.Header().Set("Allow", allow)
	}
	a.writeProblem(w, statusProblem(plain.status))
}

// statusOnly takes a response and keeps its status and header.
type statusOnly struct {
	header http.Header
	status int
}

func (s *statusOnly) Header() http.Header { return s.header }

func (s *statusOnly) WriteHeader(status int) { s.status = status }

func (s *statusOnly) Write(b []byte) (int, error) { return len(b), nil }

func (a *API) writeProblem(w http.ResponseWriter, p *wire.Problem) {
	if err := p.WriteTo(w); err != nil {
		a.cfg.Log.Debug("problem not sent", "error", err)
	}
}
