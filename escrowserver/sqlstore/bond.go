package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/ledger"
)

// bond is a bond as loaded, with the salt of its quote.
type bond struct {
	escrow.Bond
	salt string
}

// errDamaged: a bond cannot be read as it is stored.
var errDamaged = errors.New("the books are damaged")

const bondColumns = `id, quote, sender, sender_account, recipient, recipient_account, key_fingerprint, state,
	bought_at, deliver_by, decide_by, final_at, arrived_at, read_at, effective_at, ended_at, withdraw_asked_at,
	late_accepted_at, last_decision, decision_n, extension_seconds, extension_signed, verification, reply`

// scanBond reads bondColumns, after what comes before them. What the quote says
// stands in the quote alone.
func scanBond(scan func(...any) error, first ...any) (bond, error) {
	var b bond
	times := make([]int64, 10)
	dest := append(first, &b.ID, &b.Quote, &b.Sender, &b.SenderAccount, &b.Recipient, &b.RecipientAccount, &b.KeyFingerprint, &b.State)
	for i := range times {
		dest = append(dest, &times[i])
	}
	dest = append(dest, &b.LastDecision, &b.DecisionN, &b.Extension, &b.ExtensionSigned, &b.Verification, &b.Reply)
	if err := scan(dest...); err != nil {
		return bond{}, err
	}
	for i, field := range []*time.Time{&b.BoughtAt, &b.DeliverBy, &b.DecideBy, &b.FinalAt, &b.ArrivedAt, &b.ReadAt,
		&b.EffectiveAt, &b.EndedAt, &b.WithdrawAskedAt, &b.LateAcceptedAt} {
		*field = fromMicros(times[i])
	}
	var quote escrow.Quote
	if err := escrow.Peek(b.Quote, &quote); err != nil {
		return bond{Bond: escrow.Bond{ID: b.ID}}, fmt.Errorf("%w: the quote of bond %s: %v", errDamaged, b.ID, err)
	}
	b.Terms, b.Option, b.Beneficiary, b.salt = quote.Terms, quote.Option, quote.Beneficiary, quote.Salt
	return b, nil
}

func (r reader) bond(ctx context.Context, id escrow.BondID) (bond, error) {
	b, err := scanBond(r.QueryRowContext(ctx, `SELECT `+bondColumns+` FROM bond WHERE id = ?`, id).Scan)
	ok, err := found(err)
	if err == nil && !ok {
		err = escrow.Errorf(escrow.NotFound, "there is no such bond of yours")
	}
	return b, err
}

