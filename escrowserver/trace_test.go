package escrowserver

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"

	"earnest/internal/logx"
	"earnest/internal/trace"
)

// line is a span's in the log.
type line struct {
	Trace, Span, Parent, Name string
	Operations                int
}

// tracedShelf adds a span of its own, as the store does.
type tracedShelf struct{ *shelf }

func (s tracedShelf) Apply(ctx context.Context, ops []Op) []Result {
	defer trace.From(ctx).Child("commit").End()
	return s.shelf.Apply(ctx, ops)
}

// A batch is in the trace of each request that it works on, under one id, and in no
// trace of those who only happened to begin it.
func TestABatchIsInTheTracesOfAll(t *testing.T) {
	var out bytes.Buffer
	tracer := trace.New(slog.New(logx.JSON(&out, nil)), 1)
	store := &shelf{step: make(chan struct{}), atOnce: 1}
	q := NewQueue(tracedShelf{store})
	var wg sync.WaitGroup
	ask := func(spans ...*trace.Span) {
		for _, span := range spans {
			wg.Go(func() { q.Do(trace.With(t.Context(), span), Heartbeat{}) })
		}
	}
	// The first begins the draining; the three others share the second batch.
	first := tracer.Begin("request", nil)
	ask(first)
	soon(t, "the first at the store", func() bool { return store.entered.Load() == 1 })
	ask(tracer.Begin("request", nil), nil, tracer.Begin("request", nil))
	soon(t, "all in the queue", func() bool { return q.waitingNow() == 3 })
	close(store.step)
	wg.Wait()

	named, batches := map[string]int{}, map[string]int{}
	byID := map[string]line{}
	decoder := json.NewDecoder(&out)
	var all []line
	for decoder.More() {
		var l line
		if err := decoder.Decode(&l); err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
		byID[l.Trace+l.Span] = l
		named[l.Name]++
		if l.Name == "batch" && l.Operations == 3 {
			batches[l.Span]++
		}
	}
	for _, name := range []string{"operation", "queue", "batch", "commit"} {
		if named[name] != 3 {
			t.Errorf("%d spans are called %s, want 3", named[name], name)
		}
	}
	if len(batches) != 1 {
		t.Errorf("the shared batch is called %v", batches)
	}
	for _, n := range batches {
		if n != 2 {
			t.Errorf("the shared batch is in %d traces, want 2", n)
		}
	}
	for _, l := range all {
		parent, ok := byID[l.Trace+l.Parent]
		want := map[string]string{"queue": "operation", "batch": "operation", "commit": "batch"}[l.Name]
		if l.Name != "operation" && (!ok || parent.Name != want) {
			t.Errorf("%+v is a part of %+v", l, parent)
		}
	}
}
