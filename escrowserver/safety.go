package escrowserver

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"time"

	"earnest/escrow"
)

// RenewAfter is how long the proof of an address counts.
const RenewAfter = renewAfter

// Replaced refuses a key that is its account's no more.
func Replaced() error {
	return escrow.Errorf(escrow.Unauthorized, "this key is no account's any more: another has taken the account over, or it was deleted; nothing was changed; if that was not you, use the recovery key")
}

// Frozen refuses what a frozen account may not do.
func Frozen() error {
	return escrow.Errorf(escrow.Forbidden, "the account is frozen: it buys nothing, pays nothing out, changes no price and raises no limit; nothing was changed; mails that wait can be decided; the recovery key ends it at once")
}

// OrderInTime refuses an order that was signed too far from the escrow's clock.
func OrderInTime(order escrow.Order, now time.Time) error {
	if order.Time.After(now.Add(escrow.OrderSkew)) || order.Time.Before(now.Add(-escrow.OrderSkew)) {
		err := escrow.Errorf(escrow.ClockSkew, "the order was signed over 5 minutes from the escrow's clock; nothing was changed; set your clock, and order again")
		err.Time = now
		return err
	}
	return nil
}

// ProposalsADay is how many changes that act later an account's own key may order
// within 24 hours.
const ProposalsADay = 20

// TooManyProposals refuses one more.
func TooManyProposals(wait time.Duration) error {
	err := escrow.Errorf(escrow.Limited, "this key has ordered %d changes within 24 hours; nothing was changed; one that waits can still be cancelled, and the recovery key is not counted", ProposalsADay)
	err.RetryAfter = wait
	return err
}

// OrdersADay is how many orders an account takes within 24 hours, beside those that stop
// a thief.
const OrdersADay = 200

// TooManyOrders refuses one more.
func TooManyOrders(wait time.Duration) error {
	err := escrow.Errorf(escrow.Limited, "the account took %d orders within 24 hours; nothing was changed; it can still be frozen, a change that waits can be cancelled, and the recovery key can give it a new key", OrdersADay)
	err.RetryAfter = wait
	return err
}

// RotationsADay is how many keys an account may have replaced within 24 hours: each is
// kept for good.
const RotationsADay = 5

// TooManyRotations refuses one more.
func TooManyRotations(wait time.Duration) error {
	err := escrow.Errorf(escrow.Limited, "the account had %d new keys within 24 hours; nothing was changed; until then freeze it", RotationsADay)
	err.RetryAfter = wait
	return err
}

// ChangeID is the id of the change that the signed text asks for.
func ChangeID(asked escrow.Signed) string { return asked.Hash() }

// kindChange is the statement that keeps a change as it was asked for.
const kindChange escrow.Kind = "earnest-change+jws"

// promise signs a change that acts later.
func (s *Server) promise(c escrow.AccountChange) (escrow.Signed, error) {
	return escrow.Sign(s.cfg.ReceiptSigner, kindChange, promised(c))
}

// promised is what of a change is promised: not what becomes of it.
func promised(c escrow.AccountChange) escrow.AccountChange {
	c.Ended, c.Ending = time.Time{}, ""
	return c
}

// genuineChange reports whether the receipt key has signed the change as it is.
func genuineChange(c ChangeLine, receiptKey ed25519.PublicKey) bool {
	var st escrow.AccountChange
	if escrow.Verify(c.Signed, kindChange, receiptKey, &st) != nil {
		return false
	}
	want := promised(c.AccountChange)
	same := st.AskedAt.Equal(want.AskedAt) && st.DueAt.Equal(want.DueAt)
	st.AskedAt, st.DueAt = want.AskedAt, want.DueAt
	return same && st == want
}

// Propose has a change of an account act after [escrow.ChangeNotice]; until then it
// is shown in the account's view, and can be cancelled there. The kind is one that
// the store's tx.act knows.
func (s *Server) Propose(ctx context.Context, account escrow.KeyID, kind, subject, value string) (escrow.AccountChange, error) {
	now := s.now()
	return do[escrow.AccountChange](ctx, s, ProposeChange{Now: now, Promise: s.promise, Seal: s.seal, Change: escrow.AccountChange{
		ID: newSecret(), Account: account, Kind: kind, Subject: subject, Value: value, AskedAt: now, DueAt: now.Add(escrow.ChangeNotice)}})
}

