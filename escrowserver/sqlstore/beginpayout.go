package sqlstore

import (
	"context"
	"fmt"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

// beginPayout says that a payout is paid now. It is the last time that anything is
// asked: from here the money is on its way, whatever happens to the account.
func (t *tx) beginPayout(ctx context.Context, op escrowserver.BeginPayout) (any, error) {
	p, there, err := t.lockedPayout(ctx, op.ID)
	switch {
	case err != nil:
		return nil, err
	case !there:
		return nil, escrow.Errorf(escrow.NotFound, "there is no such payout")
	case p.State != escrow.PayoutAsked:
		return nil, escrow.Errorf(escrow.Ended, "that payout is %s already, and an ending never changes", p.State)
	case !op.Seal.GenuinePayout(p):
		return nil, changedPayout(op.Seal, p)
	case !p.BegunAt.IsZero():
		return nil, escrow.Errorf(escrow.Conflict, "%s has begun that payout at %s, and may have paid it: do not pay it twice; nothing was changed; was it paid, say so with 'payout paid', and if that failed, with 'payout refuse'",
			p.BegunBy, p.BegunAt.Format(time.RFC3339))
	case op.Now.Before(p.NotBefore):
		return nil, escrow.Errorf(escrow.Forbidden, "its destination is new: it may be paid from %s on; nothing was changed", p.NotBefore.Format(time.RFC3339))
	}
	if err := t.mayLeave(ctx, op, p); err != nil {
		return nil, err
	}
	p.BegunAt, p.BegunBy = op.Now, op.By
	if p.Signed, err = op.Seal.Payout(p); err != nil {
		return nil, err
	}
	return p, t.inventoried(ctx, op.Name(), op.Seal, func() error {
		n, err := t.exec(ctx, "beginpayout.payout", `UPDATE payout SET begun_at = ?, begun_by = ?, signed = ? WHERE id = ? AND state = 'asked' AND begun_at = 0`,
			micros(p.BegunAt), p.BegunBy, p.Signed, p.ID)
		if err == nil && n != 1 {
			err = fmt.Errorf("payout %w", errNotAsRead)
		}
		return err
	}, p.Account)
}

// mayLeave refuses while the account is frozen, or owes more than what it has and will
// keep. What has left already, in the time that a restore has lost, is past both.
func (t *tx) mayLeave(ctx context.Context, op escrowserver.BeginPayout, p escrowserver.PayoutRecord) error {
	if !op.Lost.IsZero() {
		if !p.AskedAt.Before(op.Lost) {
			return escrow.Errorf(escrow.Conflict, "that payout was asked for after the books were restored, so nobody paid it before; nothing was changed; leave --was-paid away")
		}
		return nil
	}
	if t.known.accounts[p.Account].frozen {
		return escrow.Errorf(escrow.Forbidden, "the account is frozen: its owner may have been robbed; pay nothing; nothing was changed; wait until it is frozen no longer, or refuse the payout")
	}
	m, err := t.meansOf(ctx, p.Account, p.Currency, op.Now.Add(-op.Hold))
	if err == nil && m.owes() > 0 {
		err = escrow.Errorf(escrow.Forbidden, "a provider took back what the account had paid in: it owes %d and has %d for that, in smallest units, without welcome credit and without what can still be taken back; pay nothing; nothing was changed; refuse the payout, or settle the debt first", m.debts, m.lasting())
	}
	return err
}

// changedPayout is said of one that is not genuine. What may have been paid is not given
// back: it would be paid twice.
func changedPayout(seal escrowserver.Seal, p escrowserver.PayoutRecord) error {
	if seal.MayBeBegun(p) {
		return escrow.Errorf(escrow.Forbidden, "somebody changed that payout in the books, and it was begun, or may have been; nothing was changed now; if you have not paid it, pay nothing; if you have, do not pay it again; it cannot be refused, since that would give its money back as well; run verify, put the row back as it was, and say then how it ended")
	}
	return escrow.Errorf(escrow.Forbidden, "that payout is not as its owner asked for it, or as it was begun: somebody changed it in the books; pay nothing, and run verify")
}
