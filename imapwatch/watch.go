package imapwatch

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/emersion/go-imap/v2"
)

// round is one connection's work on the account.
type round struct {
	w        *Watcher
	s        *session
	inbox    selected
	others   []string
	lookAt   time.Time
	lastLook time.Time
}

// once connects and watches until something breaks. watched is true if INBOX
// was caught up at least.
func (w *Watcher) once(ctx context.Context) (watched bool, err error) {
	s, err := dial(ctx, w.cfg)
	if err != nil {
		return false, err
	}
	defer s.close()
	r := &round{w: w, s: s}
	if err := r.openInbox(ctx); err != nil {
		return false, err
	}
	w.tell(Watching, nil)
	if r.others, err = s.others(); err != nil {
		return true, err
	}
	for {
		if err := r.step(ctx); err != nil {
			return true, err
		}
	}
}

// openInbox opens INBOX and takes what came since.
func (r *round) openInbox(ctx context.Context) error {
	box, err := r.s.examine("INBOX")
	if err != nil {
		return err
	}
	r.inbox = box
	return r.w.catchUp(ctx, r.s, box, scan{high: box.next - 1})
}

// step takes what is there, then waits once.
func (r *round) step(ctx context.Context) error {
	now := r.w.cfg.Now()
	if r.s.announced() {
		if err := r.w.catchUp(ctx, r.s, r.inbox, scan{open: true}); err != nil {
			return err
		}
		r.lookSoon(now)
		return nil
	}
	if due, ok := r.w.nextRetry(); ok && !due.at.After(now) {
		if due.mailbox == r.inbox.name {
			return r.w.catchUp(ctx, r.s, r.inbox, scan{open: true})
		}
		r.lookAt = now
	}
	if !r.lookAt.After(now) {
		return r.look(ctx, now)
	}
	longest := min(r.w.cfg.Timing.IdleRestart, r.lookAt.Sub(now))
	if due, ok := r.w.nextRetry(); ok {
		longest = min(longest, due.at.Sub(now))
	}
	if !r.s.canIdle() {
		return r.poll(ctx, min(longest, r.w.cfg.Timing.PollEvery))
	}
	if err := r.s.idle(ctx, longest); err != nil {
		return err
	}
	if longest == r.w.cfg.Timing.IdleRestart {
		// Some servers take IDLE and then say nothing.
		r.s.announce()
	}
	return nil
}

// poll stands in for IDLE.
func (r *round) poll(ctx context.Context, longest time.Duration) error {
	r.s.wait(ctx, longest)
	if err := r.s.noop(); err != nil {
		return err
	}
	return r.w.catchUp(ctx, r.s, r.inbox, scan{open: true})
}

// lookSoon has the other mailboxes looked at after a mail, at a moderate rate.
func (r *round) lookSoon(now time.Time) {
	soon := r.lastLook.Add(r.w.cfg.Timing.LookAfterMail)
	if soon.Before(now) {
		soon = now
	}
	if soon.Before(r.lookAt) {
		r.lookAt = soon
	}
}

// look goes through the other mailboxes. Those without news cost one STATUS.
func (r *round) look(ctx context.Context, now time.Time) error {
	r.lastLook, r.lookAt = now, now.Add(r.w.cfg.Timing.LookEvery)
	away := false
	for _, name := range r.others {
		status, err := r.s.status(name)
		if _, refused := errors.AsType[*imap.Error](err); refused {
			continue
		}
		if err != nil {
			return err
		}
		pos, err := r.w.position(ctx, status)
		if err != nil {
			return err
		}
		if pos.UIDValidity != 0 && status.next != 0 && status.next-1 <= pos.LastUID && !r.w.anyDue(pos) {
			continue
		}
		box, err := r.s.examine(name)
		if _, refused := errors.AsType[*imap.Error](err); refused {
			// The refusal also closed INBOX (RFC 3501 section 6.3.1).
			away = true
			continue
		}
		if err != nil {
			return err
		}
		away = true
		if err := r.w.catchUp(ctx, r.s, box, scan{high: box.next - 1, search: true}); err != nil {
			return err
		}
	}
	if !away {
		return nil
	}
	r.s.announced()
	return r.openInbox(ctx)
}

// sleep waits, or returns the error of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// jitter spreads the reconnections of many agents after a server's restart.
func jitter(d time.Duration) time.Duration {
	return d + rand.N(d/4+1)
}
