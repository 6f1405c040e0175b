package escrowserver

import (
	"context"
	"time"

	"earnest/escrow"
)

// Bounds of a list of bonds.
const (
	pageSize = 200
	maxWait  = time.Minute
	// A page ends with the part after which it has that many bytes of certificates.
	pagePart  = 25
	pageBytes = 1 << 20
)

func (v view) AskWithdraw(ctx context.Context, bond escrow.BondID) (escrow.BondView, error) {
	if err := v.known(); err != nil {
		return escrow.BondView{}, err
	}
	moment, err := v.s.moment(ctx)
	if err != nil {
		return escrow.BondView{}, err
	}
	return do[escrow.BondView](ctx, v.s, AskWithdraw{Moment: moment, Account: v.id, Bond: bond})
}

func (v view) Bonds(ctx context.Context, after int64, wait time.Duration) (escrow.BondPage, error) {
	if _, err := v.account(ctx); err != nil {
		return escrow.BondPage{}, err
	}
	timer := time.NewTimer(min(max(wait, 0), maxWait))
	defer timer.Stop()
	for {
		// Listen before looking, or a change in between would be slept through.
		changed, leave := v.s.news.wait(v.id)
		page, err := v.page(ctx, after)
		if err != nil || len(page.Bonds) > 0 || wait <= 0 {
			leave()
			return page, err
		}
		select {
		case <-changed:
		case <-timer.C:
			wait = 0
		case <-ctx.Done():
			wait = 0
			leave()
			return page, escrow.Errorf(escrow.Unavailable, "the request ended before there was news")
		}
		leave()
	}
}

// page reads in parts, so that many long certificates are never in memory at once.
func (v view) page(ctx context.Context, after int64) (escrow.BondPage, error) {
	page := escrow.BondPage{Bonds: []escrow.BondView{}, Cursor: after, More: true}
	for size := 0; page.More && len(page.Bonds) < pageSize && size < pageBytes; {
		changes, err := v.s.cfg.Store.Bonds(ctx, v.id, page.Cursor, pagePart+1)
		if err != nil {
			return page, v.s.failed(ctx, "bonds", err)
		}
		page.More = len(changes) > pagePart
		for _, c := range changes[:min(len(changes), pagePart)] {
			page.Cursor = c.N
			if c.Damaged != nil {
				v.s.log.Error("a damaged bond is left out of its party's list; run verify", "bond", c.Bond.ID, "error", c.Damaged)
				continue
			}
			bond, _ := c.Bond.Extend(v.s.vitals.known())
			page.Bonds = append(page.Bonds, bond.View(c.Role))
			size += len(bond.Verification) + len(bond.Reply) + len(bond.Quote)
		}
	}
	return page, nil
}

// party finds a bond of the caller, and the caller's role in it. What a deadline
// has brought about is done before it is shown.
func (v view) party(ctx context.Context, id escrow.BondID) (escrow.Bond, escrow.Role, error) {
	if err := v.known(); err != nil {
		return escrow.Bond{}, "", err
	}
	b, err := v.s.cfg.Store.Bond(ctx, id)
	if err != nil {
		return b, "", v.s.failed(ctx, "bond", err)
	}
	var role escrow.Role
	switch v.id {
	case b.RecipientAccount:
		role = escrow.RoleRecipient
	case b.SenderAccount:
		role = escrow.RoleSender
	default:
		return escrow.Bond{}, "", escrow.Errorf(escrow.NotFound, "there is no such bond of yours")
	}
	moment, err := v.s.moment(ctx)
	if err != nil {
		return b, "", err
	}
	if moment.Due(b) {
		if _, err := do[any](ctx, v.s, Sweep{Moment: moment, Bond: id}); err != nil {
			return b, "", err
		}
		if b, err = v.s.cfg.Store.Bond(ctx, id); err != nil {
			return b, "", v.s.failed(ctx, "bond", err)
		}
	}
	b, _ = b.Extend(moment.Outages)
	return b, role, nil
}

// received is a bond of which the caller is the recipient.
func (v view) received(ctx context.Context, id escrow.BondID) (escrow.Bond, error) {
	b, role, err := v.party(ctx, id)
	if err == nil && role != escrow.RoleRecipient {
		err = escrow.Errorf(escrow.Forbidden, "only the recipient of the bond may do that")
	}
	return b, err
}

func (v view) Bond(ctx context.Context, id escrow.BondID) (escrow.BondView, error) {
	b, role, err := v.party(ctx, id)
	if err != nil {
		return escrow.BondView{}, err
	}
	return b.View(role), nil
}

