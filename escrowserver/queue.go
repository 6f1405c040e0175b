package escrowserver

import (
	"context"
	"fmt"
	"sync"

	"earnest/escrow"
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
	running int // batches at the store
}

// NewQueue is the queue before a store's door.
func NewQueue(store Store) *Queue {
	return &Queue{store: store, told: func([]escrow.KeyID) {}, surprised: func(error) {}}
}

type call struct {
	op   Op
	done chan Result
}

const (
	maxBatch = 64
	// worthACommit is how many operations must wait for a batch of their own while
	// another runs: fewer are cheaper together with those that come after them.
	worthACommit = 16
)

// Do waits for the operation's result. If ctx ends first, the operation may
// still be done: the caller repeats it under the same id to find out.
func (q *Queue) Do(ctx context.Context, op Op) Result {
	return q.DoAll(ctx, []Op{op})[0]
}

// DoAll is Do for several operations, which share a commit as far as they can.
func (q *Queue) DoAll(ctx context.Context, ops []Op) []Result {
	results := make([]Result, len(ops))
	if err := ctx.Err(); err != nil {
		for i := range results {
			results[i].Err = escrow.Errorf(escrow.Unavailable, "the request ended before it was begun")
		}
		return results
	}
	calls := make([]call, len(ops))
	for i, op := range ops {
		calls[i] = call{op, make(chan Result, 1)}
	}
	q.mu.Lock()
	q.waiting = append(q.waiting, calls...)
	start := q.running == 0 || len(q.waiting) >= worthACommit && q.running < q.store.AtOnce()
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

// drain applies batches until nothing waits.
func (q *Queue) drain(ctx context.Context) {
	for {
		q.mu.Lock()
		n := min(len(q.waiting), maxBatch)
		batch := q.waiting[:n:n]
		q.waiting = q.waiting[n:]
		if n == 0 {
			q.waiting = nil
			q.running--
		}
		q.mu.Unlock()
		if n == 0 {
			return
		}
		ops := make([]Op, n)
		for i, c := range batch {
			ops[i] = c.op
		}
		results := q.store.Apply(ctx, ops)
		for i, c := range batch {
			if i >= len(results) {
				c.done <- Result{Err: fmt.Errorf("the store left operation %s unanswered", c.op.Name())}
				continue
			}
			if err := results[i].Surprise; err != nil {
				q.surprised(err)
			}
			q.told(results[i].Touched)
			c.done <- results[i]
		}
	}
}
