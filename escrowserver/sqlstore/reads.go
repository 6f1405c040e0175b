package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
	"earnest/payment"
)

// reader answers questions within a transaction or outside of one.
type reader struct{ querier }

func (t *tx) reader() reader    { return reader{t.conn} }
func (s *Store) reader() reader { return reader{sqlQuerier{s.engine.reading(), s.engine}} }

// snapshot reads as of one moment, until end is called.
func (s *Store) snapshot(ctx context.Context) (r reader, end func(), err error) {
	tx, err := s.engine.snapshot(ctx)
	if err != nil {
		return r, nil, unreached(err)
	}
	return reader{sqlQuerier{tx, s.engine}}, func() { _ = tx.Rollback() }, nil // it wrote nothing
}

// Answered reports whether the account's operation was done before.
func (s *Store) Answered(ctx context.Context, account escrow.KeyID, id, bodyHash string) (bool, error) {
	_, ok, err := s.reader().operation(ctx, account, id, bodyHash)
	return ok, err
}

// BeforeBuy is Answered for a purchase, with what the account has available.
func (s *Store) BeforeBuy(ctx context.Context, account escrow.KeyID, id, bodyHash, currency string) (answered bool, available payment.Amount, err error) {
	return s.reader().beforeBuy(ctx, operationKey{account, id}, bodyHash, currency)
}

func (r reader) beforeBuy(ctx context.Context, key operationKey, bodyHash, currency string) (bool, payment.Amount, error) {
	var signer string
	var before sql.NullString
	var available payment.Amount
	ok, err := found(r.row(ctx, `SELECT key_id, (SELECT body_hash FROM bond WHERE bond.id = ? AND bond.sender_account = account.id),
		COALESCE((SELECT available FROM balance WHERE holder = account.id AND currency = ?), 0)
		FROM account WHERE id = ?`, key.id, currency, key.account).Scan(&signer, &before, &available))
	switch {
	case err != nil:
		return false, 0, err
	case !ok:
		return false, 0, noAccount()
	case signer == "":
		return false, 0, escrowserver.Replaced() // it is deleted
	}
	_, answered, err := knownOperation{there: before.Valid, bodyHash: before.String}.answer(bodyHash)
	return answered, available, err
}

// Account returns NotFound for a key that has no account.
func (s *Store) Account(ctx context.Context, id escrow.KeyID) (escrowserver.AccountRecord, error) {
	return s.reader().account(ctx, id)
}

// Offer returns NoOffer unless the address has one and is proven at now.
func (s *Store) Offer(ctx context.Context, address escrow.Address, now time.Time) (escrowserver.OfferRecord, error) {
	return s.reader().offer(ctx, address, now)
}

// Pool counts the unsold keys of an address.
func (s *Store) Pool(ctx context.Context, address escrow.Address) (int, error) {
	return s.reader().pool(ctx, address)
}

// Standing is what limits a sender who asks for a quote.
func (s *Store) Standing(ctx context.Context, query escrowserver.StandingQuery) (escrowserver.Standing, error) {
	return s.reader().standing(ctx, query)
}

// Bond returns NotFound for an unknown bond.
func (s *Store) Bond(ctx context.Context, id escrow.BondID) (escrow.Bond, error) {
	b, err := s.reader().bond(ctx, id)
	return b.Bond, err
}

// Bonds lists what changed for the account after the cursor, oldest first.
func (s *Store) Bonds(ctx context.Context, account escrow.KeyID, after int64, limit int) ([]escrowserver.Change, error) {
	return s.reader().bonds(ctx, account, after, limit)
}

