package sqlstore

import (
	"context"
	"database/sql"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
)

const creditColumns = `c.id, c.kind, c.account, c.currency, c.amount, c.reason, c.by_whom, c.signed, c.made_at`

// nullCredit is a credit that may not be there.
type nullCredit struct {
	id, kind, account, currency, reason, by, signed sql.NullString
	amount, made                                    sql.NullInt64
}

func (n *nullCredit) dest() []any {
	return []any{&n.id, &n.kind, &n.account, &n.currency, &n.amount, &n.reason, &n.by, &n.signed, &n.made}
}

func (n *nullCredit) credit() *escrowserver.CreditLine {
	if !n.id.Valid {
		return nil
	}
	return &escrowserver.CreditLine{ID: n.id.String, Kind: escrowserver.CreditKind(n.kind.String), Account: escrow.KeyID(n.account.String),
		Currency: n.currency.String, Amount: payment.Amount(n.amount.Int64), Reason: n.reason.String, By: n.by.String,
		Signed: escrow.Signed(n.signed.String), MadeAt: fromMicros(n.made.Int64)}
}

func (r reader) walkCredits(ctx context.Context, v escrowserver.Visitor) error {
	rows, err := r.query(ctx, `SELECT `+creditColumns+`, t.id, t.payer, t.payee, t.currency, t.amount, t.state,
			EXISTS (SELECT 1 FROM checkout o WHERE o.id = c.id AND o.state = 'paid'), EXISTS (SELECT 1 FROM welcome w WHERE w.credit = c.id)
		FROM credit c LEFT JOIN transfer t ON t.id = c.id ORDER BY c.id`)
	return each(rows, err, func(scan func(...any) error) error {
		var c nullCredit
		var t nullTransfer
		var of escrowserver.CreditOf
		if err := scan(append(append(c.dest(), t.dest()...), &of.Checkout, &of.Welcome)...); err != nil {
			return err
		}
		line := c.credit()
		line.Transfer = t.transfer()
		return v.Credit(*line, of)
	})
}

func (r reader) walkCheckouts(ctx context.Context, v escrowserver.Visitor) error {
	rows, err := r.query(ctx, `SELECT o.id, o.account, o.provider, o.currency, o.amount, o.state,
			CAST(COALESCE((SELECT SUM(d.amount) FROM debt d WHERE d.checkout = o.id), 0) AS BIGINT), `+creditColumns+`
		FROM checkout o LEFT JOIN credit c ON c.id = o.id ORDER BY o.id`)
	return each(rows, err, func(scan func(...any) error) error {
		var line escrowserver.CheckoutLine
		var c nullCredit
		if err := scan(append([]any{&line.ID, &line.Account, &line.Provider, &line.Currency, &line.Amount, &line.State, &line.Debts}, c.dest()...)...); err != nil {
			return err
		}
		line.Credit = c.credit()
		return v.Checkout(line)
	})
}

func (r reader) walkWelcomes(ctx context.Context, v escrowserver.Visitor) error {
	rows, err := r.query(ctx, `SELECT w.mailbox, w.account, w.currency, w.amount, w.made_at, `+creditColumns+`
		FROM welcome w LEFT JOIN credit c ON c.id = w.credit ORDER BY w.mailbox`)
	return each(rows, err, func(scan func(...any) error) error {
		var line escrowserver.WelcomeLine
		var made int64
		var c nullCredit
		if err := scan(append([]any{&line.Mailbox, &line.Account, &line.Currency, &line.Amount, &made}, c.dest()...)...); err != nil {
			return err
		}
		line.MadeAt, line.Credit = fromMicros(made), c.credit()
		return v.Welcome(line)
	})
}

func (r reader) walkPayouts(ctx context.Context, v escrowserver.Visitor) error {
	rows, err := r.query(ctx, `SELECT `+payoutColumns+`, t.id, t.payer, t.payee, t.currency, t.amount, t.state
		FROM payout p LEFT JOIN transfer t ON t.id = p.id ORDER BY p.id`)
	return each(rows, err, func(scan func(...any) error) error {
		var t nullTransfer
		p, err := scanPayout(scan, t.dest()...)
		if err != nil {
			return err
		}
		p.Transfer = t.transfer()
		return v.Payout(p)
	})
}
