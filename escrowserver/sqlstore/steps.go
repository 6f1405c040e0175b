package sqlstore

import (
	"context"
	"fmt"

	"earnest/escrow"
	"earnest/escrowserver"
)

func (t *tx) askWithdraw(ctx context.Context, op escrowserver.AskWithdraw) (any, error) {
	b, err := t.party(ctx, op.Moment, op.Account, op.Bond, escrow.RoleSender)
	if err != nil {
		return nil, err
	}
	next, err := b.AskWithdraw(op.Now)
	if err != nil {
		return nil, err
	}
	if b.WithdrawAskedAt.IsZero() {
		b.Bond, b.changed = next, op.Name()
		if err := t.tell(op.Name(), b, true); err != nil {
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
	proof := t.known.proofs[op.Proof]
	switch {
	case proof.bond == op.Bond:
		return recorded(b, proof.outcome)
	case !op.Checked:
		return nil, escrow.Errorf(escrow.BadProof, "the proof is not a signature of the buyer")
	case proof.bond != "":
		return nil, escrow.Errorf(escrow.BadProof, "this mail has taken another bond before")
	case !b.ArrivedAt.IsZero():
		return nil, escrow.Errorf(escrow.Conflict, "another mail has taken this bond")
	}
	next, step, err := b.Arrive(op.Now, op.Statement)
	if err != nil {
		return nil, err
	}
	receipt, err := t.book(op.Name(), op.Moment, b, next, step)
	if err != nil {
		return nil, err
	}
	o, text, err := outcome(b.Bond, receipt)
	if err != nil {
		return nil, err
	}
	t.known.proofs[op.Proof] = knownProof{op.Bond, text}
	t.put(newProof, op.Name(), op.Proof, op.Bond, text)
	return o, nil
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
	var decided *escrow.Bond
	outcome, err := t.signedStep(ctx, op.Moment, signedStep{"decide", op.Account, op.Bond, op.Signed, string(op.Decision.Verdict), op.Decision.N},
		func(b escrow.Bond) (escrow.Bond, escrow.Step, error) {
			next, step, err := b.Decide(op.Now, op.Decision, op.Signed)
			decided = &next
			if err == nil && op.Decision.Verdict == escrow.Undo {
				err = t.mayUndo(ctx, op.Bond)
			}
			return next, step, err
		})
	if err == nil && decided != nil {
		t.decidesBlock(op, *decided)
	}
	return outcome, err
}

// mayUndo bounds the decisions of a bond: each is kept, three times over. Without more
// undos the next reject is the last, so that whoever still can, decides.
func (t *tx) mayUndo(ctx context.Context, bond escrow.BondID) error {
	var n int
	err := t.conn.row(ctx, `SELECT COUNT(*) FROM statement WHERE bond = ? AND verdict IN ('accept', 'reject', 'undo')`, bond).Scan(&n)
	if err == nil && n >= escrowserver.DecisionsOfABond {
		err = escrow.Errorf(escrow.Limited, "%d decisions of this mail were taken already, so this reject cannot be undone: it takes effect, and the money is forfeit then; nothing was changed", n)
	}
	return err
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
	key := outcomeKey{s.signed.Hash(), s.bond}
	if text := t.known.outcomes[key]; text != "" {
		return recorded(b, text)
	}
	next, step, err := decide(b.Bond)
	if err != nil {
		return nil, err
	}
	receipt, err := t.book(s.op, m, b, next, step)
	if err != nil {
		return nil, err
	}
	o, text, err := outcome(b.Bond, receipt)
	if err != nil {
		return nil, err
	}
	t.known.outcomes[key] = text
	t.put(newStatement, s.op, key.hash, s.bond, s.verdict, s.n, s.signed, text, micros(m.Now))
	return o, nil
}

// sweep books what a deadline has brought about on one bond.
func (t *tx) sweep(ctx context.Context, op escrowserver.Sweep) error {
	b, err := t.bond(ctx, op.Bond)
	if err != nil {
		return err
	}
	if err := t.advance(op.Name(), op.Moment, b); err != nil {
		return err
	}
	// By a stored time of its own it would be listed as due again and again.
	if b.changed == "" && b.dueAt != micros(b.Due()) {
		return fmt.Errorf("%w: bond %s is due at another time than its deadlines say", errDamaged, b.ID)
	}
	return nil
}
