package sqlstore

import (
	"context"
	"fmt"
	"time"

	"earnest/escrow"
	"earnest/ledger"
)

// Figures are what an operator watches. They name no person and no address.
type Figures struct {
	Money []MoneyFigure
	// Bonds counts them by state.
	Bonds map[escrow.State]int64
	// Overdue are bonds whose deadline has passed, the oldest since OverdueSince, and
	// Stuck the ids of those that waited longest, at most 20.
	Overdue      int64
	OverdueSince time.Time
	Stuck        []escrow.BondID
	// Pools are addresses with an offer, LowPools those with fewer keys than agents
	// should let them have, EmptyPools those that are sold out.
	Pools, LowPools, EmptyPools int64
	Accounts, Outages           int64
	// OpenVouchers were made and not redeemed.
	OpenVouchers int64
	// TopUps are what became money, by [TopUpKinds].
	TopUps map[string]Sums
	// Vouchers are those that were made and not redeemed: what they promise. Payouts,
	// Debts and Wrong, checkouts for which other money came, wait for the operator; of
	// the payouts some are Paying: begun, and not ended. Events of the card provider wait to be done.
	Vouchers, Payouts, Paying, Debts, Wrong Sums
	Events                                  int64
}

// MoneyFigure is what all people, a beneficiary or the issuance have of a currency.
type MoneyFigure struct {
	Holder          ledger.Holder // people: all accounts together
	Currency        string
	Available, Held int64
}

// People is the holder of a figure that is of all accounts together.
const People ledger.Holder = "people"

// Figures counts, as of one moment. Beneficiaries are the holders that are no
// accounts.
func (s *Store) Figures(ctx context.Context, now time.Time) (Figures, error) {
	r, end, err := s.snapshot(ctx)
	if err != nil {
		return Figures{}, fmt.Errorf("figures: %w", err)
	}
	defer end()
	f := Figures{Bonds: map[escrow.State]int64{}}
	for _, part := range []func() error{
		func() error { return r.moneyFigures(ctx, &f) },
		func() error { return r.bondFigures(ctx, &f, now) },
		func() error { return r.waitingFigures(ctx, &f) },
		func() error {
			return r.row(ctx, `SELECT (SELECT COUNT(*) FROM account), (SELECT COUNT(*) FROM outage),
				(SELECT COUNT(*) FROM voucher WHERE redeemed_at = 0)`).
				Scan(&f.Accounts, &f.Outages, &f.OpenVouchers)
		},
		func() error { return r.topUpFigures(ctx, &f) },
		func() error {
			return r.row(ctx, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN free < ? THEN 1 ELSE 0 END), 0),
					COALESCE(SUM(CASE WHEN free = 0 THEN 1 ELSE 0 END), 0)
				FROM (SELECT (SELECT COUNT(*) FROM one_time_key WHERE one_time_key.address = offer.address) AS free FROM offer) AS pools`,
				int64(escrow.PoolRefill)).Scan(&f.Pools, &f.LowPools, &f.EmptyPools)
		},
	} {
		if err := part(); err != nil {
			return f, fmt.Errorf("figures: %w", err)
		}
	}
	return f, nil
}

// LowPool is an address with an offer and few keys.
type LowPool struct {
	Address escrow.Address
	Free    int64
}

// LowPools are so many of the addresses that [Figures] count as such, those with the
// fewest keys first: they are for the operator's own eyes.
func (s *Store) LowPools(ctx context.Context, most int) ([]LowPool, error) {
	rows, err := s.reader().query(ctx, `SELECT address, free FROM (
			SELECT address, (SELECT COUNT(*) FROM one_time_key WHERE one_time_key.address = offer.address) AS free FROM offer) AS pools
		WHERE free < ? ORDER BY free, address LIMIT ?`, int64(escrow.PoolRefill), int64(most))
	var low []LowPool
	if err := each(rows, err, func(scan func(...any) error) error {
		var p LowPool
		err := scan(&p.Address, &p.Free)
		low = append(low, p)
		return err
	}); err != nil {
		return nil, fmt.Errorf("low pools: %w", err)
	}
	return low, nil
}

func (r reader) moneyFigures(ctx context.Context, f *Figures) error {
	rows, err := r.query(ctx, `SELECT who, currency, CAST(SUM(available) AS BIGINT), CAST(SUM(held) AS BIGINT) FROM (
			SELECT CASE WHEN EXISTS (SELECT 1 FROM account WHERE account.id = balance.holder) THEN '`+string(People)+`' ELSE holder END AS who,
				currency, available, held FROM balance) AS money
		GROUP BY who, currency ORDER BY currency, who`)
	return each(rows, err, func(scan func(...any) error) error {
		var m MoneyFigure
		err := scan(&m.Holder, &m.Currency, &m.Available, &m.Held)
		f.Money = append(f.Money, m)
		return err
	})
}

func (r reader) bondFigures(ctx context.Context, f *Figures, now time.Time) error {
	rows, err := r.query(ctx, `SELECT state, COUNT(*) FROM bond GROUP BY state`)
	if err := each(rows, err, func(scan func(...any) error) error {
		var state escrow.State
		var n int64
		err := scan(&state, &n)
		f.Bonds[state] = n
		return err
	}); err != nil {
		return err
	}
	var since int64
	if err := r.row(ctx, `SELECT COUNT(*), COALESCE(MIN(due_at), 0) FROM bond WHERE due_at > 0 AND due_at <= ?`, micros(now)).
		Scan(&f.Overdue, &since); err != nil {
		return err
	}
	f.OverdueSince = fromMicros(since)
	rows, err = r.query(ctx, `SELECT id FROM bond WHERE due_at > 0 AND due_at <= ? ORDER BY due_at, id LIMIT 20`, micros(now))
	return each(rows, err, func(scan func(...any) error) error {
		var id escrow.BondID
		err := scan(&id)
		f.Stuck = append(f.Stuck, id)
		return err
	})
}
