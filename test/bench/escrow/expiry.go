package main

import (
	"context"
	"slices"
	"time"

	"earnest/escrowserver"
)

// sweeping ends bonds as the sweeper does.
type sweeping struct {
	due  []escrowserver.Sweep
	next int
	took time.Duration
}

// step ends the next bonds; it reports whether there were any.
func (s *sweeping) step(ctx context.Context, queue *escrowserver.Queue) (bool, error) {
	n := min(escrowserver.SweepBatch, len(s.due)-s.next)
	if n == 0 {
		return false, nil
	}
	ops := make([]escrowserver.Op, n)
	for i := range ops {
		ops[i] = s.due[s.next+i]
	}
	s.next += n
	began := time.Now()
	for _, r := range queue.DoAside(ctx, ops) {
		if r.Err != nil {
			return false, r.Err
		}
	}
	s.took += time.Since(began)
	return true, nil
}

// run ends bonds until ctx ends or none is left. Meanwhile others buy: what they
// take of the time is not what ending costs.
func (s *sweeping) run(ctx context.Context, queue *escrowserver.Queue) error {
	for ctx.Err() == nil {
		more, err := s.step(context.WithoutCancel(ctx), queue)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// patience is the p99 of a few buyers who each wait for their answer, beside
// something else that goes on in the same queue.
func (b *bench) patience(ctx context.Context, w *world, beside func(context.Context, *escrowserver.Queue) error) (time.Duration, error) {
	ops, err := w.buys(b.buys)
	if err != nil {
		return 0, err
	}
	queue := escrowserver.NewQueue(w.store)
	besideCtx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	if beside == nil {
		ended <- nil
	} else {
		go func() { ended <- beside(besideCtx, queue) }()
	}
	const buyers = 8
	took := make(chan []time.Duration, buyers)
	failed := make(chan error, buyers)
	for i := range buyers {
		go func() {
			var mine []time.Duration
			for n := i; n < len(ops); n += buyers {
				began := time.Now()
				if r := queue.Do(ctx, ops[n]); r.Err != nil {
					failed <- r.Err
					break
				}
				mine = append(mine, time.Since(began))
				time.Sleep(time.Millisecond)
			}
			took <- mine
		}()
	}
	var all []time.Duration
	for range buyers {
		all = append(all, <-took...)
	}
	stop()
	if err := <-ended; err != nil {
		return 0, err
	}
	select {
	case err := <-failed:
		return 0, err
	default:
	}
	slices.Sort(all)
	return all[len(all)*99/100], nil
}
