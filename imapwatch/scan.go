package imapwatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/emersion/go-imap/v2"
)

const (
	// searchAbove is the number of UIDs above which the server is asked to
	// search, instead of giving the header of every mail.
	searchAbove = 500
	// chunk is how many headers are asked at once; the position is saved after each.
	chunk = 500
	// batchMails and batchBytes bound the mails that are in memory together.
	batchMails = 256
	batchBytes = 8 << 20
)

// scan says which new mail of an open mailbox is taken.
type scan struct {
	// high is the last UID, if known (UIDNEXT-1).
	high uint32
	// open means that high is not known: all above the last one.
	open bool
	// search: only by the server's search, never by every header.
	search bool
}

// position loads how far a mailbox is handled. A new UIDVALIDITY begins anew
// (RFC 3501 section 2.3.1.1); the handler knows mails by their content.
func (w *Watcher) position(ctx context.Context, box selected) (Position, error) {
	pos, err := w.memory.Position(ctx, box.name)
	if err != nil {
		return Position{}, fmt.Errorf("remember mailbox: %w", err)
	}
	if pos.UIDValidity != 0 && pos.UIDValidity != box.validity {
		w.cfg.Log.Info("mailbox was numbered anew, scanning it again", "mailbox_role", role(box.name))
	}
	if pos.UIDValidity != box.validity {
		pos = Position{Mailbox: box.name, UIDValidity: box.validity}
	}
	return pos, nil
}

func (w *Watcher) save(ctx context.Context, pos *Position) error {
	if err := w.memory.SavePosition(ctx, Position{
		Mailbox: pos.Mailbox, UIDValidity: pos.UIDValidity, LastUID: pos.LastUID, Pending: slices.Clone(pos.Pending),
	}); err != nil {
		return fmt.Errorf("remember mailbox: %w", err)
	}
	return nil
}

// catchUp takes the new mail of an open mailbox, then the pending that is due.
func (w *Watcher) catchUp(ctx context.Context, s *session, box selected, sc scan) error {
	pos, err := w.position(ctx, box)
	if err != nil {
		return err
	}
	if !sc.open && box.next == 0 {
		if sc.high, err = s.highest(box); err != nil {
			return err
		}
	}
	before := pos.LastUID
	if err := w.news(ctx, s, box, &pos, sc); err != nil {
		return w.blame(err, box, pos.LastUID)
	}
	if pos.LastUID != before || before == 0 {
		if err := w.save(ctx, &pos); err != nil {
			return err
		}
	}
	w.culprits.clear(box)
	return w.again(ctx, s, box, &pos)
}

// news takes all above the last UID.
func (w *Watcher) news(ctx context.Context, s *session, box selected, pos *Position, sc scan) error {
	low := pos.LastUID + 1
	if low == 0 || !sc.open && sc.high < low {
		return nil
	}
	if w.culprits.careful(box) {
		if sc.open {
			sc.high = math.MaxUint32
		}
		return w.oneByOne(ctx, s, box, pos, sc.high)
	}
	if sc.open {
		return w.byHeader(ctx, s, box, pos, imap.UIDSet{{Start: imap.UID(low)}})
	}
	if sc.search || sc.high-low >= searchAbove {
		uids, ok, err := s.candidates(low, sc.high)
		if err != nil {
			return err
		}
		if ok {
			return w.bySearch(ctx, s, box, pos, uids, sc.high)
		}
	}
	for pos.LastUID < sc.high {
		high := min(sc.high, pos.LastUID+min(4*chunk, math.MaxUint32-pos.LastUID))
		if err := w.byHeader(ctx, s, box, pos, imap.UIDSet{{Start: imap.UID(pos.LastUID + 1), Stop: imap.UID(high)}}); err != nil {
			return err
		}
		pos.LastUID = max(pos.LastUID, high)
		if err := w.save(ctx, pos); err != nil {
			return err
		}
	}
	return nil
}

