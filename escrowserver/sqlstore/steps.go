package sqlstore

import (
	"context"

	"earnest/escrow"
	"earnest/escrowserver"
)

func (t *tx) askWithdraw(ctx context.Context, op escrowserver.AskWithdraw) (any, error) {
	b, err := t.party(ctx, op.Moment, op.Account, op.Bond, escrow.RoleSender)
	if err != nil {
		return nil, err
	}
	asked := !b.WithdrawAskedAt.IsZero()
	if b.Bond, err = b.AskWithdraw(op.Now); err != nil {
		return nil, err
	}
	if !asked {
		if err := t.updateBond(ctx, "withdraw", b.Bond); err != nil {
			return nil, err
		}
		if err := t.tell(ctx, "withdraw", b.Bond, true); err != nil {
			return nil, err
		}
	}
	return b.View(escrow.RoleSender), nil
}

func (t *tx) arrive(ctx context.Context, op escrowserver.Arrive) (any, error) {
	b, err := t.party(ctx, op.Moment, op.Account, op.Bond, escrow.RoleRecipient)
	if err != nil {
		return nil, err
	}
	if o, ok, err := t.recorded(ctx, b, `SELECT outcome FROM proof WHERE bond = ? AND hash = ?`, op.Bond, op.Proof); ok || err != nil {
		return o, err
	}
	if !op.Checked {
		return nil, escrow.Errorf(escrow.BadProof, "the proof is not a signature of the buyer")
	}
	var other int
	if err := t.sql.QueryRowContext(ctx, `SELECT COUNT(*) FROM proof WHERE hash = ?`, op.Proof).Scan(&other); err != nil {
		return nil, err
	}
	if other > 0 {
		return nil, escrow.Errorf(escrow.BadProof, "this mail has taken another bond before")
	}
	var step escrow.Step
	if !b.ArrivedAt.IsZero() {
		return nil, escrow.Errorf(escrow.Conflict, "another mail has taken this bond")
	}
	if b.Bond, step, err = b.Arrive(op.Now, op.Statement); err != nil {
		return nil, err
	}
	receipt, err := t.book(ctx, "arrive", op.Moment, b, step)
	if err != nil {
		return nil, err
	}
	o, text, err := outcome(b, receipt)
	if err != nil {
		return nil, err
	}
	_, err = t.exec(ctx, "arrive.proof", `INSERT INTO proof (hash, bond, outcome) VALUES (?, ?, ?)`, op.Proof, op.Bond, text)
	return o, err
}

func (t *tx) read(ctx context.Context, op escrowserver.Read) (any, error) {
	return t.signedStep(ctx, op.Moment, signedStep{"read", op.Account, op.Bond, op.Statement, string(escrow.EventRead), 0},
		func(b escrow.Bond) (escrow.Bond, escrow.Step, error) { return b.Read(op.Now, op.Statement) })
}

func (t *tx) destroyed(ctx context.Context, op escrowserver.Destroyed) (any, error) {
	return t.signedStep(ctx, op.Moment, signedStep{"destroyed", op.Account, op.Bond, op.Statement, string(escrow.EventWithdrawn), 0},
		func(b escrow.Bond) (escrow.Bond, escrow.Step, error) { return b.Destroyed(op.Now, op.Statement) })
}

func (t *tx) decide(ctx context.Context, op escrowserver.Decide) (any, error) {
	return t.signedStep(ctx, op.Moment, signedStep{"decide", op.Account, op.Bond, op.Signed, string(op.Decision.Verdict), op.Decision.N},
		func(b escrow.Bond) (escrow.Bond, escrow.Step, error) { return b.Decide(op.Now, op.Decision, op.Signed) })
}

// signedStep is a step that the recipient has signed.
type signedStep struct {
	op      string
	account escrow.KeyID
	bond    escrow.BondID
	signed  escrow.Signed
	verdict string
	n       int64
}

// signedStep books a step once, and answers the same signed bytes with the same
// outcome ever after, whatever has happened to the bond since.
func (t *tx) signedStep(ctx context.Context, m escrowserver.Moment, s signedStep, decide func(escrow.Bond) (escrow.Bond, escrow.Step, error)) (any, error) {
	b, err := t.party(ctx, m, s.account, s.bond, escrow.RoleRecipient)
	if err != nil {
		return nil, err
	}
	if o, ok, err := t.recorded(ctx, b, `SELECT outcome FROM statement WHERE hash = ? AND bond = ?`, s.signed.Hash(), s.bond); ok || err != nil {
		return o, err
	}
	var step escrow.Step
	if b.Bond, step, err = decide(b.Bond); err != nil {
		return nil, err
	}
	receipt, err := t.book(ctx, s.op, m, b, step)
	if err != nil {
		return nil, err
	}
	o, text, err := outcome(b, receipt)
	if err != nil {
		return nil, err
	}
	_, err = t.exec(ctx, s.op+".statement", `INSERT INTO statement (hash, bond, verdict, n, jws, outcome, made_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		s.signed.Hash(), s.bond, s.verdict, s.n, s.signed, text, micros(m.Now))
	return o, err
}

// sweep books what a deadline has brought about on one bond.
func (t *tx) sweep(ctx context.Context, op escrowserver.Sweep) error {
	b, err := t.reader().bond(ctx, op.Bond)
	if err != nil {
		return err
	}
	_, err = t.advance(ctx, "sweep", op.Moment, b)
	return err
}

// keptSince is from when a bond's certificates are kept on.
const keptSince = `CASE WHEN late_accepted_at > ended_at THEN late_accepted_at ELSE ended_at END`

// clean deletes what may be kept no longer.
func (t *tx) clean(ctx context.Context, op escrowserver.Clean) error {
	if _, err := t.exec(ctx, "clean.sold", `DELETE FROM sold_key WHERE keep_until <= ?`, micros(op.Now)); err != nil {
		return err
	}
	if _, err := t.exec(ctx, "clean.certificates", `UPDATE bond SET verification = NULL, reply = NULL
		WHERE ended_at > 0 AND verification IS NOT NULL AND (`+keptSince+`) <= ?`,
		micros(op.Now.Add(-escrowserver.LateAccept))); err != nil {
		return err
	}
	_, err := t.exec(ctx, "clean.claims", `DELETE FROM claim WHERE made_at <= ?`, micros(op.Now.Add(-escrowserver.ClaimKeep)))
	return err
}
