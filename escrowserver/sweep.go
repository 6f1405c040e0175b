package escrowserver

import (
	"context"
	"sync"
	"time"

	"earnest/escrow"
)

// SweepBatch is how many of what is due the sweeper reads in one go.
const SweepBatch = 500

// The sweeper's pace.
const (
	beatEvery  = time.Minute
	sweepRetry = 5 * time.Second
	stuckRetry = time.Minute
	// newsPause is how long news wait for more: each commit brings some.
	newsPause = 50 * time.Millisecond
)

// Run sweeps until ctx ends: it ends what is due by the escrow's clock, then
// sleeps until the next deadline. All that it needs to know is in the store, so
// a restart changes nothing.
func (s *Server) Run(ctx context.Context) error {
	var others sync.WaitGroup
	others.Go(func() { s.Join(ctx) })
	others.Go(func() { s.watchEvents(ctx) })
	defer others.Wait()
	for {
		wait := s.round(ctx)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-s.wake:
			pause(ctx, newsPause)
		case <-timer.C:
		}
		timer.Stop()
	}
}

// round beats the escrow's heart, sweeps what is due, and says how long to sleep.
func (s *Server) round(ctx context.Context) time.Duration {
	now := s.now()
	if beatDue(s.beat, now) {
		if err := s.beatNow(ctx, func() bool { return true }); err != nil {
			return sweepRetry
		}
		s.beat = now
	}
	if !s.sweeps() {
		return beatEvery // another process does
	}
	if beatDue(s.kept, now) { // whatever else is due: what is in no log can be undone unseen
		s.keepLogs(ctx)
		s.kept = now
	}
	next, err := s.sweep(ctx)
	if err != nil {
		return sweepRetry
	}
	if more, err := s.moveSome(ctx); more || err != nil {
		if err != nil {
			return sweepRetry
		}
		return 0
	}
	wait := next.Sub(s.now())
	switch {
	case next.IsZero():
		return beatEvery
	case wait <= 0 && s.stuck.count() > 0:
		return sweepRetry
	}
	// At least a moment: a clock that stands still must not spin.
	return min(beatEvery, max(wait, time.Millisecond))
}

// beatDue reports whether it is time again for what is done at each beat.
func beatDue(last, now time.Time) bool {
	return last.IsZero() || now.Sub(last).Abs() >= beatEvery
}

// SweepNow does all that is due now, in batches. A bond that cannot be ended, or a
// change that cannot act, is logged and left: the error is about the sweep, never
// about one of them.
func (s *Server) SweepNow(ctx context.Context) error {
	_, err := s.sweep(ctx)
	return err
}

// sweep also tells when something is due next; zero if never.
func (s *Server) sweep(ctx context.Context) (time.Time, error) {
	s.stuck.sweeping.Lock()
	defer s.stuck.sweeping.Unlock()
	now := s.now()
	next, err := s.nextDue(ctx)
	if err != nil || next.IsZero() || next.After(now) {
		return next, err
	}
	again := map[string]time.Time{}
	defer func() { s.stuck.keep(again) }()
	if err := s.sweepDue(ctx, now, again); err != nil {
		return next, err
	}
	if err := s.applyChanges(ctx, now, again); err != nil {
		return next, err
	}
	// What is stuck stays due, and each commit of anybody wakes the sweeper.
	if age := now.Sub(s.stuck.cleaned); len(again) > 0 && age >= 0 && age < sweepRetry {
		return s.nextDue(ctx)
	}
	s.stuck.cleaned = now
	if _, err := do[any](ctx, s, Clean{Now: now}); err != nil {
		return next, err
	}
	s.keepLogs(ctx)
	return s.nextDue(ctx)
}

// keepLogs notes what came since into what tells later that it is gone.
func (s *Server) keepLogs(ctx context.Context) {
	s.anchorLog(ctx)
	s.logInventories(ctx)
}

func (s *Server) nextDue(ctx context.Context) (time.Time, error) {
	next, err := s.cfg.Store.NextDue(ctx)
	if err != nil {
		err = s.failed(ctx, "sweep", err)
	}
	return next, err
}

// sweepDue goes once through the bonds that are due.
func (s *Server) sweepDue(ctx context.Context, now time.Time, again map[string]time.Time) error {
	var last DueBond
	for {
		due, err := s.cfg.Store.Due(ctx, now, last, s.cfg.SweepBatch)
		if err != nil {
			return s.failed(ctx, "sweep", err)
		}
		if err := s.sweepBatch(ctx, now, due, again); err != nil {
			return err
		}
		if len(due) < s.cfg.SweepBatch {
			return nil
		}
		last = due[len(due)-1]
	}
}

// sweepBatch ends bonds, and tells in again which could not be ended and when
// they are tried next.
func (s *Server) sweepBatch(ctx context.Context, now time.Time, due []DueBond, again map[string]time.Time) error {
	moment, err := s.moment(ctx)
	if err != nil {
		return err
	}
	var ops []Op
	var bonds []escrow.BondID
	for _, b := range due {
		if s.stuck.waits("bond "+string(b.Bond), now, again) {
			continue
		}
		ops, bonds = append(ops, Sweep{Moment: moment, Bond: b.Bond}), append(bonds, b.Bond)
	}
	ended := 0
	for i, result := range s.queue.DoAside(ctx, ops) {
		switch {
		case result.Err == nil:
			ended++
		case ctx.Err() != nil || escrow.CodeOf(result.Err) == escrow.Unavailable:
			return result.Err // nothing is wrong with the bond
		default:
			again["bond "+string(bonds[i])] = now.Add(stuckRetry)
			s.log.Error("a bond could not be ended at its deadline, so its money stays held; run verify", "bond", bonds[i], "error", result.Err)
		}
	}
	if ended > 0 {
		s.log.Info("bonds ended by their deadline", "bonds", ended)
	}
	return nil
}

// stuck remembers what could not be done when it was due, bonds and changes, so that
// the sweeper neither spins on it nor makes the others' batches fail.
type stuck struct {
	sweeping sync.Mutex // one sweep at a time
	cleaned  time.Time  // when the newest sweep also cleaned; the sweep's own
	mu       sync.Mutex
	again    map[string]time.Time // when each is tried again
}

// waits reports that it is not time yet to try one again, and notes that in next.
func (s *stuck) waits(what string, now time.Time, next map[string]time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.again[what]
	if ok = ok && now.Before(at); ok {
		next[what] = at
	}
	return ok
}

func (s *stuck) keep(again map[string]time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.again = again
}

func (s *stuck) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.again)
}
