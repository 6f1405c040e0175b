package sqlstore

import (
	"context"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

// startClaim counts what was mailed within a day. Who holds the address has an
// allowance of its own, so that no stranger's claims stop a renewal; strangers
// share one, by the folded address since tags and dots reach one mailbox, and
// none may take all of it.
func (t *tx) startClaim(ctx context.Context, op escrowserver.StartClaim) (any, error) {
	if err := t.accountLives(ctx, op.Account); err != nil {
		return nil, err
	}
	var one int
	// Mails of all accounts to one mailbox are counted together.
	if err := t.conn.lock(ctx, "claims to "+string(op.Address.Folded())); err != nil {
		return nil, err
	}
	ok, err := found(t.conn.row(ctx, `SELECT 1 FROM claim WHERE account = ? AND address = ? AND nonce = ?`,
		op.Account, op.Address, op.Nonce).Scan(&one))
	if err != nil || ok {
		return false, err
	}
	holds, err := found(t.conn.row(ctx, `SELECT 1 FROM address WHERE address = ? AND account = ?`, op.Address, op.Account).Scan(&one))
	if err != nil {
		return nil, err
	}
	if holds {
		err = t.holderMayClaim(ctx, op)
	} else {
		err = t.strangerMayClaim(ctx, op)
	}
	if err != nil {
		return nil, err
	}
	_, err = t.exec(ctx, "claim.claim", `INSERT INTO claim (account, address, nonce, folded, typed, token_hash, made_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		op.Account, op.Address, op.Nonce, op.Address.Folded(), op.Typed, op.TokenHash, micros(op.Now))
	return true, err
}

const tooManyMails = "a mail with a token went to this address a short while ago; look for it, or ask again later"

func (t *tx) holderMayClaim(ctx context.Context, op escrowserver.StartClaim) error {
	return t.claims(ctx, op.Now, escrowserver.ClaimsADay, escrowserver.ClaimPause, tooManyMails,
		`SELECT made_at FROM claim WHERE account = ? AND address = ?`, op.Account, op.Address)
}

func (t *tx) strangerMayClaim(ctx context.Context, op escrowserver.StartClaim) error {
	// What the holder of an address had mailed to it is the holder's.
	const strangers = `SELECT made_at FROM claim WHERE folded = ?
		AND NOT EXISTS (SELECT 1 FROM address WHERE address.address = claim.address AND address.account = claim.account)`
	folded := op.Address.Folded()
	if err := t.claims(ctx, op.Now, escrowserver.ClaimsADay, escrowserver.ClaimPause, tooManyMails, strangers, folded); err != nil {
		return err
	}
	if err := t.claims(ctx, op.Now, escrowserver.AccountClaimsADay, 0, tooManyMails, strangers+` AND account = ?`, folded, op.Account); err != nil {
		return err
	}
	return t.claims(ctx, op.Now, escrowserver.AddressesADay, 0,
		"your account had tokens mailed to too many addresses within a day; prove those first, or ask again later",
		`SELECT MAX(made_at) AS made_at FROM claim WHERE account = ? AND address <> ?
			AND NOT EXISTS (SELECT 1 FROM address WHERE address.address = claim.address AND address.account = claim.account)
			GROUP BY address`, op.Account, op.Address)
}

// claims refuses one more if most were made within a day, or one within the
// pause. The query selects made_at.
func (t *tx) claims(ctx context.Context, now time.Time, most int, pause time.Duration, text, query string, args ...any) error {
	day := now.Add(-24 * time.Hour)
	rows, err := t.conn.query(ctx, `SELECT made_at FROM (`+query+`) AS made WHERE made_at > ? ORDER BY made_at DESC`, append(args, micros(day))...)
	var made []time.Time
	if err := each(rows, err, func(scan func(...any) error) error {
		var at int64
		err := scan(&at)
		made = append(made, fromMicros(at))
		return err
	}); err != nil {
		return err
	}
	var wait time.Duration
	if len(made) > 0 {
		wait = made[0].Add(pause).Sub(now)
	}
	if len(made) >= most {
		wait = max(wait, made[most-1].Sub(day))
	}
	if wait <= 0 {
		return nil
	}
	limited := escrow.Errorf(escrow.Limited, "%s", text)
	limited.RetryAfter = wait
	return limited
}

func (t *tx) dropClaim(ctx context.Context, op escrowserver.DropClaim) error {
	_, err := t.exec(ctx, "dropclaim.claim", `DELETE FROM claim WHERE account = ? AND address = ? AND nonce = ?`, op.Account, op.Address, op.Nonce)
	return err
}
