package sqlstore

import (
	"context"
	"encoding/json"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

var _ escrowserver.MoneyStore = (*Store)(nil)

// Holder is the account that has proven the address.
func (s *Store) Holder(ctx context.Context, address escrow.Address, now time.Time) (escrow.KeyID, error) {
	var account escrow.KeyID
	ok, err := found(s.reader().row(ctx, `SELECT account FROM address WHERE address = ? AND renew_by > ?`, address, micros(now)).Scan(&account))
	if err == nil && !ok {
		err = escrow.Errorf(escrow.NotFound, "no account here has proven that address")
	}
	return account, err
}

const checkoutColumns = `id, account, operation, provider, currency, amount, unit, units, COALESCE(session, ''), COALESCE(payment, ''), url, state, made_at, ended_at, ask_at`

func scanCheckout(scan func(...any) error) (escrowserver.CheckoutRecord, error) {
	var c escrowserver.CheckoutRecord
	var made, ended, ask int64
	err := scan(&c.ID, &c.Account, &c.Operation, &c.Provider, &c.Currency, &c.Amount, &c.Unit, &c.Units, &c.Session, &c.Payment, &c.URL, &c.State, &made, &ended, &ask)
	c.MadeAt, c.EndedAt, c.AskAt = fromMicros(made), fromMicros(ended), fromMicros(ask)
	return c, err
}

func (r reader) checkout(ctx context.Context, where string, values ...any) (escrowserver.CheckoutRecord, bool, error) {
	c, err := scanCheckout(r.row(ctx, `SELECT `+checkoutColumns+` FROM checkout WHERE `+where, values...).Scan)
	ok, err := found(err)
	return c, ok, err
}

// Checkout returns NotFound for an unknown checkout.
func (s *Store) Checkout(ctx context.Context, id string) (escrowserver.CheckoutRecord, error) {
	c, ok, err := s.reader().checkout(ctx, `id = ?`, id)
	if err == nil && !ok {
		err = escrow.Errorf(escrow.NotFound, "there is no such checkout")
	}
	return c, err
}

// CheckoutOf finds a checkout by the provider's session, or by its payment.
func (s *Store) CheckoutOf(ctx context.Context, provider, session, payment string) (escrowserver.CheckoutRecord, bool, error) {
	return s.reader().checkout(ctx, `provider = ? AND (session = ? OR payment = ?)`, provider, session, payment)
}

// Checkouts lists those in a state, newest first.
func (s *Store) Checkouts(ctx context.Context, state escrow.CheckoutState, limit int) ([]escrowserver.CheckoutRecord, error) {
	return s.reader().checkouts(ctx, `state = ? ORDER BY made_at DESC, id LIMIT ?`, state, limit)
}

// Unheard lists open checkouts about which the provider is to be asked now.
func (s *Store) Unheard(ctx context.Context, provider string, now time.Time, limit int) ([]escrowserver.CheckoutRecord, error) {
	return s.reader().checkouts(ctx, `state = 'open' AND ask_at > 0 AND ask_at <= ? AND provider = ? ORDER BY ask_at, id LIMIT ?`, micros(now), provider, limit)
}

func (r reader) checkouts(ctx context.Context, where string, values ...any) ([]escrowserver.CheckoutRecord, error) {
	rows, err := r.query(ctx, `SELECT `+checkoutColumns+` FROM checkout WHERE `+where, values...)
	var list []escrowserver.CheckoutRecord
	err = each(rows, err, func(scan func(...any) error) error {
		c, err := scanCheckout(scan)
		list = append(list, c)
		return err
	})
	return list, err
}

// Events lists those that are not dealt with, oldest first.
func (s *Store) Events(ctx context.Context, limit int) ([]escrowserver.EventRecord, error) {
	rows, err := s.reader().query(ctx, `SELECT provider, event, received_at FROM provider_event WHERE done_at = 0 ORDER BY received_at, id LIMIT ?`, limit)
	var list []escrowserver.EventRecord
	err = each(rows, err, func(scan func(...any) error) error {
		var e escrowserver.EventRecord
		var text []byte
		var received int64
		if err := scan(&e.Provider, &text, &received); err != nil {
			return err
		}
		e.ReceivedAt = fromMicros(received)
		if err := json.Unmarshal(text, &e.Event); err != nil {
			return err
		}
		list = append(list, e)
		return nil
	})
	return list, err
}

// Debts lists those that are open, oldest first; all of them if asked for.
func (s *Store) Debts(ctx context.Context, all bool) ([]escrowserver.DebtRecord, error) {
	where := ` WHERE d.state = 'open'`
	if all {
		where = ""
	}
	rows, err := s.reader().query(ctx, `SELECT d.provider, d.id, d.checkout, d.kind, d.state, d.note, c.account, c.currency, d.amount, d.made_at, d.ended_at
		FROM debt d JOIN checkout c ON c.id = d.checkout`+where+` ORDER BY d.made_at, d.id`)
	var list []escrowserver.DebtRecord
	err = each(rows, err, func(scan func(...any) error) error {
		var d escrowserver.DebtRecord
		var made, ended int64
		err := scan(&d.Provider, &d.ID, &d.Checkout, &d.Kind, &d.State, &d.Note, &d.Account, &d.Currency, &d.Amount, &made, &ended)
		d.MadeAt, d.EndedAt = fromMicros(made), fromMicros(ended)
		list = append(list, d)
		return err
	})
	return list, err
}

const payoutColumns = `p.id, p.account, p.operation, p.currency, p.amount, p.destination, p.state, p.asked_at, p.not_before, p.begun_at, p.begun_by, p.ended_at, p.note, p.by_whom, p.signed`

func scanPayout(scan func(...any) error, more ...any) (escrowserver.PayoutRecord, error) {
	var p escrowserver.PayoutRecord
	var asked, notBefore, begun, ended int64
	err := scan(append([]any{&p.ID, &p.Account, &p.Operation, &p.Currency, &p.Amount, &p.To, &p.State, &asked, &notBefore, &begun, &p.BegunBy, &ended, &p.Note, &p.By, &p.Signed}, more...)...)
	p.AskedAt, p.NotBefore, p.BegunAt, p.EndedAt = fromMicros(asked), fromMicros(notBefore), fromMicros(begun), fromMicros(ended)
	return p, err
}

func (r reader) payout(ctx context.Context, id string) (escrowserver.PayoutRecord, bool, error) {
	p, err := scanPayout(r.row(ctx, `SELECT `+payoutColumns+` FROM payout p WHERE p.id = ?`, id).Scan)
	ok, err := found(err)
	return p, ok, err
}

// Payouts lists those of an account, newest first.
func (s *Store) Payouts(ctx context.Context, account escrow.KeyID, limit int) ([]escrowserver.PayoutRecord, error) {
	rows, err := s.reader().query(ctx, `SELECT `+payoutColumns+` FROM payout p WHERE p.account = ? ORDER BY p.asked_at DESC, p.id LIMIT ?`, account, limit)
	var list []escrowserver.PayoutRecord
	err = each(rows, err, func(scan func(...any) error) error {
		p, err := scanPayout(scan)
		list = append(list, p)
		return err
	})
	return list, err
}

// PayoutQueue lists all that are asked for: the oldest of each account first, so that
// many of one hide none.
func (s *Store) PayoutQueue(ctx context.Context, since time.Time, limit int) ([]escrowserver.PayoutRecord, error) {
	rows, err := s.reader().query(ctx, `SELECT `+payoutColumns+`, a.frozen_at,
		COALESCE((SELECT b.available FROM balance b WHERE b.holder = p.account AND b.currency = p.currency), 0), `+passingAndDebts+`
		FROM payout p JOIN account a ON a.id = p.account WHERE p.state = 'asked'
		ORDER BY ROW_NUMBER() OVER (PARTITION BY p.account ORDER BY p.asked_at, p.id), p.asked_at, p.id LIMIT ?`, micros(since), limit)
	var list []escrowserver.PayoutRecord
	err = each(rows, err, func(scan func(...any) error) error {
		var frozen int64
		var m means
		p, err := scanPayout(scan, &frozen, &m.available, &m.passing, &m.debts)
		p.FrozenAt, p.Owes = fromMicros(frozen), m.owes()
		list = append(list, p)
		return err
	})
	return list, err
}

// PayoutsAsked counts those that are asked for.
func (s *Store) PayoutsAsked(ctx context.Context) (n int, err error) {
	err = s.reader().row(ctx, `SELECT COUNT(*) FROM payout WHERE state = 'asked'`).Scan(&n)
	return n, err
}