func (t *tx) insertBond(ctx context.Context, op string, b escrow.Bond, group string) error {
	_, err := t.exec(ctx, op+".bond", `INSERT INTO bond (id, quote, sender, sender_folded, sender_group, sender_account,
			recipient, recipient_account, key_fingerprint, state, due_at,
			bought_at, deliver_by, decide_by, final_at, arrived_at, read_at, effective_at, ended_at, withdraw_asked_at,
			late_accepted_at, last_decision, decision_n, extension_seconds, extension_signed, verification, reply)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		b.ID, b.Quote, b.Sender, b.Sender.Folded(), group, b.SenderAccount,
		b.Recipient, b.RecipientAccount, b.KeyFingerprint, b.State, micros(b.Due()),
		micros(b.BoughtAt), micros(b.DeliverBy), micros(b.DecideBy), micros(b.FinalAt), micros(b.ArrivedAt), micros(b.ReadAt),
		micros(b.EffectiveAt), micros(b.EndedAt), micros(b.WithdrawAskedAt), micros(b.LateAcceptedAt),
		b.LastDecision, b.DecisionN, b.Extension, b.ExtensionSigned, blob(b.Verification), blob(b.Reply))
	return err
}

// updateBond stores what can change of a bond.
func (t *tx) updateBond(ctx context.Context, op string, b escrow.Bond) error {
	n, err := t.exec(ctx, op+".bond", `UPDATE bond SET state = ?, due_at = ?, decide_by = ?, arrived_at = ?, read_at = ?,
			effective_at = ?, ended_at = ?, withdraw_asked_at = ?, late_accepted_at = ?, last_decision = ?, decision_n = ?,
			extension_seconds = ?, extension_signed = ?, verification = ?, reply = ?
		WHERE id = ?`,
		b.State, micros(b.Due()), micros(b.DecideBy), micros(b.ArrivedAt), micros(b.ReadAt),
		micros(b.EffectiveAt), micros(b.EndedAt), micros(b.WithdrawAskedAt), micros(b.LateAcceptedAt), b.LastDecision, b.DecisionN,
		b.Extension, b.ExtensionSigned, blob(b.Verification), blob(b.Reply), b.ID)
	if err == nil && n != 1 {
		err = fmt.Errorf("bond %s is gone", b.ID)
	}
	return err
}

// blob keeps "none" apart from "empty".
func blob(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

// party loads a bond for an operation of one of its parties, and first does what
// a deadline has brought about.
func (t *tx) party(ctx context.Context, m escrowserver.Moment, account escrow.KeyID, id escrow.BondID, role escrow.Role) (bond, error) {
	b, err := t.reader().bond(ctx, id)
	if err != nil {
		return b, err
	}
	mine, other := b.SenderAccount, b.RecipientAccount
	if role == escrow.RoleRecipient {
		mine, other = other, mine
	}
	switch account {
	case mine:
		return t.advance(ctx, "advance", m, b)
	case other:
		return b, escrow.Errorf(escrow.Forbidden, "only the %s of the bond may do that", role)
	}
	return b, escrow.Errorf(escrow.NotFound, "there is no such bond of yours")
}

// advance books what a deadline has brought about.
func (t *tx) advance(ctx context.Context, op string, m escrowserver.Moment, b bond) (bond, error) {
	if !m.Due(b.Bond) {
		return b, nil
	}
	next, step, due := b.Advance(m.Now)
	if !due {
		return b, nil
	}
	b.Bond = next
	_, err := t.book(ctx, op, m, b, step)
	return b, err
}

// book stores the bond after the step, moves the money, appends the receipt and
// tells the parties. It returns the receipt.
func (t *tx) book(ctx context.Context, op string, m escrowserver.Moment, b bond, step escrow.Step) (escrow.Signed, error) {
	if err := t.moveMoney(ctx, op, b.ID, step, m.Now); err != nil {
		return "", err
	}
	receipt, err := t.receipt(ctx, op, m, b, step)
	if err != nil {
		return "", err
	}
	if err := t.updateBond(ctx, op, b.Bond); err != nil {
		return "", err
	}
	return receipt, t.tell(ctx, op, b.Bond, !step.HiddenFromSender)
}

// moveMoney ends the bond's pending transfer where the step does.
func (t *tx) moveMoney(ctx context.Context, op string, id escrow.BondID, step escrow.Step, now time.Time) error {
	if step.Money == escrow.MoneyStays {
		return nil
	}
	tr, err := t.transfer(ctx, string(id))
	if err != nil {
		return err
	}
	end := tr.Void
	switch {
	case step.Money == escrow.MoneyForfeit:
		end = tr.Post
	case step.Event == escrow.EventExpired:
		end = tr.Expire
	}
	ended, entry, err := end()
	if err != nil {
		return err
	}
	return t.record(ctx, op, ended, entry, now)
}

// receipt signs and stores the receipt of a step. One outside of the chain
// names the head of the chain and does not become it.
func (t *tx) receipt(ctx context.Context, op string, m escrowserver.Moment, b bond, step escrow.Step) (escrow.Signed, error) {
	var n int64
	head := b.Quote
	if _, err := found(t.sql.QueryRowContext(ctx, `SELECT n, jws FROM receipt WHERE bond = ? AND n > 0 ORDER BY n DESC LIMIT 1`, b.ID).
		Scan(&n, &head)); err != nil {
		return "", err
	}
	r := escrow.NewReceipt(b.Bond, b.salt, step, n+1, head.Hash())
	signed, err := m.Sign(r)
	if err != nil {
		return "", err
	}
	_, err = t.exec(ctx, op+".receipt", `INSERT INTO receipt (bond, n, jws) VALUES (?, ?, ?)`, b.ID, r.N, signed)
	return signed, err
}

// tell gives the bond a new change number in its parties' lists.
func (t *tx) tell(ctx context.Context, op string, b escrow.Bond, sender bool) error {
	if sender {
		if err := t.change(ctx, op, b.ID, b.SenderAccount, escrow.RoleSender); err != nil {
			return err
		}
	}
	return t.change(ctx, op, b.ID, b.RecipientAccount, escrow.RoleRecipient)
}

// change numbers count within the account, so that no reader sees a later number
// committed before an earlier one.
func (t *tx) change(ctx context.Context, op string, id escrow.BondID, account escrow.KeyID, role escrow.Role) error {
	var n int64
	err := t.execReturning(ctx, op+".change", []any{&n}, `UPDATE account SET change = change + 1 WHERE id = ? RETURNING change`, account)
	if err != nil {
		return err
	}
	t.touched = append(t.touched, account)
	_, err = t.exec(ctx, op+".party", `INSERT INTO party (account, change, bond, role) VALUES (?, ?, ?, ?)
		ON CONFLICT (bond, role) DO UPDATE SET change = excluded.change`, account, n, id, role)
	return err
}

// recorded finds the answer that a signed statement got before. Certificates are
// not kept twice: they come from the bond, if it still has them.
func (t *tx) recorded(ctx context.Context, b bond, query string, args ...any) (escrow.Outcome, bool, error) {
	var text string
	ok, err := found(t.sql.QueryRowContext(ctx, query, args...).Scan(&text))
	if err != nil || !ok {
		return escrow.Outcome{}, false, err
	}
	var outcome escrow.Outcome
	if err := json.Unmarshal([]byte(text), &outcome); err != nil {
		return escrow.Outcome{}, false, fmt.Errorf("the stored outcome: %w", err)
	}
	now := b.View(escrow.RoleRecipient)
	outcome.Bond.Verification = now.Verification
	if outcome.Bond.State == escrow.Accepted || !outcome.Bond.LateAcceptedAt.IsZero() {
		outcome.Bond.Reply = now.Reply
	}
	return outcome, true, nil
}

// outcome is the answer to a recipient's step, and the text of it to be kept.
func outcome(b bond, receipt escrow.Signed) (escrow.Outcome, string, error) {
	o := escrow.Outcome{Bond: b.View(escrow.RoleRecipient), Receipt: receipt}
	kept := o
	kept.Bond.Verification, kept.Bond.Reply = nil, nil
	text, err := json.Marshal(kept)
	return o, string(text), err
}

// hold makes the pending transfer of a bond.
func (t *tx) hold(ctx context.Context, op string, b escrow.Bond, now time.Time) error {
	tr, entry, err := ledger.Hold(string(b.ID), b.SenderAccount.Holder(), b.Beneficiary, b.Option.Currency, int64(b.Option.Amount))
	if err != nil {
		return err
	}
	return t.record(ctx, op, tr, entry, now)
}
