package escrowserver

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"earnest/escrow"
	"earnest/internal/trace"
)

// Queue turns operations that come in while a commit runs into the next batch:
// under load many share one commit, and alone none waits. Where the store takes
// several batches at the same time, the next begins before the commit is through.
type Queue struct {
	store Store
	// told is called with the accounts that an operation touched, whether or not
	// its caller still waits.
	told func([]escrow.KeyID)
	// surprised is called with the error for which a batch was done one by one.
	surprised func(error)

	mu      sync.Mutex
	waiting []call
	aside   []call    // of [Queue.DoAside]
	running int       // batches at the store
	asides  int       // of them, those with nothing that somebody waits for
	asked   time.Time // when Do was called last, or answered
}

// NewQueue is the queue before a store's door.
func NewQueue(store Store) *Queue {
	return &Queue{store: store, told: func([]escrow.KeyID) {}, surprised: func(error) {}}
}

type call struct {
	op   Op
	done chan Result
	// Its span in the trace of who asked, and of the wait for a batch; nil: not traced.
	span, wait *trace.Span
}

func newCall(ctx context.Context, op Op) call {
	span := trace.From(ctx).Child("operation")
	return call{op, make(chan Result, 1), span, span.Child("queue")}
}

func (c call) answer(result Result) {
	if c.span != nil {
		c.span.End(slog.String("operation", c.op.Name()), slog.String("code", string(escrow.CodeOf(result.Err))))
	}
	c.done <- result
}

const (
	maxBatch = 64
	// worthACommit is how many operations must wait for a batch of their own while
	// another runs: fewer are cheaper together with those that come after them.
	worthACommit = 16
	// asideBusy is how many operations of [Queue.DoAside] make a batch while others ask:
	// who comes then waits for no more.
	asideBusy = 8
	// quiet is how long nobody must have asked for what is aside to take all places.
	quiet = 100 * time.Millisecond
)

// Do waits for the operation's result. If ctx ends first, the operation may
// still be done: the caller repeats it under the same id to find out.
func (q *Queue) Do(ctx context.Context, op Op) Result {
	return q.do(ctx, []Op{op}, false)[0]
}

// DoAside is Do for many operations that can wait for others, as those of the
// sweeper. While nobody else asks they take all that the store can do; else they have
// a few places in the others' batches, and half of the time between those.
func (q *Queue) DoAside(ctx context.Context, ops []Op) []Result {
	var results []Result
	for len(results) < len(ops) {
		rest := ops[len(results):]
		began, most := time.Now(), asideBusy
		if q.alone() {
			most = 4 * maxBatch
		}
		results = append(results, q.do(ctx, rest[:min(most, len(rest))], true)...)
		if !q.alone() {
			pause(ctx, time.Since(began))
		}
	}
	return results
}

// alone reports that nobody has asked for anything for a while.
func (q *Queue) alone() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.quiet()
}

func (q *Queue) do(ctx context.Context, ops []Op, aside bool) []Result {
	results := make([]Result, len(ops))
	if err := ctx.Err(); err != nil {
		for i := range results {
			results[i].Err = escrow.Errorf(escrow.Unavailable, "the request ended before it was begun")
		}
		return results
	}
	calls := make([]call, len(ops))
	for i, op := range ops {
		calls[i] = newCall(ctx, op)
	}
	q.mu.Lock()
	if aside {
		q.aside = append(q.aside, calls...)
	} else {
		q.waiting = append(q.waiting, calls...)
		q.asked = time.Now()
	}
	start := q.another()
	if start {
		q.running++
	}
	q.mu.Unlock()
	if start {
		// One caller's end must not roll back the others' operations.
		go q.drain(context.WithoutCancel(ctx))
	}
	for i, c := range calls {
		select {
		case results[i] = <-c.done:
		case <-ctx.Done():
			results[i] = Result{Err: escrow.Errorf(escrow.Unavailable, "the request ended before its answer; repeat it under the same id")}
		}
	}
	return results
}

// another reports whether a batch more may begin beside those that run.
func (q *Queue) another() bool {
	switch {
	case q.running == 0:
		return true
	case q.running >= q.store.AtOnce():
		return false
	case len(q.waiting) > 0:
		return len(q.waiting) >= worthACommit || q.running == q.asides
	}
	return len(q.aside) >= asideBusy && q.mayBeAside()
}

// mayBeAside reports whether one batch more may run for which nobody waits. While
// anybody does, or did a moment ago, one of them runs at a time.
func (q *Queue) mayBeAside() bool {
	return q.asides == 0 || q.asides < q.store.AtOnce() && q.quiet()
}

func (q *Queue) quiet() bool { return time.Since(q.asked) > quiet }

// next takes the next batch out of the queue; aside says that nobody waits for it.
func (q *Queue) next() (batch []call, aside bool) {
	n := min(len(q.waiting), maxBatch-min(len(q.aside), asideBusy))
	m := min(len(q.aside), maxBatch-n, n)
	switch {
	case n > 0:
	case !q.mayBeAside():
		m = 0
	case q.quiet():
		m = min(len(q.aside), maxBatch)
	default:
		m = min(len(q.aside), asideBusy)
	}
	batch = slices.Concat(q.waiting[:n], q.aside[:m])
	q.waiting, q.aside = q.waiting[n:], q.aside[m:]
	if len(q.waiting) == 0 {
		q.waiting = nil
	}
	return batch, n == 0 && m > 0
}

// drain applies batches until nothing waits.
func (q *Queue) drain(ctx context.Context) {
	for {
		q.mu.Lock()
		batch, aside := q.next()
		if len(batch) == 0 {
			q.running--
		}
		if aside {
			q.asides++
		}
		if len(batch) > 0 && q.another() {
			q.running++
			go q.drain(ctx)
		}
		q.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		q.apply(ctx, batch)
		q.mu.Lock()
		if aside {
			q.asides--
		} else {
			q.asked = time.Now() // who was answered may ask for more
		}
		q.mu.Unlock()
	}
}

func (q *Queue) apply(ctx context.Context, batch []call) {
	ops := make([]Op, len(batch))
	var spans []*trace.Span
	for i, c := range batch {
		ops[i] = c.op
		if c.wait.End(); c.span != nil {
			spans = append(spans, c.span)
		}
	}
	// In the place of the span of who happened to begin the draining.
	span := trace.Join("batch", spans)
	results := q.store.Apply(trace.With(ctx, span), ops)
	if span != nil {
		span.End(slog.Int("operations", len(ops)))
	}
	for i, c := range batch {
		if i >= len(results) {
			c.answer(Result{Err: fmt.Errorf("the store left operation %s unanswered", c.op.Name())})
			continue
		}
		if err := results[i].Surprise; err != nil {
			q.surprised(err)
		}
		q.told(results[i].Touched)
		c.answer(results[i])
	}
}
