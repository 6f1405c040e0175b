package keyring

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// patience is how many timeouts a hanging call is waited for before the ring
// gives it up. Until then no other call is made: a second one would only put a
// second unlock dialogue before the person.
const patience = 10

// gate lets one call through at a time, each with a deadline around it. The
// calls themselves have none: the secret service waits for its prompt forever.
type gate struct {
	turn    chan struct{} // holds one token; its taker makes a call
	timeout time.Duration // 0: calls run on the caller's goroutine and end by themselves

	mu    sync.Mutex
	stuck chan struct{} // closed while a call is overdue
}

type call func(ctx context.Context) (string, error)

type answer struct {
	text string
	err  error
}

func newGate(timeout time.Duration) *gate {
	g := &gate{turn: make(chan struct{}, 1), timeout: timeout, stuck: make(chan struct{})}
	g.turn <- struct{}{}
	return g
}

// do waits for its turn and makes the call. A caller in the queue is told at
// once when the call before it is overdue.
func (g *gate) do(ctx context.Context, c call) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	select {
	case <-g.turn:
	case <-ctx.Done():
		return "", ctx.Err()
	case <-g.overdue():
		return "", ErrTimeout
	}
	if g.timeout == 0 {
		defer g.pass()
		return c(ctx)
	}
	out := make(chan answer, 1)
	go g.watch(ctx, c, out)
	select {
	case a := <-out:
		return a.text, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// watch makes the call, answers by the deadline at the latest, and passes the
// turn on when the call has come back or is given up.
func (g *gate) watch(ctx context.Context, c call, out chan<- answer) {
	defer g.pass()
	done := make(chan answer, 1)
	go func() { done <- guarded(ctx, c) }()
	deadline := time.NewTimer(g.timeout)
	defer deadline.Stop()
	select {
	case a := <-done:
		out <- a
		return
	case <-deadline.C:
	}
	g.mark()
	defer g.unmark()
	out <- answer{err: ErrTimeout}
	deadline.Reset((patience - 1) * g.timeout)
	select {
	case <-done:
	case <-deadline.C:
	}
}

// guarded turns a panic into an error: go-keyring 0.2.8 reads a nil signal when
// the session bus dies under an open prompt, and that must not end the agent.
func guarded(ctx context.Context, c call) (a answer) {
	defer func() {
		if fault := recover(); fault != nil {
			a = answer{err: fmt.Errorf("%w (the keyring's client failed: %v)", ErrNoKeyring, fault)}
		}
	}()
	text, err := c(ctx)
	return answer{text, err}
}

func (g *gate) pass() { g.turn <- struct{}{} }

func (g *gate) overdue() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stuck
}

func (g *gate) mark() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.stuck)
}

func (g *gate) unmark() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stuck = make(chan struct{})
}
