package escrowserver

import (
	"context"
	"fmt"
	"strings"

	"earnest/escrow"
	"earnest/payment"
)

// Movements is a statement of the account, read off the books.
func (v view) Movements(ctx context.Context, after int64, limit int) (escrow.MovementPage, error) {
	if _, err := v.account(ctx); err != nil {
		return escrow.MovementPage{}, err
	}
	if after < 0 || limit < 0 {
		return escrow.MovementPage{}, escrow.Errorf(escrow.Invalid, "cursor and limit of movements are not negative")
	}
	if limit == 0 || limit > escrow.MaxMovements {
		limit = escrow.MaxMovements
	}
	records, err := v.s.cfg.Store.Movements(ctx, v.id, after, limit+1)
	if err != nil {
		return escrow.MovementPage{}, v.s.failed(ctx, "movements", err)
	}
	page := escrow.MovementPage{Movements: []escrow.Movement{}, Cursor: after}
	if len(records) > limit {
		records, page.More = records[:limit], true
	}
	for _, record := range records {
		m, err := v.movement(record)
		if err != nil {
			return escrow.MovementPage{}, v.s.failed(ctx, "movements", err)
		}
		page.Movements, page.Cursor = append(page.Movements, m), m.N
	}
	return page, nil
}

func (v view) movement(r MovementRecord) (escrow.Movement, error) {
	kind, amount, ok := escrow.KindOf(r.Payer, r.Change.Available, r.Change.Held)
	if !ok {
		return escrow.Movement{}, fmt.Errorf("transfer %s changed an account by %+v, which no operation does; run verify", r.Transfer, r.Change)
	}
	currency, known := v.s.currency(r.Currency)
	if !known {
		currency = payment.Currency{Name: r.Currency}
	}
	payout := strings.HasPrefix(r.Transfer, "payout:")
	if payout {
		kind = kind.OfPayout()
	}
	m := escrow.Movement{N: r.N, Time: r.Time, Kind: kind, Currency: currency, Amount: amount,
		Available: payment.Amount(r.After.Available), Held: payment.Amount(r.After.Held), Reason: r.Reason}
	if kind == escrow.MovePayout {
		m.Reason = "" // it is of the end
	}
	switch kind {
	case escrow.MoveTopUp:
		if m.Ground = r.Credit; m.Ground == "" {
			m.Ground = escrow.GroundVoucher
		}
	case escrow.MoveHold, escrow.MoveRefund, escrow.MoveForfeit:
		m.Bond = escrow.BondID(r.Transfer)
	}
	return m, nil
}
