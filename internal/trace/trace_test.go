package trace_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"earnest/internal/logx"
	"earnest/internal/trace"
)

const (
	traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	spanID  = "00f067aa0ba902b7"
)

// What is not of the form is no trace: a line of the log has no words of strangers.
func TestOnlyWhatIsATraceIsTaken(t *testing.T) {
	for said, taken := range map[string]bool{
		"00-" + traceID + "-" + spanID + "-01":                  true,
		"00-" + traceID + "-" + spanID + "-00":                  true, // its flag counts for nothing
		"cc-" + traceID + "-" + spanID + "-01-what-will":        true, // a later version
		"00-" + traceID + "-" + spanID + "-01-x":                false,
		"ff-" + traceID + "-" + spanID + "-01":                  false,
		"00-" + strings.ToUpper(traceID) + "-" + spanID:         false,
		"00-" + strings.Repeat("0", 32) + "-" + spanID + "-01":  false,
		"00-" + traceID + "-" + strings.Repeat("0", 16) + "-01": false,
		"00-" + traceID[1:] + "-" + spanID + "-01":              false,
		"00-anna@example.org-" + spanID + "-01":                 false,
		"":                                                      false,
	} {
		var log bytes.Buffer
		trace.New(slog.New(logx.JSON(&log, nil)), 1).Begin("request", []string{said}).End()
		got := strings.Contains(log.String(), `"trace":"`+traceID+`"`) && strings.Contains(log.String(), `"parent":"`+spanID+`"`)
		if got != taken || strings.Count(log.String(), `"trace":"`) != 1 {
			t.Errorf("%q: %s", said, log.String())
		}
		if !taken && said != "" && strings.Contains(log.String(), said) {
			t.Errorf("%q is in the log", said)
		}
	}
	var log bytes.Buffer
	one := "00-" + traceID + "-" + spanID + "-01"
	trace.New(slog.New(logx.JSON(&log, nil)), 1).Begin("request", []string{one, one}).End()
	if strings.Contains(log.String(), traceID) {
		t.Errorf("two headers: %s", log.String())
	}
}

// The share decides, and nothing that comes from outside.
func TestAShareIsTraced(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	some, taken := trace.New(log, 0.25), 0
	for range 10_000 {
		if some.Begin("request", []string{"00-" + traceID + "-" + spanID + "-01"}) != nil {
			taken++
		}
	}
	if taken < 2000 || taken > 3000 {
		t.Errorf("%d of 10,000 were traced, want about 2,500", taken)
	}
	if trace.New(log, 0).Begin("request", nil) != nil {
		t.Error("without a share a request is traced")
	}
}

type ofOthers struct{}

// Who is not traced pays nothing.
func TestNoTraceCostsNothing(t *testing.T) {
	none, ctx := trace.New(slog.Default(), 0), context.WithValue(t.Context(), ofOthers{}, 1)
	if n := testing.AllocsPerRun(1000, func() {
		span := none.Begin("request", nil)
		inside := trace.With(ctx, span)
		defer trace.From(inside).Child("load").End()
		trace.From(inside).Child("operation").Child("queue").End()
		trace.Join("batch", nil).End()
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}
