package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"earnest/escrowserver"
	"earnest/ledger"
)

// Walk shows all books to the visitor, as of one moment.
func (s *Store) Walk(ctx context.Context, v escrowserver.Visitor) error {
	r, end, err := s.snapshot(ctx)
	if err != nil {
		return fmt.Errorf("walk: %w", err)
	}
	defer end()
	for _, part := range []struct {
		wanted bool
		walk   func(context.Context, escrowserver.Visitor) error
	}{
		{v.Fault != nil, func(ctx context.Context, v escrowserver.Visitor) error { return s.engine.check(ctx, r, v.Fault) }},
		{v.Safety != nil, r.walkSafety},
		{v.Sealed != nil, r.walkSealed},
		{v.Sealing != nil, r.walkSealing},
		{v.Proven != nil, r.walkProven},
		{v.Limit != nil, r.walkSealedLimits},
		{v.Inventory != nil, r.walkInventories},
		{v.Epoch != nil, r.walkEpoch},
		{v.LogAnchor != nil, r.walkAnchor},
		{v.Audit != nil, r.walkAudit},
		{v.Fault != nil, r.walkLimits},
		{v.Outage != nil, r.walkOutages},
		{v.Balance != nil, r.walkBalances},
		{v.Transfer != nil, r.walkTransfers},
		{v.Voucher != nil, r.walkVouchers},
		{v.Credit != nil, r.walkCredits},
		{v.Checkout != nil, r.walkCheckouts},
		{v.Welcome != nil, r.walkWelcomes},
		{v.Payout != nil, r.walkPayouts},
		{v.Offer != nil, r.walkOffers},
		{v.Bond != nil, r.walkBonds},
		{v.BondMoney != nil, r.walkBondMoney},
		{v.Key != nil, r.walkKeys},
		{v.Certificate != nil, r.walkCertificates},
	} {
		if !part.wanted {
			continue
		}
		if err := part.walk(ctx, v); err != nil {
			return fmt.Errorf("walk: %w", err)
		}
	}
	return nil
}

func (r reader) walkBalances(ctx context.Context, v escrowserver.Visitor) error {
	rows, err := r.query(ctx, `SELECT holder, currency, available, held FROM balance ORDER BY holder, currency`)
	return each(rows, err, func(scan func(...any) error) error {
		var b escrowserver.BalanceLine
		if err := scan(&b.Holder, &b.Currency, &b.Balance.Available, &b.Balance.Held); err != nil {
			return err
		}
		return v.Balance(b)
	})
}

// walkTransfers shows each transfer with its steps.
func (r reader) walkTransfers(ctx context.Context, v escrowserver.Visitor) error {
	var at escrowserver.TransferLine
	show := func() error {
		if at.ID == "" {
			return nil
		}
		return v.Transfer(at)
	}
	rows, err := r.query(ctx, `SELECT e.transfer, e.step, e.state, e.payer, e.payee, e.currency, e.amount, e.made_at,
			EXISTS (SELECT 1 FROM bond WHERE bond.id = e.transfer),
			EXISTS (SELECT 1 FROM voucher WHERE e.transfer LIKE 'voucher:%' AND voucher.hash = substr(e.transfer, 9) AND voucher.redeemed_at > 0),
			EXISTS (SELECT 1 FROM credit WHERE credit.id = e.transfer), EXISTS (SELECT 1 FROM payout WHERE payout.id = e.transfer)
		FROM entry e ORDER BY e.transfer, e.step`)
	err = each(rows, err, func(scan func(...any) error) error {
		var t escrowserver.TransferLine
		var step escrowserver.StepLine
		var made int64
		if err := scan(&step.ID, &step.N, &step.State, &step.From, &step.To, &step.Currency, &step.Amount, &made,
			&t.OfBond, &t.OfVoucher, &t.OfCredit, &t.OfPayout); err != nil {
			return err
		}
		step.MadeAt = fromMicros(made)
		if step.ID != at.ID {
			if err := show(); err != nil {
				return err
			}
			at, at.Transfer = t, step.Transfer
		}
		at.Steps, at.State = append(at.Steps, step), step.State
		return nil
	})
	if err != nil {
		return err
	}
	return show()
}

