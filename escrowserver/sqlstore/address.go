package sqlstore

import (
	"context"
	"fmt"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

func (t *tx) proveAddress(ctx context.Context, op escrowserver.ProveAddress) (any, error) {
	if err := t.accountLives(ctx, op.Account); err != nil {
		return nil, err
	}
	var typed string
	var madeAt int64
	ok, err := found(t.conn.row(ctx, `SELECT typed, made_at FROM claim WHERE account = ? AND address = ? AND nonce = ? AND token_hash = ? AND made_at > ?`,
		op.Account, op.Address, op.Nonce, op.TokenHash, micros(op.Now.Add(-escrowserver.ClaimLife))).Scan(&typed, &madeAt))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, escrow.Errorf(escrow.Unproven, "that token proves nothing: it is for another account or address, or too old; ask for a new one")
	}
	var owner escrow.KeyID
	var provenAt, renewBy int64
	bound, err := found(t.conn.row(ctx, `SELECT account, proven_at, renew_by FROM address WHERE address = ?`+lockRow, op.Address).
		Scan(&owner, &provenAt, &renewBy))
	if err != nil {
		return nil, err
	}
	if bound && owner != op.Account {
		if renewBy > micros(op.Now) {
			if err := t.asksForAddress(ctx, op, owner, typed); err != nil {
				return nil, err
			}
			return t.reader().account(ctx, op.Account)
		}
		if err := t.release(ctx, op.Address); err != nil {
			return nil, err
		}
	}
	if !bound || owner != op.Account || provenAt < madeAt {
		if err := t.bindAddress(ctx, op.Name(), binding{op.Address, typed, op.Account, owner, op.Now, op.RenewBy, op.Seal}); err != nil {
			return nil, err
		}
	}
	return t.reader().account(ctx, op.Account)
}

// binding is an address that becomes an account's; from is who held it when that was
// decided, empty for nobody.
type binding struct {
	address        escrow.Address
	typed          string
	account, from  escrow.KeyID
	provenAt, till time.Time
	seal           escrowserver.Seal
}

func (t *tx) bindAddress(ctx context.Context, op string, b binding) error {
	signed, err := b.seal.Proven(escrowserver.ProvenLine{Address: b.address, Typed: b.typed, Account: b.account,
		ProvenAt: fromMicros(micros(b.provenAt)), RenewBy: fromMicros(micros(b.till))})
	if err != nil {
		return err
	}
	whose := []escrow.KeyID{b.account}
	if b.from != "" && b.from != b.account {
		whose = append(whose, b.from)
	}
	return t.inventoried(ctx, op, b.seal, func() error {
		n, err := t.exec(ctx, op+".address", `INSERT INTO address (address, folded, typed, account, proven_at, renew_by, signed) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (address) DO UPDATE SET typed = excluded.typed, account = excluded.account, proven_at = excluded.proven_at, renew_by = excluded.renew_by,
				signed = excluded.signed
			WHERE address.account = excluded.account OR address.account = ?`,
			b.address, b.address.Folded(), b.typed, b.account, micros(b.provenAt), micros(b.till), signed, b.from)
		if err == nil && n != 1 { // another process was faster
			err = fmt.Errorf("address %w", errNotAsRead)
		}
		return err
	}, whose...)
}

// release takes the offer and the unsold keys of an address away from an owner
// whose proof has lapsed.
func (t *tx) release(ctx context.Context, address escrow.Address) error {
	if _, err := t.exec(ctx, "prove.offer", `DELETE FROM offer WHERE address = ?`, address); err != nil {
		return err
	}
	_, err := t.exec(ctx, "prove.keys", `DELETE FROM one_time_key WHERE address = ?`, address)
	return err
}

// owns refuses an account that has not proven the address.
func (t *tx) owns(ctx context.Context, account escrow.KeyID, address escrow.Address, now time.Time) error {
	proven, err := t.reader().proven(ctx, account, address, now)
	if err == nil && !proven {
		err = escrowserver.Unproven()
	}
	return err
}
