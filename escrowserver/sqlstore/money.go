package sqlstore

import (
	"context"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/ledger"
)

func (t *tx) credit(ctx context.Context, op escrowserver.Credit) (escrowserver.CreditLine, error) {
	return t.giveCredit(ctx, op.Name(), op.CreditLine)
}

// giveCredit moves the money from the issuance, once. It gives the credit as it was
// given first.
func (t *tx) giveCredit(ctx context.Context, op string, line escrowserver.CreditLine) (escrowserver.CreditLine, error) {
	if err := t.accountExists(ctx, line.Account); err != nil {
		return line, err
	}
	var before nullCredit
	there, err := found(t.conn.row(ctx, `SELECT `+creditColumns+` FROM credit c WHERE c.id = ?`, line.ID).Scan(before.dest()...))
	if err != nil {
		return line, err
	}
	if there {
		same := *before.credit()
		if same.Kind != line.Kind || same.Account != line.Account || same.Currency != line.Currency || same.Amount != line.Amount || same.Reason != line.Reason {
			return line, escrow.Errorf(escrow.Conflict, "that credit was given before, over something else; nothing was changed")
		}
		return same, nil
	}
	if t.deleted(line.Account) {
		return line, noAccount()
	}
	tr, entry, err := ledger.Move(line.ID, ledger.Issuance, line.Account.Holder(), line.Currency, int64(line.Amount))
	if err != nil {
		return line, err
	}
	if err := t.record(op, tr, entry, line.MadeAt); err != nil {
		return line, err
	}
	_, err = t.exec(ctx, op+".credit", `INSERT INTO credit (id, kind, account, currency, amount, reason, by_whom, signed, made_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		line.ID, line.Kind, line.Account, line.Currency, line.Amount, line.Reason, line.By, line.Signed, micros(line.MadeAt))
	return line, err
}

// welcome gives the welcome credit unless something speaks against it; who proves
// an address is not told what.
func (t *tx) welcome(ctx context.Context, op escrowserver.Welcome) (any, error) {
	if err := t.accountExists(ctx, op.Account); err != nil {
		return nil, err
	}
	// All are counted together.
	if err := t.conn.lock(ctx, "welcome credit"); err != nil {
		return nil, err
	}
	since := micros(op.OneDayAgo)
	for _, limit := range []struct {
		most   int
		text   string
		values []any
	}{
		{1, `SELECT COUNT(*) FROM welcome WHERE mailbox = ? OR account = ?`, []any{op.Mailbox, op.Account}},
		{op.PerDomain, `SELECT COUNT(*) FROM welcome WHERE domain = ? AND made_at > ?`, []any{op.Domain, since}},
		{op.PerDay, `SELECT COUNT(*) FROM welcome WHERE made_at > ?`, []any{since}},
	} {
		var n int
		if err := t.conn.row(ctx, limit.text, limit.values...).Scan(&n); err != nil {
			return nil, err
		}
		if n >= limit.most {
			return false, nil
		}
	}
	if _, err := t.giveCredit(ctx, op.Name(), op.CreditLine); err != nil {
		return nil, err
	}
	_, err := t.exec(ctx, "welcome.welcome", `INSERT INTO welcome (mailbox, account, domain, credit, currency, amount, made_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		op.Mailbox, op.Account, op.Domain, op.ID, op.Currency, op.Amount, micros(op.MadeAt))
	return true, err
}

// readTransfer makes a transfer known that is no bond's.
func (t *tx) readTransfer(ctx context.Context, id string) error {
	tr := &ledger.Transfer{ID: id}
	there, err := found(t.conn.row(ctx, `SELECT payer, payee, currency, amount, state FROM transfer WHERE id = ?`, id).
		Scan(&tr.From, &tr.To, &tr.Currency, &tr.Amount, &tr.State))
	if there {
		t.known.transfers[id] = tr
	}
	return err
}