func (r reader) bonds(ctx context.Context, account escrow.KeyID, after int64, limit int) ([]escrowserver.Change, error) {
	one := func(role escrow.Role) string { // its places come from two indices
		return fmt.Sprintf(`SELECT * FROM (SELECT %[1]s_change, '%[1]s', `+bondColumns+` FROM bond
			WHERE %[1]s_account = ? AND %[1]s_change > ? ORDER BY %[1]s_change LIMIT ?) AS as_%[1]s`, role)
	}
	rows, err := r.query(ctx, one(escrow.RoleSender)+` UNION ALL `+one(escrow.RoleRecipient)+` ORDER BY 1 LIMIT ?`,
		account, after, limit, account, after, limit, limit)
	var changes []escrowserver.Change
	err = each(rows, err, func(scan func(...any) error) error {
		var c escrowserver.Change
		b, err := scanBond(scan, &c.N, &c.Role)
		if errors.Is(err, errDamaged) {
			// It is one bond: the account's others are to be seen.
			c.Damaged, err = err, nil
		}
		c.Bond = b.Bond
		changes = append(changes, c)
		return err
	})
	return changes, err
}

// Receipts returns the chain of a bond in order.
func (s *Store) Receipts(ctx context.Context, id escrow.BondID) ([]escrow.Signed, error) {
	return s.reader().receipts(ctx, id)
}

// NextDue is when a Sweep or a Clean has something to do next; zero if never.
func (s *Store) NextDue(ctx context.Context) (time.Time, error) {
	var next int64
	err := s.reader().row(ctx, `SELECT COALESCE(MIN(at), 0) FROM (
		SELECT MIN(due_at) AS at FROM bond WHERE due_at > 0
		UNION ALL SELECT MIN(keep_until) FROM sold_key
		UNION ALL SELECT MIN(`+keptSince+`) + ? FROM bond WHERE ended_at > 0 AND verification IS NOT NULL
		UNION ALL SELECT MIN(due_at) FROM account_change WHERE ended_at = 0
		UNION ALL SELECT MIN(until_at) FROM block
		UNION ALL SELECT MIN(made_at) + ? FROM claim) AS moments`,
		escrow.LateAccept.Microseconds(), escrowserver.ClaimKeep.Microseconds()).Scan(&next)
	return fromMicros(next), err
}

// Due lists bonds whose stored deadline has come, the longest due first.
func (s *Store) Due(ctx context.Context, now time.Time, after escrowserver.DueBond, limit int) ([]escrowserver.DueBond, error) {
	rows, err := s.reader().query(ctx, `SELECT due_at, id FROM bond
		WHERE due_at > 0 AND due_at <= ? AND (due_at > ? OR due_at = ? AND id > ?)
		ORDER BY due_at, id LIMIT ?`,
		micros(now), micros(after.At), micros(after.At), after.Bond, limit)
	var due []escrowserver.DueBond
	err = each(rows, err, func(scan func(...any) error) error {
		var b escrowserver.DueBond
		var at int64
		err := scan(&at, &b.Bond)
		b.At = fromMicros(at)
		due = append(due, b)
		return err
	})
	return due, err
}

func (r reader) account(ctx context.Context, id escrow.KeyID) (escrowserver.AccountRecord, error) {
	account := escrowserver.AccountRecord{ID: id}
	var frozenAt, recovery int64
	ok, err := found(r.row(ctx, `SELECT public_key, frozen_at, CASE WHEN recovery IS NULL THEN 0 ELSE LENGTH(recovery) END FROM account WHERE id = ?`, id).
		Scan((*[]byte)(&account.Key), &frozenAt, &recovery))
	account.FrozenAt, account.Recovery = fromMicros(frozenAt), recovery > 0
	if err == nil && !ok {
		err = noAccount()
	}
	if err == nil && len(account.Key) == 0 {
		err = escrowserver.Replaced() // it is deleted
	}
	if err != nil {
		return account, err
	}
	rows, err := r.query(ctx, `SELECT currency, available, held FROM balance WHERE holder = ? ORDER BY currency`, id)
	if err := each(rows, err, func(scan func(...any) error) error {
		var b escrowserver.BalanceRecord
		err := scan(&b.Currency, &b.Available, &b.Held)
		account.Balances = append(account.Balances, b)
		return err
	}); err != nil {
		return account, err
	}
	rows, err = r.query(ctx, `SELECT address, proven_at, renew_by FROM address WHERE account = ? ORDER BY address`, id)
	err = each(rows, err, func(scan func(...any) error) error {
		var a escrow.ProvenAddress
		var proven, renew int64
		err := scan(&a.Address, &proven, &renew)
		a.ProvenAt, a.RenewBy = fromMicros(proven), fromMicros(renew)
		account.Addresses = append(account.Addresses, a)
		return err
	})
	if err == nil {
		account.Changes, err = r.changes(ctx, id)
	}
	return account, err
}

