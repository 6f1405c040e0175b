package sqlstore

import (
	"context"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

// dropPayouts ends the payouts of an account that nobody has begun to pay: the key that
// asked for them was stolen. The account is locked.
func (t *tx) dropPayouts(ctx context.Context, op escrowserver.TakeOrder, account, by escrow.KeyID) error {
	rows, err := t.conn.query(ctx, `SELECT id FROM payout WHERE account = ? AND state = 'asked' AND begun_at = 0 ORDER BY id`, account)
	var ids []string
	if err := each(rows, err, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	}); err != nil {
		return err
	}
	for _, id := range ids {
		p, _, err := t.reader().payout(ctx, id)
		if err != nil {
			return err
		}
		end := escrowserver.EndPayout{Now: op.Now, ID: id, Note: escrow.EndedByRecovery, By: string(by), Seal: op.Seal}
		if _, err := t.ended(ctx, end, p, escrow.PayoutRefused); err != nil {
			return err
		}
	}
	return nil
}

// recoveredAt is when the recovery key last gave the account another key: what was named
// until then, a thief may have named. Zero if it never did.
func (t *tx) recoveredAt(ctx context.Context, account escrow.KeyID) (time.Time, error) {
	var at int64
	err := t.conn.row(ctx, `SELECT COALESCE(MAX(r.replaced_at), 0) FROM replaced_key r JOIN account_order o ON o.account = r.account AND o.jws = r.ordered
		WHERE r.account = ? AND o.action = 'rotate' AND o.signer <> r.public_key`, account).Scan(&at)
	return fromMicros(at), err
}
