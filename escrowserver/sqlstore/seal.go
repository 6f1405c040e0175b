package sqlstore

import (
	"context"
	"fmt"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

// sealRows signs what an older program wrote, once in the life of the books.
func (t *tx) sealRows(ctx context.Context, op escrowserver.SealRows) (any, error) {
	if err := t.conn.lock(ctx, "seal"); err != nil {
		return nil, err
	}
	note, err := t.reader().note(ctx, escrowserver.NoteSealed)
	if err != nil {
		return nil, err
	}
	rows := 0
	if note == "" {
		sealed, n, err := t.sealOlder(ctx, op)
		if err != nil || !sealed {
			return 0, err
		}
		rows = n
	}
	for _, part := range []func(context.Context, escrowserver.SealRows) (int, error){t.sealOrders, t.relist, t.firstInventories} {
		n, err := part(ctx, op)
		if err != nil {
			return 0, err
		}
		rows += n
	}
	return rows, nil
}

// sealOlder signs the rows of books that have none that is signed.
func (t *tx) sealOlder(ctx context.Context, op escrowserver.SealRows) (sealed bool, rows int, err error) {
	var signed bool
	if err := t.conn.row(ctx, `SELECT EXISTS (SELECT 1 FROM account WHERE recovery_signed <> '') OR EXISTS (SELECT 1 FROM payout WHERE signed <> '')
		OR EXISTS (SELECT 1 FROM address WHERE signed <> '') OR EXISTS (SELECT 1 FROM spending_limit WHERE signed <> '')`).Scan(&signed); err != nil || signed {
		return false, 0, err // these are no older books: verify tells
	}
	for _, part := range []func(context.Context, escrowserver.Seal) (int, error){t.sealAccounts, t.sealPayouts, t.sealAddresses, t.sealLimits} {
		n, err := part(ctx, op.Seal)
		if err != nil {
			return false, 0, err
		}
		rows += n
	}
	log, whole, err := t.logSince(ctx, escrowserver.LogAnchor{})
	if err != nil {
		return false, 0, err
	}
	if log.Time = op.Now; whole { // one that is damaged stays without anchor: verify tells
		if err := t.setAnchor(ctx, "seal", op.Seal, log); err != nil {
			return false, 0, err
		}
	}
	word, err := op.Seal.Sealed(escrowserver.Sealed{Rows: rows, Time: op.Now})
	if err != nil {
		return false, 0, err
	}
	_, err = t.exec(ctx, "seal.note", `INSERT INTO note (name, text) VALUES (?, ?)`, escrowserver.NoteSealed, word)
	return true, rows, err
}

// sealEach reads all lines before it writes: one connection does not do both.
func sealEach[T any](ctx context.Context, t *tx, label, query string, read func(func(...any) error) (T, error), sign func(T) (escrow.Signed, error), update string, key func(T) []any) (int, error) {
	var lines []T
	rows, err := t.conn.query(ctx, query)
	if err := each(rows, err, func(scan func(...any) error) error {
		line, err := read(scan)
		lines = append(lines, line)
		return err
	}); err != nil {
		return 0, err
	}
	for _, line := range lines {
		signed, err := sign(line)
		if err != nil {
			return 0, err
		}
		n, err := t.exec(ctx, label, update, append([]any{signed}, key(line)...)...)
		if err == nil && n != 1 {
			err = fmt.Errorf("%s: %w", label, errNotAsRead)
		}
		if err != nil {
			return 0, err
		}
	}
	return len(lines), nil
}

func (t *tx) sealAccounts(ctx context.Context, seal escrowserver.Seal) (int, error) {
	type line struct {
		id       escrow.KeyID
		recovery escrow.PublicKey
	}
	return sealEach(ctx, t, "seal.account", `SELECT id, recovery FROM account WHERE deleted_at = 0 ORDER BY id`,
		func(scan func(...any) error) (l line, err error) {
			err = scan(&l.id, (*[]byte)(&l.recovery))
			return l, err
		},
		func(l line) (escrow.Signed, error) { return seal.Recovery(l.id, l.recovery) },
		`UPDATE account SET recovery_signed = ? WHERE id = ?`, func(l line) []any { return []any{l.id} })
}

func (t *tx) sealPayouts(ctx context.Context, seal escrowserver.Seal) (int, error) {
	return sealEach(ctx, t, "seal.payout", `SELECT `+payoutColumns+` FROM payout p JOIN account a ON a.id = p.account WHERE a.deleted_at = 0 ORDER BY p.id`,
		func(scan func(...any) error) (escrowserver.PayoutRecord, error) { return scanPayout(scan) },
		seal.Payout, `UPDATE payout SET signed = ? WHERE id = ?`, func(p escrowserver.PayoutRecord) []any { return []any{p.ID} })
}

func (t *tx) sealAddresses(ctx context.Context, seal escrowserver.Seal) (int, error) {
	return sealEach(ctx, t, "seal.address", provenRows, scanProven, seal.Proven,
		`UPDATE address SET signed = ? WHERE address = ?`, func(p escrowserver.ProvenLine) []any { return []any{p.Address} })
}

func (t *tx) sealLimits(ctx context.Context, seal escrowserver.Seal) (int, error) {
	return sealEach(ctx, t, "seal.limit", limitRows, scanLimitLine, seal.Limit,
		`UPDATE spending_limit SET signed = ? WHERE account = ? AND currency = ?`,
		func(l escrowserver.LimitLine) []any { return []any{l.Account, l.Limit.Currency} })
}

const provenRows = `SELECT address, folded, typed, account, proven_at, renew_by, signed FROM address ORDER BY address`

func scanProven(scan func(...any) error) (escrowserver.ProvenLine, error) {
	var p escrowserver.ProvenLine
	var proven, renew int64
	err := scan(&p.Address, &p.Folded, &p.Typed, &p.Account, &proven, &renew, &p.Signed)
	p.ProvenAt, p.RenewBy = fromMicros(proven), fromMicros(renew)
	return p, err
}

const limitRows = `SELECT ` + limitColumns + `, account, signed FROM spending_limit ORDER BY account, currency`

func scanLimitLine(scan func(...any) error) (escrowserver.LimitLine, error) {
	var l escrowserver.LimitLine
	var err error
	l.Limit, err = scanLimit(scan, &l.Account, &l.Signed)
	return l, err
}

// asStored is a limit with its times as exact as the books have them.
func asStored(l escrow.SpendingLimit) escrow.SpendingLimit {
	if l.Raise != nil {
		raise := *l.Raise
		raise.At = raise.At.UTC().Truncate(time.Microsecond)
		l.Raise = &raise
	}
	return l
}

func (r reader) walkSealed(ctx context.Context, v escrowserver.Visitor) error {
	text, err := r.note(ctx, escrowserver.NoteSealed)
	if err != nil {
		return err
	}
	return v.Sealed(text)
}

func (r reader) walkSealing(ctx context.Context, v escrowserver.Visitor) error {
	for _, kind := range escrowserver.SealedKinds() {
		text, err := r.sealing(ctx, kind)
		if err == nil {
			err = v.Sealing(kind, text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r reader) walkProven(ctx context.Context, v escrowserver.Visitor) error {
	rows, err := r.query(ctx, provenRows)
	return each(rows, err, func(scan func(...any) error) error {
		p, err := scanProven(scan)
		if err != nil {
			return err
		}
		return v.Proven(p)
	})
}

func (r reader) walkSealedLimits(ctx context.Context, v escrowserver.Visitor) error {
	rows, err := r.query(ctx, limitRows)
	return each(rows, err, func(scan func(...any) error) error {
		l, err := scanLimitLine(scan)
		if err != nil {
			return err
		}
		return v.Limit(l)
	})
}