// more is what the handler wants to see of the headers of a mailbox besides.
func (w *Watcher) more(box selected) []string {
	if curious, ok := w.handler.(Curious); ok {
		return curious.More(box.name)
	}
	return nil
}

// byHeader asks the header of every mail of a set, and takes the wanted.
func (w *Watcher) byHeader(ctx context.Context, s *session, box selected, pos *Position, set imap.UIDSet) error {
	var wanted []Header
	last := pos.LastUID
	err := s.headers(box, set, w.more(box), func(h Header) {
		if h.UID <= pos.LastUID {
			return
		}
		last = max(last, h.UID)
		if w.handler.Want(h) {
			wanted = append(wanted, h)
		}
	})
	if err != nil {
		return err
	}
	if err := w.take(ctx, s, pos, wanted, true); err != nil {
		return err
	}
	pos.LastUID = max(pos.LastUID, last)
	return nil
}

// bySearch takes the wanted among the mails that the server found.
func (w *Watcher) bySearch(ctx context.Context, s *session, box selected, pos *Position, uids []uint32, high uint32) error {
	for part := range slices.Chunk(uids, chunk) {
		var set imap.UIDSet
		for _, uid := range part {
			set.AddNum(imap.UID(uid))
		}
		if err := w.byHeader(ctx, s, box, pos, set); err != nil {
			return err
		}
		pos.LastUID = max(pos.LastUID, part[len(part)-1])
		if err := w.save(ctx, pos); err != nil {
			return err
		}
	}
	pos.LastUID = high
	return nil
}

// take fetches and handles wanted mails in ascending order. advance moves the
// position along.
func (w *Watcher) take(ctx context.Context, s *session, pos *Position, wanted []Header, advance bool) error {
	slices.SortFunc(wanted, func(a, b Header) int { return cmp.Compare(a.UID, b.UID) })
	for len(wanted) > 0 {
		n := batch(wanted, w.cfg.MaxMail)
		part := wanted[:n]
		wanted = wanted[n:]
		var mails []Mail
		var fetchErr error
		if part[0].Size > w.cfg.MaxMail {
			mails = []Mail{{Header: part[0], TooLarge: true}}
		} else {
			mails, fetchErr = s.bodies(part)
		}
		for _, h := range part {
			if len(mails) > 0 && mails[0].UID == h.UID {
				w.hand(ctx, pos, mails[0])
				mails[0], mails = Mail{}, mails[1:]
			} else if fetchErr != nil {
				break
			} else {
				w.settle(pos, h.UID)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if advance {
				pos.LastUID = max(pos.LastUID, h.UID)
			}
			if err := w.save(ctx, pos); err != nil {
				return err
			}
		}
		if fetchErr != nil {
			return fetchErr
		}
	}
	return nil
}

// batch is how many of the first mails are fetched together: a mail that is
// too large goes alone.
func batch(wanted []Header, maxMail int64) int {
	var sum int64
	for i, h := range wanted {
		sum += h.Size
		if i > 0 && (sum > batchBytes || i >= batchMails || h.Size > maxMail) {
			return i
		}
		if h.Size > maxMail {
			return 1
		}
	}
	return len(wanted)
}

// hand gives one mail to the handler and keeps it pending if that fails.
func (w *Watcher) hand(ctx context.Context, pos *Position, mail Mail) {
	err := w.handler.Handle(ctx, mail)
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		w.settle(pos, mail.UID)
		return
	}
	w.cfg.Log.Warn("mail could not be handled, will be offered again", "mailbox_role", role(pos.Mailbox), "uid", mail.UID, "error", err)
	w.postpone(pos, mail.UID)
}

// role names a mailbox in the log: its name is the user's own.
func role(mailbox string) string {
	if mailbox == "INBOX" {
		return "inbox"
	}
	return "other"
}

// blame notes a failed fetch, so that the next try finds the culprit.
func (w *Watcher) blame(err error, box selected, last uint32) error {
	if _, unreadable := errors.AsType[*unreadableError](err); unreadable {
		w.culprits.beCareful(box)
		return err
	}
	w.culprits.lost(box, last)
	return err
}
