package sqlstore

import (
	"context"
	"time"

	"earnest/escrow"
	"earnest/escrowserver"
)

// changesShown is how long a change that has ended is shown, and endedShown how many
// such at most.
const (
	changesShown = 30 * 24 * time.Hour
	endedShown   = 100
)

// Keys returns NotFound for an account that is not, or not any more.
func (s *Store) Keys(ctx context.Context, account escrow.KeyID) (escrowserver.AccountKeys, error) {
	return s.reader().keys(ctx, account)
}

func (r reader) keys(ctx context.Context, account escrow.KeyID) (escrowserver.AccountKeys, error) {
	var keys escrowserver.AccountKeys
	ok, err := found(r.row(ctx, `SELECT public_key, recovery, recovery_signed FROM account WHERE id = ?`, account).
		Scan((*[]byte)(&keys.Key), (*[]byte)(&keys.Recovery), &keys.Signed))
	if err == nil && (!ok || len(keys.Key) == 0) {
		err = noAccount()
	}
	return keys, err
}

// OwnerOf is the account that the key has, or had before it was replaced.
func (s *Store) OwnerOf(ctx context.Context, key escrow.KeyID) (account escrow.KeyID, replaced bool, err error) {
	var gone int64
	// The index has the keys that are some: PostgreSQL must be told so.
	_, err = found(s.reader().row(ctx, `SELECT account, 1 FROM replaced_key WHERE key_id = ?
		UNION ALL SELECT id, 0 FROM account WHERE key_id = ? AND key_id <> ''`, key, key).Scan(&account, &gone))
	return account, gone == 1, err
}

// Replaced lists keys that were taken away from their accounts.
func (s *Store) Replaced(ctx context.Context, after int64, limit int) ([]escrowserver.ReplacedKey, error) {
	rows, err := s.reader().query(ctx, `SELECT n, key_id, account, next_key FROM replaced_key WHERE n > ? ORDER BY n LIMIT ?`, after, limit)
	var replaced []escrowserver.ReplacedKey
	err = each(rows, err, func(scan func(...any) error) error {
		var k escrowserver.ReplacedKey
		err := scan(&k.N, &k.Key, &k.Account, &k.Next)
		replaced = append(replaced, k)
		return err
	})
	return replaced, err
}

// NewestReplaced is the number of the newest of them.
func (s *Store) NewestReplaced(ctx context.Context) (n int64, err error) {
	err = s.reader().row(ctx, `SELECT COALESCE(MAX(n), 0) FROM replaced_key`).Scan(&n)
	return n, err
}

// Aged counts the unsold keys of an address that were here for too long.
func (s *Store) Aged(ctx context.Context, address escrow.Address, now time.Time) (int, error) {
	return s.reader().aged(ctx, address, now)
}

// DueChanges lists the changes whose time has come, the longest due first.
func (s *Store) DueChanges(ctx context.Context, now time.Time, after escrowserver.DueChange, limit int) ([]escrowserver.DueChange, error) {
	rows, err := s.reader().query(ctx, `SELECT due_at, id FROM account_change
		WHERE ended_at = 0 AND due_at <= ? AND (due_at > ? OR due_at = ? AND id > ?) ORDER BY due_at, id LIMIT ?`,
		micros(now), micros(after.At), micros(after.At), after.ID, limit)
	var due []escrowserver.DueChange
	err = each(rows, err, func(scan func(...any) error) error {
		var c escrowserver.DueChange
		var at int64
		err := scan(&at, &c.ID)
		c.At = fromMicros(at)
		due = append(due, c)
		return err
	})
	return due, err
}

// changes are those that concern the account: of its own, and of its addresses.
// Those that wait are all there, or a thief could hide his own behind many that he
// has replaced; of those that ended, the newest.
func (r reader) changes(ctx context.Context, account escrow.KeyID) (changes []escrow.AccountChange, err error) {
	rows, err := r.query(ctx, `SELECT `+changeColumns+` FROM account_change WHERE (account = ? OR holder = ?) AND (ended_at = 0 OR id IN (
			SELECT id FROM account_change WHERE (account = ? OR holder = ?) AND ended_at > 0
				AND ended_at > (SELECT COALESCE(MAX(beat_at), 0) FROM heartbeat WHERE account = '') - ? ORDER BY ended_at DESC, id LIMIT ?))
		ORDER BY asked_at, id`, account, account, account, account, changesShown.Microseconds(), endedShown)
	err = each(rows, err, func(scan func(...any) error) error {
		c, err := scanChange(scan)
		changes = append(changes, c.AccountChange)
		return err
	})
	return changes, err
}
