// Package trace says where the time of a request goes: a line in the log for each
// span when it ends, with the id of its trace, its own, and that of the span that it
// is a part of (W3C Trace Context). Whoever is not traced carries a nil [Span], all
// of whose methods do nothing.
//
// A span has a name of the program's own words, and its values are counts, codes and
// names of operations: a trace names nobody.
package trace

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	mathrand "math/rand/v2"
	"strings"
	"time"
)

// Header is where a request says what trace it is a part of.
const Header = "Traceparent"

// Tracer begins traces. A nil *Tracer begins none.
type Tracer struct {
	log   *slog.Logger
	share float64
}

// New traces that share of the requests, from 0 to 1.
func New(log *slog.Logger, share float64) *Tracer {
	if !(share > 0) {
		return nil
	}
	return &Tracer{log, share}
}

// Begin begins the first span of a request here, or none, since a share is traced.
// What the request says of its trace, if it can be read, the span is a part of. Its
// flag counts for nothing: whoever sets it could fill the log.
func (t *Tracer) Begin(name string, said []string) *Span {
	if t == nil || t.share < 1 && mathrand.Float64() >= t.share {
		return nil
	}
	in, ok := place{}, false
	if len(said) == 1 {
		in, ok = parse(said[0])
	}
	if !ok {
		in = place{trace: id(16)}
	}
	return begin(t.log, name, []place{in})
}

// Span is a time in which a request was worked on. A batch works on several requests:
// its span is in the traces of all of them, under one id.
type Span struct {
	log      *slog.Logger
	name, id string
	began    time.Time
	in       []place
}

// place is a span's in one trace.
type place struct{ trace, parent string }

func begin(log *slog.Logger, name string, in []place) *Span {
	return &Span{log: log, name: name, id: id(8), began: time.Now(), in: in}
}

// Child begins a span that is a part of this.
func (s *Span) Child(name string) *Span {
	if s == nil {
		return nil
	}
	return Join(name, []*Span{s})
}

// Join begins a span that is a part of all of these; of none it is nil.
func Join(name string, parents []*Span) *Span {
	if len(parents) == 0 {
		return nil
	}
	var in []place
	for _, p := range parents {
		for _, at := range p.in {
			in = append(in, place{at.trace, p.id})
		}
	}
	return begin(parents[0].log, name, in)
}

// End writes the span's line, in each of its traces.
func (s *Span) End(values ...slog.Attr) {
	if s == nil {
		return
	}
	took := time.Since(s.began)
	for _, at := range s.in {
		s.log.LogAttrs(context.Background(), slog.LevelInfo, "span", append([]slog.Attr{
			slog.String("trace", at.trace), slog.String("span", s.id), slog.String("parent", at.parent), slog.String("name", s.name),
			slog.String("start", s.began.UTC().Format("2006-01-02T15:04:05.000000Z")), slog.Duration("took", took)}, values...)...)
	}
}

type key struct{}

// With is ctx with the span in it, which may be nil, and with no other.
func With(ctx context.Context, s *Span) context.Context {
	if s == From(ctx) {
		return ctx
	}
	return context.WithValue(ctx, key{}, s)
}

// From is the span of ctx, or nil.
func From(ctx context.Context) *Span {
	s, _ := ctx.Value(key{}).(*Span)
	return s
}

// parse reads a traceparent as W3C Trace Context says (3.2): of a version that is not
// known, what the first one has.
func parse(said string) (place, bool) {
	parts := strings.Split(said, "-")
	if len(parts) < 4 || parts[0] == "00" && len(parts) > 4 || parts[0] == "ff" {
		return place{}, false
	}
	for i, length := range []int{2, 32, 16, 2} {
		if len(parts[i]) != length || strings.Trim(parts[i], "0123456789abcdef") != "" {
			return place{}, false
		}
	}
	if strings.Trim(parts[1], "0") == "" || strings.Trim(parts[2], "0") == "" {
		return place{}, false
	}
	return place{parts[1], parts[2]}, true
}

func id(bytes int) string {
	raw := make([]byte, bytes)
	_, _ = rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}
