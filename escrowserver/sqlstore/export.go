package sqlstore

import (
	"context"
	"encoding/json"
	"math"
	"strings"

	"earnest/escrow"
)

// stored is what of a table belongs to an account.
type stored struct {
	name, table string
	// columns are the table's, as they are called in it and, where it is another, after
	// a colon in the export.
	columns string
	of      string // which rows of the table, which is t; a ? is the account
}

// ofAccount is everything that is stored about an account, but for what accounts.md says
// is left out.
func ofAccount() []stored {
	const bonds = `(SELECT id FROM bond WHERE sender_account = ? OR recipient_account = ?)`
	const received, sent = `(SELECT id FROM bond WHERE recipient_account = ?)`, `(SELECT id FROM bond WHERE sender_account = ?)`
	return []stored{
		{"account", "account", "id public_key key_id:key recovery recovery_signed opened_at frozen_at change:newest open_bonds", "WHERE t.id = ?"},
		{"balances", "balance", "currency available held", "WHERE t.holder = ? ORDER BY t.currency"},
		{"postings", "posting", "transfer state currency bucket amount made_at", "WHERE t.holder = ? ORDER BY t.id, t.side"},
		{"vouchers", "voucher", "hash currency amount made_at redeemed_at signed", "WHERE t.account = ? ORDER BY t.redeemed_at"},
		{"credits", "credit", "id:transfer kind currency amount reason by_whom:by signed made_at", "WHERE t.account = ? ORDER BY t.made_at"},
		{"checkouts", "checkout", "operation:id id:transfer provider currency amount unit units session payment url state made_at ask_at ended_at", "WHERE t.account = ? ORDER BY t.made_at"},
		{"takenBack", "debt", "provider id checkout kind amount state note made_at ended_at",
			"JOIN checkout c ON c.id = t.checkout WHERE c.account = ? ORDER BY t.made_at"},
		{"payouts", "payout", "operation:id id:transfer currency amount destination:to state asked_at not_before begun_at begun_by ended_at note by_whom:by signed", "WHERE t.account = ? ORDER BY t.asked_at"},
		{"welcome", "welcome", "mailbox domain credit currency amount made_at", "WHERE t.account = ?"},
		{"limits", "spending_limit", "currency per_mail per_day raise_mail raise_day raise_at signed", "WHERE t.account = ? ORDER BY t.currency"},
		{"addresses", "address", "address folded typed proven_at renew_by signed", "WHERE t.account = ? ORDER BY t.address"},
		{"inventory", "inventory", "signed cites logged", "WHERE t.account = ?"},
		{"inventoryLog", "inventory_log", "n number signed hash", "WHERE t.account = ? ORDER BY t.n"},
		{"claims", "claim", "address folded typed nonce made_at", "WHERE t.account = ? ORDER BY t.made_at"},
		{"offers", "offer", "address jws:signed public made", "WHERE t.account = ? ORDER BY t.address"},
		{"keyBatches", "key_batch", "hash address jws:signed made_at", "WHERE t.account = ? ORDER BY t.made_at"},
		{"keysForSale", "one_time_key", "id:n address fingerprint certificate batch", "JOIN address a ON a.address = t.address WHERE a.account = ? ORDER BY t.id"},
		{"keysBought", "sold_key", "bond certificate batch keep_until", "WHERE t.bond IN " + sent + " ORDER BY t.bond"},
		{"receipts", "receipt", "bond n jws:signed", "WHERE t.n > 0 AND t.bond IN " + bonds + " ORDER BY t.bond, t.n"},
		{"asides", "receipt", "id:n bond jws:signed", "WHERE t.n = 0 AND t.bond IN " + received + " ORDER BY t.id"},
		{"statements", "statement", "hash bond verdict n jws:signed outcome:answer made_at", "WHERE t.bond IN " + received + " ORDER BY t.made_at"},
		{"proofs", "proof", "hash bond outcome:answer", "WHERE t.bond IN " + received + " ORDER BY t.bond"},
		{"purchases", "bond", "id:bond sender_change:n sender_folded sender_group body_hash verification reply", "WHERE t.sender_account = ? ORDER BY t.id"},
		{"sales", "bond", "id:bond recipient_change:n recipient_folded", "WHERE t.recipient_account = ? ORDER BY t.id"},
		{"blocks", "block", "recipient sender bond from_at:from until_at:until", "JOIN address a ON a.address = t.recipient WHERE a.account = ? ORDER BY t.from_at"},
		{"orders", "account_order", "hash action signer jws:signed made_at signed:taken", "WHERE t.account = ? ORDER BY t.made_at"},
		{"changes", "account_change", "id account holder kind subject value asked_at due_at signed ended_at ending", "WHERE t.account = ? OR t.holder = ? ORDER BY t.asked_at"},
		{"replacedKeys", "replaced_key", "n key_id:key public_key next_key:next replaced_at ordered:order", "WHERE t.account = ? ORDER BY t.n"},
		{"operations", "operation", "id body_hash response:answer made_at", "WHERE t.account = ? ORDER BY t.made_at, t.id"},
		{"heartbeat", "heartbeat", "beat_at:at", "WHERE t.account = ?"},
	}
}

// fields are the columns, and what they are called in the export.
func (p stored) fields() (columns, names []string) {
	for field := range strings.FieldsSeq(p.columns) {
		column, name, other := strings.Cut(field, ":")
		if !other {
			name = camel(column)
		}
		columns, names = append(columns, column), append(names, name)
	}
	return columns, names
}

func camel(column string) string {
	words := strings.Split(column, "_")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}

// Export returns all that is stored about the account: times are microseconds since
// 1970, bytes base64, as the tables have them. What a sender may not see of a reject
// that can be undone is not in it.
func (s *Store) Export(ctx context.Context, account escrow.KeyID) (json.RawMessage, error) {
	r, end, err := s.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
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
	for range strings.Count(part.of, "?") {
		args = append(args, account)
	}
	columns, names := part.fields()
	lines := []map[string]any{}
	rows, err := r.query(ctx, `SELECT t.`+strings.Join(columns, ", t.")+` FROM `+part.table+` t `+part.of, args...)
	err = each(rows, err, func(scan func(...any) error) error {
		values := make([]any, len(names))
		into := make([]any, len(values))
		for i := range values {
			into[i] = &values[i]
		}
		if err := scan(into...); err != nil {
			return err
		}
		line := map[string]any{}
		for i, name := range names {
			line[name] = values[i]
		}
		lines = append(lines, line)
		return nil
	})
	return lines, err
}
