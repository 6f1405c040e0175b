package sqlstore

import (
	"context"
	"encoding/json"
	"math"
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

// stored is what of a table belongs to an account. A ? is the account.
type stored struct {
	name, query string
	columns     []string
}

// ofAccount is everything that is stored about an account.
func ofAccount() []stored {
	const bonds = ` IN (SELECT id FROM bond WHERE sender_account = ? OR recipient_account = ?)`
	return []stored{
		{"account", `SELECT id, public_key, recovery, opened_at, frozen_at FROM account WHERE id = ?`, []string{"id", "publicKey", "recovery", "openedAt", "frozenAt"}},
		{"balances", `SELECT currency, available, held FROM balance WHERE holder = ? ORDER BY currency`, []string{"currency", "available", "held"}},
		{"postings", `SELECT transfer, state, currency, bucket, amount, made_at FROM posting WHERE holder = ? ORDER BY id, side`, []string{"transfer", "state", "currency", "bucket", "amount", "madeAt"}},
		{"vouchers", `SELECT hash, currency, amount, redeemed_at, signed FROM voucher WHERE account = ? ORDER BY redeemed_at`, []string{"hash", "currency", "amount", "redeemedAt", "signed"}},
		{"credits", `SELECT kind, currency, amount, reason, signed, made_at FROM credit WHERE account = ? ORDER BY made_at`, []string{"kind", "currency", "amount", "reason", "signed", "madeAt"}},
		{"checkouts", `SELECT operation, provider, currency, amount, session, payment, state, made_at, ended_at FROM checkout WHERE account = ? ORDER BY made_at`,
			[]string{"id", "provider", "currency", "amount", "session", "payment", "state", "madeAt", "endedAt"}},
		{"takenBack", `SELECT d.kind, d.amount, d.state, d.note, d.made_at, d.ended_at FROM debt d JOIN checkout c ON c.id = d.checkout WHERE c.account = ? ORDER BY d.made_at`,
			[]string{"kind", "amount", "state", "note", "madeAt", "endedAt"}},
		{"payouts", `SELECT operation, currency, amount, destination, state, asked_at, not_before, ended_at, note FROM payout WHERE account = ? ORDER BY asked_at`,
			[]string{"id", "currency", "amount", "to", "state", "askedAt", "notBefore", "endedAt", "note"}},
		{"welcome", `SELECT mailbox, domain, currency, amount, made_at FROM welcome WHERE account = ?`, []string{"mailbox", "domain", "currency", "amount", "madeAt"}},
		{"addresses", `SELECT address, typed, proven_at, renew_by FROM address WHERE account = ? ORDER BY address`, []string{"address", "typed", "provenAt", "renewBy"}},
		{"claims", `SELECT address, typed, nonce, made_at FROM claim WHERE account = ? ORDER BY made_at`, []string{"address", "typed", "nonce", "madeAt"}},
		{"offers", `SELECT address, jws, made FROM offer WHERE account = ? ORDER BY address`, []string{"address", "signed", "made"}},
		{"keyBatches", `SELECT address, jws, made_at FROM key_batch WHERE account = ? ORDER BY made_at`, []string{"address", "signed", "madeAt"}},
		{"keysForSale", `SELECT k.address, k.fingerprint, k.certificate FROM one_time_key k JOIN address a ON a.address = k.address WHERE a.account = ? ORDER BY k.id`, []string{"address", "fingerprint", "certificate"}},
		{"receipts", `SELECT bond, n, jws FROM receipt WHERE n > 0 AND bond` + bonds + ` ORDER BY bond, n`, []string{"bond", "n", "signed"}},
		{"statements", `SELECT bond, verdict, jws, made_at FROM statement WHERE bond IN (SELECT id FROM bond WHERE recipient_account = ?) ORDER BY made_at`, []string{"bond", "verdict", "signed", "madeAt"}},
		{"blocks", `SELECT block.recipient, block.sender, block.bond, block.from_at, block.until_at FROM block JOIN address a ON a.address = block.recipient WHERE a.account = ? ORDER BY block.from_at`,
			[]string{"recipient", "sender", "bond", "from", "until"}},
		{"orders", `SELECT action, jws, made_at FROM account_order WHERE account = ? ORDER BY made_at`, []string{"action", "signed", "madeAt"}},
		{"changes", `SELECT kind, subject, value, asked_at, due_at, ended_at, ending FROM account_change WHERE account = ? OR (holder = ?) ORDER BY asked_at`,
			[]string{"kind", "subject", "value", "askedAt", "dueAt", "endedAt", "ending"}},
		{"replacedKeys", `SELECT key_id, replaced_at, ordered FROM replaced_key WHERE account = ? ORDER BY n`, []string{"key", "replacedAt", "order"}},
		{"operations", `SELECT id, response, made_at FROM operation WHERE account = ? ORDER BY made_at, id`, []string{"id", "answer", "madeAt"}},
		{"heartbeat", `SELECT beat_at FROM heartbeat WHERE account = ?`, []string{"at"}},
	}
}

// Export returns all that is stored about the account: times are microseconds since
// 1970, bytes base64, as the tables have them. What a sender may not see of a reject
// that can be undone is not in it.
func (s *Store) Export(ctx context.Context, account escrow.KeyID) (json.RawMessage, error) {
	tx, err := s.engine.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // it wrote nothing
	r := reader{sqlQuerier{tx, s.engine}}
	all := map[string][]map[string]any{}
	for _, part := range ofAccount() {
		lines, err := r.lines(ctx, part, account)
		if err != nil {
			return nil, err
		}
		all[part.name] = lines
	}
	changes, err := r.bonds(ctx, account, 0, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	bonds := []escrow.BondView{}
	for _, c := range changes {
		if c.Damaged == nil {
			bonds = append(bonds, c.Bond.View(c.Role)) // what may be seen in that role
		}
	}
	return json.Marshal(struct {
		Tables map[string][]map[string]any `json:"tables"`
		Bonds  []escrow.BondView           `json:"bonds"`
	}{all, bonds})
}

func (r reader) lines(ctx context.Context, part stored, account escrow.KeyID) ([]map[string]any, error) {
	var args []any
	for _, c := range part.query {
		if c == '?' {
			args = append(args, account)
		}
	}
	lines := []map[string]any{}
	rows, err := r.query(ctx, part.query, args...)
	err = each(rows, err, func(scan func(...any) error) error {
		values := make([]any, len(part.columns))
		into := make([]any, len(values))
		for i := range values {
			into[i] = &values[i]
		}
		if err := scan(into...); err != nil {
			return err
		}
		line := map[string]any{}
		for i, name := range part.columns {
			line[name] = values[i]
		}
		lines = append(lines, line)
		return nil
	})
	return lines, err
}
