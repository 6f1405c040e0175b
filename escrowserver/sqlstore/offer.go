package sqlstore

import (
	"context"

	"earnest/escrow"
	"earnest/escrowserver"
)

func (t *tx) publishOffer(ctx context.Context, op escrowserver.PublishOffer) error {
	if err := t.accountExists(ctx, op.Account); err != nil {
		return err
	}
	if err := t.mayChange(op.Account, op.Offer.Identity.ID()); err != nil {
		return err
	}
	if err := t.owns(ctx, op.Account, op.Offer.Address, op.Now); err != nil {
		return err
	}
	var jws escrow.Signed
	var made int64
	ok, err := found(t.conn.row(ctx, `SELECT jws, made FROM offer WHERE address = ?`, op.Offer.Address).Scan(&jws, &made))
	if err != nil || ok && jws == op.Signed {
		return err
	}
	if ok && micros(op.Offer.Made) <= made {
		return escrow.Errorf(escrow.Conflict, "a newer offer for this address is already published")
	}
	public := 0
	if op.Offer.Public {
		public = 1
	}
	_, err = t.exec(ctx, "offer.offer", `INSERT INTO offer (address, account, jws, public, made) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (address) DO UPDATE SET account = excluded.account, jws = excluded.jws, public = excluded.public, made = excluded.made`,
		op.Offer.Address, op.Account, op.Signed, public, micros(op.Offer.Made))
	return err
}