func (r reader) proven(ctx context.Context, account escrow.KeyID, address escrow.Address, now time.Time) (bool, error) {
	var one int
	return found(r.row(ctx, `SELECT 1 FROM address WHERE address = ? AND account = ? AND renew_by > ?`, address, account, micros(now)).Scan(&one))
}

func (r reader) offer(ctx context.Context, address escrow.Address, now time.Time) (escrowserver.OfferRecord, error) {
	var offer knownOffer
	ok, err := found(offer.scan(r.row(ctx, `SELECT offer.account, offer.jws, offer.public, address.renew_by FROM offer
		JOIN address ON address.address = offer.address AND address.account = offer.account
		WHERE offer.address = ?`, address).Scan))
	if err == nil && (!ok || offer.renewBy <= micros(now)) {
		err = escrowserver.NoOffer()
	}
	return offer.OfferRecord, err
}

func (r reader) pool(ctx context.Context, address escrow.Address) (int, error) {
	var n int
	err := r.row(ctx, `SELECT COUNT(*) FROM one_time_key WHERE address = ?`, address).Scan(&n)
	return n, err
}

func (r reader) standing(ctx context.Context, q escrowserver.StandingQuery) (escrowserver.Standing, error) {
	var s escrowserver.Standing
	var err error
	if s.Proven, err = r.proven(ctx, q.Account, q.Sender, q.Now); err != nil {
		return s, err
	}
	since := micros(q.Now.Add(-escrowserver.Lookback))
	if s.AccountEnded, err = r.unarrived(ctx, `sender_account = ?`, string(q.Account), since); err != nil {
		return s, err
	}
	if s.AddressEnded, err = r.unarrived(ctx, `sender_folded = ?`, string(q.Sender.Folded()), since); err != nil {
		return s, err
	}
	err = r.row(ctx, `SELECT COUNT(*) FROM bond WHERE recipient_folded = ? AND sender_group = ? AND state = 'held'`,
		q.Recipient.Folded(), q.Group).Scan(&s.GroupHeld)
	if err == nil {
		s.Blocked, err = r.blocked(ctx, q)
	}
	return s, err
}

// unarrived is when bonds ended without arrived, newest first.
func (r reader) unarrived(ctx context.Context, where, who string, since int64) ([]time.Time, error) {
	rows, err := r.query(ctx, `SELECT ended_at FROM bond WHERE `+where+` AND arrived_at = 0 AND ended_at > 0 AND ended_at > ? ORDER BY ended_at DESC`, who, since)
	var ended []time.Time
	err = each(rows, err, func(scan func(...any) error) error {
		var at int64
		err := scan(&at)
		ended = append(ended, fromMicros(at))
		return err
	})
	return ended, err
}

func (r reader) receipts(ctx context.Context, id escrow.BondID) ([]escrow.Signed, error) {
	rows, err := r.query(ctx, `SELECT jws FROM receipt WHERE bond = ? AND n > 0 ORDER BY n`, id)
	var receipts []escrow.Signed
	err = each(rows, err, func(scan func(...any) error) error {
		var jws escrow.Signed
		err := scan(&jws)
		receipts = append(receipts, jws)
		return err
	})
	return receipts, err
}
