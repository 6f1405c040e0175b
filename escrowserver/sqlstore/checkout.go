package sqlstore

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
)

func (t *tx) startCheckout(ctx context.Context, op escrowserver.StartCheckout) (any, error) {
	if err := t.accountExists(ctx, op.Account); err != nil {
		return nil, err
	}
	c, there, err := t.reader().checkout(ctx, `id = ?`, op.ID)
	if err != nil {
		return nil, err
	}
	if there {
		if c.Currency != op.Currency || c.Amount != op.Amount {
			return nil, escrow.Errorf(escrow.Conflict, "that operation id was used for something else")
		}
		return c, nil
	}
	if t.deleted(op.Account) {
		return nil, noAccount()
	}
	if err := t.mayCheckOut(ctx, op); err != nil {
		return nil, err
	}
	c = op.CheckoutRecord
	c.State = escrow.CheckoutAsked
	_, err = t.exec(ctx, "checkout.checkout", `INSERT INTO checkout (id, account, operation, provider, currency, amount, unit, units, state, made_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		c.ID, c.Account, c.Operation, c.Provider, c.Currency, c.Amount, c.Unit, c.Units, c.State, micros(c.MadeAt))
	return c, err
}

// mayCheckOut bounds the pages of an account that can be paid at once: each is one at
// the provider. One that nobody told the end of counts until it cannot be paid any more.
func (t *tx) mayCheckOut(ctx context.Context, op escrowserver.StartCheckout) error {
	var n int
	var first int64
	err := t.conn.row(ctx, `SELECT COUNT(*), COALESCE(MIN(made_at), 0) FROM checkout WHERE account = ? AND state IN ('asked', 'open') AND made_at > ?`,
		op.Account, micros(op.MadeAt.Add(-escrowserver.CheckoutLife))).Scan(&n, &first)
	if err == nil && n >= escrowserver.OpenCheckouts {
		err = escrowserver.TooManyCheckouts(fromMicros(first).Add(escrowserver.CheckoutLife).Sub(op.MadeAt))
	}
	return err
}

// lockedCheckout reads a checkout once its account is locked.
func (t *tx) lockedCheckout(ctx context.Context, id string) (escrowserver.CheckoutRecord, error) {
	c, there, err := t.reader().checkout(ctx, `id = ?`, id)
	if err != nil {
		return c, err
	}
	if !there {
		return c, escrow.Errorf(escrow.NotFound, "there is no such checkout")
	}
	if err := t.accountExists(ctx, c.Account); err != nil {
		return c, err
	}
	c, _, err = t.reader().checkout(ctx, `id = ?`, id)
	return c, err
}

func (t *tx) openCheckout(ctx context.Context, op escrowserver.OpenCheckout) (any, error) {
	c, err := t.lockedCheckout(ctx, op.Checkout)
	if err != nil {
		return nil, err
	}
	if c.Session == "" {
		c.Session = op.Session.ID
	}
	if c.Session != op.Session.ID || c.URL != "" {
		return c, nil
	}
	c.URL = op.Session.URL
	if c.State == escrow.CheckoutAsked {
		c.State = escrow.CheckoutOpen
	}
	c.AskAt = op.AskAt
	_, err = t.exec(ctx, "opencheckout.checkout", `UPDATE checkout SET session = ?, url = ?, state = ?, ask_at = ? WHERE id = ?`, c.Session, c.URL, c.State, micros(c.AskAt), c.ID)
	return c, err
}

// lookAgain keeps when the provider is asked next.
func (t *tx) lookAgain(ctx context.Context, op escrowserver.LookAgain) error {
	c, err := t.lockedCheckout(ctx, op.Checkout)
	if err != nil || c.State != escrow.CheckoutOpen {
		return err
	}
	_, err = t.exec(ctx, "look.checkout", `UPDATE checkout SET ask_at = ? WHERE id = ?`, micros(op.At), c.ID)
	return err
}

// settleCheckout believes what the provider says of the session: that it is paid
// counts whenever it is told, and once; that it is over counts until it is paid. What
// was paid for an account that is deleted by then is nobody's here.
func (t *tx) settleCheckout(ctx context.Context, op escrowserver.SettleCheckout) (any, error) {
	c, err := t.lockedCheckout(ctx, op.Checkout)
	if err != nil {
		return nil, err
	}
	s := op.Session
	if c.Session != "" && c.Session != s.ID {
		return nil, escrow.Errorf(escrow.Conflict, "the checkout has another session")
	}
	next := c
	next.Session = s.ID
	switch {
	case c.State == escrow.CheckoutPaid || c.State == escrow.CheckoutWrong:
		return c, nil
	case s.Paid && (s.Unit != c.Unit || s.Units != c.Units || t.deleted(c.Account)):
		next.State, next.Payment, next.EndedAt = escrow.CheckoutWrong, s.Payment, op.Now
	case s.Paid:
		next.State, next.Payment, next.EndedAt = escrow.CheckoutPaid, s.Payment, op.Now
		line := escrowserver.CreditLine{ID: c.ID, Kind: escrowserver.CreditPayment, Account: c.Account,
			Currency: c.Currency, Amount: c.Amount, By: c.Provider, MadeAt: op.Now}
		if line.Signed, err = op.Sign(line); err != nil {
			return nil, err
		}
		if _, err := t.giveCredit(ctx, op.Name(), line); err != nil {
			return nil, err
		}
	case s.Over:
		next.State, next.EndedAt = escrow.CheckoutOver, op.Now
	}
	if next == c {
		return c, nil
	}
	text, values := `UPDATE checkout SET session = ?, state = ?, ended_at = ?`, []any{next.Session, next.State, micros(next.EndedAt)}
	if next.Payment != "" {
		text, values = text+`, payment = ?`, append(values, next.Payment)
	}
	_, err = t.exec(ctx, "settle.checkout", text+` WHERE id = ?`, append(values, c.ID)...)
	return next, err
}

func (t *tx) keepEvent(ctx context.Context, op escrowserver.KeepEvent) (any, error) {
	text, err := json.Marshal(op.Event)
	if err != nil {
		return nil, err
	}
	n, err := t.exec(ctx, "event.event", `INSERT INTO provider_event (provider, id, event, received_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (provider, id) DO NOTHING`, op.Provider, op.Event.ID, string(text), micros(op.Now))
	return n == 1, err
}

func (t *tx) endEvent(ctx context.Context, op escrowserver.EndEvent) error {
	_, err := t.exec(ctx, "endevent.event", `UPDATE provider_event SET done_at = ?, outcome = ? WHERE provider = ? AND id = ? AND done_at = 0`,
		micros(op.Now), op.Outcome, op.Provider, op.ID)
	return err
}

// takeBack keeps the most that was taken back under the id. What is settled of that
// stays so: what comes on top is a debt of its own, under the id with a number. A
// dispute that was won stays so, in whatever order it is told.
func (t *tx) takeBack(ctx context.Context, op escrowserver.TakeBack) error {
	c, err := t.lockedCheckout(ctx, op.Checkout)
	if err != nil {
		return err
	}
	if c.State != escrow.CheckoutPaid {
		return escrow.Errorf(escrow.Conflict, "nothing was credited for that checkout")
	}
	debts, err := t.debtsOf(ctx, op)
	if err != nil {
		return err
	}
	var known payment.Amount
	open := ""
	for _, d := range debts {
		if d.State == debtWon {
			return nil
		}
		if known += d.Amount; d.State == debtOpen {
			open = d.ID
		}
	}
	more := op.Amount - known
	switch {
	case op.Won && len(debts) > 0:
		for _, d := range debts {
			if _, err := t.exec(ctx, "takeback.won", `UPDATE debt SET state = 'won', ended_at = ? WHERE provider = ? AND id = ?`,
				micros(op.Now), op.Provider, d.ID); err != nil {
				return err
			}
		}
		return nil
	case op.Won:
		return t.newDebt(ctx, op, op.ID, op.Amount, debtWon, micros(op.Now))
	case more <= 0:
		return nil
	case open != "":
		_, err = t.exec(ctx, "takeback.more", `UPDATE debt SET amount = amount + ? WHERE provider = ? AND id = ?`, more, op.Provider, open)
		return err
	case len(debts) > 0:
		return t.newDebt(ctx, op, op.ID+debtNumber+strconv.Itoa(len(debts)+1), more, debtOpen, 0)
	}
	return t.newDebt(ctx, op, op.ID, op.Amount, debtOpen, 0)
}

// The states of a debt that a provider's word makes, and what is between its id there
// and the number of a debt after the first.
const (
	debtOpen   = "open"
	debtWon    = "won"
	debtNumber = "+"
)

// debtsOf are the debts under the provider's id. The checkout's account is locked.
func (t *tx) debtsOf(ctx context.Context, op escrowserver.TakeBack) (debts []escrowserver.DebtRecord, err error) {
	rows, err := t.conn.query(ctx, `SELECT id, state, amount FROM debt WHERE provider = ? AND checkout = ? ORDER BY id`, op.Provider, op.Checkout)
	err = each(rows, err, func(scan func(...any) error) error {
		var d escrowserver.DebtRecord
		err := scan(&d.ID, &d.State, &d.Amount)
		if d.ID == op.ID || strings.HasPrefix(d.ID, op.ID+debtNumber) {
			debts = append(debts, d)
		}
		return err
	})
	return debts, err
}

func (t *tx) newDebt(ctx context.Context, op escrowserver.TakeBack, id string, amount payment.Amount, state string, ended int64) error {
	_, err := t.exec(ctx, "takeback.debt", `INSERT INTO debt (provider, id, checkout, kind, amount, state, made_at, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		op.Provider, id, op.Checkout, op.Kind, amount, state, micros(op.Now), ended)
	return err
}

func (t *tx) settleDebt(ctx context.Context, op escrowserver.SettleDebt) error {
	n, err := t.exec(ctx, "debt.debt", `UPDATE debt SET state = 'settled', note = ?, ended_at = ? WHERE provider = ? AND id = ? AND state = 'open'`,
		op.Note, micros(op.Now), op.Provider, op.ID)
	if err != nil || n == 1 {
		return err
	}
	var one int
	done, err := found(t.conn.row(ctx, `SELECT 1 FROM debt WHERE provider = ? AND id = ? AND state = 'settled' AND note = ?`,
		op.Provider, op.ID, op.Note).Scan(&one))
	if err == nil && !done {
		err = escrow.Errorf(escrow.NotFound, "there is no such open debt")
	}
	return err
}
