package imapwatch

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
)

// mailID names a mail over connections.
type mailID struct {
	mailbox  string
	validity uint32
	uid      uint32
}

// retry is when a pending mail is offered again.
type retry struct {
	at    time.Time
	tries int
}

// due is a mail with its time.
type due struct {
	mailID
	retry
}

// postpone keeps a mail to be offered again, later each time.
func (w *Watcher) postpone(pos *Position, uid uint32) {
	if at, found := slices.BinarySearch(pos.Pending, uid); !found {
		pos.Pending = slices.Insert(slices.Clone(pos.Pending), at, uid)
	}
	id := mailID{pos.Mailbox, pos.UIDValidity, uid}
	r := w.retries[id]
	wait := w.cfg.Timing.RetryMax
	if r.tries < 20 {
		wait = min(wait, w.cfg.Timing.RetryMin<<r.tries)
	}
	w.retries[id] = retry{at: w.cfg.Now().Add(wait), tries: r.tries + 1}
}

// settle forgets a mail that is done, gone, or beyond reading.
func (w *Watcher) settle(pos *Position, uid uint32) {
	delete(w.retries, mailID{pos.Mailbox, pos.UIDValidity, uid})
	if at, found := slices.BinarySearch(pos.Pending, uid); found {
		pos.Pending = slices.Delete(slices.Clone(pos.Pending), at, at+1)
	}
}

// nextRetry is the pending mail that is due first.
func (w *Watcher) nextRetry() (due, bool) {
	var first due
	found := false
	for id, r := range w.retries {
		if !found || r.at.Before(first.at) {
			first, found = due{id, r}, true
		}
	}
	return first, found
}

// isDue says whether a pending mail is to be offered now. One that this
// process does not know yet, after a restart, is.
func (w *Watcher) isDue(pos Position, uid uint32, now time.Time) bool {
	r, known := w.retries[mailID{pos.Mailbox, pos.UIDValidity, uid}]
	return !known || !r.at.After(now)
}

func (w *Watcher) anyDue(pos Position) bool {
	now := w.cfg.Now()
	return slices.ContainsFunc(pos.Pending, func(uid uint32) bool { return w.isDue(pos, uid, now) })
}

// again offers the pending mails that are due, one at a time: one of them may
// be what broke the last connection.
func (w *Watcher) again(ctx context.Context, s *session, box selected, pos *Position) error {
	now := w.cfg.Now()
	w.forgetStrays(*pos)
	for _, uid := range slices.Clone(pos.Pending) {
		if !w.isDue(*pos, uid, now) {
			continue
		}
		err := w.single(ctx, s, box, pos, uid, false)
		if err != nil {
			return err
		}
	}
	return nil
}

// forgetStrays drops retries of mails that the position does not hold any
// more: after a new UIDVALIDITY.
func (w *Watcher) forgetStrays(pos Position) {
	for id := range w.retries {
		if id.mailbox != pos.Mailbox {
			continue
		}
		_, pending := slices.BinarySearch(pos.Pending, id.uid)
		if id.validity != pos.UIDValidity || !pending {
			delete(w.retries, id)
		}
	}
}

// oneByOne takes the new mails up to high each by itself, after a fetch of
// several failed: so only the culprit is passed over.
func (w *Watcher) oneByOne(ctx context.Context, s *session, box selected, pos *Position, high uint32) error {
	uids, err := s.existing(pos.LastUID+1, high)
	if err != nil {
		return err
	}
	for _, uid := range uids {
		if err := w.single(ctx, s, box, pos, uid, true); err != nil {
			return err
		}
	}
	return nil
}

// single takes one mail. If it cannot be read, it is passed over for good; if
// the connection is lost over it again and again, it is kept for later.
func (w *Watcher) single(ctx context.Context, s *session, box selected, pos *Position, uid uint32, advance bool) error {
	var found []Header
	err := s.headers(box, imap.UIDSetNum(imap.UID(uid)), w.more(box), func(h Header) {
		if h.UID == uid && w.handler.Want(h) {
			found = append(found, h)
		}
	})
	if err == nil && len(found) > 0 {
		err = w.take(ctx, s, pos, found[:1], advance)
	} else if err == nil {
		w.settle(pos, uid)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	_, unreadable := errors.AsType[*unreadableError](err)
	switch {
	case err == nil:
	case unreadable:
		w.cfg.Log.Warn("mail cannot be read and is passed over", "mailbox_role", role(box.name), "uid", uid)
		w.settle(pos, uid)
	case s.wellConnected():
		// Not the mail and not the network: the memory, for one.
		return err
	case w.culprits.lostOver(box, uid) || !advance:
		w.postpone(pos, uid)
	default:
		return err
	}
	if advance {
		pos.LastUID = max(pos.LastUID, uid)
	}
	if saveErr := w.save(ctx, pos); saveErr != nil {
		return saveErr
	}
	if unreadable && s.alive() {
		return nil
	}
	return err
}
