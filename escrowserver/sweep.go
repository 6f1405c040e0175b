package escrowserver

import (
	"context"
	"time"
)

// The sweeper's pace.
const (
	beatEvery  = time.Minute
	sweepRetry = 5 * time.Second
)

// Run sweeps until ctx ends: it ends what is due by the escrow's clock, then
// sleeps until the next deadline. All that it needs to know is in the store, so
// a restart changes nothing.
func (s *Server) Run(ctx context.Context) error {
	for {
		wait := s.round(ctx)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-s.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// round sweeps what is due, beats the escrow's heart, and says how long to sleep.
func (s *Server) round(ctx context.Context) time.Duration {
	if _, err := do[any](ctx, s, Heartbeat{Now: s.now()}); err != nil {
		return sweepRetry
	}
	if err := s.SweepNow(ctx); err != nil {
		return sweepRetry
	}
	next, err := s.cfg.Store.NextDue(ctx)
	if err != nil {
		s.log.Error("escrow cannot tell what is due next", "error", err)
		return sweepRetry
	}
	if next.IsZero() {
		return beatEvery
	}
	// At least a moment: a clock that stands still must not spin.
	return min(beatEvery, max(next.Sub(s.now()), time.Millisecond))
}

// SweepNow does all that is due now, in batches.
func (s *Server) SweepNow(ctx context.Context) error {
	for {
		next, err := s.cfg.Store.NextDue(ctx)
		if err != nil {
			return s.failed("sweep", err)
		}
		moment := s.moment()
		if next.IsZero() || next.After(moment.Now) {
			return nil
		}
		swept, err := do[Swept](ctx, s, Sweep{Moment: moment, Limit: s.cfg.SweepBatch})
		if err != nil {
			return err
		}
		if swept.Bonds > 0 {
			s.log.Info("bonds ended by their deadline", "bonds", swept.Bonds)
		}
		if !swept.More {
			return nil
		}
	}
}
