package sqlstore

import (
	"context"

	"earnest/escrowserver"
)

// walkSafety shows orders, changes, replaced keys, owners and blocks.
func (r reader) walkSafety(ctx context.Context, v escrowserver.Visitor) error {
	for _, part := range []struct {
		query string
		row   func(*escrowserver.SafetyVisitor, func(...any) error) error
	}{
		{orderRows, func(v *escrowserver.SafetyVisitor, scan func(...any) error) error {
			o, err := scanOrder(scan)
			if err != nil {
				return err
			}
			return v.Order(o)
		}},
		{`SELECT ` + changeColumns + ` FROM account_change ORDER BY id`, func(v *escrowserver.SafetyVisitor, scan func(...any) error) error {
			c, err := scanChange(scan)
			if err != nil {
				return err
			}
			return v.Change(c)
		}},
		{`SELECT n, key_id, account, next_key, public_key, ordered, replaced_at FROM replaced_key ORDER BY n`, replacedLine},
		{`SELECT id, public_key, key_id, frozen_at, deleted_at, recovery, recovery_signed FROM account ORDER BY id`, ownerLine},
		{`SELECT block.recipient, block.sender, block.from_at, block.until_at, bond.id, bond.recipient, bond.sender, bond.effective_at, bond.last_decision
			FROM block JOIN bond ON bond.id = block.bond ORDER BY block.bond`, blockLine},
	} {
		rows, err := r.query(ctx, part.query)
		if err := each(rows, err, func(scan func(...any) error) error { return part.row(v.Safety, scan) }); err != nil {
			return err
		}
	}
	return nil
}

func replacedLine(v *escrowserver.SafetyVisitor, scan func(...any) error) error {
	var k escrowserver.ReplacedLine
	var at int64
	if err := scan(&k.N, &k.Key, &k.Account, &k.Next, (*[]byte)(&k.Public), &k.Ordered, &at); err != nil {
		return err
	}
	k.Replaced = fromMicros(at)
	return v.Replaced(k)
}

func ownerLine(v *escrowserver.SafetyVisitor, scan func(...any) error) error {
	var o escrowserver.OwnerLine
	var frozen, deleted int64
	if err := scan(&o.Account, (*[]byte)(&o.Key), &o.KeyID, &frozen, &deleted, (*[]byte)(&o.Recovery), &o.RecoverySigned); err != nil {
		return err
	}
	o.Frozen, o.Deleted = fromMicros(frozen), fromMicros(deleted)
	return v.Owner(o)
}

func blockLine(v *escrowserver.SafetyVisitor, scan func(...any) error) error {
	var b escrowserver.BlockLine
	var from, until, effective int64
	if err := scan(&b.Recipient, &b.Sender, &from, &until, &b.Bond.ID, &b.Bond.Recipient, &b.Bond.Sender, &effective, &b.Bond.LastDecision); err != nil {
		return err
	}
	b.From, b.Until, b.Bond.EffectiveAt = fromMicros(from), fromMicros(until), fromMicros(effective)
	return v.Block(b)
}
