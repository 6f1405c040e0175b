package sqlstore

import (
	"context"

	"earnest/escrow"
	"earnest/escrowserver"
)

// Movements are the steps of transfers that touched the account, each with the sum
// of its own postings and of all before it.
func (s *Store) Movements(ctx context.Context, account escrow.KeyID, after int64, limit int) ([]escrowserver.MovementRecord, error) {
	rows, err := s.reader().query(ctx, `SELECT m.n, m.made_at, m.transfer, t.payer, m.currency, m.available, m.held, m.sum_available, m.sum_held,
			COALESCE(c.kind, ''), COALESCE(c.reason, (SELECT note FROM payout WHERE payout.id = m.transfer), '')
		FROM (SELECT ROW_NUMBER() OVER (ORDER BY id) AS n, made_at, transfer, currency, available, held,
				CAST(SUM(available) OVER (PARTITION BY currency ORDER BY id) AS BIGINT) AS sum_available,
				CAST(SUM(held) OVER (PARTITION BY currency ORDER BY id) AS BIGINT) AS sum_held
			FROM (SELECT MAX(id) AS id, MAX(made_at) AS made_at, transfer, currency,
					CAST(SUM(CASE WHEN bucket = 'available' THEN amount ELSE 0 END) AS BIGINT) AS available,
					CAST(SUM(CASE WHEN bucket = 'held' THEN amount ELSE 0 END) AS BIGINT) AS held
				FROM posting WHERE holder = ? GROUP BY transfer, state, currency) AS step) AS m
		JOIN transfer t ON t.id = m.transfer LEFT JOIN credit c ON c.id = m.transfer
		WHERE m.n > ? ORDER BY m.n LIMIT ?`, account.Holder(), after, limit)
	var records []escrowserver.MovementRecord
	err = each(rows, err, func(scan func(...any) error) error {
		var r escrowserver.MovementRecord
		var made int64
		err := scan(&r.N, &made, &r.Transfer, &r.Payer, &r.Currency, &r.Change.Available, &r.Change.Held, &r.After.Available, &r.After.Held, &r.Credit, &r.Reason)
		r.Time = fromMicros(made)
		records = append(records, r)
		return err
	})
	return records, err
}