// applyChanges does the changes whose time has come. One that is damaged is logged,
// left, and tried again when stuck says so.
func (s *Server) applyChanges(ctx context.Context, now time.Time, again map[string]time.Time) error {
	var last DueChange
	for {
		due, err := s.cfg.Store.DueChanges(ctx, now, last, s.cfg.SweepBatch)
		if err != nil {
			return s.failed(ctx, "changes", err)
		}
		if err := s.applyDue(ctx, now, due, again); err != nil {
			return err
		}
		if len(due) < s.cfg.SweepBatch {
			return nil
		}
		last = due[len(due)-1]
	}
}

func (s *Server) applyDue(ctx context.Context, now time.Time, due []DueChange, again map[string]time.Time) error {
	var ops []Op
	var ids []string
	for _, c := range due {
		if s.stuck.waits("change "+c.ID, now, again) {
			continue
		}
		ops, ids = append(ops, ApplyChange{Now: now, ID: c.ID, Genuine: func(c ChangeLine) bool { return genuineChange(c, s.receiptKey) }, Seal: s.seal}), append(ids, c.ID)
	}
	if len(ops) == 0 {
		return nil
	}
	defer s.keys.stale()
	for i, result := range s.queue.DoAside(ctx, ops) {
		switch {
		case result.Err == nil:
		case ctx.Err() != nil || escrow.CodeOf(result.Err) == escrow.Unavailable:
			return result.Err // nothing is wrong with the change
		default:
			again["change "+ids[i]] = now.Add(stuckRetry)
			s.log.Error("a change of an account could not act when it was due; run verify", "change", ids[i], "error", result.Err)
		}
	}
	return nil
}

func (v view) Order(ctx context.Context, signed escrow.Signed) (escrow.Account, error) {
	var claimed escrow.Order
	if err := escrow.Peek(signed, &claimed); err != nil {
		return escrow.Account{}, err
	}
	// Anybody may send anything here: what no owner signed does not reach the writer.
	keys, err := v.s.cfg.Store.Keys(ctx, claimed.Account)
	if err != nil {
		return escrow.Account{}, v.s.failed(ctx, "order", err)
	}
	keys = v.s.seal.Trusted(claimed.Account, keys)
	order, _, err := escrow.VerifyOrder(signed, keys.Key, keys.Recovery)
	if err != nil {
		return escrow.Account{}, err
	}
	if len(signed) > escrow.MaxOrder || len(order.ID) > escrow.MaxOrderID {
		return escrow.Account{}, escrow.Errorf(escrow.Invalid, "an order has at most %d bytes, and its id at most %d; nothing was changed", escrow.MaxOrder, escrow.MaxOrderID)
	}
	record, err := do[AccountRecord](ctx, v.s, TakeOrder{Now: v.s.now(), Signed: signed, Promise: v.s.promise, Seal: v.s.seal})
	if err != nil {
		return escrow.Account{}, err
	}
	v.s.keys.stale()
	return v.shown(record), nil
}

func (v view) Export(ctx context.Context) (json.RawMessage, error) {
	if _, err := v.account(ctx); err != nil {
		return nil, err
	}
	all, err := v.s.cfg.Store.Export(ctx, v.id)
	if err != nil {
		return nil, v.s.failed(ctx, "export", err)
	}
	return all, nil
}

// identityIn is the key with which the caller signs about the bond: the one in the
// offer that its quote holds, so that a rotation changes nothing about who decides.
func (v view) identityIn(b escrow.Bond) ed25519.PublicKey {
	if v.key.ID() == v.id {
		return ed25519.PublicKey(v.key) // it never had another
	}
	var quote escrow.Quote
	var offer escrow.Offer
	if escrow.Peek(b.Quote, &quote) != nil || escrow.Peek(quote.Offer, &offer) != nil {
		return nil // nothing verifies
	}
	return ed25519.PublicKey(offer.Identity)
}

// heldByAnother tells who proved an address that another account holds, when it
// changes hands.
func heldByAnother(record AccountRecord, address escrow.Address, now time.Time) error {
	for _, have := range record.Addresses {
		if have.Address == address {
			return nil
		}
	}
	for _, c := range record.Changes {
		if c.Ended.IsZero() && c.Account == record.ID && c.Subject == string(address) {
			err := escrow.Errorf(escrow.Forbidden, "another account holds this address; it becomes yours on %s unless that account objects; nothing else was changed; to have it at once, release it there",
				c.DueAt.Format("2 January 2006"))
			err.RetryAfter = c.DueAt.Sub(now)
			return err
		}
	}
	return escrow.Errorf(escrow.Forbidden, "another account holds this address and must release it first")
}
