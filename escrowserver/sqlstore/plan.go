package sqlstore

import (
	"context"
	"fmt"

	"earnest/escrow"
	"earnest/escrowserver"
)

// plan is how an operation is done.
type plan struct {
	// account is whose it is, and is locked before anything is read; none for the
	// escrow's own, and for those that find out themselves.
	account escrow.KeyID
	// wants adds what it must know before it is decided: it reads nothing else, and
	// writes by [tx.put], so that those in a row are read for and written together.
	// None: it asks and writes for itself, after the writes of those before it.
	wants func(w *wants)
	do    func(ctx context.Context, t *tx) (any, error)
}

func (p plan) together() bool { return p.wants != nil }

// add is what the operation wants.
func (p plan) add(w *wants) {
	if p.account != "" {
		w.accounts = append(w.accounts, p.account)
	}
	p.wants(w)
}

// planOf is the one list of all operations, in three parts.
func planOf(op escrowserver.Op) plan {
	for _, part := range []func(escrowserver.Op) (plan, bool){planOfBond, planOfAccount, planOfEscrow} {
		if p, ok := part(op); ok {
			return p
		}
	}
	return plan{do: func(context.Context, *tx) (any, error) {
		return nil, fmt.Errorf("the store knows no operation %T", op)
	}}
}

// done is the do of an operation that has nothing to answer.
func done[Op any](do func(t *tx, ctx context.Context, op Op) error, op Op) func(context.Context, *tx) (any, error) {
	return func(ctx context.Context, t *tx) (any, error) { return nil, do(t, ctx, op) }
}

// answered is the do of one that answers.
func answered[Op, Answer any](do func(t *tx, ctx context.Context, op Op) (Answer, error), op Op) func(context.Context, *tx) (any, error) {
	return func(ctx context.Context, t *tx) (any, error) { return do(t, ctx, op) }
}

// planOfBond is of operations that are decided together: those about bonds, and
// vouchers.
func planOfBond(op escrowserver.Op) (plan, bool) {
	bond := func(id escrow.BondID) func(*wants) {
		return func(w *wants) { w.bonds = append(w.bonds, id) }
	}
	statement := func(id escrow.BondID, signed escrow.Signed) func(*wants) {
		return func(w *wants) { w.statement(id, signed) }
	}
	switch op := op.(type) {
	case escrowserver.TopUp:
		return plan{op.Account, func(w *wants) { w.addTopUp(op) }, answered((*tx).topUp, op)}, true
	case escrowserver.Buy:
		return plan{op.Account, func(w *wants) { w.addBuy(op) }, answered((*tx).buy, op)}, true
	case escrowserver.Acknowledge:
		return plan{"", bond(op.Bond), done((*tx).acknowledge, op)}, true
	case escrowserver.AskWithdraw:
		return plan{"", bond(op.Bond), answered((*tx).askWithdraw, op)}, true
	case escrowserver.Arrive:
		return plan{"", func(w *wants) { w.addArrive(op) }, answered((*tx).arrive, op)}, true
	case escrowserver.Read:
		return plan{"", statement(op.Bond, op.Statement), answered((*tx).read, op)}, true
	case escrowserver.Destroyed:
		return plan{"", statement(op.Bond, op.Statement), answered((*tx).destroyed, op)}, true
	case escrowserver.Decide:
		return plan{"", statement(op.Bond, op.Signed), answered((*tx).decide, op)}, true
	case escrowserver.Sweep:
		return plan{"", bond(op.Bond), done((*tx).sweep, op)}, true
	}
	return plan{}, false
}

