package sqlstore

import (
	"context"

	"earnest/escrow"
	"earnest/escrowserver"
)

// anchorLog signs anew how long the operator's log is.
func (t *tx) anchorLog(ctx context.Context, op escrowserver.AnchorLog) (any, error) {
	if err := t.conn.lock(ctx, "audit"); err != nil {
		return nil, err
	}
	text, err := t.reader().anchor(ctx)
	if err != nil {
		return nil, err
	}
	before, err := op.Seal.Anchored(escrow.Signed(text))
	if err != nil {
		return false, nil
	}
	now, whole, err := t.logSince(ctx, before)
	if err != nil || !whole || now.N == before.N {
		return whole, err
	}
	now.Time = op.Now
	return true, t.setAnchor(ctx, "anchor", op.Seal, now)
}

func (t *tx) setAnchor(ctx context.Context, op string, seal escrowserver.Seal, a escrowserver.LogAnchor) error {
	signed, err := seal.Anchor(a)
	if err == nil {
		_, err = t.exec(ctx, op+".log", `INSERT INTO log_anchor (one, signed) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET signed = excluded.signed`, signed)
	}
	return err
}

// logSince follows the log from the anchored row to its end.
func (t *tx) logSince(ctx context.Context, from escrowserver.LogAnchor) (end escrowserver.LogAnchor, whole bool, err error) {
	end, whole = from, from.N == 0
	rows, err := t.conn.query(ctx, auditRows+` WHERE n >= ? ORDER BY n`, from.N)
	err = each(rows, err, func(scan func(...any) error) error {
		line, err := scanAudit(scan)
		if err != nil {
			return err
		}
		if line.N == from.N {
			whole = line.Hash == from.Hash
			return nil
		}
		hash, err := line.HashAfter(end.Hash)
		whole = whole && line.N == end.N+1 && hash == line.Hash
		end.N, end.Hash = line.N, line.Hash
		return err
	})
	return end, whole, err
}

const auditRows = `SELECT n, who, what, why, made_at, hash FROM audit`

func scanAudit(scan func(...any) error) (escrowserver.AuditLine, error) {
	var line escrowserver.AuditLine
	var made int64
	err := scan(&line.N, &line.Who, &line.What, &line.Why, &made, &line.Hash)
	line.Made = fromMicros(made)
	return line, err
}

func (r reader) anchor(ctx context.Context) (signed string, err error) {
	_, err = found(r.row(ctx, `SELECT signed FROM log_anchor`).Scan(&signed))
	return signed, err
}

func (r reader) walkAnchor(ctx context.Context, v escrowserver.Visitor) error {
	text, err := r.anchor(ctx)
	if err != nil {
		return err
	}
	return v.LogAnchor(text)
}
