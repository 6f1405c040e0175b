package httpapi

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"time"

	"earnest/internal/trace"
)

// headerRequest carries the id under which a request is in the log.
const headerRequest = "Request-Id"

// seen is the response as it was written.
type seen struct {
	http.ResponseWriter
	status int
}

func (s *seen) WriteHeader(status int) {
	if s.status == 0 {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap lets deadlines and flushes through.
func (s *seen) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// observed gives each request an id, tells who measures how long it took, and logs
// it for who debugs: by its pattern, which names nobody. Of those that are traced it
// begins the trace.
func (a *API) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()[:12]
		w.Header().Set(headerRequest, id)
		begun, to := time.Now(), &seen{ResponseWriter: w}
		span := a.cfg.Trace.Begin("request", r.Header[trace.Header])
		if span != nil {
			r = r.WithContext(trace.With(r.Context(), span))
		}
		defer func() {
			_, pattern := a.mux.Handler(r)
			if pattern == "" {
				pattern = "unknown"
			}
			if to.status == 0 {
				to.status = http.StatusOK
			}
			took := time.Since(begun)
			if a.cfg.Observe != nil {
				a.cfg.Observe(pattern, to.status, took)
			}
			a.cfg.Log.DebugContext(context.WithoutCancel(r.Context()), "request", "id", id, "operation", pattern, "status", to.status, "took", took)
			if span != nil {
				span.End(slog.String("id", id), slog.String("operation", pattern), slog.Int("status", to.status))
			}
		}()
		next.ServeHTTP(to, r)
	})
}
