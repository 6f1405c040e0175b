package sqlstore

import (
	"context"
	"fmt"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
)

// CreditGiven is the credit of that id, if it was given.
func (s *Store) CreditGiven(ctx context.Context, id string) (escrowserver.CreditLine, bool, error) {
	var credit nullCredit
	there, err := found(s.reader().row(ctx, `SELECT `+creditColumns+` FROM credit c WHERE c.id = ?`, id).Scan(credit.dest()...))
	if err != nil || !there {
		return escrowserver.CreditLine{}, false, err
	}
	return *credit.credit(), true, nil
}

// OpenVouchers lists those that were made and not redeemed, oldest first.
func (s *Store) OpenVouchers(ctx context.Context, limit int) ([]escrowserver.OpenVoucher, error) {
	rows, err := s.reader().query(ctx, `SELECT hash, currency, amount, made_at FROM voucher WHERE redeemed_at = 0 ORDER BY made_at, hash LIMIT ?`, limit)
	var list []escrowserver.OpenVoucher
	err = each(rows, err, func(scan func(...any) error) error {
		var v escrowserver.OpenVoucher
		var made int64
		err := scan(&v.Hash, &v.Currency, &v.Amount, &made)
		v.MadeAt = fromMicros(made)
		list = append(list, v)
		return err
	})
	return list, err
}

// Sums are how many of something wait, and how much money they are, by currency.
type Sums map[string]Sum

// Sum is a number of things and what they are worth together.
type Sum struct {
	N      int64
	Amount payment.Amount
}

// TopUpKinds are what brings money in: vouchers, and the kinds of credits.
func TopUpKinds() []string {
	return []string{string(escrow.GroundVoucher), string(escrowserver.CreditPayment), string(escrowserver.CreditOperator), string(escrowserver.CreditWelcome)}
}

// topUpFigures sum up what became money, taken back since or not.
func (r reader) topUpFigures(ctx context.Context, f *Figures) error {
	f.TopUps = map[string]Sums{}
	for _, kind := range TopUpKinds() {
		f.TopUps[kind] = Sums{}
	}
	rows, err := r.query(ctx, `SELECT '`+string(escrow.GroundVoucher)+`', currency, COUNT(*), CAST(SUM(amount) AS BIGINT) FROM voucher WHERE redeemed_at > 0 GROUP BY currency
		UNION ALL SELECT kind, currency, COUNT(*), CAST(SUM(amount) AS BIGINT) FROM credit GROUP BY kind, currency`)
	return each(rows, err, func(scan func(...any) error) error {
		var kind, currency string
		var sum Sum
		if err := scan(&kind, &currency, &sum.N, &sum.Amount); err != nil {
			return err
		}
		if f.TopUps[kind] == nil {
			return fmt.Errorf("a credit is of the kind %q", kind)
		}
		f.TopUps[kind][currency] = sum
		return nil
	})
}

// waitingFigures count what waits for the operator, and what vouchers promise.
func (r reader) waitingFigures(ctx context.Context, f *Figures) error {
	for _, part := range []struct {
		to   *Sums
		text string
	}{
		{&f.Vouchers, `SELECT currency, COUNT(*), CAST(SUM(amount) AS BIGINT) FROM voucher WHERE redeemed_at = 0 GROUP BY currency`},
		{&f.Payouts, `SELECT currency, COUNT(*), CAST(SUM(amount) AS BIGINT) FROM payout WHERE state = 'asked' GROUP BY currency`},
		{&f.Paying, `SELECT currency, COUNT(*), CAST(SUM(amount) AS BIGINT) FROM payout WHERE state = 'asked' AND begun_at > 0 GROUP BY currency`},
		{&f.Debts, `SELECT c.currency, COUNT(*), CAST(SUM(d.amount) AS BIGINT) FROM debt d JOIN checkout c ON c.id = d.checkout WHERE d.state = 'open' GROUP BY c.currency`},
		{&f.Wrong, `SELECT currency, COUNT(*), CAST(SUM(amount) AS BIGINT) FROM checkout WHERE state = 'wrong' GROUP BY currency`},
	} {
		*part.to = Sums{}
		rows, err := r.query(ctx, part.text)
		if err := each(rows, err, func(scan func(...any) error) error {
			var currency string
			var sum Sum
			err := scan(&currency, &sum.N, &sum.Amount)
			(*part.to)[currency] = sum
			return err
		}); err != nil {
			return fmt.Errorf("what waits: %w", err)
		}
	}
	return r.row(ctx, `SELECT COUNT(*) FROM provider_event WHERE done_at = 0`).Scan(&f.Events)
}
