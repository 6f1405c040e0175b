package sqlstore

import (
	"context"
	"strconv"

	"earnest/escrowserver"
)

func (t *tx) remember(ctx context.Context, op escrowserver.Remember) (any, error) {
	conflict := `DO UPDATE SET text = excluded.text`
	if op.Once {
		conflict = `DO NOTHING`
	}
	if _, err := t.exec(ctx, "remember.note", `INSERT INTO note (name, text) VALUES (?, ?) ON CONFLICT (name) `+conflict, op.Key, op.Text); err != nil {
		return nil, err
	}
	return t.reader().note(ctx, op.Key)
}

func (t *tx) audit(ctx context.Context, op escrowserver.Audit) error {
	if err := t.conn.lock(ctx, "audit"); err != nil {
		return err
	}
	// Done again after a commit that nobody knows of, it stands there already.
	var one int
	if there, err := found(t.conn.row(ctx, `SELECT 1 FROM audit WHERE made_at = ? AND who = ? AND what = ? AND why = ?`,
		micros(op.Now), op.Who, op.What, op.Why).Scan(&one)); err != nil || there {
		return err
	}
	line := escrowserver.AuditLine{Who: op.Who, What: op.What, Why: op.Why, Made: fromMicros(micros(op.Now))}
	var before string
	if _, err := found(t.conn.row(ctx, `SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1`).Scan(&line.N, &before)); err != nil {
		return err
	}
	line.N++
	hash, err := line.HashAfter(before)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, "audit.audit", `INSERT INTO audit (n, who, what, why, made_at, hash) VALUES (?, ?, ?, ?, ?, ?)`,
		line.N, line.Who, line.What, line.Why, micros(op.Now), hash)
	return err
}

// changesLost is more than the changes of an account that a restore may lose.
const changesLost = int64(1_000_000_000)

// newEpoch empties all pools. Fingerprints stay. Done again for the epoch that the
// books have, it does nothing.
func (t *tx) newEpoch(ctx context.Context, op escrowserver.NewEpoch) (any, error) {
	before, err := t.reader().epoch(ctx)
	if err != nil || before == op.Epoch {
		return int64(0), err
	}
	n, err := t.exec(ctx, "epoch.keys", `DELETE FROM one_time_key`)
	if err != nil {
		return nil, err
	}
	// Agents may have seen changes that these books do not know: what changes from
	// now on must come after those.
	if _, err := t.exec(ctx, "epoch.changes", `UPDATE account SET change = change + ?`, changesLost); err != nil {
		return nil, err
	}
	_, err = t.exec(ctx, "epoch.note", `INSERT INTO note (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text`,
		escrowserver.NoteEpoch, strconv.FormatInt(max(op.Epoch, before+1), 10))
	return n, err
}

// Note is a text that the books say of themselves; empty if they do not.
func (s *Store) Note(ctx context.Context, name string) (string, error) {
	return s.reader().note(ctx, name)
}

func (r reader) note(ctx context.Context, name string) (string, error) {
	var text string
	_, err := found(r.row(ctx, `SELECT text FROM note WHERE name = ?`, name).Scan(&text))
	return text, err
}

// Epoch is the pools' epoch: it grows when books are restored from a backup.
func (s *Store) Epoch(ctx context.Context) (int64, error) { return s.reader().epoch(ctx) }

func (r reader) epoch(ctx context.Context) (int64, error) {
	text, err := r.note(ctx, escrowserver.NoteEpoch)
	if err != nil {
		return 0, err
	}
	return escrowserver.ParseEpoch(text)
}

func (r reader) walkEpoch(ctx context.Context, v escrowserver.Visitor) error {
	text, err := r.note(ctx, escrowserver.NoteEpoch)
	if err != nil {
		return err
	}
	return v.Epoch(text)
}

func (r reader) walkAudit(ctx context.Context, v escrowserver.Visitor) error {
	rows, err := r.query(ctx, auditRows+` ORDER BY n`)
	return each(rows, err, func(scan func(...any) error) error {
		line, err := scanAudit(scan)
		if err != nil {
			return err
		}
		return v.Audit(line)
	})
}