// planOfAccount is of operations about an account and what is its own.
func planOfAccount(op escrowserver.Op) (plan, bool) {
	switch op := op.(type) {
	case escrowserver.OpenAccount:
		return plan{do: answered((*tx).openAccount, op)}, true
	case escrowserver.StartClaim:
		return plan{op.Account, nil, answered((*tx).startClaim, op)}, true
	case escrowserver.DropClaim:
		return plan{do: done((*tx).dropClaim, op)}, true
	case escrowserver.ProveAddress:
		return plan{op.Account, nil, answered((*tx).proveAddress, op)}, true
	case escrowserver.PublishOffer:
		return plan{op.Account, nil, done((*tx).publishOffer, op)}, true
	case escrowserver.AddKeys:
		return plan{op.Account, nil, answered((*tx).addKeys, op)}, true
	case escrowserver.SetLimit:
		return plan{op.Account, nil, done((*tx).setLimit, op)}, true
	case escrowserver.Heartbeat:
		return plan{do: done((*tx).heartbeat, op)}, true
	case escrowserver.TakeOrder:
		return plan{do: answered((*tx).takeOrder, op)}, true
	case escrowserver.ProposeChange:
		return plan{op.Change.Account, nil, answered((*tx).proposeChange, op)}, true
	case escrowserver.Credit:
		return plan{op.Account, nil, answered((*tx).credit, op)}, true
	case escrowserver.Welcome:
		return plan{op.Account, nil, answered((*tx).welcome, op)}, true
	case escrowserver.AskPayout:
		return plan{op.Account, nil, answered((*tx).askPayout, op)}, true
	case escrowserver.CancelPayout:
		return plan{op.Account, nil, answered((*tx).cancelPayout, op)}, true
	case escrowserver.StartCheckout:
		return plan{op.Account, nil, answered((*tx).startCheckout, op)}, true
	}
	return plan{}, false
}

// planOfEscrow is of the escrow's own and its operator's.
func planOfEscrow(op escrowserver.Op) (plan, bool) {
	switch op := op.(type) {
	case escrowserver.NewVoucher:
		return plan{do: done((*tx).newVoucher, op)}, true
	case escrowserver.BeginPayout:
		return plan{do: answered((*tx).beginPayout, op)}, true
	case escrowserver.EndPayout:
		return plan{do: answered((*tx).endPayout, op)}, true
	case escrowserver.OpenCheckout:
		return plan{do: answered((*tx).openCheckout, op)}, true
	case escrowserver.SettleCheckout:
		return plan{do: answered((*tx).settleCheckout, op)}, true
	case escrowserver.LookAgain:
		return plan{do: done((*tx).lookAgain, op)}, true
	case escrowserver.KeepEvent:
		return plan{do: answered((*tx).keepEvent, op)}, true
	case escrowserver.EndEvent:
		return plan{do: done((*tx).endEvent, op)}, true
	case escrowserver.TakeBack:
		return plan{do: done((*tx).takeBack, op)}, true
	case escrowserver.SettleDebt:
		return plan{do: done((*tx).settleDebt, op)}, true
	case escrowserver.ApplyChange:
		return plan{do: done((*tx).applyChange, op)}, true
	case escrowserver.Clean:
		return plan{do: done((*tx).clean, op)}, true
	case escrowserver.Beat:
		return plan{do: answered((*tx).beat, op)}, true
	case escrowserver.AnchorLog:
		return plan{do: answered((*tx).anchorLog, op)}, true
	case escrowserver.LogInventories:
		return plan{do: answered((*tx).logInventories, op)}, true
	case escrowserver.TakeStock:
		return plan{op.Account, nil, answered((*tx).takeStock, op)}, true
	case escrowserver.SealRows:
		return plan{do: answered((*tx).sealRows, op)}, true
	case escrowserver.OutageWorkedOff:
		return plan{do: done((*tx).outageWorkedOff, op)}, true
	case escrowserver.Remember:
		return plan{do: answered((*tx).remember, op)}, true
	case escrowserver.Audit:
		return plan{do: done((*tx).audit, op)}, true
	case escrowserver.RevokeVoucher:
		return plan{do: done((*tx).revokeVoucher, op)}, true
	case escrowserver.NewEpoch:
		return plan{do: answered((*tx).newEpoch, op)}, true
	}
	return plan{}, false
}
