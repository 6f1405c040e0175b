package sqlstore

import (
	"context"
	"strings"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

// beat notes that the escrow is alive. The lock makes one process find an outage,
// and every other one know of it.
func (t *tx) beat(ctx context.Context, op escrowserver.Beat) (escrowserver.Beaten, error) {
	var beaten escrowserver.Beaten
	if err := t.conn.lock(ctx, "beat"); err != nil {
		return beaten, err
	}
	alive, err := t.reader().alive(ctx)
	if err != nil {
		return beaten, err
	}
	beaten.Outages = alive.Outages
	for i := range beaten.Outages {
		line := &beaten.Outages[i]
		if line.Signed != "" {
			continue
		}
		// An older program wrote it, which signed none.
		if line.Signed, err = op.Sign(line.Began, line.Ended); err != nil {
			return beaten, err
		}
		if _, err := t.exec(ctx, "beat.sign", `UPDATE outage SET signed = ? WHERE ended_at = ?`, line.Signed, micros(line.Ended)); err != nil {
			return beaten, err
		}
	}
	if began := away(alive, op); !began.IsZero() {
		line := escrowserver.OutageLine{Began: began, Ended: op.Now}
		if line.Signed, err = op.Sign(line.Began, line.Ended); err != nil {
			return beaten, err
		}
		if _, err := t.exec(ctx, "beat.outage", `INSERT INTO outage (ended_at, began_at, signed) VALUES (?, ?, ?)`,
			micros(line.Ended), micros(line.Began), line.Signed); err != nil {
			return beaten, err
		}
		beaten.Outages, beaten.Found = append(beaten.Outages, line), true
	}
	// Of several processes the one whose clock is ahead counts; a clock that was set
	// back by more is believed.
	if back := alive.Beat.Sub(op.Now); back > 0 && back < op.Over {
		return beaten, nil
	}
	_, err = t.exec(ctx, "beat.beat", `INSERT INTO heartbeat (account, beat_at) VALUES ('', ?)
		ON CONFLICT (account) DO UPDATE SET beat_at = excluded.beat_at`, micros(op.Now))
	return beaten, err
}

// away is since when the escrow was away at a beat; zero if it was not. No time
// counts twice, however the clock was set.
func away(alive escrowserver.Alive, op escrowserver.Beat) time.Time {
	began := alive.Beat
	if n := len(alive.Outages); n > 0 && began.Before(alive.Outages[n-1].Ended) {
		began = alive.Outages[n-1].Ended
	}
	if alive.Beat.IsZero() || op.Now.Sub(began) <= op.Over {
		return time.Time{}
	}
	return began
}

func (t *tx) outageWorkedOff(ctx context.Context, op escrowserver.OutageWorkedOff) error {
	_, err := t.exec(ctx, "workedoff.outage", `UPDATE outage SET worked_off_at = ? WHERE ended_at = ? AND worked_off_at = 0`,
		micros(op.Now), micros(op.Ended))
	return err
}

// Alive is the escrow's last sign of life, and its outages.
func (s *Store) Alive(ctx context.Context) (escrowserver.Alive, error) {
	return s.reader().alive(ctx)
}

// alive reads the beat first: an outage that is found meanwhile began with a later
// one.
func (r reader) alive(ctx context.Context) (escrowserver.Alive, error) {
	var alive escrowserver.Alive
	var beat int64
	if err := r.row(ctx, `SELECT COALESCE(MAX(beat_at), 0) FROM heartbeat WHERE account = ''`).Scan(&beat); err != nil {
		return alive, err
	}
	alive.Beat = fromMicros(beat)
	err := r.outages(ctx, func(line escrowserver.OutageLine) error {
		alive.Outages = append(alive.Outages, line)
		return nil
	})
	return alive, err
}

func (r reader) outages(ctx context.Context, show func(escrowserver.OutageLine) error) error {
	rows, err := r.query(ctx, `SELECT began_at, ended_at, signed, worked_off_at FROM outage ORDER BY ended_at`)
	return each(rows, err, func(scan func(...any) error) error {
		var line escrowserver.OutageLine
		var began, ended, done int64
		if err := scan(&began, &ended, &line.Signed, &done); err != nil {
			return err
		}
		line.Began, line.Ended, line.WorkedOff = fromMicros(began), fromMicros(ended), fromMicros(done)
		return show(line)
	})
}

func (r reader) walkOutages(ctx context.Context, v escrowserver.Visitor) error {
	return r.outages(ctx, v.Outage)
}

// OpenBonds lists bonds that have not ended, in the order of their ids. The sign
// keeps the database from sorting all of them by another index for each page.
func (s *Store) OpenBonds(ctx context.Context, after escrow.BondID, limit int) ([]escrow.BondID, error) {
	rows, err := s.reader().query(ctx, `SELECT id FROM bond WHERE id > ? AND +due_at > 0 ORDER BY id LIMIT ?`, after, limit)
	var ids []escrow.BondID
	err = each(rows, err, func(scan func(...any) error) error {
		var id escrow.BondID
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// lines is how a bond keeps the statements of its outages; none has a line feed.
func lines(signed []escrow.Signed) string {
	var b strings.Builder
	for i, s := range signed {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(string(s))
	}
	return b.String()
}

func fromLines(text string) []escrow.Signed {
	if text == "" {
		return nil
	}
	var all []escrow.Signed
	for line := range strings.SplitSeq(text, "\n") {
		all = append(all, escrow.Signed(line))
	}
	return all
}
