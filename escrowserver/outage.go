package escrowserver

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"earnest/escrow"
)

// outageOver is how long an escrow gives no sign of life before it counts as away.
const outageOver = 5 * time.Minute

// clockSlack is by how much the clocks of two of the escrow's processes may differ.
const clockSlack = time.Minute

// vitals is what a process of the escrow knows of the escrow's signs of life. What
// it knows of outages is whole as long as its last beat is younger than an outage
// must be old: one that it does not know would have begun after that beat.
type vitals struct {
	beating sync.Mutex // one beat at a time

	mu      sync.RWMutex
	beat    time.Time // zero in books that no escrow has served yet
	stale   bool      // it must beat before it may do anything
	outages escrow.Outages
	open    []OutageLine // those whose bonds are not all moved yet
}

// learn takes over what the store knows of outages.
func (v *vitals) learn(beat time.Time, lines []OutageLine) error {
	var outages escrow.Outages
	var open []OutageLine
	stale := false
	for _, line := range lines {
		if line.Signed == "" {
			stale = true // the next beat signs it
			continue
		}
		o := escrow.SignedOutage{Signed: line.Signed}
		if err := escrow.Peek(line.Signed, &o.Outage); err != nil {
			return fmt.Errorf("the outage that ended %s: %w", line.Ended, err)
		}
		outages = append(outages, o)
		if line.WorkedOff.IsZero() {
			open = append(open, line)
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.beat, v.stale, v.outages, v.open = beat, stale, outages, open
	return nil
}

// old reports that the last beat is longer ago than that.
func (v *vitals) old(now time.Time, age time.Duration) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.stale || !v.beat.IsZero() && now.Sub(v.beat) >= age
}

func (v *vitals) known() escrow.Outages {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.outages
}

func (v *vitals) unmoved() []OutageLine {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return slices.Clone(v.open)
}

// learnOutages looks for what other processes, or this one before its start, knew.
func (s *Server) learnOutages(ctx context.Context) error {
	alive, err := s.cfg.Store.Alive(ctx)
	if err == nil {
		err = s.vitals.learn(alive.Beat, alive.Outages)
	}
	if err != nil {
		return fmt.Errorf("the escrow's last sign of life: %w", err)
	}
	return nil
}

// beatNow gives a sign of life, unless somebody did since the clock showed that.
func (s *Server) beatNow(ctx context.Context, needed func() bool) error {
	s.vitals.beating.Lock()
	defer s.vitals.beating.Unlock()
	if !needed() {
		return nil
	}
	beat := Beat{Now: s.now(), Over: s.cfg.OutageOver, Sign: s.signOutage}
	beaten, err := do[Beaten](ctx, s, beat)
	if err != nil {
		return err
	}
	if n := len(beaten.Outages); beaten.Found {
		o := beaten.Outages[n-1]
		s.log.Warn("the escrow was away; the running deadlines of all bonds move by that", "began", o.Began, "ended", o.Ended)
	}
	if err := s.vitals.learn(beat.Now, beaten.Outages); err != nil {
		return s.failed(ctx, "beat", err)
	}
	return nil
}

func (s *Server) signOutage(began, ended time.Time) (escrow.Signed, error) {
	return escrow.Sign(s.cfg.ReceiptSigner, escrow.KindOutage, escrow.NewOutage(s.cfg.Name, began, ended))
}

// moment is the escrow's clock at an operation. A process that has not beaten for so
// long that there may be an outage which it does not know beats first.
func (s *Server) moment(ctx context.Context) (Moment, error) {
	stale := func() bool { return s.vitals.old(s.now(), s.cfg.OutageOver-clockSlack) }
	if stale() {
		if err := s.beatNow(ctx, stale); err != nil {
			return Moment{}, err
		}
	}
	return Moment{Now: s.now(), Outages: s.vitals.known(), Sign: func(r escrow.Receipt) (escrow.Signed, error) {
		return escrow.Sign(s.cfg.ReceiptSigner, escrow.KindReceipt, r)
	}}, nil
}

// moveSome stores the moved deadlines of some of the bonds that were open in an
// outage, so that their parties hear of it. Nothing depends on when: every operation
// moves its bond first. It reports whether there are more.
func (s *Server) moveSome(ctx context.Context) (more bool, err error) {
	open := s.vitals.unmoved()
	if len(open) == 0 {
		return false, nil
	}
	if newest := open[len(open)-1].Ended; !newest.Equal(s.moving.outage) {
		s.moving.outage, s.moving.after = newest, ""
	}
	bonds, err := s.cfg.Store.OpenBonds(ctx, s.moving.after, s.cfg.SweepBatch)
	if err != nil {
		return false, s.failed(ctx, "move", err)
	}
	moment, err := s.moment(ctx)
	if err != nil {
		return false, err
	}
	ops := make([]Op, len(bonds))
	for i, b := range bonds {
		ops[i] = Sweep{Moment: moment, Bond: b}
	}
	for i, result := range s.queue.DoAside(ctx, ops) {
		if ctx.Err() != nil || escrow.CodeOf(result.Err) == escrow.Unavailable {
			return false, result.Err // nothing is wrong with the bond
		}
		if result.Err != nil {
			s.log.Error("the deadline of a bond could not be moved by an outage; run verify", "bond", bonds[i], "error", result.Err)
		}
	}
	if len(bonds) == s.cfg.SweepBatch {
		s.moving.after = bonds[len(bonds)-1]
		return true, nil
	}
	for _, line := range open {
		if _, err := do[any](ctx, s, OutageWorkedOff{Now: s.now(), Ended: line.Ended}); err != nil {
			return false, err
		}
	}
	return false, s.learnOutages(ctx)
}

// moving is how far the bonds have been moved by the newest outage; Run's own.
type moving struct {
	outage time.Time
	after  escrow.BondID
}

// toldOutages is how many outages Info tells.
const toldOutages = 100

func (s *Server) newestOutages() []escrow.Signed {
	all := s.vitals.known()
	return all[max(0, len(all)-toldOutages):].Signed()
}
