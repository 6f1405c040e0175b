package sqlstore

import (
	"context"

	"earnest/escrow"
	"earnest/escrowserver"
)

// keptSince is from when a bond's certificates are kept on.
const keptSince = `CASE WHEN late_accepted_at > ended_at THEN late_accepted_at ELSE ended_at END`

// clean deletes what may be kept no longer.
func (t *tx) clean(ctx context.Context, op escrowserver.Clean) error {
	if _, err := t.exec(ctx, "clean.sold", `DELETE FROM sold_key WHERE bond IN
		(SELECT bond FROM sold_key WHERE keep_until <= ?`+lockFree+`)`, micros(op.Now)); err != nil {
		return err
	}
	if _, err := t.exec(ctx, "clean.certificates", `UPDATE bond SET verification = NULL, reply = NULL WHERE id IN
		(SELECT id FROM bond WHERE ended_at > 0 AND verification IS NOT NULL AND (`+keptSince+`) <= ?`+lockFree+`)`,
		micros(op.Now.Add(-escrow.LateAccept))); err != nil {
		return err
	}
	if _, err := t.exec(ctx, "clean.blocks", `DELETE FROM block WHERE until_at <= ?`, micros(op.Now)); err != nil {
		return err
	}
	_, err := t.exec(ctx, "clean.claims", `DELETE FROM claim WHERE made_at <= ?`, micros(op.Now.Add(-escrowserver.ClaimKeep)))
	return err
}
