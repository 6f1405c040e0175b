package sqlstore

import (
	"context"
	"fmt"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
)

// means are what an account has at hand in a currency, and what of it is not its own to
// take away.
type means struct {
	available payment.Amount
	// passing is of what was credited: welcome credit, which is for bonds, and what was
	// paid to a provider so lately that it can still be taken back.
	passing payment.Amount
	debts   payment.Amount // what providers took back
}

// lasting is what stays: of the same money the next one is taken back, too, and welcome
// credit is nobody's loss, so neither pays a debt.
func (m means) lasting() payment.Amount { return max(0, m.available-m.passing) }

// payable is what the account may have paid out.
func (m means) payable() payment.Amount { return max(0, m.lasting()-m.debts) }

// owes is by how much the debts are more than what stays. While it owes, nothing of what
// was asked for before is paid.
func (m means) owes() payment.Amount { return max(0, m.debts-m.lasting()) }

// passingAndDebts are columns, of the account and the currency of the row p. The ? is the
// time since when what was paid to a provider can be taken back; what was taken back of
// it is a debt, or was settled as one.
const passingAndDebts = `CAST(COALESCE((SELECT SUM(w.amount) FROM welcome w WHERE w.account = p.account AND w.currency = p.currency), 0)
			+ COALESCE((SELECT SUM(CASE WHEN paid.back < paid.amount THEN paid.amount - paid.back ELSE 0 END) FROM (
				SELECT c.amount, COALESCE((SELECT SUM(d.amount) FROM debt d WHERE d.checkout = c.id AND d.state <> 'won'), 0) AS back
				FROM credit c WHERE c.account = p.account AND c.currency = p.currency AND c.kind = 'payment' AND c.made_at > ?) AS paid), 0) AS BIGINT),
		CAST(COALESCE((SELECT SUM(d.amount) FROM debt d JOIN checkout c ON c.id = d.checkout
			WHERE c.account = p.account AND c.currency = p.currency AND d.state = 'open'), 0) AS BIGINT)`

// meansOf are those of an account that is locked. What was paid to a provider after the
// time can be taken back.
func (t *tx) meansOf(ctx context.Context, account escrow.KeyID, currency string, since time.Time) (means, error) {
	m := means{available: payment.Amount(t.balance(bucketKey{account.Holder(), currency}).now.Available)}
	err := t.conn.row(ctx, `SELECT `+passingAndDebts+` FROM (SELECT CAST(? AS TEXT) AS account, CAST(? AS TEXT) AS currency) AS p`,
		micros(since), account, currency).Scan(&m.passing, &m.debts)
	return m, err
}

// mayTakeOut refuses what cannot be paid out, and says how much can.
func (t *tx) mayTakeOut(ctx context.Context, op escrowserver.AskPayout) error {
	m, err := t.meansOf(ctx, op.Account, op.Currency, op.AskedAt.Add(-op.Hold))
	may := m.payable()
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