func (v view) Receipts(ctx context.Context, id escrow.BondID) ([]escrow.Signed, error) {
	if _, _, err := v.party(ctx, id); err != nil {
		return nil, err
	}
	receipts, err := v.s.cfg.Store.Receipts(ctx, id)
	if err != nil {
		return nil, v.s.failed(ctx, "receipts", err)
	}
	return receipts, nil
}

func (v view) Arrive(ctx context.Context, id escrow.BondID, req escrow.Arrival) (escrow.Outcome, error) {
	b, err := v.received(ctx, id)
	if err != nil {
		return escrow.Outcome{}, err
	}
	st, err := v.statement(req.Statement, b, escrow.EventArrived)
	if err != nil {
		return escrow.Outcome{}, err
	}
	if len(req.Proof.Signature) == 0 || len(req.Proof.Digest) == 0 || st.Proof != req.Proof.Hash() {
		return escrow.Outcome{}, escrow.Errorf(escrow.BadProof, "the statement is about another proof")
	}
	// A bond that ended may have no certificate left: then only a proof that
	// counted before gets its answer again.
	checked := b.Verification != nil
	if checked {
		if err := v.s.cfg.Certificates.VerifyArrival(b.Verification, req.Proof); err != nil {
			return escrow.Outcome{}, escrow.Errorf(escrow.BadProof, "the proof is not a signature of the buyer")
		}
	}
	moment, err := v.s.moment(ctx)
	if err != nil {
		return escrow.Outcome{}, err
	}
	return do[escrow.Outcome](ctx, v.s, Arrive{
		Moment: moment, Account: v.id, Bond: id, Proof: req.Proof.Hash(),
		Statement: req.Statement, Checked: checked,
	})
}

func (v view) Read(ctx context.Context, id escrow.BondID, signed escrow.Signed) (escrow.Outcome, error) {
	b, err := v.received(ctx, id)
	if err != nil {
		return escrow.Outcome{}, err
	}
	if _, err := v.statement(signed, b, escrow.EventRead); err != nil {
		return escrow.Outcome{}, err
	}
	moment, err := v.s.moment(ctx)
	if err != nil {
		return escrow.Outcome{}, err
	}
	return do[escrow.Outcome](ctx, v.s, Read{Moment: moment, Account: v.id, Bond: id, Statement: signed})
}

func (v view) Destroyed(ctx context.Context, id escrow.BondID, signed escrow.Signed) (escrow.Outcome, error) {
	b, err := v.received(ctx, id)
	if err != nil {
		return escrow.Outcome{}, err
	}
	if _, err := v.statement(signed, b, escrow.EventWithdrawn); err != nil {
		return escrow.Outcome{}, err
	}
	moment, err := v.s.moment(ctx)
	if err != nil {
		return escrow.Outcome{}, err
	}
	return do[escrow.Outcome](ctx, v.s, Destroyed{Moment: moment, Account: v.id, Bond: id, Statement: signed})
}

// statement checks what the recipient signed about the bond.
func (v view) statement(signed escrow.Signed, b escrow.Bond, event escrow.Event) (escrow.Statement, error) {
	st, err := escrow.VerifyStatement(signed, v.identityIn(b), b, event)
	if err != nil {
		return st, err
	}
	return st, v.signedNow(st.Time)
}

func (v view) Decide(ctx context.Context, id escrow.BondID, verdict escrow.Verdict, signed escrow.Signed) (escrow.Outcome, error) {
	b, err := v.received(ctx, id)
	if err != nil {
		return escrow.Outcome{}, err
	}
	decision, err := escrow.VerifyDecision(signed, v.identityIn(b))
	if err != nil {
		return escrow.Outcome{}, err
	}
	if decision.Verdict != verdict || decision.Bond != b.ID || decision.Quote != b.Quote.Hash() {
		return escrow.Outcome{}, escrow.Errorf(escrow.Invalid, "the decision says something else than the request")
	}
	if err := v.signedNow(decision.Time); err != nil {
		return escrow.Outcome{}, err
	}
	moment, err := v.s.moment(ctx)
	if err != nil {
		return escrow.Outcome{}, err
	}
	return do[escrow.Outcome](ctx, v.s, Decide{Moment: moment, Account: v.id, Bond: id, Decision: decision, Signed: signed})
}

// signedNow refuses what was signed in the escrow's future. An agent that was
// offline may send old statements: their number and their bond keep them in place.
func (v view) signedNow(at time.Time) error {
	if now := v.s.now(); at.After(now.Add(clockSkew)) {
		return v.s.skewed(now)
	}
	return nil
}
