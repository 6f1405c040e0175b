package sqlstore

import (
	"context"
	"fmt"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/ledger"
)

func (t *tx) askPayout(ctx context.Context, op escrowserver.AskPayout) (any, error) {
	if err := t.accountExists(ctx, op.Account); err != nil {
		return nil, err
	}
	if err := t.mayAct(op.Account, op.Key); err != nil {
		return nil, err
	}
	p, there, err := t.reader().payout(ctx, op.ID)
	if err != nil {
		return nil, err
	}
	if there {
		if p.Currency != op.Currency || p.Amount != op.Amount || p.To != op.To {
			return nil, escrow.Errorf(escrow.Conflict, "that operation id was used for something else")
		}
		return p, nil
	}
	if err := t.mayChange(op.Account, op.Key); err != nil {
		return nil, err
	}
	if op.Least != nil {
		if err := op.Least(op.Amount); err != nil {
			return nil, err
		}
	}
	if err := t.mayAskMore(ctx, op.Account); err != nil {
		return nil, err
	}
	if err := t.mayTakeOut(ctx, op); err != nil {
		return nil, err
	}
	// A destination that was named long enough ago has been seen by its owner; not so
	// one that was refused, or taken back, or named by a key that was stolen.
	recovered, err := t.recoveredAt(ctx, op.Account)
	if err != nil {
		return nil, err
	}
	var first int64
	if err := t.conn.row(ctx, `SELECT COALESCE(MIN(asked_at), 0) FROM payout WHERE account = ? AND destination = ? AND state <> 'refused' AND asked_at > ?`,
		op.Account, op.To, micros(recovered)).Scan(&first); err != nil {
		return nil, err
	}
	p = op.PayoutRecord
	p.State, p.NotBefore = escrow.PayoutAsked, p.AskedAt.Add(escrow.PayoutWait)
	if first > 0 {
		p.NotBefore = later(p.AskedAt, fromMicros(first).Add(escrow.PayoutWait))
	}
	tr, entry, err := ledger.Hold(p.ID, p.Account.Holder(), ledger.Payouts, p.Currency, int64(p.Amount))
	if err != nil {
		return nil, err
	}
	if err := t.record(op.Name(), tr, entry, p.AskedAt); err != nil {
		return nil, err
	}
	if p.Signed, err = op.Seal.Payout(p); err != nil {
		return nil, err
	}
	return p, t.inventoried(ctx, op.Name(), op.Seal, func() error {
		_, err := t.exec(ctx, "payout.payout", `INSERT INTO payout (id, account, operation, currency, amount, destination, state, asked_at, not_before, signed)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			p.ID, p.Account, p.Operation, p.Currency, p.Amount, p.To, p.State, micros(p.AskedAt), micros(p.NotBefore), p.Signed)
		return err
	}, p.Account)
}

// mayAskMore bounds how many payouts of the account wait. It is locked.
func (t *tx) mayAskMore(ctx context.Context, account escrow.KeyID) error {
	var n int
	err := t.conn.row(ctx, `SELECT COUNT(*) FROM payout WHERE account = ? AND state = 'asked'`, account).Scan(&n)
	if err == nil && n >= escrowserver.OpenPayouts {
		err = escrow.Errorf(escrow.Limited, "%d payouts of yours wait for the operator already; nothing was changed; wait until one is paid, or cancel one", n)
	}
	return err
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// lockedPayout is the payout, with its account locked.
func (t *tx) lockedPayout(ctx context.Context, id string) (p escrowserver.PayoutRecord, there bool, err error) {
	p, there, err = t.reader().payout(ctx, id)
	if err == nil && there {
		if err = t.accountExists(ctx, p.Account); err == nil {
			p, _, err = t.reader().payout(ctx, id)
		}
	}
	return p, there, err
}

func (t *tx) endPayout(ctx context.Context, op escrowserver.EndPayout) (any, error) {
	p, there, err := t.lockedPayout(ctx, op.ID)
	end := escrow.PayoutRefused
	if op.Paid {
		end = escrow.PayoutPaid
	}
	switch {
	case err != nil:
		return nil, err
	case !there:
		return nil, escrow.Errorf(escrow.NotFound, "there is no such payout")
	case p.State == end && p.Note == op.Note:
		return p, nil
	case p.State != escrow.PayoutAsked:
		return nil, escrow.Errorf(escrow.Ended, "that payout is %s already, and an ending never changes", p.State)
	case !op.Seal.GenuinePayout(p) && (op.Paid || op.Seal.MayBeBegun(p)):
		return nil, changedPayout(op.Seal, p)
	case op.Paid && p.BegunAt.IsZero():
		return nil, escrow.Errorf(escrow.Forbidden, "nobody has begun that payout, so its owner could have taken it back while you paid; nothing was changed; say first: earnest-escrow payout begin %s", p.ID)
	}
	return t.ended(ctx, op, p, end)
}

// cancelPayout is the owner's own end of a payout. A frozen account may: it lessens
// what a thief could have asked for.
func (t *tx) cancelPayout(ctx context.Context, op escrowserver.CancelPayout) (any, error) {
	p, there, err := t.lockedPayout(ctx, op.ID)
	if err != nil {
		return nil, err
	}
	if !there || p.Account != op.Account {
		return nil, escrow.Errorf(escrow.NotFound, "the account has no such payout; nothing was changed")
	}
	if err := t.mayAct(op.Account, op.Key); err != nil {
		return nil, err
	}
	if p.State == escrow.PayoutRefused {
		return p, nil // whoever was faster, the money is available
	}
	if p.State != escrow.PayoutAsked {
		return nil, escrow.Errorf(escrow.Ended, "that payout is paid already; nothing was changed")
	}
	if !p.BegunAt.IsZero() || !op.Seal.GenuinePayout(p) && op.Seal.MayBeBegun(p) {
		return nil, escrow.Errorf(escrow.TooLate, "the operator is paying that payout already, so it cannot be taken back any more; nothing was changed")
	}
	return t.ended(ctx, escrowserver.EndPayout{Now: op.Now, Note: escrow.CancelledByOwner, By: string(op.Key), Seal: op.Seal}, p, escrow.PayoutRefused)
}

// ended ends a payout that is asked for.
func (t *tx) ended(ctx context.Context, op escrowserver.EndPayout, p escrowserver.PayoutRecord, end escrow.PayoutState) (any, error) {
	if err := t.readTransfer(ctx, p.ID); err != nil {
		return nil, err
	}
	tr, err := t.transfer(p.ID)
	if err != nil {
		return nil, err
	}
	step := tr.Void
	if op.Paid {
		step = tr.Post
	}
	tr, entry, err := step()
	if err != nil {
		return nil, err
	}
	if err := t.record(op.Name(), tr, entry, op.Now); err != nil {
		return nil, err
	}
	p.State, p.EndedAt, p.Note, p.By = end, op.Now, op.Note, op.By
	return p, t.inventoried(ctx, op.Name(), op.Seal, func() error {
		n, err := t.exec(ctx, "endpayout.payout", `UPDATE payout SET state = ?, ended_at = ?, note = ?, by_whom = ? WHERE id = ? AND state = 'asked'`,
			p.State, micros(p.EndedAt), p.Note, p.By, p.ID)
		if err == nil && n != 1 {
			err = fmt.Errorf("payout %w", errNotAsRead)
		}
		return err
	}, p.Account)
}
