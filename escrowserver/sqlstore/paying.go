package sqlstore

import (
	"context"
	"fmt"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
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
	case !p.BegunAt.IsZero():
		return nil, escrow.Errorf(escrow.Conflict, "%s has begun that payout at %s, and may have paid it: do not pay it twice; nothing was changed; was it paid, say so with 'payout paid', and if that failed, with 'payout refuse'",
			p.BegunBy, p.BegunAt.Format(time.RFC3339))
	case !op.Seal.GenuinePayout(p):
		return nil, changedPayout()
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

// mayLeave refuses while the account is frozen, or owes more than it has. What has left
// already, in the time that a restore has lost, is past both.
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
	debts, err := t.debts(ctx, p.Account, p.Currency)
	if have := t.available(p.Account, p.Currency); err == nil && debts > have {
		err = escrow.Errorf(escrow.Forbidden, "a provider took back what the account had paid in: it owes %d and has %d available, in smallest units; pay nothing; nothing was changed; refuse the payout, or settle the debt first", debts, have)
	}
	return err
}

// mayTakeOut refuses what cannot be paid out, and says how much can.
func (t *tx) mayTakeOut(ctx context.Context, op escrowserver.AskPayout) error {
	may, err := t.payable(ctx, op.Account, op.Currency, op.AskedAt.Add(-op.Hold))
	if err != nil || op.Amount <= may {
		return err
	}
	detail := "less than that can be paid out: welcome credit is for bonds only, and what a card payment took back is owed"
	if op.Hold > 0 {
		detail += ", and what was paid by card can be paid out " + days(op.Hold) + " later"
	}
	return &escrow.Error{Code: escrow.InsufficientFunds, Have: &may, Need: &op.Amount, Detail: detail + "; nothing was changed"}
}

// days are whole days where there are such.
func days(d time.Duration) string {
	if n := d / (24 * time.Hour); n > 1 && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%d days", n)
	}
	return d.String()
}

func changedPayout() error {
	return escrow.Errorf(escrow.Forbidden, "that payout is not as its owner asked for it, or as it was begun: somebody changed it in the books; pay nothing, and run verify")
}

// payable is what the account may have paid out: what is available, but for its
// welcome credit, which is for bonds, for what a provider took back, and for what was
// paid to one after that time and can still be taken back.
func (t *tx) payable(ctx context.Context, account escrow.KeyID, currency string, since time.Time) (payment.Amount, error) {
	var welcome, young int64
	if err := t.conn.row(ctx, `SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM welcome WHERE account = ? AND currency = ?`,
		account, currency).Scan(&welcome); err != nil {
		return 0, err
	}
	debts, err := t.debts(ctx, account, currency)
	if err != nil {
		return 0, err
	}
	// What was taken back of it is a debt, or was settled as one.
	if err := t.conn.row(ctx, `SELECT CAST(COALESCE(SUM(CASE WHEN back < amount THEN amount - back ELSE 0 END), 0) AS BIGINT) FROM (
			SELECT c.amount, (SELECT COALESCE(SUM(d.amount), 0) FROM debt d WHERE d.checkout = c.id AND d.state <> 'won') AS back
			FROM credit c WHERE c.account = ? AND c.currency = ? AND c.kind = 'payment' AND c.made_at > ?) AS paid`,
		account, currency, micros(since)).Scan(&young); err != nil {
		return 0, err
	}
	return max(0, t.available(account, currency)-payment.Amount(welcome+young)-debts), nil
}

// debts are what providers took back of what the account was credited.
func (t *tx) debts(ctx context.Context, account escrow.KeyID, currency string) (debts payment.Amount, err error) {
	err = t.conn.row(ctx, `SELECT CAST(COALESCE(SUM(d.amount), 0) AS BIGINT) FROM debt d JOIN checkout c ON c.id = d.checkout
		WHERE c.account = ? AND c.currency = ? AND d.state = 'open'`, account, currency).Scan(&debts)
	return debts, err
}

// available is what the account has at hand. It is locked.
func (t *tx) available(account escrow.KeyID, currency string) payment.Amount {
	return payment.Amount(t.balance(bucketKey{account.Holder(), currency}).now.Available)
}