func (r reader) walkVouchers(ctx context.Context, v escrowserver.Visitor) error {
	rows, err := r.query(ctx, `SELECT v.hash, v.currency, v.amount, COALESCE(v.account, ''), v.redeemed_at, v.signed,
			t.id, t.payer, t.payee, t.currency, t.amount, t.state
		FROM voucher v LEFT JOIN transfer t ON t.id = 'voucher:' || v.hash ORDER BY v.hash`)
	return each(rows, err, func(scan func(...any) error) error {
		var line escrowserver.VoucherLine
		var redeemed int64
		var t nullTransfer
		if err := scan(append([]any{&line.Hash, &line.Currency, &line.Amount, &line.Account, &redeemed, &line.Signed}, t.dest()...)...); err != nil {
			return err
		}
		line.RedeemedAt, line.Transfer = fromMicros(redeemed), t.transfer()
		return v.Voucher(line)
	})
}

// nullTransfer is a transfer that may not be there.
type nullTransfer struct {
	id, payer, payee, currency, state sql.NullString
	amount                            sql.NullInt64
}

func (n *nullTransfer) dest() []any {
	return []any{&n.id, &n.payer, &n.payee, &n.currency, &n.amount, &n.state}
}

func (n *nullTransfer) transfer() *ledger.Transfer {
	if !n.id.Valid {
		return nil
	}
	return &ledger.Transfer{ID: n.id.String, From: ledger.Holder(n.payer.String), To: ledger.Holder(n.payee.String),
		Currency: n.currency.String, Amount: n.amount.Int64, State: ledger.State(n.state.String)}
}

func (r reader) walkOffers(ctx context.Context, v escrowserver.Visitor) error {
	rows, err := r.query(ctx, `SELECT o.address, o.account, COALESCE(a.account, ''), o.jws, o.public, o.made
		FROM offer o LEFT JOIN address a ON a.address = o.address ORDER BY o.address`)
	return each(rows, err, func(scan func(...any) error) error {
		var line escrowserver.OfferLine
		var made int64
		if err := scan(&line.Address, &line.Account, &line.Holder, &line.Signed, &line.Public, &made); err != nil {
			return err
		}
		line.Made = fromMicros(made)
		return v.Offer(line)
	})
}

func (r reader) walkKeys(ctx context.Context, v escrowserver.Visitor) error {
	rows, err := r.query(ctx, `SELECT fingerprint, SUM(known), SUM(unsold), SUM(sold) FROM (
			SELECT fingerprint, 1 AS known, 0 AS unsold, 0 AS sold FROM key_fingerprint
			UNION ALL SELECT fingerprint, 0, 1, 0 FROM one_time_key
			UNION ALL SELECT key_fingerprint, 0, 0, 1 FROM bond) AS keys
		GROUP BY fingerprint ORDER BY fingerprint`)
	return each(rows, err, func(scan func(...any) error) error {
		var k escrowserver.KeyLine
		if err := scan(&k.Fingerprint, &k.Known, &k.Unsold, &k.Sold); err != nil {
			return err
		}
		return v.Key(k)
	})
}

// walkCertificates shows those for sale, then those that are sold and kept until
// their buyer has them; those of one batch one after another.
func (r reader) walkCertificates(ctx context.Context, v escrowserver.Visitor) error {
	for _, query := range []string{
		`SELECT k.fingerprint, k.address, k.certificate, b.hash, b.jws, a.id, a.public_key, COALESCE(h.account, '-')
			FROM one_time_key k JOIN key_batch b ON b.hash = k.batch JOIN account a ON a.id = b.account
			LEFT JOIN address h ON h.address = k.address ORDER BY b.hash, k.id`,
		`SELECT bond.key_fingerprint, bond.recipient, s.certificate, b.hash, b.jws, a.id, a.public_key, ''
			FROM sold_key s JOIN bond ON bond.id = s.bond JOIN key_batch b ON b.hash = s.batch JOIN account a ON a.id = b.account
			ORDER BY b.hash, s.bond`,
	} {
		rows, err := r.query(ctx, query)
		if err := each(rows, err, func(scan func(...any) error) error {
			var c escrowserver.CertificateLine
			if err := scan(&c.Fingerprint, &c.Address, &c.Certificate, &c.BatchHash, &c.Batch, &c.Account, (*[]byte)(&c.Key), &c.Holder); err != nil {
				return err
			}
			return v.Certificate(c)
		}); err != nil {
			return err
		}
	}
	return nil
}
